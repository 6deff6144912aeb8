//! Codes and the index of sources on PostgreSQL.
//!
//! An index of PostgreSQL can be read without its table only where VACUUM has been: it leads to rows, and what the rows
//! hold is read with the people. So the server counts the rows an index leads to, and adds up their keys: what the
//! index does not know is missing, and what it knows besides is no row of the snapshot.

use super::{plan::Plan, server};
use crate::store::{
    database::{Database, Row, damaged},
    read_back::{CodesRead, PinIndexRead, error::ReadBackError},
};

/// Reads what the primary key knows; people's codes are found by another index.
pub(in crate::store::read_back) fn read(database: &Database) -> Result<CodesRead, ReadBackError> {
    let [current, old, sum] = counted(
        database,
        "SELECT count(*) FILTER (WHERE current), count(*) FILTER (WHERE NOT current), CAST(coalesce(sum(person_id), 0) AS text)
         FROM fiscal_code WHERE fiscal_code >= ''",
    )?;
    Ok(CodesRead {
        current: rows(current)?,
        old: rows(old)?,
        sum: sum as u128,
    })
}

/// Reads what the index on (legacy_id, source) knows.
pub(in crate::store::read_back) fn read_source_index(
    database: &Database,
) -> Result<PinIndexRead, ReadBackError> {
    let [found, sum] = counted(
        database,
        "SELECT count(*), CAST(coalesce(sum(pin_id), 0) AS text) FROM pin WHERE legacy_id >= ''",
    )?;
    Ok(PinIndexRead {
        rows: rows(found)?,
        sum: sum as u128,
    })
}

/// The numbers a query gives, however large.
fn counted<const NUMBERS: usize>(
    database: &Database,
    query: &str,
) -> Result<[i128; NUMBERS], ReadBackError> {
    let server = server(database)?;
    Plan::ByIndex.set(server)?;
    let found = database.rows("count what an index knows", query, &[])?;
    Plan::Free.set(server)?;
    let texts = found.first().map(Row::texts);
    let mut numbers = [0; NUMBERS];
    for (at, number) in numbers.iter_mut().enumerate() {
        let text = texts.as_ref().and_then(|texts| texts.get(at)?.as_deref());
        *number = text
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| damaged("no number where rows are counted"))?;
    }
    Ok(numbers)
}

fn rows(count: i128) -> Result<i64, ReadBackError> {
    Ok(i64::try_from(count).map_err(|_| damaged("a count that is none"))?)
}
