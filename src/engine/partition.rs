//! Ranges of the whole order that are worked on side by side.

use std::fmt;

use super::sort::Key;
use crate::domain::sort_key::SortKey;

/// Where a partition begins: no case reaches over it. Its bytes are stored with the run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Boundary(pub(super) Key);

/// The bytes are no boundary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a partition boundary has 24 bytes")]
pub struct NotABoundary;

impl Boundary {
    /// The bytes, which sort as boundaries do.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 24] {
        self.0.to_bytes()
    }
}

impl TryFrom<&[u8]> for Boundary {
    type Error = NotABoundary;

    fn try_from(bytes: &[u8]) -> Result<Self, NotABoundary> {
        let bytes = bytes.try_into().map_err(|_| NotABoundary)?;
        Ok(Self(Key::from(SortKey(bytes))))
    }
}

// A boundary is made of a fiscal code: it is masked like one.
impl fmt::Debug for Boundary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Boundary(****)")
    }
}

/// A range of the whole order; the last one also has the quarantined duplicates, which come after all.
#[derive(Clone, Copy, Debug)]
pub struct Partition {
    /// Its number, from 0.
    pub number: usize,
    /// Where it begins; the first one at the start of everything.
    pub from: Option<Boundary>,
    /// Where the next one begins.
    pub to: Option<Boundary>,
    /// Records before it in the whole order.
    pub first_position: u64,
    /// Records in it.
    pub records: u64,
}

impl Partition {
    pub(super) fn keys(&self) -> (Key, Key) {
        let from = self.from.map_or(Key::START, |boundary| boundary.0);
        let to = self.to.map_or(Key::END, |boundary| boundary.0);
        (from, to)
    }
}
