//! How a connection of the runner is set up.

use std::{path::Path, time::Duration};

use rusqlite::{Connection, OpenFlags, config::DbConfig};

use crate::store::{StoreError, database::Durability};

/// How long a statement waits for other writers, well within a lease.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// Page cache of the connection that loads, in KiB; negative is SQLite's sign for that unit.
const CACHE_KIB: i64 = -65_536;
/// Pages in the write-ahead log at which a commit copies it into the database.
const CHECKPOINT_PAGES: i64 = 16_384;

/// Opens an existing database to write.
pub(in crate::store) fn open(path: &Path) -> Result<Connection, StoreError> {
    let failed = StoreError::sqlite;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection =
        Connection::open_with_flags(path, flags).map_err(failed("open the database"))?;
    connection
        .busy_timeout(BUSY_TIMEOUT)
        .map_err(failed("set a timeout"))?;
    if connection
        .is_readonly("main")
        .map_err(failed("open the database"))?
    {
        return Err(StoreError::ReadOnly {
            path: path.to_owned(),
        });
    }
    Ok(connection)
}

/// Opens an existing database to read.
pub(super) fn open_to_read(path: &Path) -> Result<Connection, StoreError> {
    let failed = StoreError::sqlite;
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(failed("open the target"))?;
    connection
        .busy_timeout(BUSY_TIMEOUT)
        .map_err(failed("set a timeout"))?;
    Ok(connection)
}

/// Sets up a connection of the runner.
pub(super) fn tune(connection: &Connection) -> Result<(), StoreError> {
    let failed = StoreError::sqlite;
    let action = "set up the connection";
    for (pragma, value) in [
        ("cache_size", CACHE_KIB),
        ("wal_autocheckpoint", CHECKPOINT_PAGES),
        // In memory: sorting an index is bounded by the cache size and spills to a file beyond.
        ("temp_store", 0),
        ("threads", 2),
    ] {
        connection
            .pragma_update(None, pragma, value)
            .map_err(failed(action))?;
    }
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)
        .map_err(failed(action))?;
    connection.set_prepared_statement_cache_capacity(64);
    set_durable(connection, Durability::Commit)
}

/// Sets what the next COMMIT promises. Has no effect inside a transaction.
pub(in crate::store) fn set_durable(
    connection: &Connection,
    durability: Durability,
) -> Result<(), StoreError> {
    let (synchronous, foreign_keys) = match durability {
        Durability::Commit => ("FULL", true),
        Durability::Bulk => ("NORMAL", false),
    };
    let action = "set up the connection";
    connection
        .pragma_update(None, "synchronous", synchronous)
        .and_then(|()| connection.pragma_update(None, "foreign_keys", foreign_keys))
        .map_err(StoreError::sqlite(action))
}
