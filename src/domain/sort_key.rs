//! The order in which records are judged: people, then records that belong to nobody.

/// Prefix of the full sort order (fiscal code with omocodia letters as digits, fiscal code, source,
/// legacy_id, content). Records with equal prefixes are compared by id and content.
///
/// Bytes 0–15: the base, that is the renamed fiscal code with its omocodia letters as digits (numeric codes
/// padded with zero bytes); `0xfe` and zeros for a record without a valid code. Byte 16: which digits are
/// letters. Bytes 17–18: the source. Bytes 19–23: the first bytes of the id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SortKey(pub [u8; 24]);

/// The part of a key that records judged together have in common.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Base(pub [u8; 16]);

/// The base of records that belong to nobody: each is judged alone.
pub const NOBODY: Base = Base([0xfe, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);

impl SortKey {
    /// The base.
    #[must_use]
    pub fn base(&self) -> Base {
        let mut base = [0; 16];
        base.copy_from_slice(&self.0[..16]);
        Base(base)
    }
}
