//! The configuration after every check: what the other parts work from.

use std::{
    collections::BTreeMap,
    num::NonZeroU64,
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::civil::Date;

use super::postgres::PostgresSettings;
use crate::domain::{
    activation::{policy::Policy, schedule::Schedule},
    catalogue::Catalogue,
    field::Field,
    links::Links,
    rules::SourceRules,
    status::vocabulary,
};

/// Everything a command may need.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The file it came from.
    pub file: PathBuf,
    /// The target.
    pub target: TargetSettings,
    /// The sources, in order of precedence.
    pub sources: Vec<SourceSettings>,
    /// The profile catalogue.
    pub catalogue: Catalogue,
    /// Renamed and discarded fiscal codes.
    pub links: Links,
    /// Accepted credential schemes, upper case.
    pub credential_schemes: Vec<String>,
    /// The date of judgement, where it is fixed.
    pub as_of: Option<Date>,
    /// How to run.
    pub run: RunSettings,
    /// How to lock.
    pub lock: LockSettings,
    /// When delayed activations take effect.
    pub activation: ActivationSettings,
    /// Commands of the administrator's own.
    pub hooks: HookSettings,
    /// CSV of known PINs (`id;scheme;hash;salt`, id as `source:id`) that verification looks up.
    pub canary: Option<PathBuf>,
}

impl Settings {
    /// The folder of the file, from which relative paths start.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.file.parent().unwrap_or_else(|| Path::new("."))
    }
}

/// Where the multi-profile model lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TargetSettings {
    /// A SQLite file.
    Sqlite(PathBuf),
    /// A PostgreSQL database.
    Postgres(PostgresSettings),
}

/// One legacy database or extract.
#[derive(Clone, Debug)]
pub struct SourceSettings {
    /// Name, statuses and levels, as the judge needs them.
    pub rules: SourceRules,
    /// Where and how to read it.
    pub location: SourceLocation,
    /// Canonical field to column. A field of the default layout that is not mapped has its default column; a
    /// field the source has not is mapped to "" (or, the salt, not at all).
    pub columns: BTreeMap<Field, String>,
    /// How many records the sender says there are.
    pub records: Option<u64>,
    /// SHA-256 of the file the sender vouches for, lower-case hexadecimal.
    pub sha256: Option<String>,
    /// IANA zone in which timestamps with a zone are read.
    pub time_zone: String,
}

/// Where a source is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceLocation {
    /// A CSV file with a header.
    Csv {
        /// The file.
        path: PathBuf,
        /// Its encoding.
        encoding: Encoding,
        /// One ASCII byte.
        delimiter: u8,
    },
    /// A table or view of a SQLite database.
    Sqlite {
        /// The database.
        path: PathBuf,
        /// The table or view.
        table: String,
        /// The tables to lock where `table` is a view.
        lock_tables: Vec<String>,
    },
    /// A table or view of a PostgreSQL database.
    Postgres {
        /// The database.
        database: PostgresSettings,
        /// The table or view, with its schema where that is not on the role's search path: `schema.table`.
        table: String,
        /// The tables to lock where `table` is a view.
        lock_tables: Vec<String>,
    },
}

impl SourceLocation {
    /// Whether it is an extract, which nobody manages PINs in.
    #[must_use]
    pub fn has_nothing_to_lock(&self) -> bool {
        match self {
            Self::Csv { .. } => true,
            Self::Sqlite { .. } | Self::Postgres { .. } => false,
        }
    }
}

vocabulary! {
    /// Encoding of a CSV file.
    Encoding {
        /// UTF-8, with or without a byte order mark.
        Utf8 = "utf-8",
        /// Windows-1252.
        Windows1252 = "windows-1252",
        /// ISO-8859-15 (Latin-9).
        Iso8859_15 = "iso-8859-15",
    }
}

/// `[run]`.
#[derive(Clone, Debug)]
pub struct RunSettings {
    /// Records per transaction, whole people kept together.
    pub chunk_records: NonZeroU64,
    /// Threads that judge.
    pub workers: usize,
    /// Memory the run may use, in bytes.
    pub memory_bytes: u64,
    /// Folder for spill files.
    pub work_dir: PathBuf,
    /// Share of quarantined records above which a run stops before cut-over.
    pub max_quarantine_ratio: f64,
    /// Seconds after which a silent runner loses its lease.
    pub lease: Duration,
    /// When a target in PostgreSQL is too busy to be written to.
    pub load: Option<LoadSettings>,
}

/// `run.load_query` and `run.load_limit`.
#[derive(Clone, Debug, PartialEq)]
pub struct LoadSettings {
    /// A query that gives one number.
    pub query: String,
    /// Above it nothing is written.
    pub limit: f64,
}

vocabulary! {
    /// What the lock does with a new PIN.
    LockMode {
        /// The insert fails.
        Refuse = "refuse",
        /// The insert is queued as a delayed activation.
        Divert = "divert",
    }
}

vocabulary! {
    /// What the lock does with a holder's own change of credential.
    CredentialChange {
        /// Refused like any other change of a mapped column.
        Refuse = "refuse",
        /// Let through and captured.
        Capture = "capture",
    }
}

/// `[lock]`.
#[derive(Clone, Debug)]
pub struct LockSettings {
    /// What happens to a new PIN.
    pub mode: LockMode,
    /// How long the lock is expected to last.
    pub expected: Duration,
    /// Legacy columns that may change: the one mapped to last_used_on, and columns that are not mapped.
    pub allow_columns: Vec<String>,
    /// What happens to a holder's own change of credential.
    pub credential_change: CredentialChange,
    /// The role of the office's application in a PostgreSQL legacy, as which the lock's test tries its ways in.
    pub application_role: Option<String>,
}

vocabulary! {
    /// A point of a run at which a command may be run.
    Hook {
        /// Before the management lock is engaged; it may say no.
        BeforeLock = "before_lock",
        /// After verification; it may say no.
        BeforeCutOver = "before_cut_over",
        /// Once the multi-profile model is valid and the legacy sealed.
        AfterCutOver = "after_cut_over",
        /// When a run ends before it is finished.
        OnStop = "on_stop",
    }
}

/// `[hooks]`.
#[derive(Clone, Debug, Default)]
pub struct HookSettings {
    /// A program and its arguments, as they are.
    pub commands: BTreeMap<Hook, Vec<String>>,
    /// How long each may take.
    pub timeout: Duration,
}

/// `[activation]`.
#[derive(Clone, Debug)]
pub struct ActivationSettings {
    /// The earliest moment of a request.
    pub schedule: Schedule,
    /// What the counters may accept.
    pub policy: Policy,
}
