//! What no two rows of a table share: by these a new row that meets one that is there is foreseen.

use sqlx::{Arguments as _, Row, postgres::PgArguments};

use crate::{
    domain::field::Field,
    postgres::{PostgresError, Session},
    source::{
        lock::{LockWarning, Place},
        postgres::relation,
    },
};

use super::{divert, names, shape::TableShape, sql};

/// The keys of unique indexes, those that only some partitions have too: per column the table, the numbers of the
/// partitions a row of it may be in (none given, it may be in all), its name, the operator its equality is, the collation,
/// and whether two rows without a value collide; a key of an expression has no name.
const UNIQUES: &str = "
SELECT i.indexrelid::bigint, pg_catalog.format('%I.%I', s.nspname, r.relname),
       CASE WHEN i.indrelid = $1::bigint::oid THEN ''
            ELSE (SELECT pg_catalog.string_agg(p.relid::oid::text, ', ')
                    FROM pg_catalog.pg_partition_tree(i.indrelid) p) END,
       coalesce(a.attname::text, ''),
       coalesce((SELECT pg_catalog.format('OPERATOR(%I.%s)', n.nspname, o.oprname)
                   FROM pg_catalog.pg_opclass c
                   JOIN pg_catalog.pg_amop a ON a.amopfamily = c.opcfamily AND a.amoplefttype = c.opcintype
                    AND a.amoprighttype = c.opcintype AND a.amopstrategy = 3
                   JOIN pg_catalog.pg_operator o ON o.oid = a.amopopr
                   JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace
                  WHERE c.oid = i.indclass[k.place - 1]), ''),
       coalesce((SELECT pg_catalog.format(' COLLATE %I.%I', n.nspname, l.collname)
                   FROM pg_catalog.pg_collation l JOIN pg_catalog.pg_namespace n ON n.oid = l.collnamespace
                  WHERE l.oid = i.indcollation[k.place - 1]), ''),
       i.indnullsnotdistinct AND NOT coalesce(a.attnotnull, false)
  FROM pg_catalog.pg_index i
  JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
  JOIN pg_catalog.pg_class r ON r.oid = i.indrelid
  JOIN pg_catalog.pg_namespace s ON s.oid = r.relnamespace
 CROSS JOIN LATERAL pg_catalog.unnest(i.indkey::int2[]) WITH ORDINALITY AS k (number, place)
  LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
 WHERE (i.indrelid = $1::bigint::oid
        OR NOT x.relispartition
           AND i.indrelid IN (SELECT p.relid FROM pg_catalog.pg_partition_tree($1::bigint::oid) p))
   AND i.indisunique AND k.place <= i.indnkeyatts
 ORDER BY 1, k.place";

/// What a key is: two indexes that are equal in it forbid the same rows, or one of them fewer.
macro_rules! identity {
    () => {
        "pg_catalog.concat_ws(' ', i.indrelid, i.indkey, i.indclass, i.indcollation, i.indnullsnotdistinct)"
    };
}

/// The keys of every unique index on these tables.
const ALL: &str = concat!(
    "SELECT DISTINCT ",
    identity!(),
    " FROM pg_catalog.pg_index i WHERE i.indrelid = ANY ($1::bigint[]::oid[]) AND i.indisunique ORDER BY 1"
);

/// Unique indexes on these tables whose keys the function of this name does not know.
const LATER: &str = concat!(
    "SELECT pg_catalog.format('%I.%I', n.nspname, x.relname)
       FROM pg_catalog.pg_proc p
       JOIN pg_catalog.pg_index i ON i.indrelid = ANY ($1::bigint[]::oid[]) AND i.indisunique
       JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid AND NOT x.relispartition
       JOIN pg_catalog.pg_namespace n ON n.oid = x.relnamespace
      WHERE p.pronamespace = (SELECT s.oid FROM pg_catalog.pg_namespace s WHERE s.nspname = $2) AND p.proname = $3
        AND pg_catalog.strpos(p.prosrc, 'pg_catalog.pg_index') > 0
        AND pg_catalog.strpos(p.prosrc, pg_catalog.quote_literal(",
    identity!(),
    ")) = 0
      ORDER BY 1 LIMIT 10"
);

/// The new row meets one that is there, so that an upsert may become an update; `None` when nobody can foresee
/// that.
pub(super) fn collides(
    session: &mut Session,
    shape: &TableShape,
) -> Result<Option<String>, PostgresError> {
    let mut keys: Vec<Key> = Vec::new();
    if let Some(&id) = shape.mapped.get(&Field::LegacyId) {
        let column = shape.column(id);
        keys.push(Key {
            index: None,
            table: shape.root().quoted.clone(),
            partitions: String::new(),
            same: vec![format!("t.{column} = NEW.{column}")],
        });
    }
    let rows = session.rows(
        "reading unique indexes",
        UNIQUES,
        relation::oid(shape.root().oid),
    )?;
    for row in &rows {
        let index: Option<i64> = Some(row.get(0));
        let (column, equal, collation): (String, String, String) =
            (row.get(3), row.get(4), row.get(5));
        if !shape.columns.iter().any(|known| known.name == column) {
            return Ok(None);
        }
        let name = sql::name(&column);
        let mut same = format!("t.{name}{collation} {equal} NEW.{name}");
        if row.get(6) {
            same = format!("({same} OR t.{name} IS NULL AND NEW.{name} IS NULL)");
        }
        match keys.last_mut() {
            Some(key) if key.index == index => key.same.push(same),
            Some(_) | None => keys.push(Key {
                index,
                table: row.get(1),
                partitions: row.get(2),
                same: vec![same],
            }),
        }
    }
    Ok(Some(sql::any(keys.iter().map(Key::collides))))
}

/// What no two rows share.
struct Key {
    index: Option<i64>,
    /// The table whose rows these are, as SQL names it.
    table: String,
    /// The numbers of its partitions, where it is one itself.
    partitions: String,
    /// Per column, that the row `t` has what the new row has.
    same: Vec<String>,
}

impl Key {
    fn collides(&self) -> String {
        let (table, same) = (&self.table, self.same.join(" AND "));
        let exists = format!("EXISTS (SELECT 1 FROM {table} AS t WHERE {same})");
        match self.partitions.as_str() {
            "" => exists,
            partitions => format!("(TG_RELID IN ({partitions}) AND {exists})"),
        }
    }
}

/// The table that the row goes into, whose indexes include those of the tables above it, has a unique index with a key
/// that no index had when the guard was made. An upsert that means it would be taken for a new PIN.
pub(super) fn unknown(session: &mut Session, shape: &TableShape) -> Result<String, PostgresError> {
    let rows = session.rows("reading unique indexes", ALL, numbers(&tables(shape)))?;
    let known: Vec<String> = rows.iter().map(|row| sql::text(row.get(0))).collect();
    Ok(format!(
        "EXISTS (SELECT 1 FROM pg_catalog.pg_index i
                  WHERE i.indrelid = TG_RELID AND i.indisunique
                    AND {} <> ALL (ARRAY[{}]::pg_catalog.text[]))",
        identity!(),
        known.join(", ")
    ))
}

/// What such indexes do to a lock that stands.
pub(super) fn later(
    session: &mut Session,
    place: &Place,
    shape: &TableShape,
) -> Result<Vec<LockWarning>, PostgresError> {
    let mut arguments = numbers(&tables(shape));
    let function = format!("{}{}", names::functions(place.name()), divert::FUNCTION);
    for text in [names::SCHEMA, &function] {
        arguments.add(text).expect("a text is an argument");
    }
    let rows = session.rows("reading unique indexes", LATER, arguments)?;
    let warning = |row: &sqlx::postgres::PgRow| {
        let index: String = row.get(0);
        LockWarning {
            what: format!(
                "the unique index {index} came after the lock, which cannot tell by it whether a PIN is new: new PINs \
                 are refused, not queued"
            ),
            next: format!("`DROP INDEX {index}` until the window is over"),
        }
    };
    Ok(rows.iter().map(warning).collect())
}

/// The table and its partitions.
fn tables(shape: &TableShape) -> Vec<i64> {
    let parts = shape.members.iter().skip(1).filter(|one| one.partition);
    let parts = parts.map(|one| one.oid);
    std::iter::once(shape.root().oid).chain(parts).collect()
}

fn numbers(numbers: &[i64]) -> PgArguments {
    let mut arguments = PgArguments::default();
    arguments.add(numbers).expect("numbers are an argument");
    arguments
}
