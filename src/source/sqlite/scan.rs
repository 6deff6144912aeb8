//! One pass over a table, whatever types its values have.

use std::{
    fmt::Write as _,
    ops::{ControlFlow, Range},
};

use rusqlite::{Connection, Row, types::ValueRef};

use super::{
    SqliteTable,
    moment::{Moment, Zone},
};
use crate::{
    config::settings::Encoding,
    domain::{
        field::{FIELDS, Field},
        raw_record::{RawRecord, Shape, SourceIndex},
    },
    source::{
        Sink,
        encoding::{Decoder, Validity},
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
        let mut record = RawRecord {
            source: index,
            number: records,
            shape: Shape::Row,
            invalid: 0,
            fields: [""; FIELDS],
        };
        reading.take_apart(row, 0, positions, &mut record)?;
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

/// Turns values into text; its buffer is reused.
pub(super) struct Reading {
    decoder: Decoder,
    zone: Zone,
    arena: String,
}

impl Reading {
    /// A reading of a source whose timestamps with a zone are read in this one.
    pub(super) fn in_zone(name: &str) -> Self {
        Self {
            decoder: Decoder::new(Encoding::Utf8),
            zone: Zone::named(name),
            arena: String::new(),
        }
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
        let mut record = RawRecord {
            source: index,
            number: 0,
            shape: Shape::Row,
            invalid: 0,
            fields: [""; FIELDS],
        };
        self.take_apart(row, first, positions, &mut record)?;
        Ok(take(&record))
    }

    /// Valid text is borrowed from the row; everything else is written into the arena first.
    fn take_apart<'r>(
        &'r mut self,
        row: &'r Row<'_>,
        first: usize,
        positions: &[(Field, usize)],
        record: &mut RawRecord<'r>,
    ) -> Result<(), rusqlite::Error> {
        self.arena.clear();
        let mut written: [Option<Range<usize>>; FIELDS] = [const { None }; FIELDS];
        for (column, &(field, _)) in positions.iter().enumerate() {
            let start = self.arena.len();
            match row.get_ref(first + column)? {
                ValueRef::Null => {}
                ValueRef::Text(bytes) => match self.decoder.borrow(bytes) {
                    Some(text) => match self.zone.moment(field, text) {
                        Moment::AsItIs => record.fields[field.index()] = text,
                        Moment::Never => {}
                        Moment::Local(text) => self.arena.push_str(&text),
                    },
                    None => self.append_text(bytes, field, record),
                },
                // Writing to a string cannot fail.
                ValueRef::Integer(value) => drop(write!(self.arena, "{value}")),
                ValueRef::Real(value) => append_real(value, &mut self.arena),
                ValueRef::Blob(bytes) => append_hex(bytes, &mut self.arena),
            }
            if self.arena.len() > start {
                written[field.index()] = Some(start..self.arena.len());
            }
        }
        let arena = &self.arena;
        for (field, range) in record.fields.iter_mut().zip(written) {
            if let Some(range) = range {
                *field = &arena[range];
            }
        }
        Ok(())
    }

    fn append_text(&mut self, bytes: &[u8], field: Field, record: &mut RawRecord<'_>) {
        match self.decoder.append(bytes, &mut self.arena) {
            Validity::Valid => {}
            Validity::Escaped => record.invalid |= 1 << field.index(),
        }
    }
}

/// The shortest text that reads back as the same number; without an exponent where it has few digits.
fn append_real(value: f64, out: &mut String) {
    let size = value.abs();
    // Writing to a string cannot fail.
    let _ = if size != 0.0 && !(1e-6..1e17).contains(&size) && size.is_finite() {
        write!(out, "{value:e}")
    } else {
        write!(out, "{value}")
    };
}

fn append_hex(bytes: &[u8], out: &mut String) {
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(out, "{byte:02x}");
    }
}
