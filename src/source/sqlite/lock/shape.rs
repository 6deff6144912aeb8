//! What a table is like, as far as guarding it goes.

use std::collections::BTreeMap;

use rusqlite::{Connection, Error, OptionalExtension as _};

use crate::{config::settings::SourceSettings, domain::field::Field};

/// A table to be guarded.
#[derive(Debug)]
pub(super) struct TableShape {
    /// As the schema spells it.
    pub(super) table: String,
    pub(super) columns: Vec<Column>,
    /// How one row is told from another.
    pub(super) key: Key,
    /// Unique indexes over whole columns of all rows, primary key included.
    pub(super) uniques: Vec<UniqueIndex>,
    /// Positions of the columns that partial unique indexes and unique indexes over expressions mention.
    pub(super) hidden_uniques: Vec<HiddenUnique>,
    /// Position of the column each mapped field has in this table.
    pub(super) mapped: BTreeMap<Field, usize>,
}

/// A column.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) declared_type: String,
    pub(super) not_null: bool,
    pub(super) generated: bool,
    /// Whether it is part of the declared primary key.
    pub(super) primary: bool,
}

/// How one row is told from another.
#[derive(Debug)]
pub(super) enum Key {
    /// By the rowid, under a name no column hides; and the column that is its alias, if one is.
    Rowid {
        alias: String,
        integer_primary_key: Option<usize>,
    },
    /// WITHOUT ROWID: by the primary key.
    Columns(Vec<usize>),
}

/// A unique index whose conflicts a query can foresee.
#[derive(Debug)]
pub(super) struct UniqueIndex {
    /// Columns and their collations.
    pub(super) columns: Vec<(usize, String)>,
}

/// A unique index whose conflicts a query cannot foresee.
#[derive(Debug)]
pub(super) struct HiddenUnique {
    /// The columns its definition mentions, at least.
    pub(super) mentioned: Vec<usize>,
    /// Its plain columns with their collations, if it is over columns only (and partial).
    pub(super) columns: Option<Vec<(usize, String)>>,
}

/// What stands under a name in the schema.
pub(super) enum Found {
    Nothing,
    View,
    /// A virtual or shadow table, which takes no triggers.
    Odd(String),
    Table(Box<TableShape>),
}

impl TableShape {
    /// Looks a table up, and the mapped columns in it by name.
    pub(super) fn find(
        connection: &Connection,
        table: &str,
        source: &SourceSettings,
    ) -> Result<Found, Error> {
        let listed: Option<(String, String, bool)> = connection
            .query_row(
                "SELECT name, type, wr FROM pragma_table_list
                  WHERE schema = 'main' AND name = ?1 COLLATE NOCASE",
                [table],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
            )
            .optional()?;
        match listed {
            None => Ok(Found::Nothing),
            Some((name, kind, without_rowid)) => match kind.as_str() {
                "table" => load(connection, name, without_rowid, source)
                    .map(|shape| Found::Table(Box::new(shape))),
                "view" => Ok(Found::View),
                other => Ok(Found::Odd(other.to_owned())),
            },
        }
    }

    /// Quoted name of a column.
    pub(super) fn column(&self, at: usize) -> String {
        super::sql::name(&self.columns[at].name)
    }

    /// Columns an INSERT may name.
    pub(super) fn insertable(&self) -> impl Iterator<Item = usize> {
        (0..self.columns.len()).filter(|&at| !self.columns[at].generated)
    }

    /// The column that is an alias of the rowid: a new row need not bring it.
    pub(super) const fn integer_primary_key(&self) -> Option<usize> {
        match &self.key {
            Key::Rowid {
                integer_primary_key,
                ..
            } => *integer_primary_key,
            Key::Columns(_) => None,
        }
    }
}

fn load(
    connection: &Connection,
    table: String,
    without_rowid: bool,
    source: &SourceSettings,
) -> Result<TableShape, Error> {
    let columns = columns(connection, &table)?;
    let mut shape = TableShape {
        key: Key::Columns(Vec::new()),
        uniques: Vec::new(),
        hidden_uniques: Vec::new(),
        mapped: mapped(source, &columns),
        columns,
        table,
    };
    let declared: Vec<usize> = (0..shape.columns.len())
        .filter(|&at| shape.columns[at].primary)
        .collect();
    let primary_is_indexed = indexes(connection, &mut shape)?;
    shape.key = if without_rowid {
        Key::Columns(declared)
    } else {
        let hidden = |name: &&str| {
            let mut columns = shape.columns.iter();
            columns.any(|column| column.name.eq_ignore_ascii_case(name))
        };
        let integer_primary_key = match declared[..] {
            [only] if !primary_is_indexed => Some(only),
            _ => None,
        };
        let free = ["rowid", "_rowid_", "oid"]
            .into_iter()
            .find(|name| !hidden(name));
        let alias = integer_primary_key.map(|at| shape.columns[at].name.clone());
        Key::Rowid {
            // With all three names hidden nobody can write the rowid either; the first column compares.
            alias: alias.unwrap_or_else(|| free.unwrap_or("rowid").to_owned()),
            integer_primary_key,
        }
    };
    Ok(shape)
}

fn columns(connection: &Connection, table: &str) -> Result<Vec<Column>, Error> {
    let mut statement = connection.prepare(
        "SELECT name, type, \"notnull\", pk > 0, hidden FROM pragma_table_xinfo(?1)
          WHERE hidden IN (0, 2, 3) ORDER BY cid",
    )?;
    let rows = statement.query_map([table], |row| {
        Ok(Column {
            name: row.get(0)?,
            declared_type: row.get(1)?,
            not_null: row.get(2)?,
            primary: row.get(3)?,
            generated: row.get::<_, i64>(4)? != 0,
        })
    })?;
    rows.collect()
}

fn mapped(source: &SourceSettings, columns: &[Column]) -> BTreeMap<Field, usize> {
    Field::ALL
        .into_iter()
        .filter_map(|field| {
            let named = source.columns.get(&field).map(String::as_str);
            let wanted = named.or(field.default_column())?;
            let at = columns
                .iter()
                .position(|column| column.name.eq_ignore_ascii_case(wanted))?;
            Some((field, at))
        })
        .collect()
}

/// Reads the unique indexes; whether one of them is the primary key's.
fn indexes(connection: &Connection, shape: &mut TableShape) -> Result<bool, Error> {
    let mut list = connection.prepare(
        "SELECT l.name, l.origin, l.partial, coalesce(s.sql, '')
           FROM pragma_index_list(?1) AS l
           LEFT JOIN sqlite_schema AS s ON s.type = 'index' AND s.name = l.name
          WHERE l.\"unique\" ORDER BY l.name",
    )?;
    let listed: Vec<(String, String, bool, String)> = list
        .query_map([&shape.table], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })?
        .collect::<Result<_, _>>()?;
    let mut primary = false;
    for (index, origin, partial, definition) in listed {
        primary |= origin == "pk";
        let columns = index_columns(connection, &index)?;
        match columns {
            Some(columns) if !partial => shape.uniques.push(UniqueIndex { columns }),
            columns => {
                let definition = definition.to_ascii_lowercase();
                let mentioned = (0..shape.columns.len())
                    .filter(|&at| definition.contains(&shape.columns[at].name.to_ascii_lowercase()))
                    .collect();
                shape
                    .hidden_uniques
                    .push(HiddenUnique { mentioned, columns });
            }
        }
    }
    Ok(primary)
}

/// `None` for an index over expressions.
fn index_columns(
    connection: &Connection,
    index: &str,
) -> Result<Option<Vec<(usize, String)>>, Error> {
    let mut statement = connection
        .prepare("SELECT cid, coll FROM pragma_index_xinfo(?1) WHERE key ORDER BY seqno")?;
    let parts = statement.query_map([index], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))
    })?;
    let mut columns = Vec::new();
    for part in parts {
        let (cid, collation) = part?;
        match usize::try_from(cid) {
            Ok(at) => columns.push((at, collation)),
            Err(_) => return Ok(None),
        }
    }
    Ok(Some(columns))
}
