//! What a later run may have given people who stood in the target before it: never more than their records say, and
//! nothing in place of what they had (rule 10).

use super::{
    derivation::{Derivation, OVER, Record, level, names_record, note},
    facts::text_key,
    mismatch::{MismatchCode, Mismatches},
};
use crate::store::read_back::{PersonRead, RowSet, code, delegation, grant, pin};

impl Derivation<'_> {
    /// Compares what the run gave somebody who stood before with the records it comes from, in the order of the
    /// survivor rule.
    pub(super) fn check_joined(
        &self,
        read: &PersonRead,
        current: &str,
        records: &[Record<'_>],
        out: &mut Mismatches,
    ) {
        self.check_joined_pins(read, records, out);
        self.check_joined_grants(read, &mut records.to_vec(), out);
        let known = |old: &String| {
            (0..read.codes.len()).any(|row| read.codes.text(row, code::FISCAL_CODE) == old)
        };
        // Who is met by no record is given no code.
        if !records.is_empty() && !self.rules.links.old_codes(current).iter().all(known) {
            note(
                out,
                MismatchCode::CurrentCode,
                "fiscal_code",
                "old codes of the links file that lead to nobody",
                read,
            );
        }
    }

    fn is_own(&self, rows: &RowSet, row: usize) -> bool {
        rows.keys(row).run_id == self.run_id
    }

    /// Retired or history, and superseded by nothing but a PIN the person had.
    fn check_joined_pins(&self, read: &PersonRead, records: &[Record<'_>], out: &mut Mismatches) {
        let pins = &read.pins;
        let stood =
            |id: i64| (0..pins.len()).any(|row| !self.is_own(pins, row) && pins.keys(row).id == id);
        for record in records {
            let expected = if record.rank == OVER {
                (pins.text(record.row, pin::LEGACY_STATUS), "history")
            } else {
                ("retired", "retired")
            };
            let found = (
                pins.text(record.row, pin::STATUS),
                pins.text(record.row, pin::DISPOSITION),
            );
            let successor = pins.keys(record.row).refers_to;
            if expected != found || successor.is_some_and(|id| record.rank == OVER || !stood(id)) {
                note(
                    out,
                    MismatchCode::Survivor,
                    "pin",
                    "status, disposition or superseded_by are not what rule 10 makes them",
                    read,
                );
            }
        }
    }

    /// A grant for each profile and entity of the records: one that stood, or else what the records make it.
    fn check_joined_grants(
        &self,
        read: &PersonRead,
        records: &mut [Record<'_>],
        out: &mut Mismatches,
    ) {
        records.sort_unstable_by_key(Record::grant_order);
        let grants = &read.grants;
        let mut own = 0;
        let mut equal = true;
        for group in records.chunk_by(|a, b| (a.profile, a.entity) == (b.profile, b.entity)) {
            let first = &group[0];
            let row = (0..grants.len()).find(|row| {
                grants.text(*row, grant::PROFILE) == first.profile
                    && grants.text(*row, grant::ENTITY) == first.entity
            });
            match row {
                Some(row) if self.is_own(grants, row) => {
                    equal &= first.makes(read, row, level(Record::is_ordinary(group)));
                    own += 1;
                }
                Some(_stood_before) => {}
                None => equal = false,
            }
        }
        let all_own = (0..grants.len()).filter(|row| self.is_own(grants, *row));
        if !equal || own != all_own.count() {
            note(
                out,
                MismatchCode::Grant,
                "profile_grant",
                "grants are not what the records make them",
                read,
            );
        }
    }

    /// One delegation for each guardian of a record in use; the run's own name such a record.
    pub(super) fn check_joined_delegations(
        &self,
        read: &PersonRead,
        records: &[Record<'_>],
        out: &mut Mismatches,
    ) {
        let delegations = &read.delegations;
        let named = |record: &&Record<'_>| record.rank < OVER && record.guardian() != 0;
        let key = |row: usize| text_key(delegations.text(row, delegation::GUARDIAN));
        let all = (records.iter().filter(named))
            .all(|record| (0..delegations.len()).any(|row| key(row) == record.guardian()));
        let mut own = (0..delegations.len()).filter(|row| self.is_own(delegations, *row));
        let due = own.all(|row| {
            let evidence = delegations.text(row, delegation::EVIDENCE);
            let first = records
                .iter()
                .filter(named)
                .find(|record| record.guardian() == key(row));
            first.is_some_and(|record| names_record(evidence, &read.pins, record))
        });
        if !all || !due {
            note(
                out,
                MismatchCode::Delegation,
                "delegation",
                "delegations are not what the records make them",
                read,
            );
        }
    }
}
