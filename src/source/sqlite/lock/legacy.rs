//! Reading and writing the legacy database in transactions that never make the application queue.

use std::{path::Path, thread, time::Duration};

use rusqlite::{Connection, Error, OpenFlags, Transaction, TransactionBehavior};

use crate::{
    failpoint,
    source::{
        lock::{LockError, Place},
        sqlite::trouble::Trouble,
    },
};

/// Why work in a transaction was given up; nothing of it stays.
pub(super) enum Failure {
    /// The database.
    Database(Error),
    /// What was found in it.
    Because(LockError),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Database(error)
    }
}

impl From<LockError> for Failure {
    fn from(error: LockError) -> Self {
        Self::Because(error)
    }
}

/// How long to wait for others: so many attempts, each so long, with a pause between them in which the
/// database is free.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    attempts: u32,
    busy: Duration,
    pause: Duration,
}

/// Engaging must not hold the application up: short attempts, and a rollback in between, because a commit
/// that waits for readers keeps new readers out.
pub(super) const BRIEF: Patience = Patience {
    attempts: 60,
    busy: Duration::from_millis(200),
    pause: Duration::from_millis(300),
};

/// Sealing and opening wait for writers in flight.
pub(super) const LONG: Patience = Patience {
    attempts: 12,
    busy: Duration::from_secs(5),
    pause: Duration::from_millis(500),
};

impl Patience {
    fn in_all(self) -> Duration {
        (self.busy + self.pause) * self.attempts
    }
}

/// A transaction that writes: its name in errors, its steps for the crash tests, its patience.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deed {
    pub(super) doing: &'static str,
    /// Reached before the commit.
    pub(super) before: &'static str,
    /// Reached after the commit.
    pub(super) after: &'static str,
    pub(super) patience: Patience,
}

/// Does the work in one immediate transaction, again and again while others keep the database busy.
pub(super) fn write<T>(
    place: &Place,
    deed: &Deed,
    work: impl Fn(&Connection) -> Result<T, Failure>,
) -> Result<T, LockError> {
    let connection = open(place, deed.doing)?;
    let fail = |error| failed(place, deed.doing, deed.patience.in_all(), error);
    connection.busy_timeout(deed.patience.busy).map_err(fail)?;
    for _ in 1..deed.patience.attempts {
        match attempt(&connection, deed, &work) {
            Err(Failure::Database(error)) if is_busy(&error) => {
                thread::sleep(deed.patience.pause);
            }
            done => return finished(place, deed, done),
        }
    }
    finished(place, deed, attempt(&connection, deed, &work))
}

/// Does the work in one immediate transaction and undoes all of it.
pub(super) fn rehearse<T>(
    place: &Place,
    doing: &'static str,
    work: impl Fn(&Connection) -> Result<T, Failure>,
) -> Result<T, LockError> {
    let connection = open(place, doing)?;
    let fail = |error| failed(place, doing, LONG.busy, error);
    connection.busy_timeout(LONG.busy).map_err(fail)?;
    let behavior = TransactionBehavior::Immediate;
    // Dropping the transaction rolls it back.
    let transaction = Transaction::new_unchecked(&connection, behavior).map_err(fail)?;
    work(&transaction).map_err(|failure| match failure {
        Failure::Database(error) => failed(place, doing, LONG.busy, error),
        Failure::Because(error) => error,
    })
}

fn attempt<T>(
    connection: &Connection,
    deed: &Deed,
    work: &impl Fn(&Connection) -> Result<T, Failure>,
) -> Result<T, Failure> {
    // Dropping the transaction rolls it back.
    let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    let done = work(&transaction)?;
    failpoint::reached(deed.before);
    transaction.commit()?;
    failpoint::reached(deed.after);
    Ok(done)
}

fn finished<T>(place: &Place, deed: &Deed, done: Result<T, Failure>) -> Result<T, LockError> {
    done.map_err(|failure| match failure {
        Failure::Database(error) => failed(place, deed.doing, deed.patience.in_all(), error),
        Failure::Because(error) => error,
    })
}

/// Reads within one snapshot.
pub(super) fn read<T>(
    place: &Place,
    doing: &'static str,
    work: impl FnOnce(&Connection) -> Result<T, Failure>,
) -> Result<T, LockError> {
    let connection = open(place, doing)?;
    let fail = |error| failed(place, doing, LONG.busy, error);
    connection.busy_timeout(LONG.busy).map_err(fail)?;
    // Reading never commits: the transaction ends when it is dropped.
    let snapshot = connection.unchecked_transaction().map_err(fail)?;
    work(&snapshot).map_err(|failure| match failure {
        Failure::Database(error) => failed(place, doing, LONG.busy, error),
        Failure::Because(error) => error,
    })
}

/// Opens the database for writing even where it is only read: a process that was killed may have left a
/// journal to be rolled back.
fn open(place: &Place, doing: &'static str) -> Result<Connection, LockError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(path(place), flags)
        .map_err(|error| failed(place, doing, Duration::ZERO, error))
}

/// Says what was being done, and tells busy and read-only databases from broken ones.
fn failed(place: &Place, doing: &'static str, waited: Duration, source: Error) -> LockError {
    let path = path(place).to_owned();
    match Trouble::of(&source) {
        Trouble::Busy => LockError::Busy {
            place: path.display().to_string(),
            doing,
            waited,
        },
        Trouble::ReadOnly => LockError::ReadOnly { path, doing },
        Trouble::Full => LockError::Full { path, doing },
        Trouble::CannotOpen => LockError::CannotOpen {
            path,
            doing,
            source,
        },
        Trouble::Other => LockError::Sqlite {
            path,
            doing,
            source,
        },
    }
}

fn is_busy(error: &Error) -> bool {
    Trouble::of(error) == Trouble::Busy
}

fn path(place: &Place) -> &Path {
    let path = place.source.location.path();
    path.expect("the lock of a SQLite database is asked for one")
}
