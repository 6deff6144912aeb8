//! Whether a source is still what it was: a sum over its records that does not depend on their order.

use std::collections::BTreeSet;

use crate::domain::{
    digest::{Digest, RowHash, Table},
    field::{FIELDS, Field},
    raw_record::{RawRecord, Shape},
};

/// Sums the records of one source as they are read.
#[derive(Debug)]
pub struct Fingerprint {
    excluded: u32,
    hash: RowHash,
    sum: Digest,
}

impl Fingerprint {
    /// An empty sum that will not look at the excluded fields.
    #[must_use]
    pub fn without(excluded: &BTreeSet<Field>) -> Self {
        Self {
            excluded: excluded
                .iter()
                .fold(0, |mask, field| mask | 1 << field.index()),
            hash: RowHash::default(),
            sum: Digest::default(),
        }
    }

    /// Adds a record.
    pub fn add(&mut self, record: &RawRecord<'_>) {
        let row = self.hash_of(record);
        self.sum.add(row);
    }

    /// Takes a record out again.
    pub fn remove(&mut self, record: &RawRecord<'_>) {
        let row = self.hash_of(record);
        self.sum.remove(row);
    }

    /// The sum so far.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.sum
    }

    /// Shape, invalid fields and every field that counts; neither source nor number.
    fn hash_of(&mut self, record: &RawRecord<'_>) -> u128 {
        // The one field of a malformed row stands for the whole row and always counts.
        let (shape, excluded) = match record.shape {
            Shape::Row => (0, self.excluded),
            Shape::Malformed => (1_i64 << FIELDS, 0),
        };
        self.hash.start(Table::SourceRecord, "");
        self.hash
            .integer(shape | i64::from(record.invalid & !excluded));
        for (at, text) in record.fields.iter().enumerate() {
            if excluded & (1 << at) == 0 {
                self.hash.text(text);
            } else {
                self.hash.optional(None);
            }
        }
        self.hash.finish()
    }
}
