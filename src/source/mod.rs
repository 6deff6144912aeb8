//! Reading legacy databases and extracts, and locking them.

mod columns;
mod csv;
mod encoding;
mod error;
mod file;
pub mod fingerprint;
mod hint;
pub mod legacy;
pub mod lock;
mod moment;
mod number;
mod postgres;
pub mod requests;
mod sqlite;
mod texts;

use std::{collections::BTreeSet, fs, ops::ControlFlow};

use crate::{
    config::settings::{SourceLocation, SourceSettings},
    domain::{
        digest::Digest,
        field::Field,
        raw_record::{RawRecord, Shape, SourceIndex},
    },
};

use self::postgres::PostgresTable;

pub use error::{SourceError, SourceMistake};

/// Receives the records of a source one by one; `Break` ends the reading.
pub type Sink<'s> = dyn FnMut(&RawRecord<'_>) -> ControlFlow<()> + 's;

/// Receives each record and its compact form, which was made for the fingerprint.
pub type CompactSink<'s> = dyn FnMut(&RawRecord<'_>, &[u8]) -> ControlFlow<()> + 's;

/// What was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadSummary {
    /// Records, malformed rows included.
    pub records: u64,
    /// Order-independent sum over the records.
    pub fingerprint: Digest,
}

/// What [`check`] learnt of a source that can be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceCheck {
    /// The columns the source has.
    pub columns: Vec<String>,
    /// Of these, the ones no field is mapped to.
    pub unmapped: Vec<String>,
    /// What is odd and yet no mistake.
    pub warnings: Vec<String>,
}

/// How many records [`check`] looks at.
const SAMPLE_RECORDS: u64 = 1_000;

/// How much of a source is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Extent {
    /// All of it.
    Whole,
    /// This many records suffice: a server must not begin to send all of them.
    First(u64),
}

/// Streams every record of a source once, in the order of reading, with its fingerprint (without the
/// excluded fields). When the sink breaks, the summary covers what it was given.
///
/// # Errors
/// Configuration mistakes, a source that cannot be read to its end, that changed meanwhile, or that is not
/// what its sender vouches for. The sink may have been given records before.
pub fn read(
    settings: &SourceSettings,
    index: SourceIndex,
    fingerprint_excludes: &BTreeSet<Field>,
    sink: &mut Sink<'_>,
) -> Result<ReadSummary, SourceError> {
    let mut sink = |record: &RawRecord<'_>, _: &[u8]| sink(record);
    read_compact(settings, index, fingerprint_excludes, &mut sink)
}

/// [`read`] for those who keep the records.
///
/// # Errors
/// As for [`read`].
pub fn read_compact(
    settings: &SourceSettings,
    index: SourceIndex,
    fingerprint_excludes: &BTreeSet<Field>,
    sink: &mut CompactSink<'_>,
) -> Result<ReadSummary, SourceError> {
    read_extent(settings, index, fingerprint_excludes, Extent::Whole, sink)
}

fn read_extent(
    settings: &SourceSettings,
    index: SourceIndex,
    fingerprint_excludes: &BTreeSet<Field>,
    extent: Extent,
    sink: &mut CompactSink<'_>,
) -> Result<ReadSummary, SourceError> {
    match &settings.location {
        SourceLocation::Csv {
            path,
            encoding,
            delimiter,
        } => csv::read(
            &csv::CsvFile {
                settings,
                path,
                encoding: *encoding,
                delimiter: *delimiter,
            },
            index,
            fingerprint_excludes,
            sink,
        ),
        SourceLocation::Sqlite { path, table, .. } => sqlite::read(
            &sqlite::SqliteTable {
                settings,
                path,
                table,
            },
            index,
            fingerprint_excludes,
            sink,
        ),
        SourceLocation::Postgres {
            database, table, ..
        } => postgres::read(
            &PostgresTable::new(settings, database, table),
            index,
            fingerprint_excludes,
            extent,
            sink,
        ),
    }
}

/// Bytes the source takes where it is, as far as can be said.
#[must_use]
pub fn bytes(settings: &SourceSettings) -> Option<u64> {
    match &settings.location {
        SourceLocation::Csv { path, .. } | SourceLocation::Sqlite { path, .. } => {
            Some(fs::metadata(path).ok()?.len())
        }
        SourceLocation::Postgres {
            database, table, ..
        } => postgres::bytes(&PostgresTable::new(settings, database, table)).ok(),
    }
}

/// That as many records were read as the sender announced.
fn announced_records(settings: &SourceSettings, found: u64) -> Result<(), SourceError> {
    match settings.records {
        Some(announced) if announced != found => Err(SourceError::RecordCount {
            name: settings.rules.name.clone(),
            announced,
            found,
        }),
        Some(_) | None => Ok(()),
    }
}

/// Looks at a source without reading it all: is it there, readable, with all columns; what do its first
/// records look like.
///
/// # Errors
/// Every mistake found.
pub fn check(settings: &SourceSettings) -> Result<SourceCheck, Vec<SourceMistake>> {
    let (columns, journal) = match &settings.location {
        SourceLocation::Csv {
            path,
            encoding,
            delimiter,
        } => {
            let file = csv::CsvFile {
                settings,
                path,
                encoding: *encoding,
                delimiter: *delimiter,
            };
            (csv::columns(&file)?, None)
        }
        SourceLocation::Sqlite { path, table, .. } => {
            let table = sqlite::SqliteTable {
                settings,
                path,
                table,
            };
            (sqlite::columns(&table)?, sqlite::journal_warning(&table))
        }
        SourceLocation::Postgres {
            database, table, ..
        } => {
            let table = PostgresTable::new(settings, database, table);
            (postgres::columns(&table)?, None)
        }
    };
    let unmapped = columns::unmapped(settings, &columns);
    let mut warnings = sample(settings)?;
    warnings.extend(journal);
    Ok(SourceCheck {
        columns,
        unmapped,
        warnings,
    })
}

/// What the first records look like.
fn sample(settings: &SourceSettings) -> Result<Vec<String>, Vec<SourceMistake>> {
    let (mut records, mut malformed, mut invalid) = (0_u64, 0_u64, 0_u64);
    let mut unvouched = settings.clone();
    unvouched.records = None;
    unvouched.sha256 = None;
    let sampled = read_extent(
        &unvouched,
        SourceIndex(0),
        &BTreeSet::new(),
        Extent::First(SAMPLE_RECORDS),
        &mut |record, _| {
            records += 1;
            malformed += u64::from(record.shape == Shape::Malformed);
            invalid += u64::from(record.invalid != 0);
            if records < SAMPLE_RECORDS {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        },
    );
    match sampled {
        Ok(_) => {}
        Err(SourceError::Unusable { mistakes, .. }) => return Err(mistakes),
        Err(error) => return Err(vec![SourceMistake::Sample(Box::new(error))]),
    }
    let mut warnings = Vec::new();
    if records == 0 {
        warnings.push("holds no records".to_owned());
    }
    if malformed > 0 {
        warnings.push(format!(
            "{malformed} of the first {records} records have a wrong number of fields; they will be quarantined"
        ));
    }
    if invalid > 0 {
        warnings.push(format!(
            "{invalid} of the first {records} records are not valid in the declared encoding; they will be quarantined unless `encoding` is corrected"
        ));
    }
    Ok(warnings)
}
