//! What can be wrong with a source.

use std::{fmt::Write as _, io, path::PathBuf, time::Duration};

use super::hint;
use crate::{
    domain::{field::Field, span::span},
    exit::Exit,
    postgres::PostgresError,
};

/// A source cannot be used as it is configured.
#[derive(Debug, thiserror::Error)]
pub enum SourceMistake {
    /// The file is not there.
    #[error("{} does not exist", .path.display())]
    Absent {
        /// The file.
        path: PathBuf,
    },
    /// A directory, a pipe, a device.
    #[error("{} is {what}, not a regular file", .path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// The file cannot be opened.
    #[error("{} cannot be opened", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Not even a header.
    #[error("{} is empty: it has not even a header", .path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// The file begins with the mark of another encoding than the declared one.
    #[error("{} begins with the byte order mark of {found}, but its encoding is declared as {declared}", .path.display())]
    ByteOrderMark {
        /// The file.
        path: PathBuf,
        /// What the mark says.
        found: &'static str,
        /// What the configuration says.
        declared: &'static str,
    },
    /// Mapped columns are missing.
    #[error("{place} has no {}; it has {}", missing_columns(.missing), quoted(.found))]
    MissingColumns {
        /// File or table.
        place: String,
        /// What is missing.
        missing: Vec<(Field, String)>,
        /// What is there.
        found: Vec<String>,
    },
    /// A mapped column stands twice in the header.
    #[error("{place} names {} more than once", quoted(.columns))]
    RepeatedColumns {
        /// The file.
        place: String,
        /// The columns.
        columns: Vec<String>,
    },
    /// The file is no SQLite database.
    #[error("{} is not a SQLite database", .path.display())]
    NotADatabase {
        /// The file.
        path: PathBuf,
    },
    /// The database has no such table or view.
    #[error("{place} has no table or view {table:?}; it has {}", quoted(.found))]
    NoTable {
        /// The database.
        place: String,
        /// What was looked for.
        table: String,
        /// The tables and views it has.
        found: Vec<String>,
    },
    /// The server cannot be reached, lets this role not in, or refuses to be read.
    #[error(transparent)]
    Postgres(PostgresError),
    /// The role may not read what is mapped.
    #[error("{place}: {role} may not read {what}")]
    NoRight {
        /// The database.
        place: String,
        /// Who.
        role: String,
        /// The schema, the table, or columns of it.
        what: String,
        /// The statement that gives the right.
        grant: String,
    },
    /// A policy would hide rows.
    #[error("{place}: a row security policy decides which rows of {table} {role} sees")]
    RowSecurity {
        /// The database.
        place: String,
        /// The table.
        table: String,
        /// Who.
        role: String,
    },
    /// `sha256` stands beside a database.
    #[error("sha256 vouches for a CSV file and cannot be checked on a database")]
    Sha256OfDatabase,
    /// The first records could not be read.
    #[error("the first records cannot be read")]
    Sample(#[source] Box<SourceError>),
}

/// A source could not be read from its first record to its last.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The configuration does not fit the source.
    #[error("source {name:?} cannot be used as configured: {}", sentences(.mistakes))]
    Unusable {
        /// Name of the source.
        name: String,
        /// Every mistake.
        mistakes: Vec<SourceMistake>,
    },
    /// The operating system reports a failure.
    #[error("{} cannot be read on from byte {offset}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Where.
        offset: u64,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A quote was never closed.
    #[error("{}:{line}: a quoted field begins here and is still open at the end of the file", .path.display())]
    OpenQuote {
        /// The file.
        path: PathBuf,
        /// Line of the field.
        line: u64,
    },
    /// A record is longer than any record may be.
    #[error("{}:{line}: the record that begins here is longer than 1 MiB; a quote may be missing", .path.display())]
    RecordTooLong {
        /// The file.
        path: PathBuf,
        /// Line of the record.
        line: u64,
    },
    /// The file changed under the reader.
    #[error("{} changed while it was read: {what}", .path.display())]
    Changed {
        /// The file.
        path: PathBuf,
        /// What changed.
        what: &'static str,
    },
    /// Not as many records as announced.
    #[error(
        "source {name:?} holds {found} records, but its configuration announces records = {announced}"
    )]
    RecordCount {
        /// Name of the source.
        name: String,
        /// What the sender says.
        announced: u64,
        /// What was read.
        found: u64,
    },
    /// Not the file its sender vouches for.
    #[error("{} has the SHA-256 {found}, but its configuration announces sha256 = {announced:?}", .path.display())]
    Sha256 {
        /// The file.
        path: PathBuf,
        /// What the sender says.
        announced: String,
        /// What was read.
        found: String,
    },
    /// Someone else kept the database locked.
    #[error("{} was locked by another program for more than {}", .path.display(), span(.waited.as_secs_f64()))]
    Busy {
        /// The database.
        path: PathBuf,
        /// How long the reader waited.
        waited: Duration,
    },
    /// The disk of the database is full.
    #[error("{}: the disk of the database is full, failed while {doing}; a write-ahead log needs room even to be read", .path.display())]
    Full {
        /// The database.
        path: PathBuf,
        /// What was being done.
        doing: &'static str,
    },
    /// The database, or its folder, may not be written.
    #[error("{}: the database or its folder is read-only, failed while {doing}", .path.display())]
    ReadOnly {
        /// The database.
        path: PathBuf,
        /// What was being done.
        doing: &'static str,
    },
    /// The database may not be opened.
    #[error("{}: the database cannot be opened, failed while {doing}", .path.display())]
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
    /// The server or the way to it failed.
    #[error(transparent)]
    Postgres(PostgresError),
    /// What the server sends is not what it was asked for.
    #[error("{place}: record {number} cannot be read: {problem}")]
    PostgresRow {
        /// The database.
        place: String,
        /// Number of the record, in the order of reading.
        number: u64,
        /// What is wrong with it.
        problem: &'static str,
    },
}

impl SourceMistake {
    /// How the program ends with this mistake.
    #[must_use]
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Sample(error) => error.exit(),
            Self::Absent { .. }
            | Self::NotAFile { .. }
            | Self::Unreadable { .. }
            | Self::Empty { .. }
            | Self::ByteOrderMark { .. }
            | Self::MissingColumns { .. }
            | Self::RepeatedColumns { .. }
            | Self::NotADatabase { .. }
            | Self::NoTable { .. }
            | Self::Postgres(_)
            | Self::NoRight { .. }
            | Self::RowSecurity { .. }
            | Self::Sha256OfDatabase => Exit::Usage,
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Absent { .. } | Self::NotAFile { .. } => {
                "correct `url`; a relative path starts at the configuration file"
            }
            Self::Unreadable { .. } => "give the account that runs pinferry the right to read it",
            Self::Empty { .. } => "ask the sender for the extract again",
            Self::ByteOrderMark { .. } => "correct `encoding`, or convert the file to UTF-8",
            Self::MissingColumns { found, .. } if found.len() == 1 => {
                "the header has one column only: is `delimiter` right?"
            }
            Self::MissingColumns { .. } => "name the columns under [source.columns]",
            Self::RepeatedColumns { .. } => "each mapped column must stand once in the header",
            Self::NotADatabase { .. } => "use csv:// for a CSV file",
            Self::NoTable { .. } => "correct `table`",
            Self::Postgres(error) => return error.hint(),
            Self::NoRight { grant, .. } => return Some(format!("let its owner type: {grant};")),
            Self::RowSecurity { role, .. } => {
                return Some(format!(
                    "rows would be missing: use a role that sees all of them, or ALTER ROLE {role} BYPASSRLS;"
                ));
            }
            Self::Sha256OfDatabase => "remove `sha256`",
            Self::Sample(error) => return error.hint(),
        };
        Some(hint.to_owned())
    }
}

impl SourceError {
    /// Whether the connection to its server is gone.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        match self {
            Self::Postgres(error) => error.is_lost(),
            Self::Unusable { mistakes, .. } => mistakes.iter().any(
                |mistake| matches!(mistake, SourceMistake::Postgres(error) if error.is_lost()),
            ),
            _other => false,
        }
    }

    /// How the program ends with this error.
    #[must_use]
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Unusable { .. } => Exit::Usage,
            Self::Io { .. }
            | Self::OpenQuote { .. }
            | Self::RecordTooLong { .. }
            | Self::Changed { .. }
            | Self::RecordCount { .. }
            | Self::Sha256 { .. }
            | Self::Busy { .. }
            | Self::Full { .. }
            | Self::ReadOnly { .. }
            | Self::CannotOpen { .. }
            | Self::Sqlite { .. }
            | Self::Postgres(_)
            | Self::PostgresRow { .. } => Exit::Failed,
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Unusable { mistakes, .. } => {
                return mistakes.iter().find_map(SourceMistake::hint);
            }
            Self::Io { .. } => {
                "check the disk or the network share, then run the same command again"
            }
            Self::OpenQuote { .. } | Self::RecordTooLong { .. } => {
                "close or double the quote there, or ask the sender for the extract again"
            }
            Self::Changed { .. } => {
                "wait until the extract is complete, then run the same command again"
            }
            Self::RecordCount { .. } | Self::Sha256 { .. } => {
                "the extract is incomplete or another one: ask its sender, then correct the file or the configuration"
            }
            Self::Busy { .. } => hint::BUSY,
            Self::Full { .. } => hint::FULL,
            Self::ReadOnly { .. } => hint::READ_ONLY,
            Self::CannotOpen { .. } => hint::CANNOT_OPEN,
            Self::Sqlite { .. } => hint::CHECK,
            Self::Postgres(error) => return error.hint(),
            Self::PostgresRow { .. } => {
                "is `table` the right one, and the server's answer not cut by something between?"
            }
        };
        Some(hint.to_owned())
    }
}

fn missing_columns(missing: &[(Field, String)]) -> String {
    let mut text = String::from(if missing.len() == 1 {
        "column"
    } else {
        "columns"
    });
    for (at, (field, column)) in missing.iter().enumerate() {
        let comma = if at == 0 { "" } else { "," };
        // Writing to a string cannot fail.
        let _ = write!(text, "{comma} {column:?} ({})", field.name());
    }
    text
}

fn quoted(names: &[String]) -> String {
    if names.is_empty() {
        return "none".to_owned();
    }
    let names: Vec<String> = names.iter().map(|name| format!("{name:?}")).collect();
    names.join(", ")
}

/// The mistakes with their causes: `Unusable` is where the chain of each ends.
fn sentences(mistakes: &[SourceMistake]) -> String {
    let mut text = String::new();
    for (at, mistake) in mistakes.iter().enumerate() {
        if at > 0 {
            text.push_str("; ");
        }
        let _ = write!(text, "{mistake}");
        let mut cause = std::error::Error::source(mistake);
        while let Some(error) = cause {
            let _ = write!(text, ": {error}");
            cause = error.source();
        }
    }
    text
}
