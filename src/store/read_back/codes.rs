//! Reads `fiscal_code` and the indexes people are found by, apart from people.

use xxhash_rust::xxh3::xxh3_128;

use super::{ReadBack, Snapshot, error::ReadBackError, postgres, sqlite};
use crate::{config::settings::TargetSettings, store::database::Database};

/// What `fiscal_code` holds, whatever its index says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CodesRead {
    /// Rows that are somebody's code today.
    pub current: i64,
    /// Rows that were.
    pub old: i64,
    /// Sum of [`IndexSum::of`] code and person.
    pub sum: u128,
}

/// What an index on PINs knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PinIndexRead {
    /// Rows.
    pub rows: i64,
    /// Sum of [`IndexSum::of`] legacy id, source and PIN.
    pub sum: u128,
}

/// What is summed of each row that an index knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IndexSum {
    /// The columns: the index was read without its table.
    Columns,
    /// The surrogate key: the index only led to the rows of the table.
    Keys,
}

impl IndexSum {
    /// What a row adds, modulo 2^128.
    #[must_use]
    pub fn of(self, texts: [&str; 2], key: i64, bytes: &mut Vec<u8>) -> u128 {
        match self {
            Self::Keys => i128::from(key) as u128,
            Self::Columns => {
                bytes.clear();
                bytes.extend_from_slice(&key.to_le_bytes());
                bytes.extend_from_slice(texts[0].as_bytes());
                bytes.push(0);
                bytes.extend_from_slice(texts[1].as_bytes());
                xxh3_128(bytes)
            }
        }
    }
}

impl Snapshot {
    /// What is summed of the indexes of this target.
    #[must_use]
    pub fn index_sum(&self) -> IndexSum {
        match &self.target {
            TargetSettings::Sqlite(_) => IndexSum::Columns,
            TargetSettings::Postgres(_) => IndexSum::Keys,
        }
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

/// Reads the index which makes (source, legacy_id) unique.
///
/// # Errors
/// When it cannot be read.
pub fn read_source_index(target: &ReadBack) -> Result<PinIndexRead, ReadBackError> {
    match &target.database {
        Database::Sqlite(connection) => sqlite::codes::read_source_index(connection),
        Database::Postgres(_) => postgres::codes::read_source_index(&target.database),
    }
}
