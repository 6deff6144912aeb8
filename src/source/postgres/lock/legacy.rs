//! Writing the legacy database in transactions that never make the application queue for long.

use std::{
    thread,
    time::{Duration, Instant},
};

use sqlx::postgres::PgArguments;

use crate::{
    config::settings::{SourceLocation, SourceSettings},
    failpoint,
    postgres::{Limits, PostgresError, Session, Trouble},
    source::{
        SourceError,
        lock::{LockError, Place},
        postgres::{PostgresTable, open::Snapshot},
    },
};

use super::{rights, sql};

/// How long a lock is waited for, from attempt to attempt: transactions in flight must come to their end within it.
/// Whoever comes after us queues behind us for as long.
const LOCK: [Duration; 4] = [
    Duration::from_millis(200),
    Duration::from_millis(200),
    Duration::from_millis(350),
    Duration::from_millis(500),
];

/// How long one statement may take once the tables are locked.
const STATEMENT: Duration = Duration::from_secs(30);

/// Pauses between attempts, in which the application has the table for itself, grow up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// A transaction that writes: its name in errors, its steps for the crash tests, and how often it is tried.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deed {
    pub(super) doing: &'static str,
    /// Reached before the commit.
    pub(super) before: &'static str,
    /// Reached after the commit.
    pub(super) after: &'static str,
    pub(super) attempts: u32,
}

/// About two seconds, half a minute, and a minute: for what can wait, for engaging, and for what must be done once
/// the night is over.
pub(super) const FEW: u32 = 4;
pub(super) const BRIEF: u32 = 30;
pub(super) const LONG: u32 = 60;

/// How strong a lock a deed takes on the legacy's tables.
#[derive(Clone, Copy, Debug)]
pub(super) enum Hold {
    /// Keeps writers out: triggers can be made.
    Writers,
    /// Keeps readers out as well: triggers can be dropped.
    Everybody,
}

/// Does the work in one transaction, again and again while others keep the tables busy.
pub(super) fn write<T>(
    place: &Place,
    deed: &Deed,
    work: impl Fn(&mut Session) -> Result<T, LockError>,
) -> Result<T, LockError> {
    again(place, deed.doing, deed.attempts, |session| {
        once(session, deed, &work)
    })
}

/// Does it again and again while others keep the tables busy.
fn again<T>(
    place: &Place,
    doing: &'static str,
    attempts: u32,
    once: impl Fn(&mut Session) -> Result<T, LockError>,
) -> Result<T, LockError> {
    let mut session = connect(place)?;
    let began = Instant::now();
    let mut pause = FIRST_PAUSE;
    let waits = LOCK.iter().chain(std::iter::repeat(&LOCK[LOCK.len() - 1]));
    for (attempt, wait) in (1..=attempts).zip(waits) {
        let patience = format!("SET lock_timeout = {}", wait.as_millis());
        session.batch(doing, &patience)?;
        match once(&mut session) {
            Err(LockError::Postgres(error)) if is_busy(&error) => {
                if attempt == attempts {
                    return Err(LockError::Busy {
                        place: session.place().to_owned(),
                        doing,
                        waited: began.elapsed(),
                    });
                }
            }
            done => return done,
        }
        thread::sleep(pause);
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
    unreachable!("the last attempt returns")
}

fn once<T>(
    session: &mut Session,
    deed: &Deed,
    work: &impl Fn(&mut Session) -> Result<T, LockError>,
) -> Result<T, LockError> {
    let done = begin(session, deed.doing).and_then(|()| {
        let done = work(session)?;
        rights::withdraw(session, deed.doing)?;
        Ok(done)
    });
    match done {
        Ok(done) => {
            failpoint::reached(deed.before);
            session.batch(deed.doing, "COMMIT")?;
            failpoint::reached(deed.after);
            Ok(done)
        }
        Err(error) => {
            undo(session, deed.doing);
            Err(error)
        }
    }
}

/// Does the work in one transaction and undoes all of it.
pub(super) fn rehearse<T>(
    place: &Place,
    doing: &'static str,
    work: impl Fn(&mut Session) -> Result<T, LockError>,
) -> Result<T, LockError> {
    again(place, doing, BRIEF, |session| {
        begin(session, doing)?;
        let done = work(session);
        undo(session, doing);
        done
    })
}

/// One deed at a time in one database; what is committed stays, whatever the role is set to.
fn begin(session: &mut Session, doing: &'static str) -> Result<(), LockError> {
    session.batch(doing, "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE")?;
    session.batch(
        doing,
        "SELECT pg_catalog.set_config('synchronous_commit', 'on', true)
          WHERE pg_catalog.current_setting('synchronous_commit') IN ('off', 'local');
         SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('pinferry lock', 0))",
    )?;
    Ok(())
}

fn undo(session: &mut Session, doing: &'static str) {
    if session.is_standing() {
        // A session that cannot even do this is ended by the server, and its transaction with it.
        drop(session.batch(doing, "ROLLBACK"));
    }
}

/// Locks tables and whatever hangs below them, all within the time that one lock may take.
pub(super) fn hold(
    session: &mut Session,
    doing: &'static str,
    tables: &[String],
    hold: Hold,
) -> Result<(), PostgresError> {
    if tables.is_empty() {
        return Ok(());
    }
    let mode = match hold {
        Hold::Writers => "SHARE ROW EXCLUSIVE",
        Hold::Everybody => "ACCESS EXCLUSIVE",
    };
    session.batch(
        doing,
        "SELECT pg_catalog.set_config('statement_timeout', pg_catalog.current_setting('lock_timeout'), true)",
    )?;
    session.batch(
        doing,
        &format!("LOCK TABLE {} IN {mode} MODE", tables.join(", ")),
    )?;
    limit(session, doing, STATEMENT)
}

/// Ends every statement of the transaction that takes longer.
pub(super) fn limit(
    session: &mut Session,
    doing: &'static str,
    limit: Duration,
) -> Result<(), PostgresError> {
    let statement = format!("SET LOCAL statement_timeout = {}", limit.as_millis());
    session.batch(doing, &statement)
}

/// Reads within one snapshot.
pub(super) fn read<T>(
    place: &Place,
    work: impl FnOnce(&mut Snapshot) -> Result<T, LockError>,
) -> Result<T, LockError> {
    let mut snapshot = Snapshot::begin(&table(&place.source))?;
    work(&mut snapshot)
}

fn connect(place: &Place) -> Result<Session, LockError> {
    let limits = Limits {
        statement: STATEMENT,
        ..Limits::READING.patient(LOCK[0])
    };
    let database = table(&place.source).database;
    Ok(Session::connect(database, "lock", &limits)?)
}

/// What is read of the source.
pub(super) fn table(source: &SourceSettings) -> PostgresTable<'_> {
    match &source.location {
        SourceLocation::Postgres {
            database, table, ..
        } => PostgresTable::new(source, database, table),
        SourceLocation::Csv { .. } | SourceLocation::Sqlite { .. } => {
            unreachable!("the lock of a PostgreSQL database is asked for one")
        }
    }
}

/// Whether waiting may help.
fn is_busy(error: &PostgresError) -> bool {
    matches!(
        error.trouble(),
        Trouble::LockTimeout | Trouble::Conflict | Trouble::Cancelled
    )
}

/// Whether a relation of the lock's schema is there; asks for no right on it.
pub(super) fn exists(session: &mut Session, relation: &str) -> Result<bool, PostgresError> {
    let query = format!(
        "SELECT 1 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
          WHERE n.nspname = {} AND c.relname = {}",
        sql::text(super::names::SCHEMA),
        sql::text(relation)
    );
    let rows = session.rows("looking for the lock", &query, PgArguments::default())?;
    Ok(!rows.is_empty())
}

impl From<SourceError> for LockError {
    fn from(error: SourceError) -> Self {
        match error {
            SourceError::Postgres(error) => Self::Postgres(error),
            other => Self::Unreadable(Box::new(other)),
        }
    }
}
