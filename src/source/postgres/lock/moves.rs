//! Tables whose rows move when somebody changes what the lock lets through.
//!
//! A row that leaves its partition is deleted there and inserted elsewhere, and no trigger of an update sees it
//! arrive: the guards refuse both.

use sqlx::Row;

use crate::{
    domain::field::Field,
    postgres::{PostgresError, Session},
    source::{
        lock::{LockError, LockWarning},
        postgres::relation,
    },
};

use super::{plan::Plan, shape::TableShape};

/// What may be done about it.
const NEXT: &str = "partition the table by something else before the window, or let the offices keep such changes until it \
                    is over";

/// The columns that decide in which partition a row is, be they part of an expression; a column depends on the
/// table whose key it is in, so that nobody drops it alone.
const KEYS: &str = "
SELECT DISTINCT a.attname::text
  FROM pg_catalog.pg_depend d
  JOIN pg_catalog.pg_attribute a ON a.attrelid = d.objid AND a.attnum = d.objsubid
 WHERE d.objid IN (SELECT relid FROM pg_catalog.pg_partition_tree($1::bigint::oid))
   AND d.objsubid > 0 AND d.refobjid = d.objid AND d.refobjsubid = 0 AND d.deptype = 'i'
   AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refclassid = d.classid
 ORDER BY 1";

/// What the lock will refuse although it should let it through, in words.
pub(super) fn refused(
    session: &mut Session,
    plan: &Plan<'_>,
) -> Result<Vec<LockWarning>, LockError> {
    let mut warnings = Vec::new();
    for shape in &plan.tables {
        let conditions = plan.conditions(shape);
        for column in keys(session, shape)? {
            let at = shape.columns.iter().position(|one| one.name == column);
            let Some(at) = at else { continue };
            let what = if shape.mapped.get(&Field::Status) == Some(&at) {
                "no revocation and no suspension"
            } else if conditions.guarded.contains(&at) {
                continue;
            } else {
                "no such change, not even by a login,"
            };
            let what = format!(
                "{} is partitioned by {column}: whoever changes it moves the row, which is a delete and an insert, \
                 and {what} passes while the lock is engaged",
                shape.root().shown
            );
            warnings.push(LockWarning {
                what,
                next: NEXT.to_owned(),
            });
        }
    }
    Ok(warnings)
}

fn keys(session: &mut Session, shape: &TableShape) -> Result<Vec<String>, PostgresError> {
    let rows = session.rows(
        "reading what the table is partitioned by",
        KEYS,
        relation::oid(shape.root().oid),
    )?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}
