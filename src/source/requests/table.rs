//! Requests as CSV with a header, separated by `;` or `,`.

use std::{io::Read as _, path::Path};

use csv::{ReaderBuilder, StringRecord};

use super::{Records, RequestsError, VERSION, VERSION_COLUMN, line_of, perhaps_meant};
use crate::domain::activation::column::{COLUMNS, Column};

/// What stands behind the text: it is a record of its own unless a quote is still open there.
const END: &str = "\u{4}";

/// Where each column stands in the file, if it does.
pub(super) type Places = [Option<usize>; COLUMNS];

/// The records of a file, and where their columns stand.
pub(super) fn read(path: &Path, text: &str) -> Result<(Places, Records), RequestsError> {
    let at = || path.to_owned();
    let text = text.get(said_length(text)..).unwrap_or_default();
    // An empty line is none.
    let mut lines = text.lines().skip_while(|line| line.is_empty());
    let header = lines.next().unwrap_or_default();
    let delimiter = if header.contains(';') { b';' } else { b',' };
    let behind = format!("\n{END}\n");
    let mut reader = ReaderBuilder::new()
        .delimiter(delimiter)
        .flexible(true)
        .from_reader(text.as_bytes().chain(behind.as_bytes()));
    let csv = |source| RequestsError::Csv { path: at(), source };
    let header = match reader.headers().map_err(csv)? {
        header if header == [END].as_slice() => StringRecord::new(),
        header => header.clone(),
    };
    if header.iter().all(|name| name.trim().is_empty()) {
        return Err(RequestsError::NoHeader { path: at() });
    }
    let mut records = Vec::new();
    let mut lines = Lines::of(text);
    for record in reader.records() {
        let mut record = record.map_err(csv)?;
        if let Some(mut position) = record.position().cloned() {
            position.set_line(lines.at(position.byte()));
            record.set_position(Some(position));
        }
        records.push(record);
    }
    let last = records.pop();
    if last.as_ref().is_none_or(|last| last != [END].as_slice()) {
        let line = last.as_ref().map_or(1, line_of);
        return Err(RequestsError::OpenQuote { path: at(), line });
    }
    version(path, &header, &records)?;
    let places = places(path, &header)?;
    if !text.ends_with('\n') {
        let line = text.lines().count() as u64;
        return Err(RequestsError::HalfALine { path: at(), line });
    }
    for record in &records {
        if record.len() != header.len() {
            return Err(RequestsError::WrongLength {
                path: at(),
                line: line_of(record),
                found: record.len(),
                expected: header.len(),
            });
        }
    }
    Ok((places, records))
}

/// The length of what spreadsheets write in the first line to say which delimiter follows; 0 where they said nothing.
fn said_length(text: &str) -> usize {
    let first = text.lines().next().unwrap_or_default();
    let said = first.trim().trim_matches('"').to_ascii_lowercase();
    if ["sep=;", "sep=,"].contains(&said.as_str()) {
        first.len()
    } else {
        0
    }
}

/// Counts the lines of a text on the way. The reader stands before a line feed that follows a carriage return.
struct Lines<'t> {
    text: &'t [u8],
    read: usize,
    line: u64,
}

impl<'t> Lines<'t> {
    fn of(text: &'t str) -> Self {
        Self {
            text: text.as_bytes(),
            read: 0,
            line: 1,
        }
    }

    /// The line of the record that begins there, or after the line ends there.
    fn at(&mut self, byte: u64) -> u64 {
        let begin = usize::try_from(byte).unwrap_or(usize::MAX);
        while let Some(byte) = self.text.get(self.read) {
            if self.read >= begin && !matches!(byte, b'\r' | b'\n') {
                break;
            }
            self.line += u64::from(*byte == b'\n');
            self.read += 1;
        }
        self.line
    }
}

fn is_version(name: &str) -> bool {
    name.trim().eq_ignore_ascii_case(VERSION_COLUMN)
}

/// Another version may well have other columns: it is told before anything else is found wrong.
fn version(
    path: &Path,
    header: &StringRecord,
    records: &[StringRecord],
) -> Result<(), RequestsError> {
    let Some(at) = header.iter().position(is_version) else {
        return Ok(());
    };
    let is_ours = |record: &StringRecord| match record.get(at).map(str::trim) {
        None | Some("" | VERSION) => true,
        Some(_another) => false,
    };
    match records.iter().find(|record| !is_ours(record)) {
        None => Ok(()),
        Some(record) => Err(RequestsError::Version {
            path: path.to_owned(),
            line: line_of(record),
        }),
    }
}

fn places(path: &Path, header: &StringRecord) -> Result<Places, RequestsError> {
    let mut places = [None; COLUMNS];
    let mut versions = 0;
    for (at, name) in header.iter().enumerate() {
        let wrong = |problem: String| RequestsError::Header {
            path: path.to_owned(),
            column: at + 1,
            problem,
        };
        if is_version(name) {
            versions += 1;
            if versions > 1 {
                return Err(wrong(format!(
                    "the column {VERSION_COLUMN} stands there twice"
                )));
            }
            continue;
        }
        let name = name.trim().to_ascii_lowercase();
        let column = Column::by_name(&name).ok_or_else(|| {
            let meant = match header.len() {
                1 => "; columns are separated by ; or ,".to_owned(),
                _several => perhaps_meant(&name),
            };
            wrong(format!("there is no column of this name{meant}"))
        })?;
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
