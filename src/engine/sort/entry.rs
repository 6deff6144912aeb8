//! A record on its way through the sort.

use std::cmp::Ordering;

use crate::domain::{
    content::compare_content,
    raw_record::{RawRecord, SourceIndex},
    sort_key::{NOBODY, SortKey},
};

/// A [`SortKey`] as three big-endian words, which compare faster than bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::engine) struct Key([u64; 3]);

impl Key {
    /// Before every record.
    pub(in crate::engine) const START: Self = Self([0; 3]);
    /// After every record.
    pub(in crate::engine) const END: Self = Self([u64::MAX; 3]);

    /// Orders the copies of one id: source, then as much of the id as fits.
    pub(in crate::engine) fn of_copy(source: SourceIndex, id: &[u8]) -> Self {
        let mut bytes = [0; 24];
        bytes[0] = 0xff;
        bytes[1..3].copy_from_slice(&source.0.to_be_bytes());
        let length = id.len().min(21);
        bytes[3..3 + length].copy_from_slice(&id[..length]);
        Self::from(SortKey(bytes))
    }

    /// The bytes the words were made of.
    pub(in crate::engine) fn to_bytes(self) -> [u8; 24] {
        let mut bytes = [0; 24];
        for (part, word) in bytes.chunks_exact_mut(8).zip(self.0) {
            part.copy_from_slice(&word.to_be_bytes());
        }
        bytes
    }

    /// Whether two records are judged together.
    pub(in crate::engine) fn same_case(self, other: Self) -> bool {
        self.0[..2] == other.0[..2] && !self.is_nobody()
    }

    /// Whether the record belongs to nobody.
    pub(in crate::engine) fn is_nobody(self) -> bool {
        const NOBODYS: [u64; 2] = {
            let (high, low) = NOBODY.0.split_at(8);
            [word(high), word(low)]
        };
        self.0[..2] == NOBODYS
    }

    /// The lowest key a partition may begin with so that this record's case stays whole.
    pub(in crate::engine) fn case_start(self) -> Self {
        if self.is_nobody() {
            self
        } else {
            Self([self.0[0], self.0[1], 0])
        }
    }
}

impl From<SortKey> for Key {
    fn from(key: SortKey) -> Self {
        let (high, rest) = key.0.split_at(8);
        let (middle, low) = rest.split_at(8);
        Self([word(high), word(middle), word(low)])
    }
}

const fn word(bytes: &[u8]) -> u64 {
    let mut word = 0;
    let mut at = 0;
    while at < 8 {
        word = word << 8 | bytes[at] as u64;
        at += 1;
    }
    word
}

/// A record in a run.
#[derive(Clone, Copy)]
pub(in crate::engine) struct Entry<'a> {
    /// Where it sorts.
    pub key: Key,
    /// Its number over the whole extraction, from 0, in the order of reading.
    pub ordinal: u32,
    /// The id it stands under.
    pub id: &'a [u8],
    /// Its compact form.
    pub body: &'a [u8],
}

impl Entry<'_> {
    /// Key, id, content.
    pub(in crate::engine) fn order(&self, other: &Self) -> Ordering {
        self.key
            .cmp(&other.key)
            .then_with(|| self.id.cmp(other.id))
            .then_with(|| content_order(self.body, other.body))
    }
}

/// A damaged record sorts somewhere; whoever decodes it later reports it.
fn content_order(a: &[u8], b: &[u8]) -> Ordering {
    match (RawRecord::decode(a), RawRecord::decode(b)) {
        (Ok(a), Ok(b)) => compare_content(&a, &b),
        (Ok(_), Err(_)) => Ordering::Less,
        (Err(_), Ok(_)) => Ordering::Greater,
        (Err(_), Err(_)) => a.cmp(b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(base: &[u8; 16], rest: &[u8; 8]) -> Key {
        let mut bytes = [0; 24];
        bytes[..16].copy_from_slice(base);
        bytes[16..].copy_from_slice(rest);
        Key::from(SortKey(bytes))
    }

    #[test]
    fn keys_sort_like_their_bytes() {
        let keys = [
            key(b"RSSMRA80A01H5010", &[0; 8]),
            key(b"RSSMRA80A01H5010", &[0, 0, 1, 0, 0, 0, 0, 0]),
            key(b"RSSMRA80A01H5011", &[0; 8]),
            key(&NOBODY.0, &[0; 8]),
            Key::of_copy(SourceIndex(0), b"A"),
            Key::of_copy(SourceIndex(0), b"AB"),
            Key::of_copy(SourceIndex(1), b"A"),
            Key::END,
        ];
        assert!(keys.is_sorted() && keys.iter().all(|key| *key > Key::START));
        for key in keys {
            assert!(Key::from(SortKey(key.to_bytes())) == key);
        }
    }

    #[test]
    fn people_share_a_case_by_base_and_nobody_shares_one() {
        let base = b"RSSMRA80A01H5010";
        let (one, other) = (key(base, &[1; 8]), key(base, &[2; 8]));
        assert!(one.same_case(other) && one.case_start() == key(base, &[0; 8]));
        assert!(!one.same_case(key(b"RSSMRA80A01H5011", &[1; 8])));
        let nobody = key(&NOBODY.0, &[1; 8]);
        assert!(!nobody.same_case(nobody) && nobody.case_start() == nobody);
    }
}
