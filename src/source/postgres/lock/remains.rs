//! What a lock that is gone leaves behind, and removing it.
//!
//! Triggers are dropped, and tables as well, only when no reader is at them, and a report or a backup may read for
//! hours. A lock is therefore opened by disabling its guards and emptying their functions, which waits for writers
//! only, and what is left is removed when nobody is in the way. It refuses nothing, even where somebody enables
//! all triggers of the table.

use sqlx::{Row, postgres::PgArguments};

use crate::{
    postgres::{PostgresError, Session},
    source::lock::{LockError, LockState, Place, control::Control},
};

use super::{
    control,
    guard::{self, Present},
    legacy::{self, Deed, FEW, Hold, exists},
    names,
    release::nothing_diverted,
    sql,
};

const SWEEP: Deed = Deed {
    doing: "removing what a lock left behind",
    before: "lock.sweep",
    after: "lock.swept",
    attempts: FEW,
};

/// What is left, in words; nothing as long as the lock needs its tables itself.
pub(super) fn of(
    session: &mut Session,
    name: &str,
    control: Option<&Control>,
) -> Result<Vec<String>, LockError> {
    let mut words = Vec::new();
    let guards = disabled(session, name, control)?;
    if !guards.is_empty() {
        let tables = guard::tables(&guards).join(", ");
        words.push(format!("disabled guards on {tables}"));
    }
    if control.is_none() && own(session, name)? {
        words.push(format!("empty tables in the schema {}", names::SCHEMA));
    }
    Ok(words)
}

/// See [`crate::source::lock::sweep`]. A reader in the way is waited for a moment only, with pauses.
pub(in crate::source) fn sweep(place: &Place) -> Result<Vec<String>, LockError> {
    let name = place.name();
    let left = legacy::read(place, |snapshot| {
        let control = control::read(&mut snapshot.session, name)?;
        of(&mut snapshot.session, name, control.as_ref())
    })?;
    if left.is_empty() {
        return Ok(left);
    }
    match legacy::write(place, &SWEEP, |session| remove(session, name)) {
        Ok(()) => Ok(Vec::new()),
        Err(LockError::Busy { .. }) => Ok(left),
        Err(error) => Err(error),
    }
}

/// The application's tables are held last, and for the shortest time.
fn remove(session: &mut Session, name: &str) -> Result<(), LockError> {
    let control = control::read(session, name)?;
    if control.is_none() {
        drop_tables(session, name)?;
        control::drop_table(session)?;
    }
    let guards = disabled(session, name, control.as_ref())?;
    legacy::hold(
        session,
        SWEEP.doing,
        &guard::tables(&guards),
        Hold::Everybody,
    )?;
    guard::drop_all(session, &guards)?;
    drop_functions(session, name)?;
    Ok(control::drop_schema(session)?)
}

/// The guards that refuse nothing and are none of a lock that stands.
fn disabled(
    session: &mut Session,
    name: &str,
    control: Option<&Control>,
) -> Result<Vec<Present>, LockError> {
    let mut guards = guard::present(session, name)?;
    let made = match control.map_or(LockState::Open, |control| control.state) {
        LockState::Engaged | LockState::Sealed => control::guards(session, name)?,
        LockState::Open | LockState::Broken => Vec::new(),
    };
    guards.retain(|one| one.open && !made.iter().any(|made| made.name == one.guard.name));
    Ok(guards)
}

/// Whether there are tables, a counter or functions of this source's lock.
fn own(session: &mut Session, name: &str) -> Result<bool, PostgresError> {
    for relation in relations(name) {
        if exists(session, &relation)? {
            return Ok(true);
        }
    }
    Ok(!functions(session, name, "true")?.is_empty())
}

fn relations(name: &str) -> [String; 3] {
    [
        names::captures(name),
        names::diverted(name),
        names::refusals(name),
    ]
}

/// The functions of this source's lock for which this holds.
pub(super) fn functions(
    session: &mut Session,
    name: &str,
    holds: &str,
) -> Result<Vec<String>, PostgresError> {
    let query = format!(
        "SELECT p.proname::text FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
          WHERE n.nspname = {} AND pg_catalog.starts_with(p.proname::text, {}) AND {holds}",
        sql::text(names::SCHEMA),
        sql::text(&names::functions(name))
    );
    let found = session.rows(
        "looking for the lock's functions",
        &query,
        PgArguments::default(),
    )?;
    Ok(found.iter().map(|row| row.get(0)).collect())
}

fn drop_functions(session: &mut Session, name: &str) -> Result<(), PostgresError> {
    let unused = "NOT EXISTS (SELECT 1 FROM pg_catalog.pg_trigger t WHERE t.tgfoid = p.oid)";
    let drops: String = (functions(session, name, unused)?.iter())
        .map(|function| format!("DROP FUNCTION {}();", names::within(function)))
        .collect();
    session.batch(SWEEP.doing, &drops)
}

/// Drops the capture and the divert table and the counter. Diverted PINs nobody processed are never dropped.
pub(super) fn drop_tables(session: &mut Session, name: &str) -> Result<(), LockError> {
    nothing_diverted(session, name)?;
    let [captures, diverted, refusals] = relations(name);
    for (kind, relation) in [
        ("TABLE", captures),
        ("TABLE", diverted),
        ("SEQUENCE", refusals),
    ] {
        if exists(session, &relation)? {
            let drop = format!("DROP {kind} {}", names::within(&relation));
            session.batch("dropping the lock's tables", &drop)?;
        }
    }
    Ok(())
}
