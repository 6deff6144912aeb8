//! Reads the quarantine and the findings: digests, counts, and what each payload carries.

use std::{borrow::Cow, collections::BTreeMap};

use serde_json::Value;

use super::{
    carried::{Reading, plain},
    mismatch::{MismatchCode, Mismatches, record_name},
    person::Scope,
    row_digests,
    verdicts::VerdictSum,
};
use crate::{
    domain::{
        digest::{Digest, RowHash},
        field::{FIELDS, Field},
        finding::FindingKind,
        quarantine::Reason,
        rules::Nameless,
        tally::Tally,
    },
    store::read_back::{FindingRead, QuarantineRead},
};

/// Sums over quarantine and findings.
#[derive(Debug, Default)]
pub(super) struct LeftoverSums {
    /// All rows of `quarantine`.
    pub(super) quarantine: Digest,
    /// All rows of `finding`.
    pub(super) findings: Digest,
    pub(super) finding_kinds: BTreeMap<FindingKind, i64>,
    /// By position of the source.
    pub(super) sources: Vec<QuarantineSums>,
    /// Where the records of the sources ended.
    pub(super) verdicts: VerdictSum,
    /// Digests and findings of the run's own rows.
    pub(super) own: Tally,
    pub(super) mismatches: Mismatches,
}

/// The quarantine of one source.
#[derive(Clone, Debug, Default)]
pub(super) struct QuarantineSums {
    pub(super) reasons: BTreeMap<Reason, i64>,
    /// Rows whose record was migrated since.
    pub(super) replayed: i64,
    /// Sum of what the payloads carry, those replayed left out.
    pub(super) carried: Digest,
}

/// Takes rows of `quarantine` and `finding` in.
#[derive(Debug)]
pub(super) struct LeftoverReader<'v> {
    readings: &'v [Reading<'v>],
    run_id: i64,
    before_cut_over: bool,
    /// In a fresh target before cut-over nothing but this run has written.
    own_only: bool,
    verdicts: bool,
    hash: RowHash,
    pub(super) sums: LeftoverSums,
}

impl<'v> LeftoverReader<'v> {
    pub(super) fn new(scope: Scope<'v>) -> Self {
        let sums = LeftoverSums {
            sources: vec![QuarantineSums::default(); scope.readings.len()],
            ..LeftoverSums::default()
        };
        Self {
            readings: scope.readings,
            run_id: scope.run_id,
            before_cut_over: scope.before_cut_over,
            own_only: scope.before_cut_over && scope.target_fresh,
            verdicts: scope.verdicts,
            hash: RowHash::default(),
            sums,
        }
    }

    pub(super) fn take_quarantined(&mut self, row: &QuarantineRead<'_>) {
        let digest = row_digests::quarantine_row(row, &mut self.hash);
        self.sums.quarantine.add(digest);
        let own = row.run_id == self.run_id;
        if own {
            self.sums.own.digests.rows.add(digest);
            self.sums.own.digests.origins.add(digest);
        }
        let source = self
            .readings
            .iter()
            .position(|reading| reading.source.name == row.source);
        if self.own_only || own && self.before_cut_over {
            self.check_owner(row, source.is_some());
        }
        let Some(at) = source else { return };
        if self.verdicts {
            let copy = u32::try_from(row.copy).unwrap_or(u32::MAX);
            let record = (row.source, row.legacy_id, copy);
            (self.sums.verdicts).add_quarantined(record, row.reason, &mut self.hash);
        }
        let carried = self.carried(&self.readings[at], row);
        let sums = &mut self.sums.sources[at];
        if let Some(reason) = Reason::by_name(row.reason) {
            *sums.reasons.entry(reason).or_default() += 1;
        }
        if row.state == "replayed" {
            sums.replayed += 1;
        } else if let Some(payload) = carried {
            let hash = payload.hash(&self.readings[at], row.legacy_id, &mut self.hash);
            sums.carried.add(hash);
        }
    }

    pub(super) fn take_finding(&mut self, row: &FindingRead<'_>) {
        let digest = row_digests::finding_row(row, &mut self.hash);
        self.sums.findings.add(digest);
        let own = row.run_id == self.run_id;
        if own {
            self.sums.own.digests.findings.add(digest);
        }
        if let Some(kind) = FindingKind::by_name(row.kind) {
            *self.sums.finding_kinds.entry(kind).or_default() += 1;
            if own {
                *self.sums.own.findings.entry(kind).or_default() += 1;
            }
        }
        if self.own_only && row.run_id != self.run_id {
            let example = Some(record_name(row.source, row.legacy_id));
            self.sums.mismatches.add(
                MismatchCode::ForeignRun,
                "finding",
                "rows of another run",
                example,
            );
        }
    }

    fn check_owner(&mut self, row: &QuarantineRead<'_>, known_source: bool) {
        for (wrong, code, what) in [
            (
                row.run_id != self.run_id,
                MismatchCode::ForeignRun,
                "rows of another run",
            ),
            (
                row.state != "open",
                MismatchCode::Quarantine,
                "records not open before cut-over",
            ),
            (
                !known_source,
                MismatchCode::Quarantine,
                "records of a source the run has not",
            ),
            (
                Reason::by_name(row.reason).is_none(),
                MismatchCode::Quarantine,
                "records with a reason pinferry does not know",
            ),
        ] {
            if wrong {
                let example = Some(record_name(row.source, row.legacy_id));
                self.sums.mismatches.add(code, "quarantine", what, example);
            }
        }
    }

    /// The payload as a record; notes what is none, or stands under another id.
    fn carried<'r>(
        &mut self,
        reading: &Reading<'_>,
        row: &QuarantineRead<'r>,
    ) -> Option<Payload<'r>> {
        let payload = Payload::parse(row.payload);
        let what = match &payload {
            None => "payloads that are no record",
            Some(payload) if !stands_under(payload, reading, row.legacy_id) => {
                "records under another id than their payload's"
            }
            Some(_) => return payload,
        };
        let example = Some(record_name(row.source, row.legacy_id));
        self.sums
            .mismatches
            .add(MismatchCode::Quarantine, "quarantine", what, example);
        payload
    }
}

/// A record as kept in `quarantine.payload`.
enum Payload<'r> {
    /// The JSON array of a row that could not be taken apart.
    Malformed(&'r str),
    Row(Box<[Cow<'r, str>; FIELDS]>),
}

impl<'r> Payload<'r> {
    fn parse(text: &'r str) -> Option<Self> {
        let bare = text.strip_prefix("{\"row\":");
        if let Some(array) = bare.and_then(|rest| rest.strip_suffix('}')) {
            return Some(Self::Malformed(array));
        }
        let Value::Object(object) = serde_json::from_str(text).ok()? else {
            return None;
        };
        let mut fields: [Cow<'r, str>; FIELDS] = std::array::from_fn(|_| Cow::Borrowed(""));
        for (name, value) in object {
            let Value::String(value) = value else {
                return None;
            };
            fields[Field::by_name(&name)?.index()] = Cow::Owned(value);
        }
        Some(Self::Row(Box::new(fields)))
    }

    fn hash(&self, reading: &Reading<'_>, legacy_id: &str, hash: &mut RowHash) -> u128 {
        let number = number_of(legacy_id);
        match self {
            Self::Malformed(text) => reading.hash_malformed(number, text, hash),
            Self::Row(fields) => {
                let fields = std::array::from_fn(|at| fields[at].as_ref());
                reading.hash_record(number, &fields, hash)
            }
        }
    }
}

/// Hash of what a payload carries that stands under this id; none when it is no record.
pub(super) fn hash_payload(
    reading: &Reading<'_>,
    legacy_id: &str,
    payload: &str,
    hash: &mut RowHash,
) -> Option<u128> {
    Payload::parse(payload).map(|payload| payload.hash(reading, legacy_id, hash))
}

/// Whether the row's id is the one its payload has, as far as the payload has one that needs no spelling.
fn stands_under(payload: &Payload<'_>, reading: &Reading<'_>, legacy_id: &str) -> bool {
    let written = match payload {
        Payload::Malformed(_) => "",
        Payload::Row(fields) => plain(&fields[Field::LegacyId.index()]),
    };
    if written.is_empty() || written.starts_with('@') {
        let digits = legacy_id.strip_prefix('@').unwrap_or_default();
        return match reading.source.nameless {
            Nameless::ByNumber => number_of(legacy_id).is_some(),
            Nameless::ByHash => {
                digits.len() == 16 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
            }
        };
    }
    written == legacy_id || written.chars().any(char::is_control)
}

/// The number of a record that stands under it.
fn number_of(legacy_id: &str) -> Option<u64> {
    legacy_id.strip_prefix('@')?.parse().ok()
}
