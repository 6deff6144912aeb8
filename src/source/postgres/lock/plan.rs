//! Which tables are locked, which of their columns are guarded, and what identifies that choice.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest as _, Sha256};
use sqlx::{Arguments as _, Row, postgres::PgArguments};

use crate::{
    config::settings::{LockMode, SourceLocation},
    domain::field::Field,
    postgres::{PostgresError, Session},
    source::{
        columns::{Naming, found_columns, lacking},
        lock::{LockError, Place},
    },
};

use super::{
    condition::{self, Conditions},
    names,
    shape::{self, Found, TableShape},
    sql,
};

/// Definitions of the triggers and rules of others on a table.
const OTHERS: &str = "
SELECT t.tgname::text, t.tgenabled::text || pg_catalog.pg_get_triggerdef(t.oid)
  FROM pg_catalog.pg_trigger t
 WHERE t.tgrelid = $1::bigint::oid AND NOT t.tgisinternal AND NOT pg_catalog.starts_with(t.tgname::text, $2)
UNION ALL
SELECT r.rulename::text, r.ev_enabled::text || pg_catalog.pg_get_ruledef(r.oid)
  FROM pg_catalog.pg_rewrite r
 WHERE r.ev_class = $1::bigint::oid
 ORDER BY 1, 2";

/// The tables of one source, looked up in the catalogue as it is now.
#[derive(Debug)]
pub(super) struct Plan<'p> {
    pub(super) place: &'p Place,
    pub(super) tables: Vec<TableShape>,
    /// The view that is read, where the source is one.
    pub(super) view: Option<View>,
    /// Whether every column but the allowed ones is guarded, because some field of the view is found in no
    /// table by name.
    guard_all: bool,
    /// The white space that codes are trimmed of.
    white_space: String,
}

/// A view that is read as the source.
#[derive(Debug)]
pub(super) struct View {
    pub(super) quoted: String,
    /// The column of each mapped field.
    pub(super) mapped: BTreeMap<Field, usize>,
    pub(super) columns: Vec<shape::Column>,
}

impl<'p> Plan<'p> {
    /// Looks up what the configuration names. From then on the transaction resolves no name by anybody's
    /// search path.
    pub(super) fn make(session: &mut Session, place: &'p Place) -> Result<Self, LockError> {
        let (table, lock_tables) = match &place.source.location {
            SourceLocation::Postgres {
                table, lock_tables, ..
            } => (table, lock_tables),
            SourceLocation::Csv { .. } | SourceLocation::Sqlite { .. } => {
                return Err(not_lockable(place, "it is no PostgreSQL database"));
            }
        };
        // A later look within the same transaction asks for the same names.
        session.batch(
            "looking for the table to lock",
            "SET LOCAL search_path TO DEFAULT",
        )?;
        let mut names: Vec<&str> = lock_tables.iter().map(String::as_str).collect();
        let mut view = None;
        match TableShape::find(session, table, &place.source)? {
            Found::View => view = View::find(session, table, place)?,
            Found::Table(_) | Found::Nothing => names.insert(0, table),
        }
        if names.is_empty() {
            let why =
                format!("{table:?} is a view: name the tables it reads in lock_tables = [\"…\"]");
            return Err(not_lockable(place, &why));
        }
        let mut tables: Vec<TableShape> = Vec::new();
        for name in names {
            let shape = guarded_table(session, place, name)?;
            let known = |known: &TableShape| {
                known
                    .members
                    .iter()
                    .any(|member| member.oid == shape.root().oid)
            };
            if !tables.iter().any(known) {
                tables.push(shape);
            }
        }
        let white_space = condition::white_space(session)?;
        session.batch(
            "looking for the table to lock",
            "SET LOCAL search_path = pg_catalog, pg_temp",
        )?;
        let mut plan = Self {
            place,
            tables,
            view,
            guard_all: false,
            white_space,
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
            white_space: &self.white_space,
        }
    }

    /// Whether a change of a row can be captured as a change of a record: the row is one, or leads to those
    /// of the view by its id.
    fn captures(&self, shape: &TableShape) -> bool {
        let id = Field::LegacyId;
        let leads = |view: &View| view.mapped.contains_key(&id) && shape.mapped.contains_key(&id);
        self.view.as_ref().is_none_or(leads)
    }

    /// What the tables are locked under.
    pub(super) fn roots(&self) -> Vec<String> {
        let roots = self.tables.iter().map(|shape| shape.root().quoted.clone());
        roots.collect()
    }

    /// The number of every table, partition and child, by its name.
    pub(super) fn members(&self) -> BTreeMap<String, i64> {
        let members = self.tables.iter().flat_map(|shape| &shape.members);
        members
            .map(|member| (member.shown.clone(), member.oid))
            .collect()
    }

    /// Everything the guards depend on in the configuration, as JSON that is equal where that is.
    pub(super) fn configuration(&self) -> String {
        let tables = self.tables.iter().map(|shape| shape.root().shown.as_str());
        let view = self.view.as_ref().map(|view| view.quoted.as_str());
        self.place
            .configuration(1, &tables.collect::<Vec<_>>(), view)
    }

    /// Hash of the triggers and rules of others on the locked tables: one that appears during the lock might
    /// undo it.
    pub(super) fn other_triggers(&self, session: &mut Session) -> Result<String, PostgresError> {
        let mut hash = Sha256::new();
        for member in self.tables.iter().flat_map(|shape| &shape.members) {
            let mut arguments = PgArguments::default();
            arguments.add(member.oid).expect("a number is an argument");
            arguments.add(names::PREFIX).expect("a text is an argument");
            let rows = session.rows("reading the triggers of others", OTHERS, arguments)?;
            for row in &rows {
                for at in 0..2 {
                    let text: String = row.get(at);
                    hash.update(text.len().to_le_bytes());
                    hash.update(text);
                }
            }
        }
        let digest = hash.finalize();
        Ok(digest.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// That the role may make guards.
    pub(super) fn may_guard(&self, session: &mut Session) -> Result<(), LockError> {
        let (role, may_create) = shape::role(session)?;
        let lacking = |lacks: String, grant: String| LockError::NoRight {
            source_name: self.place.name().to_owned(),
            role: role.clone(),
            lacks,
            grant,
        };
        let mut members = self.tables.iter().flat_map(|shape| &shape.members);
        if let Some(member) = members.find(|member| !member.owned) {
            return Err(lacking(
                format!(
                    "neither owns {} nor is a member of {}, and only an owner can make guards that always fire",
                    member.shown, member.owner
                ),
                format!("GRANT {} TO {}", sql::name(&member.owner), sql::name(&role)),
            ));
        }
        if may_create || has_schema(session)? {
            return Ok(());
        }
        Err(lacking(
            format!("may not create the schema {}", names::SCHEMA),
            format!(
                "CREATE SCHEMA {} AUTHORIZATION {}",
                names::SCHEMA,
                sql::name(&role)
            ),
        ))
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
    fn check_mapping(&mut self) -> Result<(), LockError> {
        let place = self.place;
        let missing = lacking(&place.source, |field| {
            let mut tables = self.tables.iter();
            tables.any(|shape| shape.mapped.contains_key(&field))
        });
        if !missing.is_empty() {
            if self.view.is_none() {
                let why = format!("it has no column {}", missing.join(", "));
                return Err(not_lockable(place, &why));
            }
            self.guard_all = true;
        }
        for shape in &self.tables {
            for (field, at) in &shape.mapped {
                place.check_allowed(*field, &shape.columns[*at].name)?;
            }
            if let Some(foreign) = shape.members.iter().find(|member| member.foreign) {
                let why = format!(
                    "{} is a foreign table, and guards do not see what is written where it really is",
                    foreign.shown
                );
                return Err(not_lockable(place, &why));
            }
        }
        match (place.lock.mode, &self.view) {
            (LockMode::Divert, Some(view)) => Err(not_lockable(
                place,
                &format!(
                    "lock.mode = \"divert\" needs a table, and {} is a view",
                    view.quoted
                ),
            )),
            (LockMode::Divert, None) if self.tables.len() > 1 => Err(not_lockable(
                place,
                "lock.mode = \"divert\" works with one table, without lock_tables",
            )),
            (LockMode::Divert | LockMode::Refuse, _) => Ok(()),
        }
    }
}

impl View {
    fn find(
        session: &mut Session,
        name: &str,
        place: &Place,
    ) -> Result<Option<Self>, PostgresError> {
        let Some((oid, _)) = shape::find(session, name)? else {
            return Ok(None);
        };
        let query = "SELECT pg_catalog.format('%I.%I', n.nspname, c.relname)
                       FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                      WHERE c.oid = $1::bigint::oid";
        let arguments = crate::source::postgres::relation::oid(oid);
        let rows = session.rows("looking for the view", query, arguments)?;
        let columns = shape::columns(session, oid)?;
        let names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
        Ok(rows.first().map(|row| Self {
            quoted: row.get(0),
            mapped: found_columns(&place.source, &names, Naming::ExactFirst),
            columns,
        }))
    }
}

/// Whether the lock's schema is there and the role may make things in it.
fn has_schema(session: &mut Session) -> Result<bool, PostgresError> {
    let query = format!(
        "SELECT pg_catalog.has_schema_privilege(oid, 'CREATE') FROM pg_catalog.pg_namespace WHERE nspname = {}",
        sql::text(names::SCHEMA)
    );
    let rows = session.rows(
        "looking for the lock's schema",
        &query,
        PgArguments::default(),
    )?;
    Ok(rows.first().is_some_and(|row| row.get(0)))
}

fn guarded_table(
    session: &mut Session,
    place: &Place,
    name: &str,
) -> Result<TableShape, LockError> {
    match TableShape::find(session, name, &place.source)? {
        Found::Table(shape) => Ok(*shape),
        Found::Nothing => Err(not_lockable(place, &format!("there is no table {name:?}"))),
        Found::View => Err(not_lockable(
            place,
            &format!("lock_tables names {name:?}, which is a view; name the tables it reads"),
        )),
    }
}

fn not_lockable(place: &Place, why: &str) -> LockError {
    place.not_lockable(why)
}
