//! The quarantine as a file for those who can correct it.

use std::{
    io,
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::private_file::{PrivateFile, Replace};
use crate::{domain::field::Field, store::reader::Quarantined};

/// The columns before those of the record itself.
const LEADING: [&str; 6] = ["source", "id", "copy", "reason", "detail", "state"];

/// The export could not be written; what was there before is untouched.
#[derive(Debug, thiserror::Error)]
#[error("the quarantine cannot be exported to {}", .path.display())]
pub struct ExportError {
    path: PathBuf,
    source: io::Error,
}

/// A CSV under way: why, then the record as read, field by field; a row that could not be taken apart stands
/// in the last column as JSON.
#[derive(Debug)]
pub struct QuarantineExport {
    path: PathBuf,
    csv: csv::Writer<PrivateFile>,
    written: u64,
}

impl QuarantineExport {
    /// Begins a file that appears under its name when it is complete, for its owner's eyes only.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn create(path: &Path) -> Result<Self, ExportError> {
        let file = PrivateFile::create(path, Replace::Nothing).map_err(|source| ExportError {
            path: path.to_owned(),
            source,
        })?;
        let mut export = Self {
            path: path.to_owned(),
            csv: csv::WriterBuilder::new().delimiter(b';').from_writer(file),
            written: 0,
        };
        let header = LEADING.into_iter().chain(Field::ALL.map(Field::name));
        let header = header.chain(["row"]);
        let done = export.csv.write_record(header);
        export.checked(done.map_err(io::Error::from))?;
        Ok(export)
    }

    /// Writes one record.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&mut self, row: &Quarantined) -> Result<(), ExportError> {
        let text = |key: &str| match row.payload.get(key) {
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => String::new(),
        };
        let leading = [
            row.source.clone(),
            row.legacy_id.clone(),
            row.copy.to_string(),
            row.reason.clone(),
            row.detail.clone(),
            row.state.clone(),
        ];
        let fields = Field::ALL.iter().map(|field| text(field.name()));
        let record = leading.into_iter().chain(fields).chain([text("row")]);
        let done = self.csv.write_record(record);
        self.written += 1;
        self.checked(done.map_err(io::Error::from))
    }

    /// Gives the file its name; says how many records it holds.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn finish(self) -> Result<u64, ExportError> {
        let Self { path, csv, written } = self;
        let named = || -> io::Result<()> {
            let file = csv.into_inner().map_err(csv::IntoInnerError::into_error)?;
            file.finish()
        };
        match named() {
            Ok(()) => Ok(written),
            Err(source) => Err(ExportError { path, source }),
        }
    }

    fn checked<T>(&self, done: io::Result<T>) -> Result<T, ExportError> {
        done.map_err(|source| ExportError {
            path: self.path.clone(),
            source,
        })
    }
}
