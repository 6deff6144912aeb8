//! What becomes of a legacy record, in a line.

use std::borrow::Cow;

use super::{
    case::Decision,
    digest::{RowHash, Table},
    finding::FindingRow,
    quarantine::Reason,
    rows::PinRow,
    standing::StandingDecision,
    status::Disposition,
};

/// The word for a record in quarantine, where others have their disposition.
const QUARANTINED: &str = "quarantined";

/// Where a record ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// In `pin`.
    Migrated(Disposition),
    /// In `quarantine`.
    Quarantined(Reason),
}

impl Outcome {
    /// The word for it, and the reason where it is quarantine.
    #[must_use]
    pub const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Migrated(disposition) => (disposition.as_str(), ""),
            Self::Quarantined(reason) => (QUARANTINED, reason.as_str()),
        }
    }

    /// What these words mean.
    #[must_use]
    pub fn by_words(verdict: &str, reason: &str) -> Option<Self> {
        match (verdict, reason) {
            (QUARANTINED, reason) => Reason::by_name(reason).map(Self::Quarantined),
            (verdict, "") => Disposition::by_name(verdict).map(Self::Migrated),
            (_, _) => None,
        }
    }
}

/// What becomes of one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict<'a> {
    /// Name of the source.
    pub source: &'a str,
    /// Its id there, or `@n` where it has none.
    pub legacy_id: Cow<'a, str>,
    /// 0 but for records that share their id.
    pub copy: u32,
    /// Where it ends.
    pub outcome: Outcome,
}

impl Verdict<'_> {
    /// Hash of all of it.
    pub fn digest(&self, hash: &mut RowHash) -> u128 {
        let (verdict, reason) = self.outcome.words();
        hash.start(Table::Verdict, "");
        hash.text(self.source);
        hash.text(&self.legacy_id);
        hash.integer(i64::from(self.copy));
        hash.text(verdict);
        hash.text(reason);
        hash.finish()
    }
}

/// A verdict with what people want to know beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained<'a> {
    /// The verdict.
    pub verdict: Verdict<'a>,
    /// What the record's PIN gave way to, as `source:id`.
    pub replaced_by: Option<String>,
    /// What was found about the person, told with the first of their records.
    pub findings: &'a [FindingRow<'a>],
}

/// The verdict on every record of a case.
pub fn of_decision<'d>(decision: &'d Decision<'_>, mut each: impl FnMut(&Explained<'d>)) {
    for person in &decision.people {
        of_pins(&person.pins, &person.findings, &mut each);
    }
    for row in &decision.quarantined {
        each(&Explained {
            verdict: Verdict {
                source: row.source,
                legacy_id: Cow::Borrowed(&row.legacy_id),
                copy: row.copy,
                outcome: Outcome::Quarantined(row.reason),
            },
            replaced_by: None,
            findings: &[],
        });
    }
}

/// The same where people stand in the target already.
pub fn of_standing<'d>(decided: &'d StandingDecision<'_>, mut each: impl FnMut(&Explained<'d>)) {
    of_decision(&decided.decision, &mut each);
    for joining in &decided.joining {
        of_pins(&joining.pins, &joining.findings, &mut each);
    }
}

fn of_pins<'d>(
    pins: &'d [PinRow<'_>],
    findings: &'d [FindingRow<'_>],
    each: &mut impl FnMut(&Explained<'d>),
) {
    for pin in pins {
        let first = (findings.first())
            .is_some_and(|first| (first.source, first.legacy_id) == (pin.source, pin.legacy_id));
        each(&Explained {
            verdict: Verdict {
                source: pin.source,
                legacy_id: Cow::Borrowed(pin.legacy_id),
                copy: 0,
                outcome: Outcome::Migrated(pin.disposition),
            },
            replaced_by: (pin.superseded_by)
                .map(|other| format!("{}:{}", other.source, other.legacy_id)),
            findings: if first { findings } else { &[] },
        });
    }
}

#[cfg(test)]
mod tests {
    use super::{Disposition, Outcome, Reason};

    #[test]
    fn every_outcome_has_words_of_its_own() {
        let migrated = Disposition::ALL.iter().map(|one| Outcome::Migrated(*one));
        let quarantined = Reason::ALL.iter().map(|one| Outcome::Quarantined(*one));
        for outcome in migrated.chain(quarantined) {
            let (verdict, reason) = outcome.words();
            assert_eq!(Outcome::by_words(verdict, reason), Some(outcome));
        }
        for (verdict, reason) in [
            ("quarantined", ""),
            ("survivor", "id_missing"),
            ("", ""),
            ("saved", ""),
        ] {
            assert_eq!(
                Outcome::by_words(verdict, reason),
                None,
                "{verdict} {reason}"
            );
        }
    }
}
