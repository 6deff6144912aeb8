//! Records in their compact form, on their way from the thread that reads a source to the one that looks at them.

use crate::domain::raw_record::{Damaged, RawRecord};

/// A batch is handed over once it has this many bytes.
const BATCH_BYTES: usize = 256 << 10;

/// Some records of one source, in the order of reading.
#[derive(Debug, Default)]
pub(super) struct Batch {
    bytes: Vec<u8>,
    /// Where each record ends.
    ends: Vec<usize>,
}

impl Batch {
    /// An empty batch, with room.
    pub(super) fn new() -> Self {
        Self {
            bytes: Vec::with_capacity(BATCH_BYTES + BATCH_BYTES / 4),
            ends: Vec::new(),
        }
    }

    /// Adds a record.
    pub(super) fn push(&mut self, compact: &[u8]) {
        self.bytes.extend_from_slice(compact);
        self.ends.push(self.bytes.len());
    }

    /// Whether it is time to hand it over.
    pub(super) fn is_full(&self) -> bool {
        self.bytes.len() >= BATCH_BYTES
    }

    /// Shows each record.
    pub(super) fn each(&self, mut look: impl FnMut(&RawRecord<'_>)) -> Result<(), Damaged> {
        let mut from = 0;
        for end in &self.ends {
            look(&RawRecord::decode(&self.bytes[from..*end])?);
            from = *end;
        }
        Ok(())
    }
}
