//! Why a lock could not be taken, kept or removed.

use std::{path::PathBuf, time::Duration};

use crate::{
    domain::span::span,
    exit::Exit,
    postgres::PostgresError,
    source::{SourceError, hint},
};

use super::{Drift, LockState, Owner, TestReport, drift::listed};

/// A lock in the way, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holding {
    /// Name of the source.
    pub source_name: String,
    /// Engaged or sealed.
    pub state: LockState,
    /// Who.
    pub owner: Owner,
    /// Since when (UTC).
    pub since: String,
    /// Until when, they thought (UTC).
    pub expected_end: String,
    /// Why.
    pub reason: String,
    /// The target of the owner's configuration, without secrets.
    pub successor: String,
}

impl Holding {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        let target = &self.successor;
        match (self.state, &self.owner) {
            (LockState::Sealed, _) => format!(
                "the PINs moved to the target {target}: put it back where it is gone, or correct target.url; `pinferry lock release --reopen` opens the legacy again, and what is written there then is in no model"
            ),
            (LockState::Open | LockState::Engaged | LockState::Broken, Owner::Run(_)) => format!(
                "that run lives in the target {target}: with that as target.url, and put back where it is gone, `pinferry run` lets it go on and `pinferry abort` takes it back; in an emergency `pinferry lock break`"
            ),
            (LockState::Open | LockState::Engaged | LockState::Broken, Owner::Administrator(_)) => {
                "ask the holder for `pinferry lock release`; in an emergency `pinferry lock break`"
                    .to_owned()
            }
        }
    }
}

/// A lock could not be taken, kept or removed.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// The database cannot be locked as configured.
    #[error("source {source_name:?} cannot be locked: {why}")]
    NotLockable {
        /// Name of the source.
        source_name: String,
        /// In words.
        why: String,
    },
    /// The role has not the right to lock it.
    #[error("source {source_name:?} cannot be locked: role {role} {lacks}")]
    NoRight {
        /// Name of the source.
        source_name: String,
        /// The role.
        role: String,
        /// In words.
        lacks: String,
        /// The statement that gives the right.
        grant: String,
    },
    /// A reason or a name that cannot stand in an error message.
    #[error("{what} must be 1 to 200 characters of text, without control characters")]
    Wording {
        /// Which.
        what: &'static str,
    },
    /// A reason, a name or an address with a character that the database has no room for.
    #[error(
        "{what} holds a character that the database of source {source_name:?} cannot keep: its encoding is {encoding}"
    )]
    Spelling {
        /// Which.
        what: &'static str,
        /// Name of the source.
        source_name: String,
        /// The database's encoding.
        encoding: String,
        /// What to do.
        remedy: &'static str,
    },
    /// Someone else holds it.
    #[error(
        "source {:?} is {} by {} since {} (expected end {}): {}",
        .0.source_name, .0.state, .0.owner, .0.since, .0.expected_end, .0.reason
    )]
    Held(Box<Holding>),
    /// The lock was engaged with another configuration than the present one.
    #[error(
        "source {source_name:?} was locked by {owner} with another configuration: {}",
        listed(.drifts)
    )]
    OtherConfiguration {
        /// Name of the source.
        source_name: String,
        /// Who.
        owner: Owner,
        /// What differs; empty where another version of pinferry engaged it.
        drifts: Vec<Drift>,
    },
    /// An administrator broke the lock.
    #[error("the lock of {owner} on source {source_name:?} was broken at {at} by {by}")]
    Broken {
        /// Name of the source.
        source_name: String,
        /// Whose it was.
        owner: Owner,
        /// When (UTC).
        at: String,
        /// Who, and why.
        by: String,
    },
    /// Guards are missing or altered: writes may have slipped in.
    #[error("the lock on source {source_name:?} is damaged: {}", .what.join(", "))]
    Damaged {
        /// Name of the source.
        source_name: String,
        /// What, in words.
        what: Vec<String>,
    },
    /// There is no lock.
    #[error("source {source_name:?} is not locked")]
    NotHeld {
        /// Name of the source.
        source_name: String,
    },
    /// There is a lock, but not a sealed one.
    #[error("source {source_name:?} is {state}, not sealed")]
    NotSealed {
        /// Name of the source.
        source_name: String,
        /// What it is.
        state: LockState,
    },
    /// Sealed, where an engaged lock is needed.
    #[error("source {source_name:?} is sealed since {since}: its PINs have moved")]
    Sealed {
        /// Name of the source.
        source_name: String,
        /// Since when (UTC).
        since: String,
    },
    /// Captures or diverted PINs are unprocessed.
    #[error(
        "source {source_name:?} still holds {captured} captured changes and {diverted} diverted PINs that nobody processed"
    )]
    Leftovers {
        /// Name of the source.
        source_name: String,
        /// Captures.
        captured: u64,
        /// Diverted PINs.
        diverted: u64,
    },
    /// What captures tell could not be kept, so the lock stands.
    #[error(
        "source {source_name:?} is not opened: what was taken away under its lock could not be kept in the target"
    )]
    NotKept {
        /// Name of the source.
        source_name: String,
        /// Why.
        #[source]
        why: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The self-test failed, so new PINs are not diverted.
    #[error("the lock test on source {:?} failed, nothing was locked: {}", .report.source, .report.failures().join("; "))]
    TestFailed {
        /// All tries.
        report: Box<TestReport>,
    },
    /// Some sources stayed locked after a failure elsewhere.
    #[error("{why}; and these sources could not be opened again: {}", .left.join(", "))]
    LeftLocked {
        /// The first failure.
        why: Box<LockError>,
        /// What stayed locked, and why.
        left: Vec<String>,
    },
    /// Others kept the database busy.
    #[error("{place}: others kept the database busy for {} while {doing}", span(.waited.as_secs_f64()))]
    Busy {
        /// The database.
        place: String,
        /// What was being done.
        doing: &'static str,
        /// How long it was tried.
        waited: Duration,
    },
    /// The PostgreSQL server, or the way to it, failed.
    #[error(transparent)]
    Postgres(#[from] PostgresError),
    /// What the lock kept cannot be read.
    #[error(transparent)]
    Unreadable(Box<SourceError>),
    /// The database is read-only.
    #[error("{}: the database or its folder is read-only, failed while {doing}", .path.display())]
    ReadOnly {
        /// The database.
        path: PathBuf,
        /// What was being done.
        doing: &'static str,
    },
    /// The disk of the database is full.
    #[error("{}: the disk of the legacy database is full, failed while {doing}; nothing of it was committed", .path.display())]
    Full {
        /// The database.
        path: PathBuf,
        /// What was being done.
        doing: &'static str,
    },
    /// The database is not there, or may not be opened.
    #[error("{}: the legacy database cannot be opened, failed while {doing}", .path.display())]
    CannotOpen {
        /// The database.
        path: PathBuf,
        /// What was being done.
        doing: &'static str,
        /// Why.
        #[source]
        source: rusqlite::Error,
    },
    /// The database reports a failure.
    #[error("{}: the database failed while {doing}", .path.display())]
    Sqlite {
        /// The database.
        path: PathBuf,
        /// What was being done.
        doing: &'static str,
        /// Why.
        #[source]
        source: rusqlite::Error,
    },
}

const REOPEN: &str = "`pinferry status` says where the PINs went; `pinferry lock release --reopen` opens the legacy again";

impl LockError {
    /// How the program ends with this error.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::NotLockable { .. }
            | Self::NoRight { .. }
            | Self::Wording { .. }
            | Self::Spelling { .. } => Exit::Usage,
            Self::Postgres(error) => error.exit(),
            Self::Unreadable(error) => error.exit(),
            Self::Held(_) | Self::OtherConfiguration { .. } => Exit::Refused,
            Self::LeftLocked { why, .. } => why.exit(),
            Self::Broken { .. }
            | Self::Damaged { .. }
            | Self::NotHeld { .. }
            | Self::NotSealed { .. }
            | Self::Sealed { .. }
            | Self::Leftovers { .. }
            | Self::NotKept { .. }
            | Self::TestFailed { .. }
            | Self::Busy { .. }
            | Self::ReadOnly { .. }
            | Self::Full { .. }
            | Self::CannotOpen { .. }
            | Self::Sqlite { .. } => Exit::Failed,
        }
    }

    /// Whether a server went away in the middle. Every deed of a lock is one transaction that may be repeated.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        match self {
            Self::Postgres(error) => error.is_lost(),
            Self::Unreadable(error) => error.is_lost(),
            _other => false,
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NotLockable { .. } => "correct [[source]] or [lock] in the configuration",
            Self::NoRight { grant, .. } => {
                return Some(format!(
                    "let the owner or a superuser type: {grant}; `pinferry grants` prints all that every role needs"
                ));
            }
            Self::Postgres(error) => return error.hint(),
            Self::Unreadable(error) => return error.hint(),
            Self::Wording { .. } => "give another --reason",
            Self::Spelling { remedy, .. } => remedy,
            Self::Held(holding) => return Some(holding.hint()),
            Self::Sealed { .. } => REOPEN,
            Self::OtherConfiguration { owner, .. } => match owner {
                Owner::Run(_) => {
                    "put that back as it was and type `pinferry run`, or take the run back with `pinferry abort`"
                }
                Owner::Administrator(_) => {
                    "put that back as it was and type the same command again, or `pinferry lock release` and engage it anew"
                }
            },
            Self::Broken { .. } => {
                "`pinferry abort` takes the run back, after that it can be started anew"
            }
            Self::Damaged { .. } => {
                "PINs may have changed unseen: `pinferry abort`, or `pinferry lock break`, then start anew"
            }
            Self::NotHeld { .. } => {
                "`pinferry lock engage --reason TEXT` or `pinferry run` locks it"
            }
            Self::NotSealed { .. } => "`pinferry lock release` without --reopen",
            Self::Leftovers { .. } => {
                "`pinferry run` takes the lock over and processes them; `pinferry lock release --hand-back` gives the diverted PINs back to the legacy and keeps what was revoked or suspended against requests accepted before"
            }
            Self::NotKept { .. } => {
                "see to it that the target can be written, then type the same command again; in an emergency `pinferry lock break` opens the legacy and keeps what it captured"
            }
            Self::TestFailed { .. } => {
                "`pinferry lock test` shows every try; lock.mode = \"refuse\" needs no test"
            }
            Self::LeftLocked { .. } => {
                "`pinferry lock status` shows them, `pinferry lock break` opens them"
            }
            Self::Busy { .. } => hint::BUSY,
            Self::ReadOnly { .. } => hint::READ_ONLY,
            Self::Full { .. } => hint::FULL,
            Self::CannotOpen { .. } => hint::CANNOT_OPEN,
            Self::Sqlite { .. } => hint::CHECK,
        };
        Some(hint.to_owned())
    }
}
