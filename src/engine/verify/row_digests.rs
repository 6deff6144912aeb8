//! Hashes of rows read back, column by column as the contract orders them.

use crate::{
    domain::digest::{RowHash, Table},
    store::read_back::{
        FindingRead, PersonRead, QuarantineRead, RowSet, code, delegation, grant, person, pin,
    },
};

/// Hash of the row of `person`.
pub(super) fn person_row(read: &PersonRead, current: &str, hash: &mut RowHash) -> u128 {
    hash.start(Table::Person, current);
    hash.text(read.person.text(0, person::SURNAME));
    for column in [
        person::GIVEN_NAME,
        person::BIRTH_DATE,
        person::EMAIL,
        person::PHONE,
    ] {
        hash.optional(read.person.get(0, column));
    }
    hash.finish()
}

/// Hash of a row of `fiscal_code`.
pub(super) fn code_row(codes: &RowSet, row: usize, current: &str, hash: &mut RowHash) -> u128 {
    hash.start(Table::FiscalCode, current);
    hash.text(codes.text(row, code::FISCAL_CODE));
    hash.text(codes.text(row, code::CURRENT));
    hash.finish()
}

/// Hash of a row of `pin`; `successor` is `source:legacy_id` of the PIN it points to.
pub(super) fn pin_row(
    pins: &RowSet,
    row: usize,
    current: &str,
    successor: Option<&str>,
    hash: &mut RowHash,
) -> u128 {
    hash.start(Table::Pin, current);
    for column in 0..pin::COLUMNS {
        hash.optional(pins.get(row, column));
    }
    hash.optional(successor);
    hash.finish()
}

/// Hash of what life never changes of a row of `pin`.
pub(super) fn pin_origin(pins: &RowSet, row: usize, hash: &mut RowHash) -> u128 {
    hash.start(Table::PinOrigin, "");
    for column in [
        pin::DISPOSITION,
        pin::ISSUED_ON,
        pin::SOURCE,
        pin::LEGACY_ID,
        pin::LEGACY_PROFILE,
        pin::LEGACY_ENTITY,
        pin::LEGACY_STATUS,
    ] {
        hash.optional(pins.get(row, column));
    }
    hash.finish()
}

/// Hash of a row of `profile_grant`.
pub(super) fn grant_row(grants: &RowSet, row: usize, current: &str, hash: &mut RowHash) -> u128 {
    hash.start(Table::ProfileGrant, current);
    for column in 0..grant::COLUMNS {
        hash.optional(grants.get(row, column));
    }
    hash.finish()
}

/// Hash of a row of `delegation`.
pub(super) fn delegation_row(
    delegations: &RowSet,
    row: usize,
    current: &str,
    hash: &mut RowHash,
) -> u128 {
    hash.start(Table::Delegation, current);
    for column in 0..delegation::COLUMNS {
        hash.optional(delegations.get(row, column));
    }
    hash.finish()
}

/// Hash of a row of `quarantine`.
pub(super) fn quarantine_row(row: &QuarantineRead<'_>, hash: &mut RowHash) -> u128 {
    hash.start(Table::Quarantine, "");
    hash.text(row.source);
    hash.text(row.legacy_id);
    hash.integer(row.copy);
    hash.text(row.reason);
    hash.text(row.detail);
    hash.text(row.payload);
    hash.finish()
}

/// Hash of a row of `finding`.
pub(super) fn finding_row(row: &FindingRead<'_>, hash: &mut RowHash) -> u128 {
    hash.start(Table::Finding, "");
    hash.text(row.kind);
    hash.text(row.source);
    hash.text(row.legacy_id);
    hash.finish()
}
