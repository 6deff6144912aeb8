//! Files of requests accepted at the counters: CSV with a header, UTF-8, separated by `;` or `,`.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use csv::{ReaderBuilder, StringRecord};

use crate::{
    domain::activation::{
        column::{COLUMNS, Column},
        request::Fields,
    },
    exit::Exit,
};

/// A larger file is handed in in parts.
pub const FILE_BYTES_MAX: u64 = 64 << 20;

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
    #[error("{}:{line}:{column}: {name} {problem}", path.display())]
    Field {
        path: PathBuf,
        line: u64,
        column: usize,
        name: Column,
        problem: &'static str,
    },
    #[error("{}: is no CSV file", path.display())]
    Csv { path: PathBuf, source: csv::Error },
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
            Self::NoHeader { .. } | Self::Header { .. } | Self::ColumnsMissing { .. } => {
                "`pinferry intake --help` lists the columns"
            }
            Self::TooLarge { .. }
            | Self::Encoding { .. }
            | Self::WrongLength { .. }
            | Self::Field { .. }
            | Self::Csv { .. } => "nothing of the file was taken; mend it and hand it in again",
        };
        Some(hint.to_owned())
    }
}

/// A file of requests, read whole.
pub struct RequestFile {
    path: PathBuf,
    /// Where each column stands in the file, if it does.
    places: [Option<usize>; COLUMNS],
    records: Vec<StringRecord>,
}

/// One line of the file.
#[derive(Clone, Copy)]
pub struct RequestLine<'f> {
    file: &'f RequestFile,
    /// Its number, from 1.
    pub number: u64,
    /// Its columns.
    pub fields: Fields<'f>,
}

impl RequestLine<'_> {
    /// The error of this line that a column is wrong.
    #[must_use]
    pub fn wrong(&self, name: Column, problem: &'static str) -> RequestsError {
        RequestsError::Field {
            path: self.file.path.clone(),
            line: self.number,
            column: self.file.places[name.index()].map_or(0, |place| place + 1),
            name,
            problem,
        }
    }
}

impl RequestFile {
    /// Reads a file.
    ///
    /// # Errors
    /// When it cannot be read, is no CSV in UTF-8, or its header or the number of fields of a line is wrong.
    pub fn read(path: &Path) -> Result<Self, RequestsError> {
        let at = || path.to_owned();
        let io = |source| RequestsError::Io { path: at(), source };
        if fs::metadata(path).map_err(io)?.len() > FILE_BYTES_MAX {
            return Err(RequestsError::TooLarge { path: at() });
        }
        let bytes = fs::read(path).map_err(io)?;
        let text = std::str::from_utf8(&bytes).map_err(|error| {
            let before = &bytes[..error.valid_up_to()];
            let line = 1 + before.iter().filter(|byte| **byte == b'\n').count() as u64;
            RequestsError::Encoding { path: at(), line }
        })?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let header = text.lines().next().unwrap_or_default();
        let delimiter = if header.contains(';') { b';' } else { b',' };
        let mut reader = ReaderBuilder::new()
            .delimiter(delimiter)
            .flexible(true)
            .from_reader(text.as_bytes());
        let csv = |source| RequestsError::Csv { path: at(), source };
        let header = reader.headers().map_err(csv)?.clone();
        let places = places(path, &header)?;
        let mut records = Vec::new();
        for record in reader.into_records() {
            let record = record.map_err(csv)?;
            if record.len() != header.len() {
                return Err(RequestsError::WrongLength {
                    path: at(),
                    line: line_of(&record),
                    found: record.len(),
                    expected: header.len(),
                });
            }
            records.push(record);
        }
        Ok(Self {
            path: at(),
            places,
            records,
        })
    }

    /// Its lines, in order, without the header.
    pub fn lines(&self) -> impl Iterator<Item = RequestLine<'_>> {
        self.records.iter().map(|record| RequestLine {
            file: self,
            number: line_of(record),
            fields: Fields(
                self.places
                    .map(|place| place.and_then(|at| record.get(at)).unwrap_or_default()),
            ),
        })
    }
}

fn line_of(record: &StringRecord) -> u64 {
    record.position().map_or(0, csv::Position::line)
}

fn places(path: &Path, header: &StringRecord) -> Result<[Option<usize>; COLUMNS], RequestsError> {
    if header.iter().all(|name| name.trim().is_empty()) {
        return Err(RequestsError::NoHeader {
            path: path.to_owned(),
        });
    }
    let mut places = [None; COLUMNS];
    for (at, name) in header.iter().enumerate() {
        let wrong = |problem: String| RequestsError::Header {
            path: path.to_owned(),
            column: at + 1,
            problem,
        };
        let name = name.trim().to_ascii_lowercase();
        let column =
            Column::by_name(&name).ok_or_else(|| wrong(format!("there is no column {name:?}")))?;
        if places[column.index()].replace(at).is_some() {
            return Err(wrong(format!("the column {column} stands there twice")));
        }
    }
    let missing: Vec<&str> = Column::ALL
        .iter()
        .filter(|column| column.is_required() && places[column.index()].is_none())
        .map(|column| column.as_str())
        .collect();
    if missing.is_empty() {
        return Ok(places);
    }
    Err(RequestsError::ColumnsMissing {
        path: path.to_owned(),
        missing: missing.join(", "),
    })
}
