//! One pass over a table, whatever types its values have.

use std::{fmt::Write as _, ops::ControlFlow};

use rusqlite::{Connection, Row, types::ValueRef};

use super::SqliteTable;
use crate::{
    config::settings::Encoding,
    domain::{
        field::Field,
        raw_record::{RawRecord, SourceIndex},
    },
    source::{
        Sink,
        number::{append_hex, append_real},
        texts::Texts,
    },
};

/// How far a scan came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Scanned {
    pub(super) records: u64,
    /// Whether there was no further record.
    pub(super) to_the_end: bool,
}

/// Gives every row to the sink.
pub(super) fn rows(
    connection: &Connection,
    table: &SqliteTable<'_>,
    names: &[String],
    positions: &[(Field, usize)],
    index: SourceIndex,
    sink: &mut Sink<'_>,
) -> Result<Scanned, rusqlite::Error> {
    let mut statement = connection.prepare(&query(table, names, positions))?;
    let mut rows = statement.query([])?;
    let mut reading = Reading::in_zone(&table.settings.time_zone);
    let mut records = 0;
    while let Some(row) = rows.next()? {
        records += 1;
        let record = reading.record(row, 0, positions, index, records)?;
        if sink(&record) == ControlFlow::Break(()) {
            return Ok(Scanned {
                records,
                to_the_end: false,
            });
        }
    }
    Ok(Scanned {
        records,
        to_the_end: true,
    })
}

/// Columns are qualified: SQLite takes an unqualified quoted name it does not know for a text.
fn query(table: &SqliteTable<'_>, names: &[String], positions: &[(Field, usize)]) -> String {
    let columns: Vec<String> = positions
        .iter()
        .map(|&(_, at)| format!("s.{}", quoted(&names[at])))
        .collect();
    format!(
        "SELECT {} FROM main.{} AS s",
        columns.join(", "),
        quoted(table.table)
    )
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Turns values into text.
pub(super) struct Reading(Texts);

impl Reading {
    /// A reading of a source whose timestamps with a zone are read in this one.
    pub(super) fn in_zone(name: &str) -> Self {
        Self(Texts::new(Encoding::Utf8, name))
    }

    /// Takes the columns from `first` on for a record, and hands it on.
    pub(super) fn with<T>(
        &mut self,
        row: &Row<'_>,
        first: usize,
        positions: &[(Field, usize)],
        index: SourceIndex,
        take: impl FnOnce(&RawRecord<'_>) -> T,
    ) -> Result<T, rusqlite::Error> {
        let record = self.record(row, first, positions, index, 0)?;
        Ok(take(&record))
    }

    fn record<'r>(
        &'r mut self,
        row: &'r Row<'_>,
        first: usize,
        positions: &[(Field, usize)],
        index: SourceIndex,
        number: u64,
    ) -> Result<RawRecord<'r>, rusqlite::Error> {
        let texts = &mut self.0;
        let mut record = texts.begin(index, number);
        for (column, &(field, _)) in positions.iter().enumerate() {
            match row.get_ref(first + column)? {
                ValueRef::Null => {}
                ValueRef::Text(bytes) => texts.text(field, bytes, &mut record),
                ValueRef::Integer(value) => {
                    texts.write(field, |out, _| {
                        // Writing to a string cannot fail.
                        let _ = write!(out, "{value}");
                    })
                }
                ValueRef::Real(value) => texts.write(field, |out, _| append_real(value, out)),
                ValueRef::Blob(bytes) => texts.write(field, |out, _| append_hex(bytes, out)),
            }
        }
        texts.finish(&mut record);
        Ok(record)
    }
}
