//! Reading back from SQLite, by prepared statements.

pub(super) mod codes;
pub(super) mod leftovers;
pub(super) mod people;
pub(super) mod schema;

use std::{path::Path, time::Duration};

use rusqlite::{Connection, OpenFlags, Row};

use super::error::ReadBackError;
use crate::store::{StoreError, database::Database};

/// Page cache of a connection that reads back, in KiB; negative is SQLite's sign for that unit.
const CACHE_KIB: i64 = -8_192;

/// Opens the file for reading and begins a snapshot.
pub(super) fn open(path: &Path) -> Result<Database, ReadBackError> {
    connect(path)
        .map(Database::Sqlite)
        .map_err(StoreError::sqlite("open the file"))
        .map_err(ReadBackError::open)
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_timeout(Duration::from_secs(10))?;
    connection.pragma_update(None, "cache_size", CACHE_KIB)?;
    connection.pragma_update(None, "query_only", true)?;
    connection.execute_batch("BEGIN")?;
    Ok(connection)
}

fn failed(source: rusqlite::Error) -> ReadBackError {
    StoreError::sqlite("read a table")(source).into()
}

fn text<'r>(row: &'r Row<'_>, column: usize) -> Result<&'r str, ReadBackError> {
    row.get_ref(column)
        .and_then(|value| Ok(value.as_str()?))
        .map_err(failed)
}
