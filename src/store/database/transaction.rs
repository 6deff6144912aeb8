//! A transaction that nobody can forget to end.

use std::ops::Deref;

use super::Database;
use crate::{postgres::Limits, store::StoreError};

/// An open transaction; dropped without [`Transaction::commit`], it leaves nothing.
#[derive(Debug)]
pub(in crate::store) struct Transaction<'d> {
    database: &'d Database,
    /// Whether nobody asked for the end yet.
    open: bool,
}

impl Database {
    /// Begins a transaction that writes; on SQLite nobody else writes until it ends. There is one at a time.
    pub(in crate::store) fn begin(&self) -> Result<Transaction<'_>, StoreError> {
        let begin = match self {
            Self::Sqlite(_) => "BEGIN IMMEDIATE",
            Self::Postgres(_) => "BEGIN",
        };
        self.batch("begin a transaction", begin)?;
        Ok(Transaction {
            database: self,
            open: true,
        })
    }
}

impl Database {
    /// Begins a snapshot that lasts as long as the connection, for reading much.
    pub(in crate::store) fn begin_to_read(&self) -> Result<(), StoreError> {
        const ACTION: &str = "begin a snapshot";
        match self {
            Self::Sqlite(_) => self.batch(ACTION, "BEGIN"),
            Self::Postgres(server) => {
                let limited = server.with(|session| session.limit(ACTION, &Limits::READING));
                limited.map_err(StoreError::postgres(ACTION))?;
                self.batch(ACTION, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            }
        }
    }
}

impl Transaction<'_> {
    /// Commits.
    pub(in crate::store) fn commit(mut self) -> Result<(), StoreError> {
        self.open = false;
        self.database.batch("commit", "COMMIT")
    }

    fn is_open(&self) -> bool {
        match self.database {
            // A COMMIT that fails may leave it open.
            Database::Sqlite(connection) => !connection.is_autocommit(),
            Database::Postgres(_) => self.open,
        }
    }
}

impl Deref for Transaction<'_> {
    type Target = Database;

    fn deref(&self) -> &Database {
        self.database
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        if self.is_open()
            && let Err(error) = self.database.batch("roll back", "ROLLBACK")
        {
            // What is not committed goes with the connection at the latest.
            tracing::warn!(%error, "rollback.failed");
        }
    }
}
