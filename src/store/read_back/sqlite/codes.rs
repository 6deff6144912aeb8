//! Codes and the index of sources on SQLite, in their own order.

use rusqlite::Connection;

use super::{failed, text};
use crate::store::read_back::{CodesRead, IndexSum, PinIndexRead, error::ReadBackError};

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
        match row.get::<_, i64>(2).map_err(failed)? {
            1 => read.current += 1,
            _ => read.old += 1,
        }
        let person_id = row.get(1).map_err(failed)?;
        let sum = IndexSum::Columns.of([text(row, 0)?, ""], person_id, &mut bytes);
        read.sum = read.sum.wrapping_add(sum);
    }
    Ok(read)
}

/// Reads the index without the table.
pub(in crate::store::read_back) fn read_source_index(
    connection: &Connection,
) -> Result<PinIndexRead, ReadBackError> {
    let mut read = PinIndexRead::default();
    let mut bytes = Vec::new();
    let mut statement = connection
        .prepare("SELECT legacy_id, source, pin_id FROM pin INDEXED BY pin_source ORDER BY legacy_id, source")
        .map_err(failed)?;
    let mut rows = statement.query([]).map_err(failed)?;
    while let Some(row) = rows.next().map_err(failed)? {
        let pin_id = row.get(2).map_err(failed)?;
        let sum = IndexSum::Columns.of([text(row, 0)?, text(row, 1)?], pin_id, &mut bytes);
        read.sum = read.sum.wrapping_add(sum);
        read.rows += 1;
    }
    Ok(read)
}
