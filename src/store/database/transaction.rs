//! A transaction that nobody can forget to end.

use std::ops::Deref;

use super::Database;
use crate::store::StoreError;

/// An open transaction; dropped without [`Transaction::commit`], it leaves nothing.
#[derive(Debug)]
pub(in crate::store) struct Transaction<'d> {
    database: &'d Database,
}

impl Database {
    /// Begins a transaction that writes; on SQLite nobody else writes until it ends. There is one at a time.
    pub(in crate::store) fn begin(&self) -> Result<Transaction<'_>, StoreError> {
        let begin = match self {
            Self::Sqlite(_) => "BEGIN IMMEDIATE",
        };
        self.batch("begin a transaction", begin)?;
        Ok(Transaction { database: self })
    }

    fn is_in_transaction(&self) -> bool {
        match self {
            Self::Sqlite(connection) => !connection.is_autocommit(),
        }
    }
}

impl Transaction<'_> {
    /// Commits.
    pub(in crate::store) fn commit(self) -> Result<(), StoreError> {
        self.database.batch("commit", "COMMIT")
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
        if self.database.is_in_transaction()
            && let Err(error) = self.database.batch("roll back", "ROLLBACK")
        {
            // What is not committed goes with the connection at the latest.
            tracing::warn!(%error, "rollback.failed");
        }
    }
}
