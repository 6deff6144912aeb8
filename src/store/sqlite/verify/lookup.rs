//! Finds single records in the target.

use rusqlite::{Connection, OptionalExtension as _, Row};

use super::{
    error::ReadBackError,
    people::pin,
    row_set::{Keys, RowSet},
};

const PIN: &str = "SELECT person_id, pin_id, superseded_by, run_id, status, disposition, level, credential,
        credential_scheme, credential_salt, halves_delivered, issued_on, expires_on, last_used_on, office,
        channel, source, legacy_id, legacy_profile, legacy_entity, legacy_status
    FROM pin WHERE source = ?1 AND legacy_id = ?2";

/// A PIN found by its record, and the current code of its person.
#[derive(Debug)]
pub struct PinFound {
    /// One row.
    pub pins: RowSet,
    /// Empty when the person has none.
    pub fiscal_code: String,
}

/// Finds the PIN of a record.
///
/// # Errors
/// When the tables cannot be read.
pub fn find_pin(
    connection: &Connection,
    source: &str,
    legacy_id: &str,
) -> Result<Option<PinFound>, ReadBackError> {
    let mut statement = connection
        .prepare_cached(PIN)
        .map_err(ReadBackError::read)?;
    let mut rows = statement
        .query([source, legacy_id])
        .map_err(ReadBackError::read)?;
    let Some(row) = rows.next().map_err(ReadBackError::read)? else {
        return Ok(None);
    };
    let person_id: i64 = row.get(0).map_err(ReadBackError::read)?;
    let mut pins = RowSet::new(pin::COLUMNS);
    pins.push(keys(row).map_err(ReadBackError::read)?, row, 4)?;
    let fiscal_code = connection
        .prepare_cached("SELECT fiscal_code FROM fiscal_code WHERE person_id = ?1 AND current = 1")
        .and_then(|mut statement| {
            statement
                .query_row([person_id], |row| row.get(0))
                .optional()
        })
        .map_err(ReadBackError::read)?
        .unwrap_or_default();
    Ok(Some(PinFound { pins, fiscal_code }))
}

pub(super) fn keys(row: &Row<'_>) -> rusqlite::Result<Keys> {
    Ok(Keys {
        id: row.get(1)?,
        refers_to: row.get(2)?,
        run_id: row.get(3)?,
    })
}

/// A quarantined record, found by its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Quarantined {
    /// It stands there once.
    Once {
        /// Its payload.
        payload: String,
    },
    /// It shares its id with others.
    Copies,
    /// It is not there.
    No,
}

/// Looks a record up in `quarantine`.
///
/// # Errors
/// When the table cannot be read.
pub fn find_quarantined(
    connection: &Connection,
    source: &str,
    legacy_id: &str,
) -> Result<Quarantined, ReadBackError> {
    let found: Option<(i64, String)> = connection
        .prepare_cached(
            "SELECT copy, payload FROM quarantine WHERE source = ?1 AND legacy_id = ?2 ORDER BY copy LIMIT 1",
        )
        .and_then(|mut statement| {
            statement
                .query_row([source, legacy_id], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()
        })
        .map_err(ReadBackError::read)?;
    Ok(match found {
        None => Quarantined::No,
        Some((0, payload)) => Quarantined::Once { payload },
        Some(_) => Quarantined::Copies,
    })
}
