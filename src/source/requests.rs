//! Files of requests accepted at the counters, UTF-8: CSV with a header, or JSON Lines.

mod error;
mod json_lines;
mod table;

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use csv::StringRecord;

use crate::domain::{
    activation::{column::Column, request::Fields},
    status::vocabulary,
};
pub use error::RequestsError;
use table::Places;

/// A larger file is handed in in parts.
pub const FILE_BYTES_MAX: u64 = 64 << 20;

/// The column, or key, that says which version of this format a file is of.
const VERSION_COLUMN: &str = "version";

/// The one version there is.
const VERSION: &str = "1";

type Records = Vec<StringRecord>;

vocabulary! {
    /// How requests are written.
    RequestFormat {
        /// CSV with a header.
        Csv = "csv",
        /// An object a line.
        JsonLines = "jsonl",
    }
}

impl RequestFormat {
    /// What a file's name says: JSON Lines when it ends with `.jsonl` or `.ndjson`.
    #[must_use]
    pub fn by_file_name(path: &Path) -> Self {
        let extension = path.extension().unwrap_or_default();
        if ["jsonl", "ndjson"]
            .iter()
            .any(|known| extension.eq_ignore_ascii_case(known))
        {
            Self::JsonLines
        } else {
            Self::Csv
        }
    }
}

/// A file of requests, read whole.
pub struct RequestFile {
    path: PathBuf,
    /// Where each column stands in a CSV file; JSON objects have no places.
    places: Option<Places>,
    records: Records,
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
        let places = self.file.places.as_ref();
        RequestsError::Field {
            path: self.file.path.clone(),
            line: self.number,
            column: places.map(|places| places[name.index()].map_or(0, |place| place + 1)),
            name,
            problem,
        }
    }
}

impl RequestFile {
    /// Reads a file, or for `-` standard input.
    ///
    /// # Errors
    /// When it cannot be read, is not of the format, or is not whole.
    pub fn read(path: &Path, format: RequestFormat) -> Result<Self, RequestsError> {
        let is_standard_input = path.as_os_str() == "-";
        let path = if is_standard_input {
            Path::new("standard input")
        } else {
            path
        };
        let bytes = if is_standard_input {
            bytes(path, io::stdin().lock())?
        } else {
            let io = |source| RequestsError::Io {
                path: path.to_owned(),
                source,
            };
            bytes(path, File::open(path).map_err(io)?)?
        };
        let text = std::str::from_utf8(&bytes).map_err(|error| {
            let before = &bytes[..error.valid_up_to()];
            let line = 1 + before.iter().filter(|byte| **byte == b'\n').count() as u64;
            let path = path.to_owned();
            match error.error_len() {
                Some(_) => RequestsError::Encoding { path, line },
                None => RequestsError::CutOff { path, line },
            }
        })?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let (places, records) = match format {
            RequestFormat::Csv => {
                let (places, records) = table::read(path, text)?;
                (Some(places), records)
            }
            RequestFormat::JsonLines => (None, json_lines::read(path, text)?),
        };
        Ok(Self {
            path: path.to_owned(),
            places,
            records,
        })
    }

    /// Its lines, in order, without the header.
    pub fn lines(&self) -> impl Iterator<Item = RequestLine<'_>> {
        self.records.iter().map(|record| {
            let text = |at: usize| record.get(at).unwrap_or_default();
            RequestLine {
                file: self,
                number: line_of(record),
                fields: Fields(match &self.places {
                    Some(places) => places.map(|place| place.map(text).unwrap_or_default()),
                    None => std::array::from_fn(text),
                }),
            }
        })
    }
}

/// All there is to read, in bounded memory.
fn bytes(path: &Path, from: impl Read) -> Result<Vec<u8>, RequestsError> {
    let mut bytes = Vec::new();
    let read = from.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes);
    match read {
        Err(source) => Err(RequestsError::Io {
            path: path.to_owned(),
            source,
        }),
        Ok(_) if bytes.len() as u64 > FILE_BYTES_MAX => Err(RequestsError::TooLarge {
            path: path.to_owned(),
        }),
        Ok(_) => Ok(bytes),
    }
}

/// The column that is perhaps meant by a name that is none of ours; that name is never told: a file without its header,
/// or with its columns shifted, has people there.
fn perhaps_meant(name: &str) -> String {
    let name = name.trim().to_ascii_lowercase();
    let columns = Column::ALL.iter().map(|column| column.as_str());
    let alike = columns
        .chain([VERSION_COLUMN])
        .map(|column| (strsim::jaro_winkler(&name, column), column))
        .filter(|(score, _)| *score > 0.9)
        .max_by(|one, other| one.0.total_cmp(&other.0));
    match alike {
        Some((_, column)) => format!("; {column} is perhaps meant"),
        None => String::new(),
    }
}

fn line_of(record: &StringRecord) -> u64 {
    record.position().map_or(0, csv::Position::line)
}
