//! Cases that wait until the people they meet in a live target are known.

use std::{collections::BTreeSet, ops::Range};

use super::{cases::Case, extract::ExtractError};
use crate::{
    domain::{
        case::{Decision, quarantine_duplicate},
        digest::RowHash,
        fiscal_code::FiscalCode,
        raw_record::RawRecord,
        rules::Rules,
        sort_key,
        standing::{StandingDecision, decide_standing},
        tally::Tally,
    },
    store::{ChunkBuilder, Met, StoreError},
};

/// Whole cases, in order.
#[derive(Default)]
pub(super) struct Batch {
    /// The compact forms of their records one after the other, and where each ends.
    bytes: Vec<u8>,
    ends: Vec<usize>,
    cases: Vec<Kept>,
}

struct Kept {
    records: Range<usize>,
    /// The number of a quarantined duplicate.
    copy: Option<u32>,
    position: u64,
}

impl Batch {
    pub(super) fn push(&mut self, case: &Case<'_>) {
        let first = self.ends.len();
        for record in case.records() {
            record.encode(&mut self.bytes);
            self.ends.push(self.bytes.len());
        }
        self.cases.push(Kept {
            records: first..self.ends.len(),
            copy: case.duplicate(),
            position: case.position(),
        });
    }

    /// Number of records.
    pub(super) fn records(&self) -> u64 {
        self.ends.len() as u64
    }

    /// The codes of all people among them.
    pub(super) fn codes(&self, rules: &Rules) -> Result<BTreeSet<FiscalCode>, ExtractError> {
        let mut codes = BTreeSet::new();
        for case in self.cases.iter().filter(|case| case.copy.is_none()) {
            let records = self.decode(case)?;
            codes.extend(
                records
                    .iter()
                    .filter_map(|one| sort_key::holder(one, rules)),
            );
        }
        Ok(codes)
    }

    /// Judges every case; `each` is told the position of its first record and what becomes of it.
    pub(super) fn judge<E: From<ExtractError>>(
        &self,
        met: &Met,
        rules: &Rules,
        mut each: impl FnMut(u64, &StandingDecision<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        for case in &self.cases {
            let records = self.decode(case)?;
            let decided = match case.copy {
                None => decide_standing(&records, &met.people, rules),
                Some(copy) => StandingDecision {
                    decision: Decision {
                        people: Vec::new(),
                        quarantined: (records.iter())
                            .map(|record| quarantine_duplicate(record, copy, rules))
                            .collect(),
                    },
                    joining: Vec::new(),
                },
            };
            each(case.position, &decided)?;
        }
        Ok(())
    }

    fn decode(&self, case: &Kept) -> Result<Vec<RawRecord<'_>>, ExtractError> {
        let mut records = Vec::with_capacity(case.records.len());
        for at in case.records.clone() {
            let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
            records.push(RawRecord::decode(&self.bytes[start..self.ends[at]])?);
        }
        Ok(records)
    }
}

/// Counts what becomes of a case.
pub(super) fn count(decided: &StandingDecision<'_>, tally: &mut Tally, hash: &mut RowHash) {
    for person in &decided.decision.people {
        tally.add_person(person, hash);
    }
    for joining in &decided.joining {
        tally.add_joining(joining, hash);
    }
    for row in &decided.decision.quarantined {
        tally.add_quarantined(row, hash);
    }
}

/// Makes rows of what becomes of a case. Ids are given from `next_id` on, but for somebody whose first PIN has one.
pub(super) fn build(
    decided: &StandingDecision<'_>,
    mut next_id: i64,
    first_pin_id: impl Fn(FiscalCode) -> Option<i64>,
    met: &Met,
    builder: &mut ChunkBuilder,
) -> Result<(), StoreError> {
    for person in &decided.decision.people {
        let first_id = first_pin_id(person.fiscal_code).unwrap_or(next_id);
        builder.push_person(first_id, person)?;
        next_id += person.pins.len() as i64;
    }
    for joining in &decided.joining {
        let first_id = first_pin_id(joining.fiscal_code).unwrap_or(next_id);
        builder.push_joining(first_id, met.ids(joining.fiscal_code)?, joining);
        next_id += joining.pins.len() as i64;
    }
    for row in &decided.decision.quarantined {
        builder.push_quarantine(row);
    }
    Ok(())
}
