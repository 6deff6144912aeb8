//! The queue of delayed activations, asked and changed through sqlx.

mod due;
mod ledger;
mod pending;
mod people;
mod queue;
pub mod rusqlite_queue;
mod sql;
pub mod tx;
mod write;

use std::path::{Path, PathBuf};

use sqlx::{
    ConnectOptions as _, Connection as _, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteSynchronous},
};

pub use due::{Due, DueCursor, Waiting};
pub use pending::PendingCursor;
pub use queue::{Known, Taken};
pub use tx::{ActivationTx, Readiness};

use crate::{
    config::settings::TargetSettings,
    store::{StoreError, error::primary_code},
};

/// How long a statement waits for the other writers.
const BUSY_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(30);

/// A connection to the queue in an existing target of the current version.
#[derive(Debug)]
pub struct ActivationStore {
    path: PathBuf,
    connection: SqliteConnection,
}

impl ActivationStore {
    /// Opens the target.
    ///
    /// # Errors
    /// When there is none, it is not ours, or it cannot be opened.
    pub async fn open(target: &TargetSettings) -> Result<Self, StoreError> {
        let TargetSettings::Sqlite(path) = target;
        let connection = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(false)
            .foreign_keys(true)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY_TIMEOUT)
            .connect()
            .await
            .map_err(failed("open the queue of requests"))?;
        Ok(Self {
            path: path.clone(),
            connection,
        })
    }

    /// The target's file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Begins a transaction that no other writer can overlap.
    ///
    /// # Errors
    /// When the database stays busy or fails.
    pub async fn begin(&mut self) -> Result<ActivationTx<'_>, StoreError> {
        self.connection
            .begin_with("BEGIN IMMEDIATE")
            .await
            .map(ActivationTx::new)
            .map_err(failed("begin a transaction"))
    }

    /// Closes the connection.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn close(self) -> Result<(), StoreError> {
        self.connection
            .close()
            .await
            .map_err(failed("close the database"))
    }
}

/// What SQLite said while trying to `action`.
fn failed(action: &'static str) -> impl FnOnce(sqlx::Error) -> StoreError {
    StoreError::sqlx(action)
}

/// Whether the database refused a row because of a constraint: the row's fault, and not the database's.
pub fn is_constraint(error: &StoreError) -> bool {
    matches!(error, StoreError::Sqlx { source, .. } if primary_code(source) == Some(19))
}
