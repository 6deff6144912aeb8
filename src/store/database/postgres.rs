//! Statements on PostgreSQL, through one session.

use std::{cell::RefCell, ops::ControlFlow};

use jiff::{Span, Timestamp, civil::Date};
use sqlx::{
    Arguments as _, Column as _, Row as _, TypeInfo as _, ValueRef as _,
    postgres::{PgArguments, PgRow, PgValueRef},
};

use super::{
    row::{Cell, Row, damaged},
    value::Value,
};
use crate::{postgres::Session, store::StoreError};

/// Time in UTC, to the millisecond.
const NOW: &str = "date_trunc('milliseconds', clock_timestamp())";

/// Rows of a cursor that are asked for at a time.
const FETCHED_ROWS: usize = 1_000;

/// Day 0 of the server's dates, and its second 0 since 1970.
const EPOCH_DAY: Date = jiff::civil::date(2000, 1, 1);
const EPOCH_SECOND: i64 = 946_684_800;

/// A session that is asked through a shared reference, one question at a time.
#[derive(Debug)]
pub(in crate::store) struct Server(RefCell<Session>);

impl Server {
    pub(in crate::store) fn new(session: Session) -> Self {
        Self(RefCell::new(session))
    }

    /// Lets somebody speak to the session.
    pub(in crate::store) fn with<T>(&self, speak: impl FnOnce(&mut Session) -> T) -> T {
        speak(&mut self.0.borrow_mut())
    }

    pub(super) fn execute(
        &self,
        action: &'static str,
        sql: &str,
        values: &[Value<'_>],
    ) -> Result<u64, StoreError> {
        let (sql, arguments) = (spelt(sql, values), arguments(values)?);
        self.with(|session| session.execute(action, &sql, arguments))
            .map_err(StoreError::postgres(action))
    }

    pub(super) fn rows(
        &self,
        action: &'static str,
        sql: &str,
        values: &[Value<'_>],
    ) -> Result<Vec<Row>, StoreError> {
        let (sql, arguments) = (spelt(sql, values), arguments(values)?);
        self.with(|session| session.rows(action, &sql, arguments))
            .map_err(StoreError::postgres(action))?
            .iter()
            .map(row)
            .collect()
    }

    /// Gives each row of a query, [`FETCHED_ROWS`] of which come at a time, through a cursor that ends with the
    /// transaction at the latest.
    pub(super) fn each_row(
        &self,
        action: &'static str,
        sql: &str,
        values: &[Value<'_>],
        each: &mut dyn FnMut(&Row) -> Result<ControlFlow<()>, StoreError>,
    ) -> Result<(), StoreError> {
        // All rows are wanted, not the first ones soon.
        self.batch(action, "SET LOCAL cursor_tuple_fraction = 1")?;
        let declare = format!("DECLARE streamed NO SCROLL CURSOR FOR {sql}");
        self.execute(action, &declare, values)?;
        let fetch = format!("FETCH {FETCHED_ROWS} FROM streamed");
        'all: loop {
            let rows = self.rows(action, &fetch, &[])?;
            if rows.is_empty() {
                break;
            }
            for row in &rows {
                if each(row)?.is_break() {
                    break 'all;
                }
            }
        }
        self.batch(action, "CLOSE streamed")
    }

    pub(super) fn batch(&self, action: &'static str, sql: &str) -> Result<(), StoreError> {
        self.with(|session| session.batch(action, sql))
            .map_err(StoreError::postgres(action))
    }
}

/// `?1` becomes `$1`, and what is in braces what the server calls it. Dates and times travel as text.
fn spelt(sql: &str, values: &[Value<'_>]) -> String {
    let sql = sql
        .replace("{now}", NOW)
        .replace("{for share}", " FOR SHARE")
        .replace("{hold}", " FOR NO KEY UPDATE")
        .replace("{hold whole}", " FOR UPDATE")
        .replace("{claim}", " FOR NO KEY UPDATE SKIP LOCKED");
    let mut pieces = sql.split('?');
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let digits = piece.len() - piece.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, rest) = piece.split_at(digits);
        let value = number.parse().ok().and_then(|n: usize| values.get(n - 1));
        match value {
            Some(Value::Date(_)) => out += &format!("CAST(${number} AS date)"),
            Some(Value::Time(_)) => out += &format!("CAST(${number} AS timestamptz)"),
            Some(_) | None => out += &format!("${number}"),
        }
        out += rest;
    }
    out
}

fn arguments(values: &[Value<'_>]) -> Result<PgArguments, StoreError> {
    let mut arguments = PgArguments::default();
    for value in values {
        match *value {
            Value::Integer(value) => arguments.add(value),
            Value::Flag(flag) => arguments.add(flag),
            Value::Text(text) => arguments.add(text.map(str::to_owned)),
            Value::Bytes(bytes) => arguments.add(bytes.map(<[u8]>::to_vec)),
            Value::Date(date) => arguments.add(date.map(|date| date.to_string())),
            Value::Time(at) => arguments.add(at.map(|at| at.to_string())),
        }
        .map_err(|_| damaged("a value too long for the server"))?;
    }
    Ok(arguments)
}

fn row(row: &PgRow) -> Result<Row, StoreError> {
    let cells = row.columns().iter().map(|column| {
        row.try_get_raw(column.ordinal())
            .ok()
            .and_then(|value| cell(&value))
            .ok_or_else(|| damaged("a column of a type that this program does not use"))
    });
    Ok(Row(cells.collect::<Result<_, _>>()?))
}

/// Values as the server sends them in binary (PostgreSQL manual, "Frontend/Backend Protocol", and the source of
/// its send functions): integers big-endian, dates in days and times in microseconds since 2000.
fn cell(value: &PgValueRef<'_>) -> Option<Cell> {
    if value.is_null() {
        return Some(Cell::Null);
    }
    let bytes = value.as_bytes().ok()?;
    Some(match value.type_info().name() {
        "BOOL" => Cell::Integer(i64::from(*bytes.first()? != 0)),
        "INT2" => Cell::Integer(i64::from(i16::from_be_bytes(bytes.try_into().ok()?))),
        "INT4" => Cell::Integer(i64::from(i32::from_be_bytes(bytes.try_into().ok()?))),
        "INT8" => Cell::Integer(i64::from_be_bytes(bytes.try_into().ok()?)),
        "TEXT" | "VARCHAR" | "NAME" => Cell::Text(std::str::from_utf8(bytes).ok()?.to_owned()),
        "BYTEA" => Cell::Bytes(bytes.to_vec()),
        "DATE" => {
            let days = i32::from_be_bytes(bytes.try_into().ok()?);
            let since = Span::new().try_days(days).ok()?;
            Cell::Text(EPOCH_DAY.checked_add(since).ok()?.to_string())
        }
        "TIMESTAMPTZ" => {
            let microseconds = i64::from_be_bytes(bytes.try_into().ok()?);
            let since_1970 = microseconds.checked_add(EPOCH_SECOND * 1_000_000)?;
            let at = Timestamp::from_microsecond(since_1970).ok()?;
            // What is put there is whole milliseconds, and what is not is not hidden.
            let format = match microseconds % 1_000 {
                0 => "%Y-%m-%dT%H:%M:%S%.3fZ",
                _ => "%Y-%m-%dT%H:%M:%S%.6fZ",
            };
            Cell::Text(at.strftime(format).to_string())
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::{Value, spelt};

    #[test]
    fn parameters_are_spelt_as_the_server_spells_them_with_the_types_it_asks_for() {
        let values = [
            Value::from("text"),
            Value::from(jiff::civil::date(2013, 11, 3)),
            Value::from(jiff::Timestamp::UNIX_EPOCH),
        ];
        assert_eq!(
            spelt("SELECT ?1, ?2, (?3), ?1{for share}", &values),
            "SELECT $1, CAST($2 AS date), (CAST($3 AS timestamptz)), $1 FOR SHARE"
        );
    }
}
