//! Whose database it is, and its version.

use std::path::Path;

use rusqlite::{Connection, ErrorCode};
use sqlx::{
    ConnectOptions as _, Connection as _,
    migrate::MigrateError,
    sqlite::{SqliteConnectOptions, SqliteJournalMode},
};

use crate::store::{StoreError, error::some_tables, migrations};

/// Marks a database as ours (`PRAGMA application_id`): "PINF".
pub(super) const APPLICATION_ID: i32 = 0x5049_4e46;

/// What a database is before it is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It holds nothing at all.
    Empty,
    /// It is ours, of this older version.
    Older(i64),
    /// It is ours, of this version.
    Current,
}

/// The newest version this program knows.
pub(super) fn known_version() -> i64 {
    migrations::newest(&migrations::SQLITE)
}

/// Looks at a database without changing it.
pub(super) fn inspect(connection: &Connection, path: &Path) -> Result<Standing, StoreError> {
    let failed = |source: rusqlite::Error| match source.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => StoreError::NotADatabase {
            path: path.to_owned(),
        },
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen) => StoreError::ReadOnly {
            path: path.to_owned(),
        },
        _ => StoreError::sqlite("read the schema")(source),
    };
    let tables = tables(connection).map_err(failed)?;
    let owner: i32 = connection
        .pragma_query_value(None, "application_id", |row| row.get(0))
        .map_err(failed)?;
    if tables.is_empty() && owner == 0 {
        return Ok(Standing::Empty);
    }
    if owner != APPLICATION_ID {
        return Err(StoreError::Foreign {
            place: path.display().to_string(),
            tables: some_tables(&tables),
        });
    }
    let version: Option<i64> = connection
        .query_row(
            "SELECT max(version) FROM _sqlx_migrations WHERE success",
            [],
            |row| row.get(0),
        )
        .map_err(failed)?;
    let (found, known) = (version.unwrap_or(0), known_version());
    match found.cmp(&known) {
        std::cmp::Ordering::Less => Ok(Standing::Older(found)),
        std::cmp::Ordering::Equal => Ok(Standing::Current),
        std::cmp::Ordering::Greater => Err(StoreError::Newer {
            place: path.display().to_string(),
            found,
            known,
        }),
    }
}

/// Brings a database to the known version; each migration is one transaction.
pub(super) fn migrate(path: &Path) -> Result<(), StoreError> {
    // A thread of its own, because the caller may stand inside another runtime.
    let outcome = std::thread::scope(|scope| {
        scope
            .spawn(|| -> Result<(), sqlx::migrate::MigrateError> {
                tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .map_err(|error| sqlx::migrate::MigrateError::Execute(error.into()))?
                    .block_on(async {
                        let mut connection = SqliteConnectOptions::new()
                            .filename(path)
                            .journal_mode(SqliteJournalMode::Wal)
                            .connect()
                            .await?;
                        migrations::SQLITE.run(&mut connection).await?;
                        connection.close().await?;
                        Ok(())
                    })
            })
            .join()
    });
    match outcome {
        Ok(Ok(())) => Ok(()),
        Ok(Err(source)) if is_full(&source) => Err(StoreError::Full {
            action: "create its tables",
        }),
        Ok(Err(source)) => Err(StoreError::Migration {
            path: path.to_owned(),
            known: known_version(),
            source: Box::new(source),
        }),
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

/// Names of the first tables, and how many there are.
fn tables(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    connection
        .prepare(
            "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
        )?
        .query_map([], |row| row.get(0))?
        .collect()
}

/// Whether a migration failed for want of room (`SQLITE_FULL`, 13).
fn is_full(error: &MigrateError) -> bool {
    let source = match error {
        MigrateError::Execute(source) | MigrateError::ExecuteMigration(source, _) => source,
        _ => return false,
    };
    let code = source.as_database_error().and_then(|error| error.code());
    code.is_some_and(|code| code == "13")
}
