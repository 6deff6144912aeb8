//! Reads the target back for verification: other statements, and other code, than those that wrote it.
//!
//! What is asked in the same words on both engines goes through `Database`; rows of people, and what else there
//! is much of, are read by each engine's own means (SQLite: prepared statements; PostgreSQL: binary COPY).

mod codes;
mod error;
mod invariants;
mod leftovers;
mod lookup;
mod people;
mod person_read;
mod postgres;
mod row_set;
mod schema;
mod sqlite;
mod state;

use super::database::Database;
use crate::config::settings::TargetSettings;

pub use codes::{CodesRead, IndexSum, PinIndexRead, read_codes, read_source_index};
pub use error::ReadBackError;
pub use invariants::{Breach, Holds, INVARIANTS, Invariant, ask};
pub use leftovers::{FindingRead, QuarantineRead, read_findings, read_quarantine};
pub use lookup::{PinFound, Quarantined, find_pin, find_quarantined, find_reason};
pub use people::read_people;
pub use person_read::{PersonRead, code, delegation, grant, person, pin};
pub use row_set::{Keys, RowSet};
pub use schema::schema_differences;
pub use state::{
    ChainedRow, PartitionState, ProfileState, RunState, SourceState, read_audit_events,
    read_catalogue, read_run, read_run_events,
};

/// The target as it stood at one moment, over one connection.
#[derive(Debug)]
pub struct ReadBack {
    database: Database,
    snapshot: Snapshot,
}

/// That moment, for further connections. On PostgreSQL the connection that was opened first has to stay open as
/// long as others are opened; SQLite gives each of them the moment it begins to read.
#[derive(Clone, Debug)]
pub struct Snapshot {
    target: TargetSettings,
    /// The server's name for it.
    exported: Option<String>,
}

impl ReadBack {
    /// Opens the target for reading and begins a snapshot, which ends with the connection.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open(target: &TargetSettings) -> Result<Self, ReadBackError> {
        let (database, exported) = match target {
            TargetSettings::Sqlite(path) => (sqlite::open(path)?, None),
            TargetSettings::Postgres(place) => {
                let (database, exported) = postgres::open(place)?;
                (database, Some(exported))
            }
        };
        let target = target.clone();
        Ok(Self {
            database,
            snapshot: Snapshot { target, exported },
        })
    }

    /// What opens further connections to the same snapshot.
    #[must_use]
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }
}

impl Snapshot {
    /// Another connection, for another thread.
    ///
    /// # Errors
    /// When it cannot be opened, or the snapshot is over.
    pub fn open(&self) -> Result<ReadBack, ReadBackError> {
        let database = match (&self.target, &self.exported) {
            (TargetSettings::Postgres(place), Some(exported)) => postgres::join(place, exported)?,
            (TargetSettings::Sqlite(_) | TargetSettings::Postgres(_), _) => {
                return ReadBack::open(&self.target);
            }
        };
        Ok(ReadBack {
            database,
            snapshot: self.clone(),
        })
    }
}
