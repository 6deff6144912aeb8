//! Reads the target back for verification: other statements, and other code, than those that wrote it.

mod codes;
mod error;
mod invariants;
mod leftovers;
mod lookup;
mod people;
mod row_set;
mod schema;
mod state;

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use crate::config::settings::TargetSettings;

pub use codes::{CodesRead, pair, read_codes, read_source_index};
pub use error::ReadBackError;
pub use invariants::{Breach, Holds, INVARIANTS, Invariant, ask};
pub use leftovers::{FindingRead, QuarantineRead, read_findings, read_quarantine};
pub use lookup::{PinFound, Quarantined, find_pin, find_quarantined};
pub use people::{PersonRead, code, delegation, grant, person, pin, read_people};
pub use row_set::{Keys, RowSet};
pub use schema::schema_differences;
pub use state::{
    ChainedRow, PartitionState, ProfileState, RunState, SourceState, read_audit_events,
    read_catalogue, read_run, read_run_events,
};

/// Page cache of a connection that reads back, in KiB; negative is SQLite's sign for that unit.
const CACHE_KIB: i64 = -8_192;

/// Opens the target for reading and begins one snapshot, which ends with the connection.
///
/// # Errors
/// When the file cannot be opened.
pub fn open(target: &TargetSettings) -> Result<Connection, ReadBackError> {
    let TargetSettings::Sqlite(path) = target else {
        return Err(ReadBackError::Read {
            source: rusqlite::Error::InvalidQuery,
        });
    };
    connect(path).map_err(|source| ReadBackError::Open {
        path: path.clone(),
        source,
    })
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_timeout(std::time::Duration::from_secs(10))?;
    connection.pragma_update(None, "cache_size", CACHE_KIB)?;
    connection.pragma_update(None, "query_only", true)?;
    connection.execute_batch("BEGIN")?;
    Ok(connection)
}
