//! Reads `fiscal_code` and the indexes people are found by, in their own order.

use rusqlite::Connection;
use xxhash_rust::xxh3::xxh3_128;

use super::error::ReadBackError;

/// What `fiscal_code` holds, whatever its index says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CodesRead {
    /// Rows that are somebody's code today.
    pub current: i64,
    /// Rows that were.
    pub old: i64,
    /// Sum of [`pair`] of code and person.
    pub pairs: u128,
}

/// Hash of a text and a surrogate key that belong together.
#[must_use]
pub fn pair(texts: [&str; 2], key: i64, bytes: &mut Vec<u8>) -> u128 {
    bytes.clear();
    bytes.extend_from_slice(&key.to_le_bytes());
    bytes.extend_from_slice(texts[0].as_bytes());
    bytes.push(0);
    bytes.extend_from_slice(texts[1].as_bytes());
    xxh3_128(bytes)
}

/// Reads the table in the order of the codes.
///
/// # Errors
/// When it cannot be read.
pub fn read_codes(connection: &Connection) -> Result<CodesRead, ReadBackError> {
    let mut read = CodesRead::default();
    let mut bytes = Vec::new();
    let mut statement = connection
        .prepare("SELECT fiscal_code, person_id, current FROM fiscal_code ORDER BY fiscal_code")
        .map_err(ReadBackError::read)?;
    let mut rows = statement.query([]).map_err(ReadBackError::read)?;
    while let Some(row) = rows.next().map_err(ReadBackError::read)? {
        let code = row
            .get_ref(0)
            .and_then(|value| Ok(value.as_str()?))
            .map_err(ReadBackError::read)?;
        let person_id = row.get(1).map_err(ReadBackError::read)?;
        if row.get::<_, i64>(2).map_err(ReadBackError::read)? == 1 {
            read.current += 1;
        } else {
            read.old += 1;
        }
        read.pairs = read
            .pairs
            .wrapping_add(pair([code, ""], person_id, &mut bytes));
    }
    Ok(read)
}

/// Sum of [`pair`] over the index that makes (source, legacy_id) unique, read without the table.
///
/// # Errors
/// When it cannot be read.
pub fn read_source_index(connection: &Connection) -> Result<u128, ReadBackError> {
    let mut sum = 0_u128;
    let mut bytes = Vec::new();
    let mut statement = connection
        .prepare("SELECT legacy_id, source, pin_id FROM pin INDEXED BY pin_source ORDER BY legacy_id, source")
        .map_err(ReadBackError::read)?;
    let mut rows = statement.query([]).map_err(ReadBackError::read)?;
    while let Some(row) = rows.next().map_err(ReadBackError::read)? {
        let text = |column: usize| {
            row.get_ref(column)
                .and_then(|value| Ok(value.as_str()?))
                .map_err(ReadBackError::read)
        };
        let pin_id = row.get(2).map_err(ReadBackError::read)?;
        sum = sum.wrapping_add(pair([text(0)?, text(1)?], pin_id, &mut bytes));
    }
    Ok(sum)
}
