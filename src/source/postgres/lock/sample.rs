//! A row of a guarded table to try things on, and values for a row that is not there. Values stay on the server.

use sqlx::Row;

use crate::postgres::{PostgresError, Session};

use super::{condition, shape::TableShape, sql};

/// How many rows are looked at for a sample: the table may be large, and the application waits.
const ROWS: u32 = 10_000;

/// One existing row.
pub(super) struct Sample {
    /// Which row it is: a condition over the table's own columns.
    pub(super) is_it: String,
}

impl Sample {
    /// The first row whose status is one of these codes, or any row.
    pub(super) fn find(
        session: &mut Session,
        shape: &TableShape,
        status: Option<(usize, &str, &str)>,
    ) -> Result<Option<Self>, PostgresError> {
        let (column, condition) = match status {
            Some((at, codes, white_space)) => (
                shape.column(at),
                format!("{} IN {codes}", condition::code("t.v", white_space)),
            ),
            None => ("NULL".to_owned(), "true".to_owned()),
        };
        let query = format!(
            "SELECT t.part::bigint, t.place::text
               FROM (SELECT tableoid AS part, ctid AS place, {column} AS v FROM {} LIMIT {ROWS}) AS t
              WHERE {condition} LIMIT 1",
            shape.root().quoted
        );
        let rows = session.rows("looking for a row to try", &query, Default::default())?;
        Ok(rows.first().map(|row| Self {
            is_it: format!(
                "tableoid = {} AND ctid = {}",
                row.get::<i64, _>(0),
                sql::text(row.get(1))
            ),
        }))
    }
}

/// An expression for another value than a row has: another row's, or else an invented one. `None` for a type that
/// nothing can be invented for.
pub(super) fn other_value(shape: &TableShape, at: usize) -> Option<String> {
    let (table, column) = (&shape.root().quoted, shape.column(at));
    Some(format!(
        "coalesce((SELECT o.v FROM (SELECT x.{column} AS v FROM {table} AS x LIMIT {ROWS}) AS o
                    WHERE o.v IS NOT NULL AND o.v::pg_catalog.text IS DISTINCT FROM t.{column}::pg_catalog.text
                    LIMIT 1), {})",
        invented(shape, at)?
    ))
}

/// The expressions of a new row: a sample's values where there is one, but for what must be unique.
pub(super) fn new_row(
    shape: &TableShape,
    sample: Option<&Sample>,
    unique: &dyn Fn(usize) -> bool,
) -> Result<String, String> {
    let mut values = Vec::new();
    for at in shape.insertable() {
        let value = match sample {
            Some(_) if !unique(at) => Some(format!("t.{}", shape.column(at))),
            Some(_) | None => invented(shape, at),
        };
        match value {
            Some(value) => values.push(value),
            None if !shape.columns[at].not_null => values.push("NULL".to_owned()),
            None => return Err(format!("no value for {} can be invented", shape.column(at))),
        }
    }
    let values = values.join(", ");
    Ok(match sample {
        Some(sample) => format!(
            "SELECT {values} FROM {} AS t WHERE {}",
            shape.root().quoted,
            sample.is_it
        ),
        None => format!("SELECT {values}"),
    })
}

/// A value nobody has, short enough for any column.
pub(super) fn invented(shape: &TableShape, at: usize) -> Option<String> {
    let kind = &shape.columns[at].kind;
    let Some(builtin) = kind.strip_prefix("pg_catalog.") else {
        return kind.ends_with(".citext").then(|| "'~'".to_owned());
    };
    let value = match builtin {
        "text" | "varchar" | "bpchar" | "name" => "'~'",
        "int2" => "32123::int2",
        "int4" => "2123456789::int4",
        "int8" => "8070605040302010::int8",
        "numeric" => "9::numeric",
        "float4" | "float8" => "987654321::float4",
        "date" => "DATE '1901-02-03'",
        "timestamp" => "TIMESTAMP '1901-02-03 04:05:06'",
        "timestamptz" => "TIMESTAMPTZ '1901-02-03 04:05:06+00'",
        "bytea" => "'\\x7e'::bytea",
        "uuid" => "'7e7e7e7e-7e7e-7e7e-7e7e-7e7e7e7e7e7e'::uuid",
        "bool" => "true",
        _ => return None,
    };
    Some(value.to_owned())
}
