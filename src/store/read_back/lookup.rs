//! Finds single records in the target.

use super::{
    ReadBack,
    error::ReadBackError,
    person_read::pin,
    row_set::{Keys, RowSet},
};
use crate::store::database::values;

const ACTION: &str = "look a record up";

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
    target: &ReadBack,
    source: &str,
    legacy_id: &str,
) -> Result<Option<PinFound>, ReadBackError> {
    let database = &target.database;
    let Some(row) = database.row(ACTION, PIN, values![source, legacy_id])? else {
        return Ok(None);
    };
    let person_id: i64 = row.get(0)?;
    let keys = Keys {
        id: row.get(1)?,
        refers_to: row.get(2)?,
        run_id: row.get(3)?,
    };
    let mut pins = RowSet::new(pin::COLUMNS);
    pins.push(keys, row.texts()[4..].iter().map(Option::as_deref));
    let code = database.row(
        ACTION,
        "SELECT fiscal_code FROM fiscal_code WHERE person_id = ?1 AND current",
        values![person_id],
    )?;
    let fiscal_code = match code {
        Some(row) => row.get(0)?,
        None => String::new(),
    };
    Ok(Some(PinFound { pins, fiscal_code }))
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

/// Why a record stands in `quarantine`, if it does.
///
/// # Errors
/// When the table cannot be read.
pub fn find_reason(
    target: &ReadBack,
    source: &str,
    legacy_id: &str,
    copy: u32,
) -> Result<Option<String>, ReadBackError> {
    let found = target.database.row(
        ACTION,
        "SELECT reason FROM quarantine WHERE source = ?1 AND legacy_id = ?2 AND copy = ?3",
        values![source, legacy_id, i64::from(copy)],
    )?;
    Ok(found.map(|row| row.get(0)).transpose()?)
}

/// Looks a record up in `quarantine`.
///
/// # Errors
/// When the table cannot be read.
pub fn find_quarantined(
    target: &ReadBack,
    source: &str,
    legacy_id: &str,
) -> Result<Quarantined, ReadBackError> {
    let found = target.database.row(
        ACTION,
        "SELECT copy, payload FROM quarantine WHERE source = ?1 AND legacy_id = ?2 ORDER BY copy LIMIT 1",
        values![source, legacy_id],
    )?;
    let Some(row) = found else {
        return Ok(Quarantined::No);
    };
    Ok(match row.get::<i64>(0)? {
        0 => Quarantined::Once {
            payload: row.get(1)?,
        },
        _ => Quarantined::Copies,
    })
}
