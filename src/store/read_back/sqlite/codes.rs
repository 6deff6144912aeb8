//! Codes and the index of sources on SQLite, in their own order.

use rusqlite::Connection;

use super::{failed, text};
use crate::store::read_back::{CodesRead, error::ReadBackError, pair};

/// Reads the table in the order of the codes, which is the order it is kept in.
pub(in crate::store::read_back) fn read(
    connection: &Connection,
) -> Result<CodesRead, ReadBackError> {
    let mut read = CodesRead::default();
    let mut bytes = Vec::new();
    let mut statement = connection
        .prepare("SELECT fiscal_code, person_id, current FROM fiscal_code ORDER BY fiscal_code")
        .map_err(failed)?;
    let mut rows = statement.query([]).map_err(failed)?;
    while let Some(row) = rows.next().map_err(failed)? {
        let current = row.get::<_, i64>(2).map_err(failed)? == 1;
        let person_id = row.get(1).map_err(failed)?;
        read.add(text(row, 0)?, person_id, current, &mut bytes);
    }
    Ok(read)
}

/// Reads the index without the table.
pub(in crate::store::read_back) fn read_source_index(
    connection: &Connection,
) -> Result<u128, ReadBackError> {
    let mut sum = 0_u128;
    let mut bytes = Vec::new();
    let mut statement = connection
        .prepare("SELECT legacy_id, source, pin_id FROM pin INDEXED BY pin_source ORDER BY legacy_id, source")
        .map_err(failed)?;
    let mut rows = statement.query([]).map_err(failed)?;
    while let Some(row) = rows.next().map_err(failed)? {
        let pin_id = row.get(2).map_err(failed)?;
        sum = sum.wrapping_add(pair([text(row, 0)?, text(row, 1)?], pin_id, &mut bytes));
    }
    Ok(sum)
}
