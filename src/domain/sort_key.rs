//! The order in which records are judged: people, then records that belong to nobody.

use super::{
    field::Field,
    fiscal_code::FiscalCode,
    raw_record::{Damaged, Head, RawRecord, Shape, SourceIndex},
    record_id::record_id,
    rules::Rules,
};

/// Prefix of the full sort order (fiscal code with omocodia letters as digits, fiscal code, source,
/// legacy_id, content). Records with equal prefixes are compared by [`record_id`] and
/// [content](super::content::compare_content).
///
/// Bytes 0–15: the base, that is the renamed fiscal code with its omocodia letters as digits (numeric codes
/// padded with zero bytes); `0xfe` and zeros for a record without a valid code. Byte 16: which digits are
/// letters. Bytes 17–18: the source. Bytes 19–23: the first bytes of the id.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SortKey(pub [u8; 24]);

/// The part of a key that records judged together have in common.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
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

// Keys are fiscal codes in another spelling: they are masked like them.
impl std::fmt::Debug for SortKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SortKey(****)")
    }
}

impl std::fmt::Debug for Base {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Base(****)")
    }
}

/// The key of a record. Allocates nothing for a record with an id.
#[must_use]
pub fn of(raw: &RawRecord<'_>, rules: &Rules) -> SortKey {
    let id = record_id(raw, rules);
    key(raw.source, id.as_bytes(), holder(raw, rules))
}

/// The key of a record in its compact form, whose [`record_id`] is known.
///
/// # Errors
/// [`Damaged`] when it cannot be read as far as the key needs it.
pub fn of_compact(head: &Head<'_>, id: &[u8], rules: &Rules) -> Result<SortKey, Damaged> {
    let holder = holder_of(head.shape, head.field(Field::FiscalCode)?, rules);
    Ok(key(head.source, id, holder))
}

fn key(source: SourceIndex, id: &[u8], holder: Option<FiscalCode>) -> SortKey {
    let (base, mask) = match holder {
        Some(code) => (code.base(), code.omocodia_mask()),
        None => (NOBODY, 0),
    };
    let mut key = [0; 24];
    key[..16].copy_from_slice(&base.0);
    key[16] = mask;
    key[17..19].copy_from_slice(&source.0.to_be_bytes());
    for (byte, id) in key[19..].iter_mut().zip(id) {
        *byte = *id;
    }
    SortKey(key)
}

/// The valid code a record ends up with after renaming, whatever else is wrong with it.
#[must_use]
pub fn holder(raw: &RawRecord<'_>, rules: &Rules) -> Option<FiscalCode> {
    holder_of(raw.shape, raw.get(Field::FiscalCode), rules)
}

fn holder_of(shape: Shape, written: &str, rules: &Rules) -> Option<FiscalCode> {
    match shape {
        Shape::Malformed => None,
        Shape::Row => rules.links.current_code(written).ok(),
    }
}
