//! What the commands that only look ask the target, through sqlx.

pub mod audit;
mod fate;
mod quarantine;
mod run;

use std::path::Path;

use sqlx::{
    ConnectOptions as _, Connection as _, Row as _, SqliteConnection, sqlite::SqliteConnectOptions,
};

use super::schema::{APPLICATION_ID, known_version};
use crate::{config::settings::TargetSettings, store::StoreError};

pub use fate::{Fate, GrantFate, PinFate, QuarantineFate};
pub use quarantine::{QuarantineFilter, Quarantined};
pub use run::{RunState, Runner, SourceState};

/// How long a statement waits for a writer.
const BUSY_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(10);

/// A connection that cannot write.
#[derive(Debug)]
pub struct Reader {
    connection: SqliteConnection,
}

impl Reader {
    /// Opens an existing target of this version.
    ///
    /// # Errors
    /// When there is none, it is not ours or of another version, or it cannot be opened.
    pub async fn open(target: &TargetSettings) -> Result<Self, StoreError> {
        let TargetSettings::Sqlite(path) = target;
        if !path.exists() {
            return Err(StoreError::Missing { path: path.clone() });
        }
        if !path.is_file() {
            return Err(StoreError::NotAFile { path: path.clone() });
        }
        let connection = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(false)
            .read_only(true)
            .busy_timeout(BUSY_TIMEOUT)
            .connect()
            .await
            .map_err(failed("open the target"))?;
        let mut reader = Self { connection };
        reader.refuse_others(path).await?;
        Ok(reader)
    }

    async fn refuse_others(&mut self, path: &Path) -> Result<(), StoreError> {
        let not_ours = |_| StoreError::NotADatabase {
            path: path.to_owned(),
        };
        let owner: i32 = sqlx::query("PRAGMA application_id")
            .fetch_one(&mut self.connection)
            .await
            .and_then(|row| row.try_get(0))
            .map_err(not_ours)?;
        if owner != APPLICATION_ID {
            return Err(StoreError::Foreign {
                path: path.to_owned(),
                tables: "tables that are not pinferry's".to_owned(),
            });
        }
        let version: Option<i64> =
            sqlx::query("SELECT max(version) FROM _sqlx_migrations WHERE success")
                .fetch_one(&mut self.connection)
                .await
                .and_then(|row| row.try_get(0))
                .map_err(failed("read the schema"))?;
        let (found, known) = (version.unwrap_or(0), known_version());
        let path = path.to_owned();
        match found.cmp(&known) {
            std::cmp::Ordering::Less => Err(StoreError::Older { path, found, known }),
            std::cmp::Ordering::Equal => Ok(()),
            std::cmp::Ordering::Greater => Err(StoreError::Newer { path, found, known }),
        }
    }

    /// Closes the connection.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn close(self) -> Result<(), StoreError> {
        self.connection
            .close()
            .await
            .map_err(failed("close the target"))
    }
}

/// What SQLite said while trying to `action`.
fn failed(action: &'static str) -> impl FnOnce(sqlx::Error) -> StoreError {
    StoreError::sqlx(action)
}
