//! One bit per record.

/// A set of record ordinals.
#[derive(Debug, Default)]
pub(super) struct Bitmap {
    words: Vec<u64>,
    ones: u64,
}

impl Bitmap {
    /// None of `length` records is in the set.
    pub(super) fn new(length: u64) -> Self {
        let words = usize::try_from(length.div_ceil(64)).unwrap_or(usize::MAX);
        Self {
            words: vec![0; words],
            ones: 0,
        }
    }

    /// Puts a record into the set.
    pub(super) fn insert(&mut self, ordinal: u32) {
        let word = &mut self.words[ordinal as usize / 64];
        let bit = 1 << (ordinal % 64);
        self.ones += u64::from(*word & bit == 0);
        *word |= bit;
    }

    /// Whether a record is in the set.
    pub(super) fn contains(&self, ordinal: u32) -> bool {
        self.words[ordinal as usize / 64] >> (ordinal % 64) & 1 == 1
    }

    /// How many are in the set.
    pub(super) fn ones(&self) -> u64 {
        self.ones
    }
}
