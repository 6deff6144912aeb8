//! The divert table: new PINs caught before they were inserted, every column as it was given.

use std::fmt::Write as _;

use rusqlite::{Connection, Error, params};

use crate::{
    domain::field::Field,
    source::lock::{NotHandedBack, Released, message::Messages},
};

use super::{control::table_exists, plan::Plan, shape::TableShape, sql, state};

/// The divert table of a source.
pub(super) fn table(source: &str) -> String {
    format!("pinferry_divert_{source}")
}

/// The column that keeps one of the table's columns.
pub(super) fn kept_column(name: &str) -> String {
    format!("column_{name}")
}

/// Makes the table: an autoincrement key and no other constraint, as for captures.
pub(super) fn create(
    connection: &Connection,
    source: &str,
    shape: &TableShape,
) -> Result<(), Error> {
    let mut columns = String::new();
    for column in &shape.columns {
        // Writing to a string cannot fail.
        let _ = write!(columns, ", {}", sql::name(&kept_column(&column.name)));
    }
    connection.execute_batch(&format!(
        "CREATE TABLE IF NOT EXISTS {} (seq INTEGER PRIMARY KEY AUTOINCREMENT, at, processed_at{columns})",
        sql::name(&table(source))
    ))
}

/// How many new PINs were diverted, and how many of them are unprocessed.
pub(super) fn tally(connection: &Connection, source: &str) -> Result<(u64, u64), Error> {
    state::tally(connection, &table(source), "1")
}

/// The body of the guard that catches a new PIN. An id that waits there already is refused in words: the
/// second PIN, or the change of the first, would be lost otherwise.
pub(super) fn catch(plan: &Plan<'_>, shape: &TableShape, messages: &Messages) -> String {
    let table = sql::name(&table(plan.place.name()));
    let primary = shape.integer_primary_key();
    let mut body = String::new();
    if let Some(&id) = shape.mapped.get(&Field::LegacyId) {
        let (column, kept) = (
            shape.column(id),
            sql::name(&kept_column(&shape.columns[id].name)),
        );
        let refuse = sql::text(&messages.locked("this PIN is already waiting to be activated"));
        let _ = write!(
            body,
            "SELECT RAISE(ABORT, {refuse}) WHERE EXISTS (SELECT 1 FROM {table} AS d WHERE d.{kept} = NEW.{column} AND d.processed_at IS NULL); "
        );
    }
    let (mut columns, mut values) = (String::from("at"), String::from(super::NOW));
    for (at, column) in shape.columns.iter().enumerate() {
        let value = format!("NEW.{}", shape.column(at));
        let _ = write!(columns, ", {}", sql::name(&kept_column(&column.name)));
        // A key the database would choose is -1 before the insert.
        let value = if Some(at) == primary {
            format!("nullif({value}, -1)")
        } else {
            value
        };
        let _ = write!(values, ", {value}");
    }
    let _ = write!(
        body,
        "INSERT INTO {table} ({columns}) VALUES ({values}); SELECT RAISE(IGNORE);"
    );
    body
}

/// Inserts what was diverted and not processed into the table again. A row the table refuses stays where it
/// is, and is reported.
pub(super) fn hand_back(
    connection: &Connection,
    source: &str,
    shape: &TableShape,
) -> Result<Released, Error> {
    let kept = table(source);
    let mut released = Released::default();
    if !table_exists(connection, &kept)? {
        return Ok(released);
    }
    let (mut columns, mut values) = (Vec::new(), Vec::new());
    for at in shape.insertable() {
        columns.push(shape.column(at));
        values.push(sql::name(&kept_column(&shape.columns[at].name)));
    }
    let insert = format!(
        "INSERT INTO {} ({}) SELECT {} FROM {} WHERE seq = ?1",
        sql::name(&shape.table),
        columns.join(", "),
        values.join(", "),
        sql::name(&kept)
    );
    let done = format!(
        "UPDATE {} SET processed_at = {} WHERE seq = ?1",
        sql::name(&kept),
        super::NOW
    );
    let mut waiting = connection.prepare(&format!(
        "SELECT seq FROM {} WHERE processed_at IS NULL ORDER BY seq",
        sql::name(&kept)
    ))?;
    let waiting: Vec<i64> = waiting
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for seq in waiting {
        match connection.execute(&insert, params![seq]) {
            Ok(0) => released.not_handed_back.push(NotHandedBack {
                seq,
                why: "a trigger of the table ignores it".to_owned(),
            }),
            Ok(_) => {
                connection.execute(&done, params![seq])?;
                released.handed_back += 1;
            }
            Err(error) if is_refusal(&error) => released.not_handed_back.push(NotHandedBack {
                seq,
                why: super::words(&error),
            }),
            Err(error) => return Err(error),
        }
    }
    Ok(released)
}

/// Puts the table out of the way of later locks, and tells its new name.
pub(super) fn set_aside(connection: &Connection, source: &str) -> Result<String, Error> {
    let now: String =
        connection.query_row("SELECT strftime('%Y%m%dT%H%M%fZ', 'now')", [], |row| {
            row.get(0)
        })?;
    let aside = format!("pinferry_not_handed_back_{source}_{now}");
    connection.execute_batch(&format!(
        "ALTER TABLE {} RENAME TO {}",
        sql::name(&table(source)),
        sql::name(&aside)
    ))?;
    Ok(aside)
}

/// The row is the matter, not the database.
fn is_refusal(error: &Error) -> bool {
    use rusqlite::ErrorCode::{ConstraintViolation, TypeMismatch, Unknown};
    matches!(
        error.sqlite_error_code(),
        Some(ConstraintViolation | TypeMismatch | Unknown)
    )
}
