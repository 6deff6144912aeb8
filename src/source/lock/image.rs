//! Rows the lock let through or caught, as records.

use std::fmt;

use crate::domain::{
    field::FIELDS,
    raw_record::{RawRecord, Shape, SourceIndex},
};

/// The mapped fields of one row, as a source's reading would give them.
#[derive(Clone, PartialEq, Eq)]
pub struct RawFields {
    /// In the order of [`crate::domain::field::Field::ALL`]; absent and NULL are empty.
    pub fields: [String; FIELDS],
    /// As in [`RawRecord::invalid`].
    pub invalid: u32,
}

impl RawFields {
    /// As a record of a source.
    #[must_use]
    pub fn record(&self, source: SourceIndex, number: u64) -> RawRecord<'_> {
        RawRecord {
            source,
            number,
            shape: Shape::Row,
            invalid: self.invalid,
            clean: false,
            fields: std::array::from_fn(|at| self.fields[at].as_str()),
        }
    }
}

impl From<&RawRecord<'_>> for RawFields {
    fn from(record: &RawRecord<'_>) -> Self {
        Self {
            fields: record.fields.map(str::to_owned),
            invalid: record.invalid,
        }
    }
}

/// Says nothing about anybody.
impl fmt::Debug for RawFields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RawFields(…)")
    }
}

/// A change the lock let through: a tightening, or a holder's own change of credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capture {
    /// Its number, by which it is marked processed.
    pub seq: i64,
    /// When, by the database's clock (UTC).
    pub at: String,
    /// The record before; `None` where a view did not show it.
    pub before: Option<RawFields>,
    /// The record after; `None` where a view no longer shows it.
    pub after: Option<RawFields>,
}

/// A new PIN the lock caught.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diverted {
    /// Its number, by which it is marked processed.
    pub seq: i64,
    /// When, by the database's clock (UTC).
    pub at: String,
    /// The PIN. Its id is empty where the legacy would have given it one.
    pub row: RawFields,
}
