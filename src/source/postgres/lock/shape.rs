//! What a table is like, as far as guarding it goes.

use std::collections::BTreeMap;

use sqlx::{Row, postgres::PgArguments};

use crate::{
    config::settings::SourceSettings,
    domain::field::Field,
    postgres::{PostgresError, Session},
    source::{
        columns::{Naming, found_columns},
        postgres::relation::{self, FIND},
    },
};

use super::sql;

/// The columns, with their types below any domains: what is kept of a row must be nothing but its values.
const COLUMNS: &str = "
WITH RECURSIVE typed (at, type) AS (
    SELECT a.attnum, a.atttypid
      FROM pg_catalog.pg_attribute a
     WHERE a.attrelid = $1::bigint::oid AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL
    SELECT d.at, t.typbasetype
      FROM typed d JOIN pg_catalog.pg_type t ON t.oid = d.type AND t.typtype = 'd'
)
SELECT a.attname::text, pg_catalog.format('%I.%I', n.nspname, t.typname), a.attnotnull, a.attgenerated <> '',
       EXISTS (SELECT 1 FROM pg_catalog.pg_index i
                WHERE i.indrelid = a.attrelid AND i.indisprimary AND a.attnum = ANY (i.indkey))
  FROM typed c
  JOIN pg_catalog.pg_type t ON t.oid = c.type AND t.typtype <> 'd'
  JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
  JOIN pg_catalog.pg_attribute a ON a.attrelid = $1::bigint::oid AND a.attnum = c.at
 ORDER BY c.at";

/// The table, its partitions and its children.
const MEMBERS: &str = "
WITH RECURSIVE member (oid) AS (
    SELECT $1::bigint::oid
    UNION
    SELECT i.inhrelid FROM member m JOIN pg_catalog.pg_inherits i ON i.inhparent = m.oid
)
SELECT c.oid::bigint, n.nspname::text, c.relname::text, c.relkind::text,
       c.relispartition AND c.oid <> $1::bigint::oid,
       pg_catalog.pg_has_role(c.relowner, 'USAGE'), pg_catalog.pg_get_userbyid(c.relowner)::text
  FROM member m
  JOIN pg_catalog.pg_class c ON c.oid = m.oid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 ORDER BY c.oid <> $1::bigint::oid, c.oid";

/// A table to be guarded.
#[derive(Debug)]
pub(super) struct TableShape {
    /// The table itself first, then its partitions and children.
    pub(super) members: Vec<Member>,
    pub(super) columns: Vec<Column>,
    /// Position of the column each mapped field has in this table.
    pub(super) mapped: BTreeMap<Field, usize>,
}

/// One table that rows can be written to.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) oid: i64,
    /// As SQL names it.
    pub(super) quoted: String,
    /// As messages show it.
    pub(super) shown: String,
    /// Whether a table above it passes its row triggers on to it.
    pub(super) partition: bool,
    pub(super) foreign: bool,
    pub(super) owned: bool,
    pub(super) owner: String,
}

/// A column.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) name: String,
    /// As SQL names the type with its schema, without its modifiers.
    pub(super) kind: String,
    pub(super) not_null: bool,
    pub(super) generated: bool,
    /// Whether it is part of the primary key.
    pub(super) primary: bool,
}

/// What stands under a name.
pub(super) enum Found {
    Nothing,
    View,
    Table(Box<TableShape>),
}

impl TableShape {
    /// Looks a table up, and the mapped columns in it by name.
    pub(super) fn find(
        session: &mut Session,
        table: &str,
        source: &SourceSettings,
    ) -> Result<Found, PostgresError> {
        let Some((oid, kind)) = find(session, table)? else {
            return Ok(Found::Nothing);
        };
        if ["v", "m"].contains(&kind.as_str()) {
            return Ok(Found::View);
        }
        let columns = columns(session, oid)?;
        let names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
        Ok(Found::Table(Box::new(Self {
            members: members(session, oid)?,
            mapped: found_columns(source, &names, Naming::ExactFirst),
            columns,
        })))
    }

    /// The table itself.
    pub(super) fn root(&self) -> &Member {
        &self.members[0]
    }

    /// Quoted name of a column.
    pub(super) fn column(&self, at: usize) -> String {
        sql::name(&self.columns[at].name)
    }

    /// Columns an INSERT may name.
    pub(super) fn insertable(&self) -> impl Iterator<Item = usize> {
        (0..self.columns.len()).filter(|&at| !self.columns[at].generated)
    }
}

/// Number and kind of the relation of this name.
pub(super) fn find(
    session: &mut Session,
    table: &str,
) -> Result<Option<(i64, String)>, PostgresError> {
    let (schema, name) = relation::parts(table);
    let found = session.rows(
        "looking for the table to lock",
        FIND,
        relation::texts([&schema, &name]),
    )?;
    let Some(row) = found.first() else {
        return Ok(None);
    };
    let oid: i64 = row.get(0);
    let query = "SELECT relkind::text FROM pg_catalog.pg_class WHERE oid = $1::bigint::oid";
    let kinds = session.rows("looking for the table to lock", query, relation::oid(oid))?;
    Ok(kinds.first().map(|row| (oid, row.get(0))))
}

/// The columns of a relation.
pub(super) fn columns(session: &mut Session, oid: i64) -> Result<Vec<Column>, PostgresError> {
    let rows = session.rows("reading the columns to guard", COLUMNS, relation::oid(oid))?;
    let column = |row: &sqlx::postgres::PgRow| Column {
        name: row.get(0),
        kind: row.get(1),
        not_null: row.get(2),
        generated: row.get(3),
        primary: row.get(4),
    };
    Ok(rows.iter().map(column).collect())
}

fn members(session: &mut Session, oid: i64) -> Result<Vec<Member>, PostgresError> {
    let rows = session.rows("reading the partitions", MEMBERS, relation::oid(oid))?;
    let member = |row: &sqlx::postgres::PgRow| {
        let (schema, name): (String, String) = (row.get(1), row.get(2));
        Member {
            oid: row.get(0),
            quoted: format!("{}.{}", sql::name(&schema), sql::name(&name)),
            shown: format!("{schema}.{name}"),
            foreign: row.get::<String, _>(3) == "f",
            partition: row.get(4),
            owned: row.get(5),
            owner: row.get(6),
        }
    };
    Ok(rows.iter().map(member).collect())
}

/// The role, and whether it may make a schema in this database.
pub(super) fn role(session: &mut Session) -> Result<(String, bool), PostgresError> {
    let rows = session.rows(
        "asking for the role",
        "SELECT current_user::text,
                pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE')",
        PgArguments::default(),
    )?;
    Ok(rows
        .first()
        .map_or_else(Default::default, |row| (row.get(0), row.get(1))))
}
