//! Reads the quarantine and the findings back.

use rusqlite::{Connection, Row};

use super::error::ReadBackError;

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
    connection: &Connection,
    each: &mut dyn FnMut(&QuarantineRead<'_>),
) -> Result<(), ReadBackError> {
    let mut statement = connection
        .prepare(
            "SELECT source, legacy_id, copy, reason, detail, payload, run_id, state
             FROM quarantine NOT INDEXED ORDER BY rowid",
        )
        .map_err(ReadBackError::read)?;
    let mut rows = statement.query([]).map_err(ReadBackError::read)?;
    while let Some(row) = rows.next().map_err(ReadBackError::read)? {
        each(&QuarantineRead {
            source: text(row, 0)?,
            legacy_id: text(row, 1)?,
            copy: row.get(2).map_err(ReadBackError::read)?,
            reason: text(row, 3)?,
            detail: text(row, 4)?,
            payload: text(row, 5)?,
            run_id: row.get(6).map_err(ReadBackError::read)?,
            state: text(row, 7)?,
        });
    }
    Ok(())
}

/// Reads every row of `finding`.
///
/// # Errors
/// When the table cannot be read.
pub fn read_findings(
    connection: &Connection,
    each: &mut dyn FnMut(&FindingRead<'_>),
) -> Result<(), ReadBackError> {
    let mut statement = connection
        .prepare("SELECT kind, source, legacy_id, run_id FROM finding NOT INDEXED ORDER BY rowid")
        .map_err(ReadBackError::read)?;
    let mut rows = statement.query([]).map_err(ReadBackError::read)?;
    while let Some(row) = rows.next().map_err(ReadBackError::read)? {
        each(&FindingRead {
            kind: text(row, 0)?,
            source: text(row, 1)?,
            legacy_id: text(row, 2)?,
            run_id: row.get(3).map_err(ReadBackError::read)?,
        });
    }
    Ok(())
}

pub(super) fn text<'r>(row: &'r Row<'_>, column: usize) -> Result<&'r str, ReadBackError> {
    row.get_ref(column)
        .and_then(|value| Ok(value.as_str()?))
        .map_err(ReadBackError::read)
}
