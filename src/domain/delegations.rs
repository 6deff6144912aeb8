//! Guardians who act for a person.

use super::{evidence, legacy_record::LegacyRecord, rows::DelegationRow, rules::Rules};

/// One delegation per guardian of a candidate, ordered by code; `records` come in the order of the survivor
/// rule and the first that names a guardian is the evidence.
#[must_use]
pub fn delegations<'r, 'a: 'r>(
    records: impl Iterator<Item = &'r LegacyRecord<'a>>,
    rules: &Rules,
) -> Vec<DelegationRow> {
    let mut delegations: Vec<DelegationRow> = Vec::new();
    for record in records.filter(|record| record.status.is_candidate()) {
        let Some(guardian) = record.guardian else {
            continue;
        };
        let place = delegations.binary_search_by(|row| row.guardian_fiscal_code.cmp(&guardian));
        if let Err(place) = place {
            let row = DelegationRow {
                guardian_fiscal_code: guardian,
                evidence: evidence::legacy(record, rules),
            };
            delegations.insert(place, row);
        }
    }
    delegations
}
