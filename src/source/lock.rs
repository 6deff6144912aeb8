//! The management lock: the ban on PIN management in a legacy database while a migration is under way.
//!
//! The presence of the guards in the database *is* the lock; a control row beside them only says whose it
//! is, why, and until when. It belongs to a run or to an administrator, never to a process. Only this
//! module makes a [`Locked`]: the token proves that the lock was taken, [`Locked::check_present`] that it
//! still is. A CSV extract has nothing to lock.

mod drift;
mod error;
mod foreseen;
mod image;
mod locked;
mod locks;
mod owner;
mod report;
mod status;

use crate::config::settings::{LockSettings, SourceLocation, SourceSettings};

use super::sqlite::lock as sqlite;

pub use drift::Drift;
pub use error::{Holding, LockError};
pub use foreseen::Foreseen;
pub use image::{Capture, Diverted, RawFields};
pub use locked::{HowEngaged, Leftovers, Locked, NotHandedBack, Released};
pub use locks::{Locks, engage_all};
pub use owner::{LockRequest, Owner};
pub use report::{Expected, Outcome, TestReport, Try};
pub use status::{Guards, LockState, LockStatus, Refused};

/// A source together with what locking it takes.
#[derive(Clone, Debug)]
pub(in crate::source) struct Place {
    pub(in crate::source) source: SourceSettings,
    pub(in crate::source) lock: LockSettings,
}

/// Whether a source can be locked at all.
#[derive(Debug)]
pub enum Lockability {
    /// An extract: nothing to lock.
    Nothing,
    /// A database, and here is its lock.
    Locked(Box<Locked>),
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
    match &source.location {
        SourceLocation::Csv { .. } => Ok(Lockability::Nothing),
        SourceLocation::Sqlite { .. } => {
            let place = Place::of(source, lock);
            sqlite::engage(place, request).map(|locked| Lockability::Locked(Box::new(locked)))
        }
        SourceLocation::Postgres { .. } => Err(no_lock_yet(source)),
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
    match &source.location {
        SourceLocation::Csv { .. } => Ok(None),
        SourceLocation::Sqlite { .. } => sqlite::claim(Place::of(source, lock), owner),
        SourceLocation::Postgres { .. } => Err(no_lock_yet(source)),
    }
}

/// What the lock of a source is like; changes nothing.
///
/// # Errors
/// The database cannot be read.
pub fn status(source: &SourceSettings, lock: &LockSettings) -> Result<LockStatus, LockError> {
    match &source.location {
        SourceLocation::Csv { .. } => Ok(LockStatus::nothing_to_lock(&source.rules.name)),
        SourceLocation::Sqlite { .. } => sqlite::status(&Place::of(source, lock)),
        SourceLocation::Postgres { .. } => Err(no_lock_yet(source)),
    }
}

/// Tries every way in past the lock, and every way that must stay open, and undoes each: on the lock as it
/// stands, or on guards made for the test alone. `None` for a source with nothing to lock.
///
/// # Errors
/// The test could not be made. A failed test is no error here: see [`TestReport::passed`].
pub fn test(source: &SourceSettings, lock: &LockSettings) -> Result<Option<TestReport>, LockError> {
    match &source.location {
        SourceLocation::Csv { .. } => Ok(None),
        SourceLocation::Sqlite { .. } => sqlite::test(&Place::of(source, lock)).map(Some),
        SourceLocation::Postgres { .. } => Err(no_lock_yet(source)),
    }
}

/// What engaging or testing the lock would refuse; writes nothing. Guards are tried on a copy in memory of
/// the schema and of the first rows.
///
/// # Errors
/// Why the lock could not be engaged, or the database cannot be read.
pub fn foresee(source: &SourceSettings, lock: &LockSettings) -> Result<Foreseen, LockError> {
    match &source.location {
        SourceLocation::Csv { .. } => Ok(Foreseen::Nothing),
        SourceLocation::Sqlite { .. } => sqlite::foresee(&Place::of(source, lock)),
        SourceLocation::Postgres { .. } => Err(no_lock_yet(source)),
    }
}

/// Opens a legacy again for the run that is being aborted, and removes everything of the lock: the run's own,
/// what is left of a broken or damaged one, and an administrator's, which the run would have taken over.
/// `None` where there is nothing of a lock.
///
/// # Errors
/// Another run holds it, it is sealed, or the database fails.
pub fn clear(
    source: &SourceSettings,
    lock: &LockSettings,
    owner: &Owner,
) -> Result<Option<Released>, LockError> {
    match &source.location {
        SourceLocation::Csv { .. } => Ok(None),
        SourceLocation::Sqlite { .. } => sqlite::clear(&Place::of(source, lock), owner),
        SourceLocation::Postgres { .. } => Err(no_lock_yet(source)),
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
    match &source.location {
        SourceLocation::Csv { .. } => Err(LockError::NotHeld {
            source_name: source.rules.name.clone(),
        }),
        SourceLocation::Sqlite { .. } => sqlite::break_open(&Place::of(source, lock), by, reason),
        SourceLocation::Postgres { .. } => Err(no_lock_yet(source)),
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
    leftovers: Leftovers,
) -> Result<Released, LockError> {
    match &source.location {
        SourceLocation::Csv { .. } => Err(LockError::NotHeld {
            source_name: source.rules.name.clone(),
        }),
        SourceLocation::Sqlite { .. } => sqlite::reopen(&Place::of(source, lock), leftovers),
        SourceLocation::Postgres { .. } => Err(no_lock_yet(source)),
    }
}

/// What cannot be locked must not be migrated as if it were.
fn no_lock_yet(source: &SourceSettings) -> LockError {
    LockError::NotLockable {
        source_name: source.rules.name.clone(),
        why: "this build can read a PostgreSQL database, but not lock it".to_owned(),
    }
}

impl Place {
    fn of(source: &SourceSettings, lock: &LockSettings) -> Self {
        Self {
            source: source.clone(),
            lock: lock.clone(),
        }
    }

    /// Name of the source.
    pub(in crate::source) fn name(&self) -> &str {
        &self.source.rules.name
    }
}
