//! Statements on SQLite, through rusqlite.

use std::{borrow::Cow, ops::ControlFlow};

use rusqlite::{
    Connection, ToSql, params_from_iter,
    types::{ToSqlOutput, ValueRef},
};

use super::{
    row::{Cell, Row},
    value::Value,
};
use crate::store::StoreError;

/// Time in UTC, to the millisecond.
const NOW: &str = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')";

pub(super) fn execute(
    connection: &Connection,
    sql: &str,
    values: &[Value<'_>],
) -> rusqlite::Result<u64> {
    let changed = connection
        .prepare_cached(&spelt(sql))?
        .execute(params_from_iter(values))?;
    Ok(changed as u64)
}

pub(super) fn rows(
    connection: &Connection,
    sql: &str,
    values: &[Value<'_>],
) -> rusqlite::Result<Vec<Row>> {
    let mut statement = connection.prepare_cached(&spelt(sql))?;
    let columns = statement.column_count();
    let mut rows = statement.query(params_from_iter(values))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let cells = (0..columns).map(|at| row.get_ref(at).map(cell));
        found.push(Row(cells.collect::<rusqlite::Result<_>>()?));
    }
    Ok(found)
}

/// Gives each row as the statement comes to it. What is to be sorted first is sorted in a file where the cache is too
/// small for it.
pub(super) fn each_row(
    connection: &Connection,
    action: &'static str,
    sql: &str,
    values: &[Value<'_>],
    each: &mut dyn FnMut(&Row) -> Result<ControlFlow<()>, StoreError>,
) -> Result<(), StoreError> {
    let failed = |error| StoreError::sqlite(action)(error);
    let mut statement = connection.prepare(&spelt(sql)).map_err(failed)?;
    let columns = statement.column_count();
    let mut rows = statement.query(params_from_iter(values)).map_err(failed)?;
    while let Some(row) = rows.next().map_err(failed)? {
        let cells = (0..columns).map(|at| row.get_ref(at).map(cell));
        let row = Row(cells.collect::<rusqlite::Result<_>>().map_err(failed)?);
        if each(&row)?.is_break() {
            break;
        }
    }
    Ok(())
}

fn spelt(sql: &str) -> Cow<'_, str> {
    if sql.contains('{') {
        let mut sql = sql.replace("{now}", NOW);
        for kept in ["{for share}", "{hold}", "{hold whole}", "{claim}"] {
            sql = sql.replace(kept, "");
        }
        Cow::Owned(sql)
    } else {
        Cow::Borrowed(sql)
    }
}

fn cell(value: ValueRef<'_>) -> Cell {
    match value {
        ValueRef::Null => Cell::Null,
        ValueRef::Integer(value) => Cell::Integer(value),
        // The tables are STRICT and hold no such number.
        ValueRef::Real(value) => Cell::Text(value.to_string()),
        ValueRef::Text(text) => Cell::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => Cell::Bytes(bytes.to_vec()),
    }
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let text = |text: String| ToSqlOutput::Owned(rusqlite::types::Value::Text(text));
        Ok(match *self {
            Self::Integer(Some(value)) => ToSqlOutput::Borrowed(ValueRef::Integer(value)),
            Self::Flag(flag) => ToSqlOutput::Borrowed(ValueRef::Integer(i64::from(flag))),
            Self::Text(Some(text)) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Self::Bytes(Some(bytes)) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
            Self::Date(Some(date)) => text(date.to_string()),
            Self::Time(Some(at)) => text(at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()),
            Self::Integer(None)
            | Self::Text(None)
            | Self::Bytes(None)
            | Self::Date(None)
            | Self::Time(None) => ToSqlOutput::Borrowed(ValueRef::Null),
        })
    }
}
