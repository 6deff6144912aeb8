//! A legacy database of the default layout, made for samples.

use std::path::{Path, PathBuf};

use rusqlite::{
    Connection,
    types::{Null, ToSqlOutput, ValueRef},
};

use super::SourceError;
use crate::domain::field::Field;

/// The table of the default layout.
pub const DEFAULT_TABLE: &str = "pin_legacy";

/// A new database that is being filled.
#[derive(Debug)]
pub struct LegacyDatabase {
    path: PathBuf,
    connection: Connection,
    insert: String,
}

impl LegacyDatabase {
    /// Makes the table, without any constraint: dirty data are to fit in.
    ///
    /// # Errors
    /// The database cannot be written, or has the table already.
    pub fn create(path: &Path) -> Result<Self, SourceError> {
        let columns: Vec<&str> = Field::ALL
            .into_iter()
            .filter_map(Field::default_column)
            .collect();
        let table = format!(
            "PRAGMA journal_mode = WAL;
             CREATE TABLE {DEFAULT_TABLE} ({} TEXT);
             BEGIN;",
            columns.join(" TEXT, ")
        );
        let values = vec!["?"; columns.len()].join(", ");
        let connection = open(path, &table)?;
        Ok(Self {
            path: path.to_owned(),
            connection,
            insert: format!("INSERT INTO {DEFAULT_TABLE} VALUES ({values})"),
        })
    }

    /// Adds a record: the columns of the default layout in canonical order; empty ones become NULL.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn insert<'c>(
        &mut self,
        cells: impl IntoIterator<Item = &'c [u8]>,
    ) -> Result<(), SourceError> {
        let cells = cells.into_iter().map(|cell| match cell {
            b"" => ToSqlOutput::from(Null),
            text => ToSqlOutput::Borrowed(ValueRef::Text(text)),
        });
        self.connection
            .prepare_cached(&self.insert)
            .and_then(|mut statement| statement.execute(rusqlite::params_from_iter(cells)))
            .map(|_| ())
            .map_err(failed(&self.path, "adding a record"))
    }

    /// Commits everything, and an index by id.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn finish(self) -> Result<(), SourceError> {
        let statements =
            format!("CREATE INDEX {DEFAULT_TABLE}_id ON {DEFAULT_TABLE} (id); COMMIT;");
        self.connection
            .execute_batch(&statements)
            .map_err(failed(&self.path, "committing the records"))
    }
}

/// Runs the statements of an SQL file in a database, which is made if need be.
///
/// # Errors
/// The database cannot be written, or refuses a statement.
pub fn lay_out(path: &Path, statements: &str) -> Result<(), SourceError> {
    open(path, statements).map(drop)
}

/// Runs statements as the legacy's own application would, and gives the database's words where it refuses.
///
/// # Errors
/// The refusal, as the application's users would read it.
pub fn as_application(path: &Path, statements: &str) -> Result<(), String> {
    let run = || Connection::open(path)?.execute_batch(statements);
    run().map_err(|error| match error {
        rusqlite::Error::SqliteFailure(_, Some(words)) => words,
        other => other.to_string(),
    })
}

fn open(path: &Path, statements: &str) -> Result<Connection, SourceError> {
    let connection = Connection::open(path).map_err(failed(path, "opening it"))?;
    connection
        .execute_batch(statements)
        .map_err(failed(path, "laying it out"))?;
    Ok(connection)
}

fn failed(path: &Path, doing: &'static str) -> impl Fn(rusqlite::Error) -> SourceError + use<> {
    let path = path.to_owned();
    move |source| SourceError::Sqlite {
        path: path.clone(),
        doing,
        source,
    }
}
