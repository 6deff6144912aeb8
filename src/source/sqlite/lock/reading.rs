//! Captures and diverted PINs, read as records and marked as processed.

use rusqlite::{Connection, Error, Row, params};

use crate::{
    config::settings::SourceSettings,
    domain::{
        field::Field,
        raw_record::{RawRecord, SourceIndex},
    },
    source::{
        lock::{Capture, Diverted, LockError, Place, RawFields},
        sqlite::scan::Reading,
    },
};

use super::{
    capture,
    control::table_exists,
    divert,
    legacy::{self, BRIEF, Deed},
    plan::Plan,
    sql,
};

const MARK_CAPTURES: Deed = Deed {
    doing: "marking captured changes as processed",
    before: "capture.mark",
    after: "capture.marked",
    patience: BRIEF,
};

const MARK_DIVERTED: Deed = Deed {
    doing: "marking diverted PINs as processed",
    before: "divert.mark",
    after: "divert.marked",
    patience: BRIEF,
};

/// See [`crate::source::lock::Locked::captures`].
pub(in crate::source) fn captures(
    place: &Place,
    after: i64,
    limit: u32,
) -> Result<Vec<Capture>, LockError> {
    legacy::read(place, "reading captured changes", |connection| {
        let table = capture::table(place.name());
        if !table_exists(connection, &table)? {
            return Ok(Vec::new());
        }
        let query = format!(
            "SELECT seq, at, image <> 'after', image <> 'before', {}, {} FROM {} AS c
              WHERE processed_at IS NULL AND seq > ?2 AND {} ORDER BY seq LIMIT ?1",
            image("before"),
            image("after"),
            sql::name(&table),
            capture::SETTLED
        );
        let mut statement = connection.prepare(&query)?;
        let mut rows = statement.query(params![limit, after])?;
        let mut reading = Reading::in_zone(&place.source.time_zone);
        let mut captures = Vec::new();
        while let Some(row) = rows.next()? {
            captures.push(Capture {
                seq: row.get(0)?,
                at: row.get(1)?,
                before: shown(&mut reading, row, 2, 4)?,
                after: shown(&mut reading, row, 3, 4 + Field::ALL.len())?,
            });
        }
        Ok(captures)
    })
}

/// See [`crate::source::lock::Locked::diverted`].
pub(in crate::source) fn diverted(place: &Place, limit: u32) -> Result<Vec<Diverted>, LockError> {
    legacy::read(place, "reading diverted PINs", |connection| {
        let table = divert::table(place.name());
        if !table_exists(connection, &table)? {
            return Ok(Vec::new());
        }
        let plan = Plan::make(connection, place)?;
        let Some(shape) = plan.tables.first() else {
            return Ok(Vec::new());
        };
        let columns: Vec<String> = Field::ALL
            .iter()
            .map(|field| match shape.mapped.get(field) {
                Some(&at) => format!(
                    "d.{}",
                    sql::name(&divert::kept_column(&shape.columns[at].name))
                ),
                None => "NULL".to_owned(),
            })
            .collect();
        let query = format!(
            "SELECT seq, at, {} FROM {} AS d WHERE processed_at IS NULL ORDER BY seq LIMIT ?1",
            columns.join(", "),
            sql::name(&table)
        );
        let mut statement = connection.prepare(&query)?;
        let mut rows = statement.query([limit])?;
        let mut reading = Reading::in_zone(&place.source.time_zone);
        let mut diverted = Vec::new();
        while let Some(row) = rows.next()? {
            diverted.push(Diverted {
                seq: row.get(0)?,
                at: row.get(1)?,
                row: fields(&mut reading, row, 2)?,
            });
        }
        Ok(diverted)
    })
}

/// See [`crate::source::lock::Locked::mark_processed`].
pub(in crate::source) fn mark_captures(place: &Place, seqs: &[i64]) -> Result<(), LockError> {
    mark(place, &MARK_CAPTURES, &capture::table(place.name()), seqs)
}

/// See [`crate::source::lock::Locked::mark_diverted_processed`].
pub(in crate::source) fn mark_diverted(place: &Place, seqs: &[i64]) -> Result<(), LockError> {
    mark(place, &MARK_DIVERTED, &divert::table(place.name()), seqs)
}

fn mark(place: &Place, deed: &Deed, table: &str, seqs: &[i64]) -> Result<(), LockError> {
    if seqs.is_empty() {
        return Ok(());
    }
    legacy::write(place, deed, |connection| {
        let mut statement = connection.prepare(&format!(
            "UPDATE {} SET processed_at = coalesce(processed_at, {}) WHERE seq = ?1",
            sql::name(table),
            super::NOW
        ))?;
        for seq in seqs {
            if statement.execute(params![seq])? != 1 {
                return Err(LockError::Damaged {
                    source_name: place.name().to_owned(),
                    what: vec![format!("row {seq} of {table} is gone")],
                }
                .into());
            }
        }
        Ok(())
    })
}

/// What the changes let through make of the source as it was when the lock was engaged: gives every row
/// before (to be added) and every row after (to be taken out), processed or not. Reads within the caller's
/// transaction, that is the snapshot in which the table itself is read.
pub(in crate::source) fn adjust(
    connection: &Connection,
    source: &SourceSettings,
    index: SourceIndex,
    mut give: impl FnMut(Image, &RawRecord<'_>),
) -> Result<(), Error> {
    let table = capture::table(&source.rules.name);
    if !table_exists(connection, &table)? {
        return Ok(());
    }
    for which in [Image::Before, Image::After] {
        let query = format!(
            "SELECT {} FROM {} AS c WHERE image IN ('both', '{}') AND {}",
            image(which.name()),
            sql::name(&table),
            which.name(),
            capture::SETTLED
        );
        let mut statement = connection.prepare(&query)?;
        let mut rows = statement.query([])?;
        let mut reading = Reading::in_zone(&source.time_zone);
        while let Some(row) = rows.next()? {
            reading.with(row, 0, &positions(), index, |record| give(which, record))?;
        }
    }
    Ok(())
}

/// One side of a captured change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::source) enum Image {
    /// The row before.
    Before,
    /// The row after.
    After,
}

impl Image {
    const fn name(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::After => "after",
        }
    }
}

fn image(which: &str) -> String {
    Field::ALL
        .map(|field| format!("c.{}", capture::image_column(which, field)))
        .join(", ")
}

fn positions() -> [(Field, usize); Field::ALL.len()] {
    std::array::from_fn(|at| (Field::ALL[at], at))
}

/// The image whose flag and fields begin at these columns, if it is there.
fn shown(
    reading: &mut Reading,
    row: &Row<'_>,
    flag: usize,
    first: usize,
) -> Result<Option<RawFields>, Error> {
    if row.get(flag)? {
        fields(reading, row, first).map(Some)
    } else {
        Ok(None)
    }
}

fn fields(reading: &mut Reading, row: &Row<'_>, first: usize) -> Result<RawFields, Error> {
    reading.with(row, first, &positions(), SourceIndex(0), |record| {
        RawFields::from(record)
    })
}
