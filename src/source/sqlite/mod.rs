//! A table or view of a SQLite database.

pub(super) mod lock;
mod open;
mod scan;
mod trouble;

use std::{collections::BTreeSet, path::Path};

use super::{
    CompactSink, ReadSummary, SourceError, SourceMistake,
    columns::{self, Naming},
    fingerprint::Fingerprint,
};
use crate::{
    config::settings::SourceSettings,
    domain::{field::Field, raw_record::SourceIndex},
};

pub(super) use open::journal_warning;

/// A SQLite source.
pub(super) struct SqliteTable<'s> {
    pub(super) settings: &'s SourceSettings,
    pub(super) path: &'s Path,
    pub(super) table: &'s str,
}

/// The columns of the table, if every mapped one is there.
pub(super) fn columns(table: &SqliteTable<'_>) -> Result<Vec<String>, Vec<SourceMistake>> {
    let columns = open::read_only(table)
        .and_then(|connection| open::columns(&connection, table))
        .and_then(|columns| positions(table, &columns).map(|_| columns));
    columns.map_err(|error| match error {
        SourceError::Unusable { mistakes, .. } => mistakes,
        error => vec![SourceMistake::Sample(Box::new(error))],
    })
}

/// See [`super::read`]. All is read in one transaction, that is as it was at one instant.
pub(super) fn read(
    table: &SqliteTable<'_>,
    index: SourceIndex,
    excludes: &BTreeSet<Field>,
    sink: &mut CompactSink<'_>,
) -> Result<ReadSummary, SourceError> {
    let failed = |doing| open::failed(table.path, doing);
    let connection = open::read_only(table)?;
    // Reading never commits: the transaction ends when it is dropped.
    let snapshot = connection
        .unchecked_transaction()
        .map_err(failed("beginning to read"))?;
    let names = open::columns(&snapshot, table)?;
    let positions = positions(table, &names)?;
    let mut fingerprint = Fingerprint::without(excludes);
    let scanned = scan::rows(&snapshot, table, &names, &positions, index, &mut |record| {
        let compact = fingerprint.add(record);
        sink(record, compact)
    })
    .map_err(failed("reading the records"))?;
    if scanned.to_the_end {
        super::announced_records(table.settings, scanned.records)?;
        // What the management lock let through since it was engaged is no change of the source.
        lock::adjust(
            &snapshot,
            table.settings,
            index,
            |image, record| match image {
                lock::Image::Before => {
                    fingerprint.add(record);
                }
                lock::Image::After => fingerprint.remove(record),
            },
        )
        .map_err(failed("reading what the lock let through"))?;
    }
    Ok(ReadSummary {
        records: scanned.records,
        fingerprint: fingerprint.digest(),
    })
}

fn positions(
    table: &SqliteTable<'_>,
    names: &[String],
) -> Result<Vec<(Field, usize)>, SourceError> {
    let place = format!("{}, table {:?}", table.path.display(), table.table);
    let mut mistakes = Vec::new();
    if table.settings.sha256.is_some() {
        mistakes.push(SourceMistake::Sha256OfDatabase);
    }
    match columns::resolve(table.settings, &place, names, Naming::AnyCase) {
        Ok(positions) if mistakes.is_empty() => return Ok(positions),
        Ok(_) => {}
        Err(missing) => mistakes.extend(missing),
    }
    Err(open::unusable(table, mistakes))
}
