//! The columns of a table, and how each is read.

use sqlx::Row;

use super::{
    PostgresTable,
    open::{Snapshot, quoted},
    relation::{self, Relation},
    value::Form,
};
use crate::{
    domain::field::Field,
    source::{SourceError, SourceMistake},
};

/// Name, type below any domains, and whether the role may read it.
const COLUMNS: &str = "
WITH RECURSIVE typed (at, name, type) AS (
    SELECT a.attnum, a.attname, a.atttypid
      FROM pg_catalog.pg_attribute a
     WHERE a.attrelid = $1::bigint::oid AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL
    SELECT d.at, d.name, t.typbasetype
      FROM typed d JOIN pg_catalog.pg_type t ON t.oid = d.type AND t.typtype = 'd'
)
SELECT c.name::text,
       CASE WHEN t.typtype = 'e' THEN 'text'
            WHEN t.typnamespace = 'pg_catalog'::pg_catalog.regnamespace THEN t.typname::text
            ELSE '' END,
       pg_catalog.has_column_privilege($1::bigint::oid, c.at, 'SELECT')
  FROM typed c JOIN pg_catalog.pg_type t ON t.oid = c.type AND t.typtype <> 'd'
 ORDER BY c.at";

/// One column.
pub(super) struct Column {
    pub(super) name: String,
    pub(super) form: Form,
    may_be_read: bool,
}

impl Column {
    /// What a SELECT from `s` names.
    fn selected(&self) -> String {
        let name = quoted(&self.name);
        if self.form == Form::Cast {
            format!("s.{name}::pg_catalog.text")
        } else {
            format!("s.{name}")
        }
    }
}

/// The columns, in order.
pub(super) fn of(snapshot: &mut Snapshot, relation: &Relation) -> Result<Vec<Column>, SourceError> {
    let arguments = relation::oid(relation.oid);
    let rows = snapshot.rows("reading the columns", COLUMNS, arguments)?;
    let column = |row: &sqlx::postgres::PgRow| Column {
        name: row.get(0),
        form: Form::of_type(row.get(1)),
        may_be_read: row.get(2),
    };
    Ok(rows.iter().map(column).collect())
}

/// That the role may not read some of the mapped columns.
pub(super) fn refused(
    columns: &[Column],
    positions: &[(Field, usize)],
    relation: &Relation,
    snapshot: &Snapshot,
    table: &PostgresTable<'_>,
) -> Option<SourceMistake> {
    let refused: Vec<String> = positions
        .iter()
        .map(|&(_, at)| &columns[at])
        .filter(|column| !column.may_be_read)
        .map(|column| quoted(&column.name))
        .collect();
    (!refused.is_empty()).then(|| {
        let list = refused.join(", ");
        let role = quoted(&snapshot.role);
        SourceMistake::NoRight {
            place: table.database.shown().to_owned(),
            role: snapshot.role.clone(),
            what: format!("{list} of {}", relation.shown()),
            grant: format!("GRANT SELECT ({list}) ON {} TO {role}", relation.quoted()),
        }
    })
}

/// The SELECT of the mapped columns, in the order of `positions`.
pub(super) fn select(
    columns: &[Column],
    positions: &[(Field, usize)],
    relation: &Relation,
) -> String {
    let list: Vec<String> = positions
        .iter()
        .map(|&(_, at)| columns[at].selected())
        .collect();
    format!("SELECT {} FROM {} AS s", list.join(", "), relation.quoted())
}
