//! Changes behind the store's back.

use pinferry::postgres::Session;
use rusqlite::Connection;
use sqlx::{Row as _, postgres::PgArguments};

/// A connection that knows nothing of the store's rules, and no constraint but types and unique indexes.
pub(crate) enum Raw {
    Sqlite(Connection),
    Postgres(Session),
}

/// A constraint said no.
#[derive(Debug)]
pub(crate) struct Refused;

/// The server looks for CHECKs only where this says that there are some.
const WITHOUT_CHECKS: &str = "BEGIN; SET LOCAL session_replication_role = replica;
    UPDATE pg_class SET relchecks = 0 WHERE relnamespace = 'public'::regnamespace";
const WITH_CHECKS: &str = "UPDATE pg_class SET relchecks = (
        SELECT count(*) FROM pg_constraint WHERE conrelid = pg_class.oid AND contype = 'c')
    WHERE relnamespace = 'public'::regnamespace; COMMIT";

impl Raw {
    /// Runs one statement; how many rows it changed.
    pub(crate) fn change(&mut self, sql: &str) -> Result<u64, Refused> {
        match self {
            Self::Sqlite(connection) => match connection.execute(sql, []) {
                Ok(rows) => Ok(rows as u64),
                Err(error) if is_constraint(&error) => Err(Refused),
                Err(error) => panic!("{sql}: {error}"),
            },
            Self::Postgres(session) => {
                session.batch("spoiling", WITHOUT_CHECKS).unwrap();
                let changed = session.execute("spoiling", sql, PgArguments::default());
                match changed {
                    Ok(rows) => {
                        session.batch("spoiling", WITH_CHECKS).unwrap();
                        Ok(rows)
                    }
                    Err(error) => {
                        let refused = error.sqlstate().is_some_and(|code| code.starts_with("23"));
                        assert!(refused, "{sql}: {}", error.server_message());
                        session.batch("spoiling", "ROLLBACK").unwrap();
                        Err(Refused)
                    }
                }
            }
        }
    }

    /// Runs one statement that changes something.
    pub(crate) fn must(&mut self, sql: &str) -> u64 {
        let changed = self.change(sql).unwrap();
        assert!(changed > 0, "{sql}");
        changed
    }

    /// Runs statements.
    pub(crate) fn batch(&mut self, sql: &str) {
        match self {
            Self::Sqlite(connection) => connection.execute_batch(sql).unwrap(),
            Self::Postgres(session) => session
                .batch("spoiling", sql)
                .unwrap_or_else(|error| panic!("{sql}: {}", error.server_message())),
        }
    }

    /// The one column of a query, which must be text.
    pub(crate) fn texts(&mut self, sql: &str) -> Vec<String> {
        match self {
            Self::Sqlite(connection) => {
                let mut statement = connection.prepare(sql).unwrap();
                let rows = statement.query_map([], |row| row.get(0)).unwrap();
                rows.map(Result::unwrap).collect()
            }
            Self::Postgres(session) => {
                let rows = session.rows("looking", sql, PgArguments::default());
                rows.unwrap().iter().map(|row| row.get(0)).collect()
            }
        }
    }
}

fn is_constraint(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(rusqlite::ErrorCode::ConstraintViolation | rusqlite::ErrorCode::TypeMismatch)
    )
}
