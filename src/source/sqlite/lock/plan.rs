//! Which tables are locked, which of their columns are guarded, and what identifies that choice.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, Error};
use sha2::{Digest as _, Sha256};

use crate::{
    config::settings::{LockMode, SourceLocation},
    domain::field::Field,
    source::{
        columns::lacking,
        lock::{LockError, Place, control::Control},
    },
};

use super::{
    condition::Conditions,
    legacy::Failure,
    shape::{Found, TableShape},
};

/// The tables of one source, looked up in the schema as it is now.
#[derive(Debug)]
pub(super) struct Plan<'p> {
    pub(super) place: &'p Place,
    pub(super) tables: Vec<TableShape>,
    /// The view that is read, where the source is one.
    pub(super) view: Option<View>,
    /// Whether every column but the allowed ones is guarded, because some field of the view is found in no
    /// table by name.
    guard_all: bool,
}

/// A view that is read as the source.
#[derive(Debug)]
pub(super) struct View {
    pub(super) name: String,
    /// The column of each mapped field.
    pub(super) columns: BTreeMap<Field, String>,
}

impl<'p> Plan<'p> {
    /// Looks up what the configuration names.
    pub(super) fn make(connection: &Connection, place: &'p Place) -> Result<Self, Failure> {
        let (table, lock_tables) = match &place.source.location {
            SourceLocation::Sqlite {
                table, lock_tables, ..
            } => (table, lock_tables),
            SourceLocation::Csv { .. } | SourceLocation::Postgres { .. } => {
                return Err(not_lockable(place, "it is no SQLite database"));
            }
        };
        let mut names: Vec<&str> = lock_tables.iter().map(String::as_str).collect();
        let mut view = None;
        match TableShape::find(connection, table, &place.source)? {
            Found::View => view = Some(View::find(connection, table, place)?),
            Found::Table(_) | Found::Nothing | Found::Odd(_) => names.insert(0, table),
        }
        if names.is_empty() {
            let why =
                format!("{table:?} is a view: name the tables it reads in lock_tables = [\"…\"]");
            return Err(not_lockable(place, &why));
        }
        let mut tables: Vec<TableShape> = Vec::new();
        for name in names {
            let shape = guarded_table(connection, place, name)?;
            if !tables.iter().any(|known| known.table == shape.table) {
                tables.push(shape);
            }
        }
        let mut plan = Self {
            place,
            tables,
            view,
            guard_all: false,
        };
        plan.check_mapping()?;
        Ok(plan)
    }

    /// The conditions of one table.
    pub(super) fn conditions<'s>(&'s self, shape: &'s TableShape) -> Conditions<'s> {
        Conditions {
            shape,
            rules: &self.place.source.rules,
            credential_change: self.place.lock.credential_change,
            guarded: self.guarded(shape),
            captures: self.captures(shape),
        }
    }

    /// Whether a change of a row can be captured as a change of a record: the row is one, or leads to those
    /// of the view by its id.
    fn captures(&self, shape: &TableShape) -> bool {
        let leads = |view: &View| {
            let id = Field::LegacyId;
            view.columns.contains_key(&id) && shape.mapped.contains_key(&id)
        };
        self.view.as_ref().is_none_or(leads)
    }

    /// Everything the guards depend on in the configuration, as JSON that is equal where that is.
    pub(super) fn configuration(&self) -> String {
        let tables = self.tables.iter().map(|shape| shape.table.as_str());
        let view = self.view.as_ref().map(|view| view.name.as_str());
        self.place
            .configuration(1, &tables.collect::<Vec<_>>(), view)
    }

    /// That the configuration is the one a lock was engaged with.
    pub(super) fn same_as(&self, control: &Control) -> Result<(), LockError> {
        control.same_as(&self.configuration(), self.place.name())
    }

    /// Hash of the triggers of others on the locked tables: one that appears during the lock might undo it.
    pub(super) fn other_triggers(&self, connection: &Connection) -> Result<String, Error> {
        let mut statement = connection.prepare(
            "SELECT name, sql FROM sqlite_schema
              WHERE type = 'trigger' AND tbl_name = ?1 COLLATE NOCASE
                AND substr(name, 1, length(?2)) <> ?2 ORDER BY name",
        )?;
        let mut hash = Sha256::new();
        for shape in &self.tables {
            let mut rows = statement.query([shape.table.as_str(), super::guard::PREFIX])?;
            while let Some(row) = rows.next()? {
                for at in 0..2 {
                    let text: String = row.get(at)?;
                    hash.update(text.len().to_le_bytes());
                    hash.update(text);
                }
            }
        }
        Ok(hexadecimal(&hash.finalize()))
    }

    /// How many rows the tables have whose unique indexes make counting them necessary.
    pub(super) fn row_counts(
        &self,
        connection: &Connection,
    ) -> Result<BTreeMap<String, i64>, Error> {
        let counted = self
            .tables
            .iter()
            .filter(|shape| !shape.hidden_uniques.is_empty());
        counted
            .map(|shape| {
                let query = format!("SELECT count(*) FROM {}", super::sql::name(&shape.table));
                let count = connection.query_row(&query, [], |row| row.get(0))?;
                Ok((shape.table.clone(), count))
            })
            .collect()
    }

    fn guarded(&self, shape: &TableShape) -> BTreeSet<usize> {
        let allowed = |at: &usize| self.place.allows(&shape.columns[*at].name);
        if self.guard_all {
            return (0..shape.columns.len()).filter(|at| !allowed(at)).collect();
        }
        (shape.mapped.iter())
            .filter(|(field, at)| **field != Field::LastUsedOn || !allowed(at))
            .map(|(_, at)| *at)
            .collect()
    }

    /// Every mapped column is guarded, allowed columns are what they may be, and diverting can work.
    fn check_mapping(&mut self) -> Result<(), Failure> {
        let missing = lacking(&self.place.source, |field| {
            let mut tables = self.tables.iter();
            tables.any(|shape| shape.mapped.contains_key(&field))
        });
        if !missing.is_empty() {
            if self.view.is_none() {
                let why = format!("it has no column {}", missing.join(", "));
                return Err(not_lockable(self.place, &why));
            }
            self.guard_all = true;
        }
        for shape in &self.tables {
            for (field, at) in &shape.mapped {
                let name = &shape.columns[*at].name;
                self.place.check_allowed(*field, name)?;
            }
        }
        match (self.place.lock.mode, &self.view) {
            (LockMode::Divert, Some(view)) => Err(not_lockable(
                self.place,
                &format!(
                    "lock.mode = \"divert\" needs a table, and {:?} is a view",
                    view.name
                ),
            )),
            (LockMode::Divert, None) if self.tables.len() > 1 => Err(not_lockable(
                self.place,
                "lock.mode = \"divert\" works with one table, without lock_tables",
            )),
            (LockMode::Divert | LockMode::Refuse, _) => Ok(()),
        }
    }
}

impl View {
    fn find(connection: &Connection, name: &str, place: &Place) -> Result<Self, Error> {
        let mut statement = connection.prepare("SELECT name FROM pragma_table_xinfo(?1)")?;
        let found: Vec<String> = statement
            .query_map([name], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        let columns = place.source.columns.iter().filter_map(|(field, column)| {
            let mut found = found.iter();
            let same = found.find(|one| one.eq_ignore_ascii_case(column))?;
            Some((*field, same.clone()))
        });
        Ok(Self {
            name: name.to_owned(),
            columns: columns.collect(),
        })
    }
}

fn guarded_table(
    connection: &Connection,
    place: &Place,
    name: &str,
) -> Result<TableShape, Failure> {
    match TableShape::find(connection, name, &place.source)? {
        Found::Table(shape) => Ok(*shape),
        Found::Nothing => Err(not_lockable(place, &format!("there is no table {name:?}"))),
        Found::View => Err(not_lockable(
            place,
            &format!("lock_tables names {name:?}, which is a view; name the tables it reads"),
        )),
        Found::Odd(kind) => Err(not_lockable(
            place,
            &format!("{name:?} is a {kind} table, which takes no triggers"),
        )),
    }
}

fn not_lockable(place: &Place, why: &str) -> Failure {
    place.not_lockable(why).into()
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
