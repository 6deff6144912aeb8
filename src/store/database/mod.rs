//! One connection to the target, whichever engine keeps it.
//!
//! Statements are written once, in the SQL both engines understand. Parameters are `?1`, `?2`, …; what the
//! engines spell differently stands in braces: `{now}`, the time in UTC to the millisecond.

mod row;
mod sqlite;
mod transaction;
mod value;

use rusqlite::Connection;

pub(in crate::store) use row::{FromCell, Row, damaged};
pub(in crate::store) use transaction::Transaction;
pub(in crate::store) use value::{Value, values};

use super::{StoreError, sqlite::connection};

/// A connection.
#[derive(Debug)]
pub(in crate::store) enum Database {
    /// To a SQLite file.
    Sqlite(Connection),
}

/// What a COMMIT promises when the power fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Durability {
    /// What was committed stays, and foreign keys are enforced at every statement.
    Commit,
    /// The newest chunks may be missing, whole; foreign keys are checked by a step of their own.
    Bulk,
}

impl Database {
    /// Says what the next transactions promise. Has no effect inside one.
    pub(in crate::store) fn promise(&self, durability: Durability) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(connection) => connection::set_durable(connection, durability),
        }
    }

    /// Runs a statement and says how many rows it changed; `action` is what an error says it was for.
    pub(in crate::store) fn execute(
        &self,
        action: &'static str,
        sql: &str,
        values: &[Value<'_>],
    ) -> Result<u64, StoreError> {
        match self {
            Self::Sqlite(connection) => sqlite::execute(connection, sql, values),
        }
        .map_err(StoreError::sqlite(action))
    }

    /// All rows of a query; the caller bounds them.
    pub(in crate::store) fn rows(
        &self,
        action: &'static str,
        sql: &str,
        values: &[Value<'_>],
    ) -> Result<Vec<Row>, StoreError> {
        match self {
            Self::Sqlite(connection) => sqlite::rows(connection, sql, values),
        }
        .map_err(StoreError::sqlite(action))
    }

    /// The first row of a query, if it has one.
    pub(in crate::store) fn row(
        &self,
        action: &'static str,
        sql: &str,
        values: &[Value<'_>],
    ) -> Result<Option<Row>, StoreError> {
        Ok(self.rows(action, sql, values)?.into_iter().next())
    }

    /// The one value of a query that always has one.
    pub(in crate::store) fn value<T: FromCell>(
        &self,
        action: &'static str,
        sql: &str,
        values: &[Value<'_>],
    ) -> Result<T, StoreError> {
        match self.row(action, sql, values)? {
            Some(row) => row.get(0),
            None => Err(damaged("no row where there is always one")),
        }
    }

    /// Runs statements without parameters.
    pub(in crate::store) fn batch(
        &self,
        action: &'static str,
        sql: &str,
    ) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(connection) => connection.execute_batch(sql),
        }
        .map_err(StoreError::sqlite(action))
    }

    /// Lets others add to a table only when this transaction has ended, so that what a new row says of the last
    /// one stays true.
    pub(in crate::store) fn one_at_a_time(
        &self,
        _action: &'static str,
        _table: &str,
    ) -> Result<(), StoreError> {
        match self {
            // Whoever writes is alone anyway.
            Self::Sqlite(_) => Ok(()),
        }
    }

    /// Time in UTC by the database's clock, to the millisecond: `2013-11-03T22:15:00.000Z`.
    pub(in crate::store) fn now(&self) -> Result<String, StoreError> {
        self.value("read the clock", "SELECT {now}", &[])
    }

    /// What the engine knows a row by in a table without a key of one column.
    pub(in crate::store) fn row_key(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "rowid",
        }
    }

    /// SQL for a member of a column of JSON, as text.
    pub(in crate::store) fn json_text(&self, column: &str, member: &str) -> String {
        match self {
            Self::Sqlite(_) => format!("{column} ->> '{member}'"),
        }
    }

    /// SQL for the time that lies as many milliseconds ahead as the parameter says.
    pub(in crate::store) fn ahead(&self, parameter: &str) -> String {
        match self {
            Self::Sqlite(_) => {
                format!(
                    "strftime('%Y-%m-%dT%H:%M:%fZ', 'now', ({parameter} / 1000.0) || ' seconds')"
                )
            }
        }
    }
}
