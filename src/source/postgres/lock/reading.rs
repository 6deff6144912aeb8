//! Captures and diverted PINs, read as records and marked as processed.

use std::ops::ControlFlow;

use sqlx::{Arguments as _, Row, postgres::PgArguments};

use crate::{
    domain::{
        field::Field,
        raw_record::{RawRecord, SourceIndex},
    },
    source::{
        SourceError, SourceMistake,
        lock::{Capture, Diverted, LockError, Place, RawFields},
        postgres::{
            PostgresTable,
            columns::{self, select},
            open::{Snapshot, unusable},
            relation::Relation,
            scan,
        },
    },
};

use super::{
    capture::{self, image_column},
    legacy::{self, BRIEF, Deed, exists},
    names,
    plan::Plan,
    sql,
};

const MARK_CAPTURES: Deed = Deed {
    doing: "marking captured changes as processed",
    before: "capture.mark",
    after: "capture.marked",
    attempts: BRIEF,
};

const MARK_DIVERTED: Deed = Deed {
    doing: "marking diverted PINs as processed",
    before: "divert.mark",
    after: "divert.marked",
    attempts: BRIEF,
};

/// One side of a captured change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::source::postgres) enum Image {
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

/// See [`crate::source::lock::Locked::captures`].
pub(in crate::source) fn captures(
    place: &Place,
    after: i64,
    limit: u32,
) -> Result<Vec<Capture>, LockError> {
    let table = legacy::table(&place.source);
    legacy::read(place, |snapshot| {
        let name = names::captures(place.name());
        let Some(kept) = kept(snapshot, &name, &table)? else {
            return Ok(Vec::new());
        };
        let open = format!(
            "processed_at IS NULL AND seq > {after} AND {} ORDER BY seq LIMIT {limit}",
            capture::SETTLED
        );
        let rows = snapshot.rows(
            "reading captured changes",
            &format!(
                "SELECT seq, at, image <> 'after', image <> 'before' FROM {} WHERE {open}",
                names::within(&name)
            ),
            PgArguments::default(),
        )?;
        let mut befores =
            fields(snapshot, &table, &kept, &image(Image::Before), &open)?.into_iter();
        let mut afters = fields(snapshot, &table, &kept, &image(Image::After), &open)?.into_iter();
        let captures = rows.iter().map(|row| Capture {
            seq: row.get(0),
            at: row.get(1),
            before: befores.next().filter(|_| row.get(2)),
            after: afters.next().filter(|_| row.get(3)),
        });
        Ok(captures.collect())
    })
}

/// See [`crate::source::lock::Locked::diverted`].
pub(in crate::source) fn diverted(place: &Place, limit: u32) -> Result<Vec<Diverted>, LockError> {
    let table = legacy::table(&place.source);
    legacy::read(place, |snapshot| {
        let name = names::diverted(place.name());
        let Some(kept) = kept(snapshot, &name, &table)? else {
            return Ok(Vec::new());
        };
        let plan = Plan::make(&mut snapshot.session, place)?;
        let Some(shape) = plan.tables.first() else {
            return Ok(Vec::new());
        };
        let names: Vec<(Field, String)> = (shape.mapped.iter())
            .map(|(field, &at)| (*field, shape.columns[at].name.clone()))
            .collect();
        let open = format!("processed_at IS NULL ORDER BY pinferry_seq LIMIT {limit}");
        let rows = snapshot.rows(
            "reading diverted PINs",
            &format!(
                "SELECT pinferry_seq, pinferry_at FROM {} WHERE {open}",
                names::within(&name)
            ),
            PgArguments::default(),
        )?;
        let pins = fields(snapshot, &table, &kept, &names, &open)?;
        let diverted = rows.iter().zip(pins).map(|(row, pin)| Diverted {
            seq: row.get(0),
            at: row.get(1),
            row: pin,
        });
        Ok(diverted.collect())
    })
}

/// See [`crate::source::lock::Locked::mark_processed`].
pub(in crate::source) fn mark_captures(place: &Place, seqs: &[i64]) -> Result<(), LockError> {
    mark(
        place,
        &MARK_CAPTURES,
        &names::captures(place.name()),
        "seq",
        seqs,
    )
}

/// See [`crate::source::lock::Locked::mark_diverted_processed`].
pub(in crate::source) fn mark_diverted(place: &Place, seqs: &[i64]) -> Result<(), LockError> {
    mark(
        place,
        &MARK_DIVERTED,
        &names::diverted(place.name()),
        "pinferry_seq",
        seqs,
    )
}

fn mark(place: &Place, deed: &Deed, table: &str, key: &str, seqs: &[i64]) -> Result<(), LockError> {
    if seqs.is_empty() {
        return Ok(());
    }
    legacy::write(place, deed, |session| {
        let mut arguments = PgArguments::default();
        arguments.add(seqs).expect("numbers are an argument");
        let statement = format!(
            "UPDATE {} SET processed_at = coalesce(processed_at, {}) WHERE {key} = ANY ($1)",
            names::within(table),
            super::NOW
        );
        let marked = session.execute(deed.doing, &statement, arguments)?;
        if marked == seqs.len() as u64 {
            return Ok(());
        }
        Err(LockError::Damaged {
            source_name: place.name().to_owned(),
            what: vec![format!(
                "{} rows of {table} are gone",
                seqs.len() as u64 - marked
            )],
        })
    })
}

/// What the changes let through make of the source as it was when the lock was engaged: gives every row before
/// (to be added) and every row after (to be taken out), processed or not. Reads within the snapshot in which the
/// table itself is read.
pub(in crate::source::postgres) fn adjust(
    snapshot: &mut Snapshot,
    table: &PostgresTable<'_>,
    index: SourceIndex,
    mut give: impl FnMut(Image, &RawRecord<'_>),
) -> Result<(), SourceError> {
    let name = names::captures(&table.settings.rules.name);
    let Some(kept) = kept(snapshot, &name, table)? else {
        return Ok(());
    };
    for which in [Image::Before, Image::After] {
        let rows = format!(
            "image IN ('both', '{}') AND {}",
            which.name(),
            capture::SETTLED
        );
        each(
            snapshot,
            table,
            &kept,
            &image(which),
            &rows,
            index,
            &mut |record| {
                give(which, record);
                ControlFlow::Continue(())
            },
        )?;
    }
    Ok(())
}

/// The columns of one image.
fn image(which: Image) -> Vec<(Field, String)> {
    let column = |field| (field, image_column(which.name(), field));
    Field::ALL.map(column).into()
}

/// A table of the lock's own and its columns.
struct Kept {
    relation: Relation,
    columns: Vec<columns::Column>,
}

/// The table of this name, if it is there. A role that may not read it must not take the source for what it was
/// before.
fn kept(
    snapshot: &mut Snapshot,
    name: &str,
    table: &PostgresTable<'_>,
) -> Result<Option<Kept>, SourceError> {
    if !exists(&mut snapshot.session, name).map_err(SourceError::Postgres)? {
        return Ok(None);
    }
    let query = format!(
        "SELECT c.oid::bigint, pg_catalog.has_schema_privilege(n.oid, 'USAGE')
                AND pg_catalog.has_table_privilege(c.oid, 'SELECT')
           FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
          WHERE n.nspname = {} AND c.relname = {}",
        sql::text(names::SCHEMA),
        sql::text(name)
    );
    let rows = snapshot.rows(
        "looking for what the lock kept",
        &query,
        PgArguments::default(),
    )?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    let relation = Relation {
        oid: row.get(0),
        schema: names::SCHEMA.to_owned(),
        name: name.to_owned(),
    };
    if !row.get::<bool, _>(1) {
        let role = snapshot.role.clone();
        let grant = format!(
            "GRANT USAGE ON SCHEMA {schema} TO {role}; GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {role}",
            schema = names::SCHEMA,
            role = sql::name(&role)
        );
        let mistake = SourceMistake::NoRight {
            place: table.database.shown().to_owned(),
            role,
            what: format!(
                "{}, which tells what changed during the lock",
                relation.shown()
            ),
            grant,
        };
        return Err(unusable(table, vec![mistake]));
    }
    let columns = columns::of(snapshot, &relation)?;
    Ok(Some(Kept { relation, columns }))
}

/// Gives the rows of a table of the lock's own, as records of the source.
fn each(
    snapshot: &mut Snapshot,
    table: &PostgresTable<'_>,
    kept: &Kept,
    names: &[(Field, String)],
    rows: &str,
    index: SourceIndex,
    give: &mut crate::source::Sink<'_>,
) -> Result<(), SourceError> {
    let position = |(field, name): &(Field, String)| {
        let mut columns = kept.columns.iter();
        Some((*field, columns.position(|column| column.name == *name)?))
    };
    let positions: Vec<(Field, usize)> = names.iter().filter_map(position).collect();
    let query = format!(
        "{} WHERE {rows}",
        select(&kept.columns, &positions, &kept.relation)
    );
    let forms = scan::forms(&kept.columns, &positions);
    scan::copy(snapshot, table, &query, forms, index, give)?;
    Ok(())
}

fn fields(
    snapshot: &mut Snapshot,
    table: &PostgresTable<'_>,
    kept: &Kept,
    names: &[(Field, String)],
    rows: &str,
) -> Result<Vec<RawFields>, SourceError> {
    let mut found = Vec::new();
    each(
        snapshot,
        table,
        kept,
        names,
        rows,
        SourceIndex(0),
        &mut |record| {
            found.push(RawFields::from(record));
            ControlFlow::Continue(())
        },
    )?;
    Ok(found)
}
