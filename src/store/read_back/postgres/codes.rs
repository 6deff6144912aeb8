//! Codes and the index of sources on PostgreSQL.
//!
//! An index of PostgreSQL can be read without its table only where VACUUM has been, so both are read through the
//! index: what it does not know is missing from the sum, and what it knows besides is no row of the snapshot.

use super::{
    copied::for_each,
    plan::Plan,
    server,
    value::{integer, some_text},
};
use crate::store::{
    database::Database,
    read_back::{CodesRead, error::ReadBackError, pair},
};

/// Reads what the primary key knows; people's codes are found by another index.
pub(in crate::store::read_back) fn read(database: &Database) -> Result<CodesRead, ReadBackError> {
    let server = server(database)?;
    let mut read = CodesRead::default();
    let mut bytes = Vec::new();
    Plan::ByIndex.set(server)?;
    for_each(
        server,
        "SELECT fiscal_code, person_id, current FROM fiscal_code WHERE fiscal_code >= ''",
        &mut |[code, person_id, current]| {
            let is_current = integer(current)? == 1;
            read.add(
                some_text(code)?,
                integer(person_id)?,
                is_current,
                &mut bytes,
            );
            Ok(())
        },
    )?;
    Plan::Free.set(server)?;
    Ok(read)
}

/// Reads what the index on (legacy_id, source) knows.
pub(in crate::store::read_back) fn read_source_index(
    database: &Database,
) -> Result<u128, ReadBackError> {
    let server = server(database)?;
    let mut sum = 0_u128;
    let mut bytes = Vec::new();
    Plan::ByIndex.set(server)?;
    for_each(
        server,
        "SELECT legacy_id, source, pin_id FROM pin WHERE legacy_id >= ''",
        &mut |[legacy_id, source, pin_id]| {
            let texts = [some_text(legacy_id)?, some_text(source)?];
            sum = sum.wrapping_add(pair(texts, integer(pin_id)?, &mut bytes));
            Ok(())
        },
    )?;
    Plan::Free.set(server)?;
    Ok(sum)
}
