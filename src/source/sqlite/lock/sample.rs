//! A row of a guarded table to try things on, and values for a row that is not there.

use rusqlite::{Connection, Error, OptionalExtension as _};

use crate::domain::field::Field;

use super::{
    datum::Datum,
    shape::{Key, TableShape},
    sql,
};

/// How many rows are looked at for a sample: the table may be large, and the application waits.
const ROWS: u32 = 50_000;

/// One existing row.
pub(super) struct Sample {
    /// Which row it is: a condition without parameters bound by anybody else.
    pub(super) is_it: String,
    /// Its key, bound from the first parameter on.
    pub(super) key: Vec<Datum>,
    /// Its values, in the order of the columns.
    pub(super) values: Vec<Datum>,
}

impl Sample {
    /// The first row for which the condition (over `t`) holds.
    pub(super) fn find(
        connection: &Connection,
        shape: &TableShape,
        condition: &str,
    ) -> Result<Option<Self>, Error> {
        let key = key_columns(shape);
        let columns: Vec<String> = (0..shape.columns.len())
            .map(|at| format!("t.{}", shape.column(at)))
            .chain(key.iter().map(|column| format!("t.{column}")))
            .enumerate()
            .map(|(at, column)| format!("{column} AS c{at}"))
            .collect();
        let query = format!(
            "SELECT {} FROM {} AS t WHERE {condition} LIMIT 1",
            columns.join(", "),
            sql::name(&shape.table),
        );
        connection
            .query_row(&query, [], |row| {
                let values = (0..shape.columns.len())
                    .map(|at| row.get(at))
                    .collect::<Result<_, _>>()?;
                let bound = (0..key.len())
                    .map(|at| row.get(shape.columns.len() + at))
                    .collect::<Result<_, _>>()?;
                let is_it = key.iter().enumerate();
                Ok(Self {
                    is_it: sql::all(is_it.map(|(at, column)| format!("{column} IS ?{}", at + 1))),
                    key: bound,
                    values,
                })
            })
            .optional()
    }

    /// Another value for a column than this row has: another row's, or else an invented one.
    pub(super) fn other_value(
        &self,
        connection: &Connection,
        shape: &TableShape,
        at: usize,
    ) -> Result<Datum, Error> {
        let column = shape.column(at);
        let query = format!(
            "SELECT v FROM (SELECT {column} AS v FROM {} LIMIT {ROWS})
              WHERE v COLLATE BINARY IS NOT ?1 AND v IS NOT NULL LIMIT 1",
            sql::name(&shape.table)
        );
        let found = connection
            .query_row(&query, [&self.values[at]], |row| row.get(0))
            .optional()?;
        Ok(found.unwrap_or_else(|| invented(shape, at)))
    }
}

/// The condition that the status is one of these codes, among the first rows.
pub(super) fn with_status(shape: &TableShape, codes: &str) -> Option<String> {
    let column = shape.column(*shape.mapped.get(&Field::Status)?);
    let key = key_columns(shape);
    let (table, first) = (sql::name(&shape.table), key.first()?);
    Some(format!(
        "t.{column} IN {codes} AND t.{first} IN (SELECT {first} FROM {table} LIMIT {ROWS})"
    ))
}

/// Values for a new row: a sample's where there is one, but for what must be unique.
pub(super) fn new_row(shape: &TableShape, sample: Option<&Sample>) -> Vec<Datum> {
    let id = shape.mapped.get(&Field::LegacyId).copied();
    let unique = |at: usize| {
        let mut indexes = shape.uniques.iter();
        let indexed = indexes.any(|index| index.columns.iter().any(|(one, _)| *one == at));
        let mut hidden = shape.hidden_uniques.iter();
        let hidden = hidden.any(|index| {
            let mut columns = index.columns.iter().flatten();
            columns.any(|(one, _)| *one == at)
        });
        indexed || hidden || Some(at) == id || Some(at) == shape.integer_primary_key()
    };
    (0..shape.columns.len())
        .map(|at| match sample {
            Some(sample) if !unique(at) => sample.values[at].clone(),
            Some(_) | None => invented(shape, at),
        })
        .collect()
}

/// A value nobody has.
fn invented(shape: &TableShape, at: usize) -> Datum {
    let declared = shape.columns[at].declared_type.to_ascii_uppercase();
    let numeric = ["INT", "REAL", "FLOA", "DOUB", "NUM", "DEC"];
    if declared.contains("CHAR") || declared.contains("TEXT") {
        Datum::text("pinferry-lock-test")
    } else if numeric.iter().any(|word| declared.contains(word)) {
        Datum::Integer(8_070_605_040_302_010)
    } else if declared.contains("BLOB") {
        Datum::Blob(b"pinferry-lock-test".to_vec())
    } else if shape.columns[at].generated {
        Datum::Null
    } else {
        Datum::text("pinferry-lock-test")
    }
}

/// The quoted columns that tell one row from another.
pub(super) fn key_columns(shape: &TableShape) -> Vec<String> {
    match &shape.key {
        Key::Rowid { alias, .. } => vec![sql::name(alias)],
        Key::Columns(columns) => columns.iter().map(|&at| shape.column(at)).collect(),
    }
}
