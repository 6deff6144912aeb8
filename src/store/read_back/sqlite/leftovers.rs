//! Quarantine and findings on SQLite, in the order of the tables.

use rusqlite::Connection;

use super::{failed, text};
use crate::store::read_back::{FindingRead, QuarantineRead, error::ReadBackError};

pub(in crate::store::read_back) fn read_quarantine(
    connection: &Connection,
    each: &mut dyn FnMut(&QuarantineRead<'_>),
) -> Result<(), ReadBackError> {
    let mut statement = connection
        .prepare(
            "SELECT source, legacy_id, copy, reason, detail, payload, run_id, state
             FROM quarantine NOT INDEXED ORDER BY rowid",
        )
        .map_err(failed)?;
    let mut rows = statement.query([]).map_err(failed)?;
    while let Some(row) = rows.next().map_err(failed)? {
        each(&QuarantineRead {
            source: text(row, 0)?,
            legacy_id: text(row, 1)?,
            copy: row.get(2).map_err(failed)?,
            reason: text(row, 3)?,
            detail: text(row, 4)?,
            payload: text(row, 5)?,
            run_id: row.get(6).map_err(failed)?,
            state: text(row, 7)?,
        });
    }
    Ok(())
}

pub(in crate::store::read_back) fn read_findings(
    connection: &Connection,
    each: &mut dyn FnMut(&FindingRead<'_>),
) -> Result<(), ReadBackError> {
    let mut statement = connection
        .prepare("SELECT kind, source, legacy_id, run_id FROM finding NOT INDEXED ORDER BY rowid")
        .map_err(failed)?;
    let mut rows = statement.query([]).map_err(failed)?;
    while let Some(row) = rows.next().map_err(failed)? {
        each(&FindingRead {
            kind: text(row, 0)?,
            source: text(row, 1)?,
            legacy_id: text(row, 2)?,
            run_id: row.get(3).map_err(failed)?,
        });
    }
    Ok(())
}
