//! One connection to the target, whichever engine keeps it.
//!
//! Statements are written once, in the SQL both engines understand. Parameters are `?1`, `?2`, …; what the
//! engines spell differently stands in braces: `{now}`, the time in UTC to the millisecond; and at the end of a
//! query what it keeps from others until the transaction ends, which on SQLite is everything anyway: `{for share}`,
//! `{hold}`, waiting for whoever has a row, `{hold whole}`, with what may come to refer to it, and `{claim}`, leaving
//! the rows that somebody has.

mod postgres;
mod row;
mod sqlite;
mod transaction;
mod value;

use std::ops::ControlFlow;

use rusqlite::Connection;

pub(in crate::store) use postgres::Server;
pub(in crate::store) use row::{Columns, FromCell, Row, damaged};
pub(in crate::store) use transaction::Transaction;
pub(in crate::store) use value::{Value, values};

use super::{
    ChunkRows, Lease, StoreError,
    postgres::{index::drop_keys_to, insert as on_server, purpose, purposes_of},
    sqlite::{connection, insert as on_file},
};

/// A connection.
#[derive(Debug)]
pub(in crate::store) enum Database {
    /// To a SQLite file.
    Sqlite(Connection),
    /// To a PostgreSQL server.
    Postgres(Server),
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
            Self::Postgres(server) => server.batch(
                "set up the session",
                match durability {
                    Durability::Commit => "SET synchronous_commit = on",
                    Durability::Bulk => "SET synchronous_commit = off",
                },
            ),
        }
    }

    /// Prepares for work on a queue: a table that is empty when the session begins and long soon after, and people
    /// looked up by the set. A session that says nothing in the middle of a batch is ended, and the batch is
    /// somebody else's.
    pub(in crate::store) fn serve_a_queue(&self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(_) => Ok(()),
            Self::Postgres(server) => server.batch(
                "set up the session",
                "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off;
                 SET idle_in_transaction_session_timeout = '30s'",
            ),
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
            Self::Sqlite(connection) => {
                sqlite::execute(connection, sql, values).map_err(StoreError::sqlite(action))
            }
            Self::Postgres(server) => server.execute(action, sql, values),
        }
    }

    /// All rows of a query; the caller bounds them.
    pub(in crate::store) fn rows(
        &self,
        action: &'static str,
        sql: &str,
        values: &[Value<'_>],
    ) -> Result<Vec<Row>, StoreError> {
        match self {
            Self::Sqlite(connection) => {
                sqlite::rows(connection, sql, values).map_err(StoreError::sqlite(action))
            }
            Self::Postgres(server) => server.rows(action, sql, values),
        }
    }

    /// Gives the rows of a query one after the other, however many there are, and never all of them at once. On a
    /// server this needs a transaction.
    pub(in crate::store) fn each_row(
        &self,
        action: &'static str,
        sql: &str,
        values: &[Value<'_>],
        each: &mut dyn FnMut(&Row) -> Result<ControlFlow<()>, StoreError>,
    ) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(connection) => sqlite::each_row(connection, action, sql, values, each),
            Self::Postgres(server) => server.each_row(action, sql, values, each),
        }
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

    /// Writes rows in bulk.
    pub(in crate::store) fn insert(&self, rows: &ChunkRows) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(connection) => on_file::insert(connection, rows),
            Self::Postgres(server) => on_server::insert(server, rows),
        }
    }

    /// Runs statements without parameters.
    pub(in crate::store) fn batch(
        &self,
        action: &'static str,
        sql: &str,
    ) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(connection) => connection
                .execute_batch(sql)
                .map_err(StoreError::sqlite(action)),
            Self::Postgres(server) => server.batch(action, sql),
        }
    }

    /// The first rows of a query, found in the order of an index: not all of them sorted for the sake of the first.
    pub(in crate::store) fn first_rows(
        &self,
        action: &'static str,
        sql: &str,
        values: &[Value<'_>],
    ) -> Result<Vec<Row>, StoreError> {
        let Self::Postgres(server) = self else {
            return self.rows(action, sql, values);
        };
        server.batch(
            action,
            "SET LOCAL enable_sort = off; SET LOCAL enable_bitmapscan = off",
        )?;
        let rows = self.rows(action, sql, values)?;
        server.batch(
            action,
            "SET LOCAL enable_sort = on; SET LOCAL enable_bitmapscan = on",
        )?;
        Ok(rows)
    }

    /// Lets those who say this of a table go one after the other, each until its transaction has ended; whoever else
    /// writes to it does not wait.
    pub(in crate::store) fn in_turn(
        &self,
        action: &'static str,
        table: &str,
    ) -> Result<(), StoreError> {
        match self {
            // Whoever writes is alone anyway.
            Self::Sqlite(_) => Ok(()),
            Self::Postgres(server) => server.batch(
                action,
                &format!("LOCK TABLE {table} IN SHARE UPDATE EXCLUSIVE MODE"),
            ),
        }
    }

    /// Lets others add to a table only when this transaction has ended.
    pub(in crate::store) fn one_at_a_time(
        &self,
        action: &'static str,
        table: &str,
    ) -> Result<(), StoreError> {
        match self {
            // Whoever writes is alone anyway.
            Self::Sqlite(_) => Ok(()),
            Self::Postgres(server) => server.batch(
                action,
                &format!("LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE"),
            ),
        }
    }

    /// The number of the next row of a chained log, where the engine itself would leave gaps: a sequence of
    /// PostgreSQL does whenever a transaction is rolled back. Counts the row as well, so that one taken off the
    /// end is missed. Others get theirs when this transaction has ended, so that what a new row says of the last one
    /// stays true.
    pub(in crate::store) fn number_in_log(
        &self,
        action: &'static str,
        log: &str,
    ) -> Result<Option<i64>, StoreError> {
        match self {
            Self::Sqlite(_) => Ok(None),
            Self::Postgres(_) => self.value(
                action,
                "UPDATE log_length SET length = length + 1 WHERE log = ?1 RETURNING length",
                &[Value::from(log)],
            ),
        }
    }

    /// Time in UTC by the database's clock, to the millisecond: `2013-11-03T22:15:00.000Z`.
    pub(in crate::store) fn now(&self) -> Result<String, StoreError> {
        self.value("read the clock", "SELECT {now}", &[])
    }

    /// Takes all rows out of a table, and out of no other, and says how many there were. On a server the program's own
    /// foreign keys to the table go with them; somebody else's stand in the way.
    pub(in crate::store) fn empty(
        &self,
        action: &'static str,
        table: &str,
    ) -> Result<u64, StoreError> {
        match self {
            Self::Sqlite(_) => self.execute(action, &format!("DELETE FROM {table}"), &[]),
            Self::Postgres(server) => {
                let rows = self.value(action, &format!("SELECT count(*) FROM {table}"), &[])?;
                drop_keys_to(self, table)?;
                server.batch(action, &format!("TRUNCATE {table}"))?;
                Ok(rows)
            }
        }
    }

    /// Ends the sessions of whoever held the lease of a run, where the server can and the role may; what they had
    /// under way is rolled back. Elsewhere their own limits end them.
    pub(in crate::store) fn end_holders(&self, run_id: i64) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(_) => Ok(()),
            Self::Postgres(_) => {
                let sessions = format!("pinferry {}", purposes_of(run_id));
                let ended = self.rows(
                    "end the sessions of the former holder",
                    "SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity
                     WHERE datname = current_database() AND pg_has_role(usesysid, 'USAGE')
                         AND starts_with(application_name, ?1) AND pid <> pg_backend_pid()",
                    &[Value::from(&sessions)],
                );
                match ended {
                    Err(error) if error.is_denied() => {
                        tracing::warn!(event = "lease.sessions_left", run_id, %error);
                        Ok(())
                    }
                    ended => ended.map(drop),
                }
            }
        }
    }

    /// The numbers of the sessions that keep a lease from being taken, where the server numbers them.
    pub(in crate::store) fn sessions_of_a_holder(&self) -> Result<Vec<i64>, StoreError> {
        match self {
            Self::Sqlite(_) => Ok(Vec::new()),
            Self::Postgres(_) => self
                .rows(
                    "look for the session of the former holder",
                    "SELECT DISTINCT pid FROM pg_locks
                     WHERE relation = to_regclass('runner_lease') AND mode = 'RowShareLock' AND granted
                         AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                         AND pid <> pg_backend_pid()
                     ORDER BY pid",
                    &[],
                )?
                .iter()
                .map(|row| row.get(0))
                .collect(),
        }
    }

    /// Lists this session, where the server lists sessions, as that of the holder of this lease.
    pub(in crate::store) fn list_as(&self, lease: &Lease) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(_) => Ok(()),
            Self::Postgres(server) => {
                let name = format!(
                    "SET application_name = 'pinferry {}'",
                    purpose(lease.run_id, lease.epoch)
                );
                server.batch("name the session", &name)
            }
        }
    }

    /// What the engine knows a row by in a table without a key of one column.
    pub(in crate::store) fn row_key(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "rowid",
            Self::Postgres(_) => "ctid",
        }
    }

    /// SQL for a table `listed` with the objects of a JSON array in a parameter as its rows: their members, and the
    /// types these are to have.
    pub(in crate::store) fn listed(&self, parameter: &str, members: &[(&str, &str)]) -> String {
        let columns = |column: &dyn Fn(&str, &str) -> String| {
            let columns: Vec<_> = members
                .iter()
                .map(|(name, kind)| column(name, kind))
                .collect();
            columns.join(", ")
        };
        match self {
            Self::Sqlite(_) => {
                let columns = columns(&|name, _| format!("value ->> '{name}' AS {name}"));
                // With a limit it is read once, and an index made of it where one helps.
                format!("(SELECT {columns} FROM json_each({parameter}) LIMIT -1) AS listed")
            }
            Self::Postgres(_) => {
                let columns = columns(&|name, kind| format!("{name} {kind}"));
                format!("json_to_recordset(CAST({parameter} AS json)) AS listed ({columns})")
            }
        }
    }

    /// SQL for the number after the last one in a table, whose writers go one after the other. Not what a sequence
    /// would give: numbers must not depend on how often a process died.
    pub(in crate::store) fn next_number(&self, table: &str, key: &str) -> String {
        let next = format!("(SELECT coalesce(max({key}), 0) + 1 FROM {table})");
        match self {
            Self::Sqlite(_) => next,
            // Whoever leaves the number to the table's own sequence goes on from there.
            Self::Postgres(_) => {
                format!("setval(pg_get_serial_sequence('{table}', '{key}'), {next})")
            }
        }
    }

    /// SQL for a member of a column of JSON, as text.
    pub(in crate::store) fn json_text(&self, column: &str, member: &str) -> String {
        match self {
            Self::Sqlite(_) => format!("{column} ->> '{member}'"),
            Self::Postgres(_) => format!("CAST({column} AS json) ->> '{member}'"),
        }
    }

    /// SQL for a table `listed` with the elements of an array in a column of JSON as its `value`; where it is missing
    /// there are none.
    pub(in crate::store) fn elements(&self, column: &str, member: &str) -> String {
        match self {
            Self::Sqlite(_) => format!("json_each({column}, '$.{member}') AS listed"),
            Self::Postgres(_) => {
                format!(
                    "json_array_elements(CAST({column} AS json) -> '{member}') AS listed (value)"
                )
            }
        }
    }

    /// What the engine calls the type of a time.
    pub(in crate::store) fn time_type(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "TEXT",
            Self::Postgres(_) => "TIMESTAMPTZ",
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
            Self::Postgres(_) => format!("{{now}} + {parameter} * interval '1 millisecond'"),
        }
    }

    /// SQL for whether a personal fiscal code has digits where digits belong.
    pub(in crate::store) fn is_spelt_with_digits(&self, column: &str) -> String {
        match self {
            Self::Sqlite(_) => {
                format!("{column} GLOB '??????[0-9][0-9]?[0-9][0-9]?[0-9][0-9][0-9]?'")
            }
            // Year, day and place, with the letters of the month and of the place between: half the time of a regex.
            Self::Postgres(_) => {
                format!("length(translate(substr({column}, 7, 9), '0123456789', '')) = 2")
            }
        }
    }
}
