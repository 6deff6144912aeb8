//! What verification finds: differences by kind and place, with a few examples of each.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Stage;
use crate::domain::status::vocabulary;

vocabulary! {
    /// What kind of difference was found; the spelling is stable.
    MismatchCode {
        /// A source is not what the run read.
        SourceChanged = "source_changed",
        /// Records of a source and what was carried over of them are not the same.
        NotCarried = "not_carried",
        /// Records read are not rows in `pin` plus rows in `quarantine`.
        Conservation = "conservation",
        /// The rows of people and quarantine are not those that were committed.
        RowsDigest = "rows_digest",
        /// Origins of PINs, or the quarantine, are not what was committed.
        OriginsDigest = "origins_digest",
        /// The findings are not those that were committed.
        FindingsDigest = "findings_digest",
        /// The run's final digest is not that of its partitions.
        FinalDigest = "final_digest",
        /// There are not as many rows as were committed.
        Counts = "counts",
        /// An invariant does not hold.
        Invariant = "invariant",
        /// Tables, views, indexes or triggers are not those pinferry ships.
        Schema = "schema",
        /// An index does not hold what its table holds.
        IndexContent = "index_content",
        /// The profiles or services are not those of the configuration.
        Catalogue = "catalogue",
        /// The run is not that of this configuration.
        Configuration = "configuration",
        /// The run row or one of its parts is not what it must be.
        RunState = "run_state",
        /// A chained log was changed.
        Chain = "chain",
        /// A row belongs to a person that does not exist.
        Orphan = "orphan",
        /// A person has not exactly one current fiscal code.
        CurrentCode = "current_code",
        /// A person has more than one PIN in use.
        LivePins = "live_pins",
        /// A person has no PIN at all.
        NoPin = "no_pin",
        /// A row belongs to another run, or its id to no run.
        ForeignRun = "foreign_run",
        /// A grant names a profile that the catalogue has not.
        UnknownProfile = "unknown_profile",
        /// Status, disposition and successor of a PIN are not what its records make it.
        Survivor = "survivor",
        /// The expiry of a PIN is not what its record and the profiles make it.
        Expiry = "expiry",
        /// A grant is not what the person's records make it.
        Grant = "grant",
        /// Effective access before and after differs.
        Access = "access",
        /// Name, birth date or contacts of a person are not what the records say.
        PersonDetails = "person_details",
        /// A delegation is not what the person's records make it.
        Delegation = "delegation",
        /// A quarantined record is not open before cut-over, or its id not that of its record.
        Quarantine = "quarantine",
        /// A known PIN was not found as announced.
        Canary = "canary",
        /// A record ended otherwise than the dry run said.
        Verdict = "verdict",
    }
}

impl MismatchCode {
    /// Whether it fails verification even after cut-over, when life goes on.
    #[must_use]
    pub const fn outlives_cut_over(self) -> bool {
        match self {
            Self::Conservation
            | Self::OriginsDigest
            | Self::FinalDigest
            | Self::Invariant
            | Self::Schema
            | Self::IndexContent
            | Self::RunState
            | Self::Chain
            | Self::Orphan
            | Self::CurrentCode
            | Self::LivePins
            | Self::UnknownProfile
            | Self::Verdict => true,
            Self::SourceChanged
            | Self::NotCarried
            | Self::RowsDigest
            | Self::FindingsDigest
            | Self::Counts
            | Self::Catalogue
            | Self::Configuration
            | Self::NoPin
            | Self::ForeignRun
            | Self::Survivor
            | Self::Expiry
            | Self::Grant
            | Self::Access
            | Self::PersonDetails
            | Self::Delegation
            | Self::Quarantine
            | Self::Canary => false,
        }
    }

    /// Whether it sets the target beside the source: where that is another one than the run read, this comes of it.
    const fn hangs_on_source(self) -> bool {
        match self {
            Self::NotCarried
            | Self::NoPin
            | Self::Survivor
            | Self::Expiry
            | Self::Grant
            | Self::Access
            | Self::PersonDetails
            | Self::Delegation
            | Self::Quarantine => true,
            Self::SourceChanged
            | Self::Conservation
            | Self::RowsDigest
            | Self::OriginsDigest
            | Self::FindingsDigest
            | Self::FinalDigest
            | Self::Counts
            | Self::Invariant
            | Self::Schema
            | Self::IndexContent
            | Self::Catalogue
            | Self::Configuration
            | Self::RunState
            | Self::Chain
            | Self::Orphan
            | Self::CurrentCode
            | Self::LivePins
            | Self::ForeignRun
            | Self::UnknownProfile
            | Self::Canary
            | Self::Verdict => false,
        }
    }

    /// What must have happened.
    const fn cause(self) -> Cause {
        match self {
            Self::SourceChanged => Cause::SourceWritten,
            Self::Schema | Self::IndexContent => Cause::SchemaChanged,
            Self::Catalogue => Cause::OtherCatalogue,
            Self::Configuration => Cause::OtherConfiguration,
            Self::Canary => Cause::CanaryMissed,
            Self::Verdict => Cause::OtherVerdict,
            Self::Chain | Self::RunState | Self::FinalDigest => Cause::RecordsChanged,
            Self::NotCarried
            | Self::Conservation
            | Self::RowsDigest
            | Self::OriginsDigest
            | Self::FindingsDigest
            | Self::Counts
            | Self::Invariant
            | Self::Orphan
            | Self::CurrentCode
            | Self::LivePins
            | Self::NoPin
            | Self::ForeignRun
            | Self::UnknownProfile
            | Self::Survivor
            | Self::Expiry
            | Self::Grant
            | Self::Access
            | Self::PersonDetails
            | Self::Delegation
            | Self::Quarantine => Cause::RowsChanged,
        }
    }
}

/// What must have happened, as far as the way out of it differs.
#[derive(Clone, Copy)]
enum Cause {
    SourceWritten,
    /// What was read again is not what was loaded.
    OtherSource,
    SchemaChanged,
    OtherCatalogue,
    OtherConfiguration,
    CanaryMissed,
    OtherVerdict,
    /// pinferry's own records of its runs.
    RecordsChanged,
    /// People, or the quarantine.
    RowsChanged,
}

impl Cause {
    /// What to do about it: after cut-over there is nothing left to abort.
    const fn advice(self, stage: Stage) -> &'static str {
        use Stage::{AfterCutOver, BeforeCutOver};
        match (self, stage) {
            (Self::SourceWritten, BeforeCutOver) => {
                "find out who wrote to the source under the lock (`pinferry lock status`); `pinferry abort` and run again"
            }
            (Self::SourceWritten, AfterCutOver) => {
                "the legacy was sealed at cut-over: find out who opened or wrote to it since (`pinferry lock status`)"
            }
            (Self::OtherSource, BeforeCutOver | AfterCutOver) => {
                "this comes of the source, which is not what the run read: settle that first"
            }
            (Self::SchemaChanged, BeforeCutOver) => {
                "somebody changed the target's schema; put it back, or `pinferry abort` and run again"
            }
            (Self::SchemaChanged, AfterCutOver) => {
                "somebody changed the target's schema: put it back, or restore a backup of the target"
            }
            (Self::OtherCatalogue, BeforeCutOver | AfterCutOver) => {
                "compare [catalogue] profiles with the tables profile, service and profile_service"
            }
            (Self::OtherConfiguration, BeforeCutOver | AfterCutOver) => {
                "verify with the configuration the run was started with (`pinferry status` names it)"
            }
            (Self::CanaryMissed, BeforeCutOver) => {
                "compare the canary file with `pinferry explain`; do not cut over before logins work"
            }
            (Self::CanaryMissed, AfterCutOver) => {
                "compare the canary file with `pinferry explain`, and try that login in the new system"
            }
            (Self::OtherVerdict, BeforeCutOver | AfterCutOver) => {
                "`pinferry explain` tells what was read and what changed under the lock; the dry run may have read other sources"
            }
            (Self::RecordsChanged, BeforeCutOver) => {
                "somebody changed pinferry's own records in the target; find out who, then `pinferry abort` and run again"
            }
            (Self::RecordsChanged, AfterCutOver) => {
                "somebody changed pinferry's own records in the target: find out who, and compare with a backup (`pinferry audit verify`)"
            }
            (Self::RowsChanged, BeforeCutOver) => {
                "somebody changed the target behind pinferry's back: find out who; look at the examples with `pinferry explain`; then `pinferry abort` and run again"
            }
            (Self::RowsChanged, AfterCutOver) => {
                "somebody changed the target since cut-over: find out who; look at the examples with `pinferry explain`, and put those rows right from a backup"
            }
        }
    }
}

/// A difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mismatch {
    /// What kind.
    pub code: MismatchCode,
    /// The table, source or invariant.
    pub subject: String,
    /// What is wrong, in words.
    pub what: String,
    /// How many rows or values.
    pub count: u64,
    /// A few of them: `source:id`, masked where an id has the form of a fiscal code.
    pub examples: Vec<String>,
    /// What to do.
    pub advice: &'static str,
}

/// How many examples are kept of each kind and place.
const EXAMPLES: usize = 10;

/// Collects differences; those of several threads are merged.
#[derive(Debug, Default)]
pub(super) struct Mismatches {
    found: BTreeMap<(MismatchCode, String, String), (u64, Vec<String>)>,
}

impl Mismatches {
    /// Adds one, with an example where there is one to show.
    pub(super) fn add(
        &mut self,
        code: MismatchCode,
        subject: &str,
        what: &str,
        example: Option<String>,
    ) {
        self.add_many(code, (subject, what), 1, example);
    }

    /// Adds several at once.
    pub(super) fn add_many(
        &mut self,
        code: MismatchCode,
        (subject, what): (&str, &str),
        count: u64,
        examples: impl IntoIterator<Item = String>,
    ) {
        if count == 0 {
            return;
        }
        let (sum, shown) = self
            .found
            .entry((code, subject.to_owned(), what.to_owned()))
            .or_default();
        *sum += count;
        let room = EXAMPLES.saturating_sub(shown.len());
        shown.extend(examples.into_iter().take(room));
    }

    /// Adds all of another collection.
    pub(super) fn merge(&mut self, other: Self) {
        for ((code, subject, what), (count, examples)) in other.found {
            self.add_many(code, (&subject, &what), count, examples);
        }
    }

    /// All differences, by kind and place.
    pub(super) fn into_list(self, stage: Stage) -> Vec<Mismatch> {
        let mut codes = self.found.keys().map(|(code, ..)| *code);
        let is_other_source = codes.any(|code| code == MismatchCode::SourceChanged);
        let cause = |code: MismatchCode| match is_other_source && code.hangs_on_source() {
            true => Cause::OtherSource,
            false => code.cause(),
        };
        self.found
            .into_iter()
            .map(|((code, subject, what), (count, examples))| Mismatch {
                advice: cause(code).advice(stage),
                code,
                subject,
                what,
                count,
                examples,
            })
            .collect()
    }
}

/// `source:id`, the id masked where it has the form of a fiscal code.
pub(super) fn record_name(source: &str, id: &str) -> String {
    if has_form_of_fiscal_code(id) {
        format!("{source}:{}", "*".repeat(id.chars().count()))
    } else {
        format!("{source}:{id}")
    }
}

/// Looser than the law: whatever could be taken for a code is masked.
fn has_form_of_fiscal_code(id: &str) -> bool {
    let id = id.trim();
    let personal = id.len() == 16
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && id.bytes().take(6).all(|byte| byte.is_ascii_alphabetic());
    let numeric = id.len() == 11 && id.bytes().all(|byte| byte.is_ascii_digit());
    personal || numeric
}

#[cfg(test)]
mod tests {
    use super::{EXAMPLES, MismatchCode, Mismatches, Stage, record_name};

    #[test]
    fn an_id_that_looks_like_a_fiscal_code_is_masked() {
        assert_eq!(record_name("inps", "P-17"), "inps:P-17");
        assert_eq!(
            record_name("inps", "rssmra70a01h501s"),
            "inps:****************"
        );
        assert_eq!(record_name("inps", "01234567897"), "inps:***********");
    }

    #[test]
    fn examples_are_bounded_and_counts_are_not() {
        let mut mismatches = Mismatches::default();
        for number in 0..100 {
            let example = Some(number.to_string());
            mismatches.add(MismatchCode::Orphan, "pin", "no person", example);
        }
        let list = mismatches.into_list(Stage::BeforeCutOver);
        assert_eq!(list[0].count, 100);
        assert_eq!(list[0].examples.len(), EXAMPLES);
    }
}
