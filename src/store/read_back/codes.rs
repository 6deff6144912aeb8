//! Reads `fiscal_code` and the indexes people are found by, apart from people.

use xxhash_rust::xxh3::xxh3_128;

use super::{ReadBack, error::ReadBackError, postgres, sqlite};
use crate::store::database::Database;

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

impl CodesRead {
    /// Counts a row in.
    pub(super) fn add(&mut self, code: &str, person_id: i64, current: bool, bytes: &mut Vec<u8>) {
        if current {
            self.current += 1;
        } else {
            self.old += 1;
        }
        self.pairs = self.pairs.wrapping_add(pair([code, ""], person_id, bytes));
    }
}

/// Reads the table by another index than the one people's codes are found by.
///
/// # Errors
/// When it cannot be read.
pub fn read_codes(target: &ReadBack) -> Result<CodesRead, ReadBackError> {
    match &target.database {
        Database::Sqlite(connection) => sqlite::codes::read(connection),
        Database::Postgres(_) => postgres::codes::read(&target.database),
    }
}

/// Sum of [`pair`] over the rows that the index knows which makes (source, legacy_id) unique.
///
/// # Errors
/// When it cannot be read.
pub fn read_source_index(target: &ReadBack) -> Result<u128, ReadBackError> {
    match &target.database {
        Database::Sqlite(connection) => sqlite::codes::read_source_index(connection),
        Database::Postgres(_) => postgres::codes::read_source_index(&target.database),
    }
}
