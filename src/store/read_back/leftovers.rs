//! Reads the quarantine and the findings back.

use super::{ReadBack, error::ReadBackError, postgres, sqlite};
use crate::store::database::Database;

/// A row of `quarantine` as it stands.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "named after the columns")]
pub struct QuarantineRead<'r> {
    pub source: &'r str,
    pub legacy_id: &'r str,
    pub copy: i64,
    pub reason: &'r str,
    pub detail: &'r str,
    pub payload: &'r str,
    pub run_id: i64,
    pub state: &'r str,
}

/// A row of `finding` as it stands.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "named after the columns")]
pub struct FindingRead<'r> {
    pub kind: &'r str,
    pub source: &'r str,
    pub legacy_id: &'r str,
    pub run_id: i64,
}

/// Reads every row of `quarantine`.
///
/// # Errors
/// When the table cannot be read.
pub fn read_quarantine(
    target: &ReadBack,
    each: &mut dyn FnMut(&QuarantineRead<'_>),
) -> Result<(), ReadBackError> {
    match &target.database {
        Database::Sqlite(connection) => sqlite::leftovers::read_quarantine(connection, each),
        Database::Postgres(_) => postgres::leftovers::read_quarantine(&target.database, each),
    }
}

/// Reads every row of `finding`.
///
/// # Errors
/// When the table cannot be read.
pub fn read_findings(
    target: &ReadBack,
    each: &mut dyn FnMut(&FindingRead<'_>),
) -> Result<(), ReadBackError> {
    match &target.database {
        Database::Sqlite(connection) => sqlite::leftovers::read_findings(connection, each),
        Database::Postgres(_) => postgres::leftovers::read_findings(&target.database, each),
    }
}
