//! The management lock: the ban on PIN management in a legacy database while a migration is under way.
//!
//! The presence of the guards in the database *is* the lock; a control row beside them only says whose it
//! is, why, and until when. It belongs to a run or to an administrator, never to a process. Only this
//! module makes a [`Locked`]: the token proves that the lock was taken, [`Locked::check_present`] that it
//! still is. A CSV extract has nothing to lock.

pub(in crate::source) mod control;
pub(in crate::source) mod decision;
mod drift;
mod error;
mod foreseen;
pub(in crate::source) mod guard;
mod image;
mod locked;
mod locks;
pub(in crate::source) mod message;
mod owner;
mod place;
mod report;
mod roles;
mod status;
pub(in crate::source) mod tightening;

use crate::config::settings::{LockSettings, SourceSettings};

use super::{postgres::lock as postgres, sqlite::lock as sqlite};

use place::Engine;

pub use drift::Drift;
pub use error::{Holding, LockError};
pub use foreseen::Foreseen;
pub use image::{Capture, Diverted, RawFields};
pub use locked::{HowEngaged, Keep, Leftovers, Locked, NotHandedBack, Released};
pub use locks::{Locks, engage_all};
pub use owner::{LockRequest, Owner};
pub(in crate::source) use place::Place;
pub use report::{Expected, Outcome, TestReport, Try};
pub use roles::Roles;
pub use status::{Guards, LockState, LockStatus, LockWarning, Refused};

/// Whether a source can be locked at all.
#[derive(Debug)]
pub enum Lockability {
    /// An extract: nothing to lock.
    Nothing,
    /// A database, and here is its lock.
    Locked(Box<Locked>),
}

impl Lockability {
    fn locked(locked: Locked) -> Self {
        Self::Locked(Box::new(locked))
    }
}

/// Engages the lock of one source, or adopts it: the same owner's own, or one an administrator engaged
/// with the same configuration. Mode `divert` runs the self-test first and engages only if it passes.
///
/// # Errors
/// Someone else holds it, the self-test fails, the database cannot be locked as configured, or an earlier
/// lock was broken or damaged.
pub fn engage(
    source: &SourceSettings,
    lock: &LockSettings,
    request: &LockRequest,
) -> Result<Lockability, LockError> {
    let place = Place::of(source, lock);
    match place.engine() {
        None => Ok(Lockability::Nothing),
        Some(Engine::Sqlite) => sqlite::engage(place, request).map(Lockability::locked),
        Some(Engine::Postgres) => postgres::engage(place, request).map(Lockability::locked),
    }
}

/// The lock this owner left in a source, in whatever state it is; `None` when there is nothing of theirs.
///
/// # Errors
/// Someone else holds it, or the database cannot be read.
pub fn claim(
    source: &SourceSettings,
    lock: &LockSettings,
    owner: &Owner,
) -> Result<Option<Locked>, LockError> {
    let place = Place::of(source, lock);
    match place.engine() {
        None => Ok(None),
        Some(Engine::Sqlite) => sqlite::claim(place, owner),
        Some(Engine::Postgres) => postgres::claim(place, owner),
    }
}

/// What the lock of a source is like; changes nothing.
///
/// # Errors
/// The database cannot be read.
pub fn status(source: &SourceSettings, lock: &LockSettings) -> Result<LockStatus, LockError> {
    let place = Place::of(source, lock);
    match place.engine() {
        None => Ok(LockStatus::nothing_to_lock(place.name())),
        Some(Engine::Sqlite) => sqlite::status(&place),
        Some(Engine::Postgres) => postgres::status(&place),
    }
}

/// Tries every way in past the lock, and every way that must stay open, and undoes each: on the lock as it
/// stands, or on guards made for the test alone. `None` for a source with nothing to lock.
///
/// # Errors
/// The test could not be made. A failed test is no error here: see [`TestReport::passed`].
pub fn test(source: &SourceSettings, lock: &LockSettings) -> Result<Option<TestReport>, LockError> {
    let place = Place::of(source, lock);
    match place.engine() {
        None => Ok(None),
        Some(Engine::Sqlite) => sqlite::test(&place).map(Some),
        Some(Engine::Postgres) => postgres::test(&place).map(Some),
    }
}

/// What engaging or testing the lock would refuse; leaves nothing written. Guards are tried on a copy in memory
/// of the schema and of the first rows, or on a server in transactions that are undone.
///
/// # Errors
/// Why the lock could not be engaged, or the database cannot be read.
pub fn foresee(source: &SourceSettings, lock: &LockSettings) -> Result<Foreseen, LockError> {
    let place = Place::of(source, lock);
    match place.engine() {
        None => Ok(Foreseen::Nothing),
        Some(Engine::Sqlite) => sqlite::foresee(&place),
        Some(Engine::Postgres) => postgres::foresee(&place),
    }
}

/// That a server lets the lock be made, as far as that can be seen without making it; files have no roles.
///
/// # Errors
/// Which right is missing, or why else it could not be engaged; or the database cannot be read.
pub fn permitted(source: &SourceSettings, lock: &LockSettings) -> Result<(), LockError> {
    let place = Place::of(source, lock);
    match place.engine() {
        None | Some(Engine::Sqlite) => Ok(()),
        Some(Engine::Postgres) => postgres::permitted(&place),
    }
}

/// The script that gives these roles the rights they need at a source, and no more; `None` where files have no
/// roles.
#[must_use]
pub fn grants(source: &SourceSettings, lock: &LockSettings, roles: &Roles) -> Option<String> {
    let place = Place::of(source, lock);
    match place.engine() {
        None | Some(Engine::Sqlite) => None,
        Some(Engine::Postgres) => Some(postgres::grants(&place, roles)),
    }
}

/// Opens a legacy again for the run that is being aborted, and removes everything of the lock: the run's own,
/// what is left of a broken or damaged one, and an administrator's, which the run would have taken over, once
/// what captures tell is kept. `None` where there is nothing of a lock.
///
/// # Errors
/// Another run holds it, it is sealed, or the database fails.
pub fn clear(
    source: &SourceSettings,
    lock: &LockSettings,
    owner: &Owner,
    keep: &Keep<'_>,
) -> Result<Option<Released>, LockError> {
    let place = Place::of(source, lock);
    match place.engine() {
        None => Ok(None),
        Some(Engine::Sqlite) => sqlite::clear(&place, owner, keep),
        Some(Engine::Postgres) => postgres::clear(&place, owner, keep),
    }
}

/// Removes a lock whoever holds it, by the name and for the reason of an administrator. What it captured
/// and diverted is kept, and so is a note of who broke it, which its owner meets on the next step.
///
/// # Errors
/// There is no lock, or the database fails.
pub fn break_open(
    source: &SourceSettings,
    lock: &LockSettings,
    by: &str,
    reason: &str,
) -> Result<LockStatus, LockError> {
    let place = Place::of(source, lock);
    match place.engine() {
        None => Err(control::not_held(place.name())),
        Some(Engine::Sqlite) => sqlite::break_open(&place, by, reason),
        Some(Engine::Postgres) => postgres::break_open(&place, by, reason),
    }
}

/// Removes what a lock that is gone left behind because somebody was reading; what is left now, in words.
///
/// # Errors
/// The database fails.
pub fn sweep(source: &SourceSettings, lock: &LockSettings) -> Result<Vec<String>, LockError> {
    let place = Place::of(source, lock);
    match place.engine() {
        None | Some(Engine::Sqlite) => Ok(Vec::new()),
        Some(Engine::Postgres) => postgres::sweep(&place),
    }
}

/// Opens a sealed legacy again, whoever sealed it.
///
/// # Errors
/// It is not sealed, something captured or diverted is left over and was not asked to be dealt with, or
/// the database fails.
pub fn reopen(
    source: &SourceSettings,
    lock: &LockSettings,
    leftovers: Leftovers<'_>,
) -> Result<Released, LockError> {
    let place = Place::of(source, lock);
    match place.engine() {
        None => Err(control::not_held(place.name())),
        Some(Engine::Sqlite) => sqlite::reopen(&place, leftovers),
        Some(Engine::Postgres) => postgres::reopen(&place, leftovers),
    }
}

/// Makes an adopted lock its administrator's again.
fn give_back(locked: &Locked, owner: &Owner) -> Result<(), LockError> {
    match locked.place.engine() {
        None => Ok(()),
        Some(Engine::Sqlite) => sqlite::give_back(locked, owner),
        Some(Engine::Postgres) => postgres::give_back(locked, owner),
    }
}
