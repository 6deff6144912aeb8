//! What can go wrong at the target.

use std::{io, path::PathBuf};

use rusqlite::ErrorCode;

use super::{chunk::DanglingSuccessor, phase::RunPhase};
use crate::{
    exit::Exit,
    postgres::{PostgresError, Trouble},
};

/// The SQLSTATE of what a trigger's function raises.
const RAISED: &str = "P0001";

/// The class of a limit that a value goes beyond, as that of an index.
const PROGRAM_LIMIT_EXCEEDED: &str = "54";

/// A failure at the target. Nothing of the transaction it happened in was committed.
#[derive(Debug, thiserror::Error)]
#[expect(
    missing_docs,
    reason = "each variant says what it is in its message, with its fields"
)]
pub enum StoreError {
    #[error("target {}: there is no such file", path.display())]
    Missing { path: PathBuf },
    #[error("target {}: this is not a regular file", path.display())]
    NotAFile { path: PathBuf },
    #[error("target {}: this is not a SQLite database", path.display())]
    NotADatabase { path: PathBuf },
    #[error("target {place}: the database belongs to something else, it holds {tables}")]
    Foreign { place: String, tables: String },
    #[error(
        "target {place}: its schema has version {found}, this program knows versions up to {known}"
    )]
    Newer {
        place: String,
        found: i64,
        known: i64,
    },
    #[error("target {place}: its schema has version {found}, this program needs version {known}")]
    Older {
        place: String,
        found: i64,
        known: i64,
    },
    #[error("target {}: may not be written", path.display())]
    ReadOnly { path: PathBuf },
    #[error("target {}: cannot {action}", path.display())]
    Io {
        action: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    #[error("target {}: the schema cannot be brought to version {known}", path.display())]
    Migration {
        path: PathBuf,
        known: i64,
        source: Box<sqlx::migrate::MigrateError>,
    },
    #[error("the disk of the target is full: could not {action}; nothing of it was committed")]
    Full { action: &'static str },
    #[error("the target stayed busy: could not {action}")]
    Busy { action: &'static str },
    #[error("could not {action} in the target")]
    Sqlite {
        action: &'static str,
        source: rusqlite::Error,
    },
    #[error("could not {action} in the target")]
    Postgres {
        action: &'static str,
        source: Box<PostgresError>,
    },
    #[error("target {place}: holds no tables of pinferry yet")]
    Unused { place: String },
    #[error("target {place}: the role {role} may not {what}")]
    Denied {
        place: String,
        role: String,
        what: String,
        grant: String,
    },
    #[error("a thread that the target needs cannot be started")]
    Thread { source: io::Error },
    #[error("run {run_id} is under way (phase {phase}); there is one run at a time")]
    RunUnderWay { run_id: i64, phase: RunPhase },
    #[error("the target knows no run {run_id}")]
    NoRun { run_id: i64 },
    #[error("run {run_id} is being worked on by {holder}, whose lease lasts until {expires_at}")]
    HeldBy {
        run_id: i64,
        holder: String,
        expires_at: String,
    },
    #[error(
        "run {run_id}: its lease has run out, but a transaction of the process that had it is still open{}",
        of_sessions(sessions)
    )]
    Lingering { run_id: i64, sessions: Vec<i64> },
    #[error("run {run_id}: another process took over; nothing of this step was committed")]
    LeaseLost { run_id: i64 },
    #[error("run {run_id} is in phase {found}, not {expected}; nothing was changed")]
    WrongPhase {
        run_id: i64,
        found: RunPhase,
        expected: RunPhase,
    },
    #[error("run {run_id} cannot pass from {from} to {to}")]
    NoSuchTransition {
        run_id: i64,
        from: RunPhase,
        to: RunPhase,
    },
    #[error(
        "partition {partition_no}: its cursor is not where this chunk begins; the chunk was not committed"
    )]
    CursorMoved { partition_no: u32 },
    #[error("partition {partition_no}: a chunk would not move the cursor forward")]
    CursorStuck { partition_no: u32 },
    #[error("the run row has reserved {reserved} ids, {asked} are asked for")]
    IdsReserved { reserved: i64, asked: i64 },
    #[error(
        "run {run_id} cannot be taken out: the foreign key {key} of {table}, which is not pinferry's, refers to {refers_to}; \
         nothing was changed"
    )]
    Referred {
        run_id: i64,
        key: String,
        table: String,
        refers_to: String,
    },
    #[error("a foreign key of {tables} points to nothing")]
    ForeignKeys { tables: String },
    #[error("the target holds {what}, which this program does not understand")]
    Damaged { what: String },
    #[error(transparent)]
    Dangling(#[from] DanglingSuccessor),
    #[error("run.load_query cannot be asked")]
    LoadQuery(#[source] LoadQuery),
}

/// Why a query says nothing of the load of a server.
#[derive(Debug, thiserror::Error)]
pub enum LoadQuery {
    /// The server refuses it.
    #[error(transparent)]
    Refused(Box<PostgresError>),
    /// It gives NULL, no row, or what is no number.
    #[error("it gives no number")]
    NoNumber,
}

impl StoreError {
    /// How the program ends because of it.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::Missing { .. }
            | Self::NotAFile { .. }
            | Self::NotADatabase { .. }
            | Self::Foreign { .. }
            | Self::Newer { .. }
            | Self::Older { .. }
            | Self::Unused { .. }
            | Self::Denied { .. }
            | Self::LoadQuery(_)
            | Self::ReadOnly { .. } => Exit::Usage,
            Self::Postgres { source, .. } => source.exit(),
            Self::HeldBy { .. }
            | Self::Lingering { .. }
            | Self::RunUnderWay { .. }
            | Self::LeaseLost { .. } => Exit::Refused,
            Self::Io { .. }
            | Self::Migration { .. }
            | Self::Full { .. }
            | Self::Busy { .. }
            | Self::Sqlite { .. }
            | Self::Thread { .. }
            | Self::NoRun { .. }
            | Self::WrongPhase { .. }
            | Self::NoSuchTransition { .. }
            | Self::CursorMoved { .. }
            | Self::CursorStuck { .. }
            | Self::IdsReserved { .. }
            | Self::Referred { .. }
            | Self::ForeignKeys { .. }
            | Self::Damaged { .. }
            | Self::Dangling(_) => Exit::Failed,
        }
    }

    /// What to do next, where that is known.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Missing { .. } => {
                "check target.url; `pinferry run` creates the database, and so does `pinferry migrate-schema` without a run"
            }
            Self::Unused { .. } => {
                "check target.url; `pinferry run` creates the tables, and so does `pinferry migrate-schema` without a run"
            }
            Self::Denied { grant, .. } => return Some(format!("let its owner type: {grant}")),
            Self::Postgres { source, .. } => return source.hint(),
            Self::Foreign { .. } => {
                "check target.url; it must name a database of pinferry or one that holds nothing yet"
            }
            Self::NotAFile { .. } | Self::NotADatabase { .. } => {
                "check target.url; it must name a database of pinferry or a file that does not exist yet"
            }
            Self::Newer { .. } => {
                "use the newer pinferry that wrote it; this one would not understand what it finds"
            }
            Self::Older { .. } => "pinferry migrate-schema",
            Self::ReadOnly { .. } => {
                "the user that runs pinferry needs to write the file and its folder (SQLite keeps its \
                 write-ahead log beside the database)"
            }
            Self::Full { .. } => {
                "free some space (the target takes about two and a half times the size of the sources, and its \
                 write-ahead log comes on top), then type the same command again"
            }
            Self::Busy { .. } => {
                "see who holds the database (`pinferry status`) and type the same command again"
            }
            Self::RunUnderWay { .. } => "`pinferry run` resumes it, `pinferry abort` takes it back",
            Self::HeldBy { .. } => {
                "wait for it, or let its lease run out; then type the same command again"
            }
            Self::Lingering { sessions, .. } => return Some(until_it_ends(sessions)),
            Self::Referred { key, table, .. } => {
                return Some(format!(
                    "let its owner type ALTER TABLE {table} DROP CONSTRAINT {key}; then type `pinferry abort` again"
                ));
            }
            Self::LoadQuery(_) => {
                "it is one SELECT that gives one number, as the role of target.url may ask it: correct it, try it with \
                 `pinferry doctor`, then type the same command again"
            }
            Self::LeaseLost { .. } => "`pinferry status` shows who works on the run now",
            Self::CursorMoved { .. } => {
                "type the same command again: it goes on from what is committed"
            }
            Self::Io { .. }
            | Self::Migration { .. }
            | Self::Sqlite { .. }
            | Self::Thread { .. }
            | Self::NoRun { .. }
            | Self::WrongPhase { .. }
            | Self::NoSuchTransition { .. }
            | Self::CursorStuck { .. }
            | Self::IdsReserved { .. }
            | Self::ForeignKeys { .. }
            | Self::Damaged { .. }
            | Self::Dangling(_) => return None,
        };
        Some(hint.to_owned())
    }

    /// Whether the database refused a row because of a constraint, a trigger, a value or its size: the row's fault, and
    /// not the database's.
    #[must_use]
    pub fn refuses_row(&self) -> bool {
        match self {
            Self::Sqlite { source, .. } => {
                source.sqlite_error_code() == Some(ErrorCode::ConstraintViolation)
            }
            Self::Postgres { source, .. } => {
                let sqlstate = source.sqlstate().unwrap_or_default();
                matches!(source.trouble(), Trouble::Constraint | Trouble::BadValue)
                    || sqlstate == RAISED
                    || sqlstate.starts_with(PROGRAM_LIMIT_EXCEEDED)
            }
            _other => false,
        }
    }

    /// Whether another transaction got in the way: the same again may do.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        match self {
            Self::Busy { .. } => true,
            Self::Postgres { source, .. } => source.trouble() == Trouble::Conflict,
            _other => false,
        }
    }

    /// Whether the connection to the server is gone: everything that is not committed is too, and what a commit
    /// under way did is known only to the server.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        match self {
            Self::Postgres { source, .. } => source.is_lost(),
            _other => false,
        }
    }

    /// Whether the server says that the role has not the right.
    pub(super) fn is_denied(&self) -> bool {
        match self {
            Self::Postgres { source, .. } => source.trouble() == Trouble::PermissionDenied,
            _other => false,
        }
    }

    /// Whether the role lacks a right at the target.
    #[must_use]
    pub fn is_of_rights(&self) -> bool {
        matches!(self, Self::Denied { .. })
    }

    /// Whether there is nothing yet where the target is to be.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Missing { .. } | Self::Unused { .. })
    }

    /// What PostgreSQL said while trying to `action`.
    pub(super) fn postgres(action: &'static str) -> impl FnOnce(PostgresError) -> Self {
        move |source| match source.trouble() {
            Trouble::LockTimeout => Self::Busy { action },
            _ => Self::Postgres {
                action,
                source: Box::new(source),
            },
        }
    }

    /// What SQLite said while trying to `action`.
    pub(super) fn sqlite(action: &'static str) -> impl FnOnce(rusqlite::Error) -> Self {
        move |source| match source.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full { action },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy { action },
            _ => Self::Sqlite { action, source },
        }
    }
}

/// Which sessions, in brackets.
fn of_sessions(sessions: &[i64]) -> String {
    match sessions {
        [] => String::new(),
        sessions => format!(" (server process {})", listed(sessions)),
    }
}

/// What to do about a transaction that is still open.
fn until_it_ends(sessions: &[i64]) -> String {
    let ends = match sessions {
        [] => "end that process if it is stopped".to_owned(),
        [only] => format!("let a superuser type SELECT pg_terminate_backend({only});"),
        many => format!(
            "let a superuser type SELECT pg_terminate_backend(pid) FROM unnest(ARRAY[{}]) AS pid;",
            listed(many)
        ),
    };
    format!("`pinferry run --wait` waits for its end; to have it at once, {ends}")
}

fn listed(sessions: &[i64]) -> String {
    let numbers: Vec<_> = sessions.iter().map(i64::to_string).collect();
    numbers.join(", ")
}

/// The first tables of somebody else, and how many there are.
pub(super) fn some_tables(tables: &[String]) -> String {
    match tables {
        [] => "the mark of another program".to_owned(),
        [only] => format!("the table {only}"),
        [first, second] => format!("the tables {first} and {second}"),
        [first, second, rest @ ..] => {
            format!("the tables {first}, {second} and {} more", rest.len())
        }
    }
}
