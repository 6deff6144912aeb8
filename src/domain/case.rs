//! One case: all records that are judged together because their codes differ by omocodia at most.

use super::{quarantine::QuarantineRow, raw_record::RawRecord, rows::PersonRows, rules::Rules};

/// What becomes of a case.
#[derive(Debug, Default)]
pub struct Decision<'a> {
    /// The people who are migrated, in the order of their codes.
    pub people: Vec<PersonRows<'a>>,
    /// The records that are not.
    pub quarantined: Vec<QuarantineRow<'a>>,
}

/// Judges one case. Duplicate ids were settled before; every record ends in exactly one place.
#[must_use]
pub fn decide<'a>(_records: &[RawRecord<'a>], _rules: &'a Rules) -> Decision<'a> {
    Decision::default()
}
