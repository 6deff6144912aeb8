//! Order-independent digests: a sum modulo 2^128 of a 128-bit hash of each row.
//!
//! A row's bytes are the table's tag, the person's current fiscal code (empty for tables without one) and
//! then each column: four bytes of length (little endian) and the UTF-8 text, or `ff ff ff ff` for NULL.
//! Dates are ISO text, integers decimal text, booleans `0` or `1`. The hash is XXH3-128.

use std::{fmt, str::FromStr};

use xxhash_rust::xxh3::xxh3_128;

use super::date;

/// The tables that have a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "named after the tables")]
pub enum Table {
    Person = 1,
    FiscalCode = 2,
    Pin = 3,
    ProfileGrant = 4,
    Delegation = 5,
    Quarantine = 6,
    Finding = 7,
    /// The columns of `pin` that life after cut-over never changes.
    PinOrigin = 8,
    /// A record of a source, for its fingerprint.
    SourceRecord = 9,
    /// What became of a record of a source, for a file of verdicts.
    Verdict = 10,
}

/// A sum modulo 2^128 of row hashes.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Digest(pub u128);

impl Digest {
    /// Adds a row.
    pub fn add(&mut self, row: u128) {
        self.0 = self.0.wrapping_add(row);
    }

    /// Takes a row out again.
    pub fn remove(&mut self, row: u128) {
        self.0 = self.0.wrapping_sub(row);
    }

    /// Adds all rows of another digest.
    pub fn merge(&mut self, other: Self) {
        self.add(other.0);
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text is not a digest of 32 hexadecimal digits.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a digest has 32 hexadecimal digits")]
pub struct NotADigest;

impl FromStr for Digest {
    type Err = NotADigest;

    fn from_str(text: &str) -> Result<Self, NotADigest> {
        if text.len() != 32 {
            return Err(NotADigest);
        }
        u128::from_str_radix(text, 16)
            .map(Self)
            .map_err(|_| NotADigest)
    }
}

impl serde::Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Frames the columns of one row after the other and hashes them; its buffer is reused.
#[derive(Debug, Default)]
pub struct RowHash {
    bytes: Vec<u8>,
}

impl RowHash {
    /// Begins a row of `table` that belongs to the person with this current fiscal code.
    pub fn start(&mut self, table: Table, fiscal_code: &str) {
        self.bytes.clear();
        self.bytes.push(table as u8);
        self.text(fiscal_code);
    }

    /// A text column.
    pub fn text(&mut self, value: &str) {
        self.raw(value.as_bytes());
    }

    /// A column of bytes as they are.
    pub fn raw(&mut self, value: &[u8]) {
        let length = u32::try_from(value.len()).unwrap_or(u32::MAX - 1);
        self.bytes.extend_from_slice(&length.to_le_bytes());
        self.bytes.extend_from_slice(value);
    }

    /// A text column that may be NULL.
    pub fn optional(&mut self, value: Option<&str>) {
        match value {
            Some(text) => self.text(text),
            None => self.bytes.extend_from_slice(&[0xff; 4]),
        }
    }

    /// A date column as ISO text.
    pub fn date(&mut self, value: Option<jiff::civil::Date>) {
        let Some(date) = value else {
            return self.optional(None);
        };
        let [a, b, c, d, _, e, f, _, g, h] = date::text(date);
        // Length and text in one piece of fixed size, which needs no call to copy it.
        self.bytes
            .extend_from_slice(&[10, 0, 0, 0, a, b, c, d, b'-', e, f, b'-', g, h]);
    }

    /// An integer column.
    pub fn integer(&mut self, value: i64) {
        if let Ok(digit @ 0..=9) = u8::try_from(value) {
            return self.bytes.extend_from_slice(&[1, 0, 0, 0, b'0' + digit]);
        }
        let mut text = [0_u8; 20];
        let mut at = text.len();
        let mut rest = value.unsigned_abs();
        loop {
            at -= 1;
            text[at] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        if value < 0 {
            at -= 1;
            text[at] = b'-';
        }
        self.raw(&text[at..]);
    }

    /// The row's hash.
    #[must_use]
    pub fn finish(&self) -> u128 {
        xxh3_128(&self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_integers_count_as_their_text() {
        let hash = |add: &dyn Fn(&mut RowHash)| {
            let mut row = RowHash::default();
            row.start(Table::Pin, "");
            add(&mut row);
            row.finish()
        };
        for text in ["2013-11-03", "0001-01-09", "9999-12-31"] {
            let date: jiff::civil::Date = text.parse().expect("a date");
            assert_eq!(
                hash(&|row| row.date(Some(date))),
                hash(&|row| row.text(text))
            );
        }
        for number in [0, 1, 9, 10, 42, 1_000_000, -1, -12, i64::MAX, i64::MIN] {
            let text = number.to_string();
            assert_eq!(
                hash(&|row| row.integer(number)),
                hash(&|row| row.text(&text))
            );
        }
        assert_eq!(hash(&|row| row.date(None)), hash(&|row| row.optional(None)));
        assert_ne!(hash(&|row| row.text("")), hash(&|row| row.optional(None)));
    }
}
