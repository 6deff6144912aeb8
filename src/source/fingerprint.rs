//! Whether a source is still what it was: a sum over its records that does not depend on their order.

use std::collections::BTreeSet;

use xxhash_rust::xxh3::xxh3_128;

use crate::domain::{
    digest::Digest,
    field::Field,
    raw_record::{RawRecord, Shape},
};

/// Sums the records of one source as they are read: of each the XXH3-128 of its compact form, neither its
/// source nor its number in it, and nothing in the fields that do not count.
#[derive(Debug)]
pub struct Fingerprint {
    excluded: u32,
    compact: Vec<u8>,
    counting: Vec<u8>,
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
            compact: Vec::new(),
            counting: Vec::new(),
            sum: Digest::default(),
        }
    }

    /// Adds a record; lends its compact form, which was made for it.
    pub fn add(&mut self, record: &RawRecord<'_>) -> &[u8] {
        let row = self.hash_of(record);
        self.sum.add(row);
        &self.compact
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

    fn hash_of(&mut self, record: &RawRecord<'_>) -> u128 {
        self.compact.clear();
        record.encode(&mut self.compact);
        let content = RawRecord::content(&self.compact);
        // The one field of a malformed row stands for the whole row and always counts.
        if self.excluded == 0 || record.shape == Shape::Malformed {
            return xxh3_128(content);
        }
        self.counting.clear();
        self.counting.extend_from_slice(content);
        record.leave_out(self.excluded, &mut self.counting);
        xxh3_128(&self.counting)
    }
}
