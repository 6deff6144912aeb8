//! Why a file of requests cannot be used.

use std::{io, path::PathBuf};

use crate::{domain::activation::column::Column, exit::Exit};

/// A file of requests cannot be used; nothing of it was taken.
#[derive(Debug, thiserror::Error)]
#[expect(
    missing_docs,
    reason = "each variant says what it is in its message, with its fields"
)]
pub enum RequestsError {
    #[error("cannot read the file of requests {}", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("{}: is larger than 64 MiB; hand it in in parts", path.display())]
    TooLarge { path: PathBuf },
    #[error("{}:{line}: is not valid UTF-8; save the file as UTF-8", path.display())]
    Encoding { path: PathBuf, line: u64 },
    #[error("{}:{line}: the version is not 1: the file is of a version that this program does not read", path.display())]
    Version { path: PathBuf, line: u64 },
    #[error("{}:1: holds no header; the first line names the columns", path.display())]
    NoHeader { path: PathBuf },
    #[error("{}:1:{column}: {problem}", path.display())]
    Header {
        path: PathBuf,
        column: usize,
        problem: String,
    },
    #[error("{}:1: the columns {missing} are missing", path.display())]
    ColumnsMissing { path: PathBuf, missing: String },
    #[error("{}:{line}:{}: has {found} fields, the header has {expected}", path.display(), found.min(expected))]
    WrongLength {
        path: PathBuf,
        line: u64,
        found: usize,
        expected: usize,
    },
    #[error("{}:{line}: the last line does not end with a line feed: it is perhaps cut off", path.display())]
    HalfALine { path: PathBuf, line: u64 },
    #[error("{}:{line}: a quote is not closed before the file ends", path.display())]
    OpenQuote { path: PathBuf, line: u64 },
    #[error("{}:{line}:{}{name} {problem}", path.display(), column.map(|at| format!("{at}: ")).unwrap_or_else(|| " ".to_owned()))]
    Field {
        path: PathBuf,
        line: u64,
        /// Where it stands in the line, from 1, where columns have their places.
        column: Option<usize>,
        name: Column,
        problem: &'static str,
    },
    #[error("{}: is no CSV file", path.display())]
    Csv { path: PathBuf, source: csv::Error },
    #[error("{}:{line}:{column}: is no JSON object of one line: {problem}", path.display())]
    NotJson {
        path: PathBuf,
        line: u64,
        column: usize,
        problem: String,
    },
    #[error("{}:{line}: is cut off: the file ends in the middle of it", path.display())]
    CutOff { path: PathBuf, line: u64 },
    #[error("{}:{line}: {key} {problem}", path.display())]
    Key {
        path: PathBuf,
        line: u64,
        key: String,
        problem: String,
    },
}

impl RequestsError {
    /// The file is the caller's to mend.
    #[must_use]
    pub fn exit(&self) -> Exit {
        Exit::Usage
    }

    /// What to type next.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Io { .. } => return None,
            Self::NoHeader { .. }
            | Self::Header { .. }
            | Self::ColumnsMissing { .. }
            | Self::Key { .. } => {
                "nothing of the file was taken; `pinferry intake --help` lists the columns"
            }
            Self::HalfALine { .. } => {
                "nothing of the file was taken; if it is whole, end it with a line feed, else have it sent again"
            }
            Self::CutOff { .. } => "nothing of the file was taken; have it sent again",
            Self::Version { .. } => {
                "nothing of the file was taken; have it written as version 1, or use the pinferry it was written for"
            }
            Self::NotJson { .. } => {
                "nothing of the file was taken; mend it, or say what it is with --input-format csv|jsonl"
            }
            Self::TooLarge { .. }
            | Self::Encoding { .. }
            | Self::WrongLength { .. }
            | Self::OpenQuote { .. }
            | Self::Field { .. }
            | Self::Csv { .. } => "nothing of the file was taken; mend it and hand it in again",
        };
        Some(hint.to_owned())
    }
}
