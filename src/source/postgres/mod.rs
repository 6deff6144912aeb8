//! A table or view of a PostgreSQL database.

mod binary;
mod columns;
pub(super) mod lock;
mod open;
mod relation;
mod scan;
mod value;

use std::collections::BTreeSet;

use super::{
    CompactSink, Extent, ReadSummary, SourceError, SourceMistake,
    columns::{Naming, resolve},
    fingerprint::Fingerprint,
};
use crate::{
    config::{postgres::PostgresSettings, settings::SourceSettings},
    domain::{field::Field, raw_record::SourceIndex},
};

use self::{columns::Column, lock::Image, open::Snapshot, relation::Relation};

/// A PostgreSQL source.
pub(super) struct PostgresTable<'s> {
    settings: &'s SourceSettings,
    database: &'s PostgresSettings,
    table: &'s str,
}

impl<'s> PostgresTable<'s> {
    pub(super) const fn new(
        settings: &'s SourceSettings,
        database: &'s PostgresSettings,
        table: &'s str,
    ) -> Self {
        Self {
            settings,
            database,
            table,
        }
    }
}

/// The columns of the table, if every mapped one is there and may be read.
pub(super) fn columns(table: &PostgresTable<'_>) -> Result<Vec<String>, Vec<SourceMistake>> {
    let opened = Opened::open(table).map_err(|error| match error {
        SourceError::Unusable { mistakes, .. } => mistakes,
        error => vec![SourceMistake::Sample(Box::new(error))],
    })?;
    Ok(opened.columns.into_iter().map(|one| one.name).collect())
}

/// Bytes of the table on the server's disk; a view has none.
pub(super) fn bytes(table: &PostgresTable<'_>) -> Result<u64, SourceError> {
    let Opened {
        mut snapshot,
        relation,
        ..
    } = Opened::open(table)?;
    relation.bytes(&mut snapshot)
}

/// See [`super::read`]. All is read in one transaction, that is as it was at one instant.
pub(super) fn read(
    table: &PostgresTable<'_>,
    index: SourceIndex,
    excludes: &BTreeSet<Field>,
    extent: Extent,
    sink: &mut CompactSink<'_>,
) -> Result<ReadSummary, SourceError> {
    let mut opened = Opened::open(table)?;
    let mut fingerprint = Fingerprint::without(excludes);
    let scanned = scan::rows(&mut opened, table, index, extent, &mut |record| {
        let compact = fingerprint.add(record);
        sink(record, compact)
    })?;
    if scanned.to_the_end {
        super::announced_records(table.settings, scanned.records)?;
        // What the management lock let through since it was engaged is no change of the source.
        lock::adjust(
            &mut opened.snapshot,
            table,
            index,
            |image, record| match image {
                Image::Before => {
                    fingerprint.add(record);
                }
                Image::After => fingerprint.remove(record),
            },
        )?;
    }
    Ok(ReadSummary {
        records: scanned.records,
        fingerprint: fingerprint.digest(),
    })
}

/// A snapshot, and what there is to be read in it.
struct Opened {
    snapshot: Snapshot,
    relation: Relation,
    columns: Vec<Column>,
    /// Where each mapped field stands among the columns.
    positions: Vec<(Field, usize)>,
}

impl Opened {
    fn open(table: &PostgresTable<'_>) -> Result<Self, SourceError> {
        let mut snapshot = Snapshot::begin(table)?;
        let relation = relation::find(&mut snapshot, table)?;
        let columns = columns::of(&mut snapshot, &relation)?;
        let place = format!("{}, table {}", table.database.shown(), relation.shown());
        let names: Vec<String> = columns.iter().map(|one| one.name.clone()).collect();
        let mut mistakes = Vec::new();
        if table.settings.sha256.is_some() {
            mistakes.push(SourceMistake::Sha256OfDatabase);
        }
        match resolve(table.settings, &place, &names, Naming::ExactFirst) {
            Ok(positions) => {
                mistakes.extend(columns::refused(
                    &columns, &positions, &relation, &snapshot, table,
                ));
                if mistakes.is_empty() {
                    return Ok(Self {
                        snapshot,
                        relation,
                        columns,
                        positions,
                    });
                }
            }
            Err(missing) => mistakes.extend(missing),
        }
        Err(open::unusable(table, mistakes))
    }
}
