//! The quarantine as a file for those who can correct it.

use std::io;

use serde_json::Value;

use super::outlet::{ExportError, Outlet};
use crate::{domain::field::Field, store::reader::Quarantined};

/// What cannot be exported when it fails.
pub const WHAT: &str = "quarantine";

/// The columns before those of the record itself.
const LEADING: [&str; 6] = ["source", "id", "copy", "reason", "detail", "state"];

/// A CSV under way: why, then the record as read, field by field; a row that could not be taken apart stands
/// in the last column as JSON.
#[derive(Debug)]
pub struct QuarantineExport {
    csv: csv::Writer<Outlet>,
    written: u64,
}

impl QuarantineExport {
    /// Begins with the header.
    ///
    /// # Errors
    /// The outlet cannot be written.
    pub fn create(outlet: Outlet) -> Result<Self, ExportError> {
        let mut export = Self {
            csv: csv::WriterBuilder::new()
                .delimiter(b';')
                .from_writer(outlet),
            written: 0,
        };
        let header = LEADING.into_iter().chain(Field::ALL.map(Field::name));
        let done = export.csv.write_record(header.chain(["row"]));
        export.checked(done)?;
        Ok(export)
    }

    /// Writes one record.
    ///
    /// # Errors
    /// The outlet cannot be written.
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
        self.checked(done)
    }

    /// Ends it; says how many records it holds.
    ///
    /// # Errors
    /// The outlet cannot be written.
    pub fn finish(self) -> Result<u64, ExportError> {
        let failed = ExportError::of(WHAT, self.csv.get_ref().to());
        let outlet = self
            .csv
            .into_inner()
            .map_err(csv::IntoInnerError::into_error);
        outlet.and_then(Outlet::finish).map_err(failed)?;
        Ok(self.written)
    }

    fn checked<T>(&self, done: csv::Result<T>) -> Result<T, ExportError> {
        done.map_err(io::Error::from)
            .map_err(ExportError::of(WHAT, self.csv.get_ref().to()))
    }
}
