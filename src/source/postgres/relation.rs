//! The table or view that is read.

use std::mem;

use sqlx::{Arguments as _, Row, postgres::PgArguments};

use super::{
    PostgresTable,
    open::{Snapshot, quoted, unusable},
};
use crate::source::{SourceError, SourceMistake};

/// Names are taken letter by letter, and where there is no such name in lower case, as SQL takes those that are
/// not quoted.
pub(super) const FIND: &str = "
SELECT c.oid::bigint, n.nspname::text, c.relname::text,
       pg_catalog.has_schema_privilege(n.oid, 'USAGE'),
       pg_catalog.has_any_column_privilege(c.oid, 'SELECT'),
       pg_catalog.row_security_active(c.oid)
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
   AND c.relname::text IN ($2, pg_catalog.lower($2))
   AND CASE WHEN $1 = '' THEN n.nspname = ANY (pg_catalog.current_schemas(true))
            ELSE n.nspname::text IN ($1, pg_catalog.lower($1)) END
 ORDER BY n.nspname::text = $1 DESC, c.relname::text = $2 DESC,
          pg_catalog.array_position(pg_catalog.current_schemas(true), n.nspname)
 LIMIT 1";

/// As many as help to find a misspelt one.
const LIST: &str = "
SELECT n.nspname || '.' || c.relname
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
   AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
 ORDER BY 1
 LIMIT 30";

/// A table or view.
pub(super) struct Relation {
    pub(super) oid: i64,
    pub(super) schema: String,
    pub(super) name: String,
}

impl Relation {
    /// As messages show it.
    pub(super) fn shown(&self) -> String {
        format!("{}.{}", self.schema, self.name)
    }

    /// As SQL names it.
    pub(super) fn quoted(&self) -> String {
        format!("{}.{}", quoted(&self.schema), quoted(&self.name))
    }

    /// Bytes on the server's disk, partitions and long values included.
    pub(super) fn bytes(&self, snapshot: &mut Snapshot) -> Result<u64, SourceError> {
        let sql = "SELECT coalesce(sum(pg_catalog.pg_table_size(relid)), 0)::bigint
                     FROM (SELECT relid FROM pg_catalog.pg_partition_tree($1::bigint::oid)
                           UNION SELECT $1::bigint::oid) AS parts";
        let rows = snapshot.rows("asking for the size", sql, oid(self.oid))?;
        let bytes: i64 = rows.first().map_or(0, |row| row.get(0));
        Ok(bytes.unsigned_abs())
    }
}

/// The table that the configuration names, if it may be read.
pub(super) fn find(
    snapshot: &mut Snapshot,
    table: &PostgresTable<'_>,
) -> Result<Relation, SourceError> {
    let place = || table.database.shown().to_owned();
    let (schema, name) = parts(table.table);
    let rows = snapshot.rows("looking for the table", FIND, texts([&schema, &name]))?;
    let Some(row) = rows.first() else {
        let rows = snapshot.rows("listing the tables", LIST, PgArguments::default())?;
        let mistake = SourceMistake::NoTable {
            place: place(),
            table: table.table.to_owned(),
            found: rows.iter().map(|row| row.get(0)).collect(),
        };
        return Err(unusable(table, vec![mistake]));
    };
    let relation = Relation {
        oid: row.get(0),
        schema: row.get(1),
        name: row.get(2),
    };
    let (usage, select, policy): (bool, bool, bool) = (row.get(3), row.get(4), row.get(5));
    let role = snapshot.role.clone();
    let no_right = |what: String, right: String| SourceMistake::NoRight {
        place: place(),
        grant: format!("GRANT {right} TO {}", quoted(&role)),
        role: role.clone(),
        what,
    };
    let mut mistakes = Vec::new();
    if !usage {
        let right = format!("USAGE ON SCHEMA {}", quoted(&relation.schema));
        mistakes.push(no_right(format!("schema {}", relation.schema), right));
    }
    if !select {
        let right = format!("SELECT ON {}", relation.quoted());
        mistakes.push(no_right(relation.shown(), right));
    }
    if policy {
        mistakes.push(SourceMistake::RowSecurity {
            place: place(),
            table: relation.shown(),
            role: quoted(&role),
        });
    }
    match mistakes.is_empty() {
        true => Ok(relation),
        false => Err(unusable(table, mistakes)),
    }
}

/// Schema, or nothing, and name; a part in double quotes may hold a dot, and a quote that is doubled.
pub(super) fn parts(table: &str) -> (String, String) {
    let (mut schema, mut part, mut inside) = (None, String::new(), false);
    let mut characters = table.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' if inside && characters.next_if_eq(&'"').is_some() => part.push('"'),
            '"' => inside = !inside,
            '.' if !inside && schema.is_none() => schema = Some(mem::take(&mut part)),
            other => part.push(other),
        }
    }
    (schema.unwrap_or_default(), part)
}

/// An argument that is the number of a relation.
pub(super) fn oid(oid: i64) -> PgArguments {
    let mut arguments = PgArguments::default();
    arguments.add(oid).expect("a number is an argument");
    arguments
}

/// Arguments that are texts.
pub(super) fn texts<const N: usize>(texts: [&str; N]) -> PgArguments {
    let mut arguments = PgArguments::default();
    for text in texts {
        arguments.add(text).expect("a text is an argument");
    }
    arguments
}

#[cfg(test)]
mod tests {
    use super::parts;

    #[test]
    fn a_table_is_named_with_its_schema_or_without() {
        for (table, schema, name) in [
            ("pin_legacy", "", "pin_legacy"),
            ("sede.pin", "sede", "pin"),
            ("\"Sede.1\".\"Pin.2\"", "Sede.1", "Pin.2"),
            ("\"Pin \"\"2013\"\".x\"", "", "Pin \"2013\".x"),
            ("a.b.c", "a", "b.c"),
            ("", "", ""),
        ] {
            assert_eq!(
                parts(table),
                (schema.to_owned(), name.to_owned()),
                "{table}"
            );
        }
    }
}
