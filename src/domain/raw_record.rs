//! One record of a source as it was read, and its compact form on the way through the sort.

use super::{
    field::{FIELDS, Field},
    normalise::may_hold_control,
};

/// Position of a source in the configuration, which is also its precedence (0 first).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceIndex(pub u16);

/// What kind of row was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// All mapped columns were found.
    Row,
    /// A CSV row with a wrong number of fields: `fields[0]` holds them as a JSON array, the rest is empty.
    Malformed,
}

/// One record as read: the mapped fields as text, neither trimmed nor translated; an absent column or a
/// NULL is empty. A field that is not valid in the declared encoding holds an escaped, lossless spelling
/// of its bytes and has its bit in `invalid`. Its `Debug` is masked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RawRecord<'a> {
    /// The source it came from.
    pub source: SourceIndex,
    /// Number of the record in its source, from 1, in the order of reading.
    pub number: u64,
    /// Whether the row could be taken apart at all.
    pub shape: Shape,
    /// Bit `Field::index()` is set where the bytes were not valid in the declared encoding.
    pub invalid: u32,
    /// Whether all fields were seen to hold no control character; where nobody looked, they may.
    pub clean: bool,
    /// The fields in the order of [`Field::ALL`].
    pub fields: [&'a str; FIELDS],
}

/// A compact record could not be read back: memory or a spill file was damaged.
#[derive(Debug, thiserror::Error)]
#[error(
    "a record in the work area is damaged; check memory and the disk of run.work_dir, then run the same command again"
)]
pub struct Damaged;

const MALFORMED: u32 = 1 << 31;

/// Source and number, with which every compact form begins.
const PLACE_BYTES: usize = 2 + 8;
const FLAGS_BYTES: usize = 4;

impl std::fmt::Debug for RawRecord<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "RawRecord(source {}, number {})",
            self.source.0, self.number
        )
    }
}

impl<'a> RawRecord<'a> {
    /// The field as read.
    #[must_use]
    pub fn get(&self, field: Field) -> &'a str {
        self.fields[field.index()]
    }

    /// Whether the field's bytes were valid in the declared encoding.
    #[must_use]
    pub fn is_valid(&self, field: Field) -> bool {
        self.invalid & (1 << field.index()) == 0
    }

    /// Appends the compact form: source, number and flags, the lengths, then all text in one piece.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let flags = match self.shape {
            Shape::Row => self.invalid,
            Shape::Malformed => self.invalid | MALFORMED,
        };
        out.extend_from_slice(&self.source.0.to_le_bytes());
        out.extend_from_slice(&self.number.to_le_bytes());
        out.extend_from_slice(&flags.to_le_bytes());
        let lengths = self.fields.map(str::len);
        if lengths.iter().all(|length| *length < 0x80) {
            out.extend_from_slice(&lengths.map(|length| length as u8));
        } else {
            lengths.iter().for_each(|length| push_length(*length, out));
        }
        for field in &self.fields {
            out.extend_from_slice(field.as_bytes());
        }
    }

    /// What a compact form says beside the record's place: flags, lengths and text.
    #[must_use]
    pub fn content(compact: &[u8]) -> &[u8] {
        compact.get(PLACE_BYTES..).unwrap_or_default()
    }

    /// Takes fields (a bit each, as in [`Self::invalid`]) out of this row's [content](Self::content), which
    /// becomes that of a row with nothing in them.
    pub fn leave_out(&self, fields: u32, content: &mut Vec<u8>) {
        let lengths = self.fields.map(str::len);
        if lengths.iter().any(|length| *length >= 0x80) {
            *content = self.without(fields);
            return;
        }
        // Every length is one byte, so text and length can go in place, from the end.
        let mut end = content.len();
        for (at, length) in lengths.into_iter().enumerate().rev() {
            let start = end - length;
            if fields & (1 << at) != 0 {
                content.drain(start..end);
                content[FLAGS_BYTES + at] = 0;
            }
            end = start;
        }
        content[..FLAGS_BYTES].copy_from_slice(&(self.invalid & !fields).to_le_bytes());
    }

    /// The content without some fields, written anew.
    fn without(mut self, fields: u32) -> Vec<u8> {
        self.invalid &= !fields;
        for (at, text) in self.fields.iter_mut().enumerate() {
            if fields & (1 << at) != 0 {
                *text = "";
            }
        }
        let mut compact = Vec::new();
        self.encode(&mut compact);
        Self::content(&compact).to_vec()
    }

    /// Reads the compact form back.
    ///
    /// # Errors
    /// [`Damaged`] when `bytes` is not one whole compact record.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Damaged> {
        let head = Head::of(bytes)?;
        let text = std::str::from_utf8(head.text).map_err(|_| Damaged)?;
        let mut fields = [""; FIELDS];
        let mut rest = text;
        for (field, length) in fields.iter_mut().zip(head.lengths) {
            (*field, rest) = rest.split_at_checked(length as usize).ok_or(Damaged)?;
        }
        if !rest.is_empty() {
            return Err(Damaged);
        }
        Ok(Self {
            source: head.source,
            number: head.number,
            shape: head.shape,
            invalid: head.invalid,
            clean: !may_hold_control(head.text),
            fields,
        })
    }
}

/// What the compact form of a record says before its text.
pub struct Head<'a> {
    /// The source it came from.
    pub source: SourceIndex,
    /// Whether the row could be taken apart at all.
    pub shape: Shape,
    number: u64,
    invalid: u32,
    lengths: [u32; FIELDS],
    text: &'a [u8],
}

impl<'a> Head<'a> {
    /// Reads it without the text.
    ///
    /// # Errors
    /// [`Damaged`] when `bytes` does not begin like a compact record.
    #[inline]
    pub fn of(bytes: &'a [u8]) -> Result<Self, Damaged> {
        let (source, rest) = bytes.split_first_chunk().ok_or(Damaged)?;
        let (number, rest) = rest.split_first_chunk().ok_or(Damaged)?;
        let (flags, rest) = rest.split_first_chunk().ok_or(Damaged)?;
        let flags = u32::from_le_bytes(*flags);
        let (lengths, text) = take_lengths(rest)?;
        Ok(Self {
            source: SourceIndex(u16::from_le_bytes(*source)),
            shape: if flags & MALFORMED == 0 {
                Shape::Row
            } else {
                Shape::Malformed
            },
            number: u64::from_le_bytes(*number),
            invalid: flags & !MALFORMED,
            lengths,
            text,
        })
    }

    /// The text of one field.
    ///
    /// # Errors
    /// [`Damaged`] when it is not there or not text.
    pub fn field(&self, field: Field) -> Result<&'a str, Damaged> {
        let (before, from) = self.lengths.split_at(field.index());
        let start: usize = before.iter().map(|length| *length as usize).sum();
        let end = start + from[0] as usize;
        let bytes = self.text.get(start..end).ok_or(Damaged)?;
        std::str::from_utf8(bytes).map_err(|_| Damaged)
    }
}

/// Seven bits to a byte, the lowest first; all but the last byte have their high bit set.
fn push_length(mut rest: usize, out: &mut Vec<u8>) {
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

#[inline]
fn take_lengths(bytes: &[u8]) -> Result<([u32; FIELDS], &[u8]), Damaged> {
    match bytes.split_first_chunk::<FIELDS>() {
        Some((lengths, text)) if lengths.iter().fold(0, |all, one| all | one) < 0x80 => {
            Ok((lengths.map(u32::from), text))
        }
        _ => take_long_lengths(bytes),
    }
}

/// Where some field has more than 127 bytes.
fn take_long_lengths(bytes: &[u8]) -> Result<([u32; FIELDS], &[u8]), Damaged> {
    let mut lengths = [0; FIELDS];
    let mut at = 0;
    for length in &mut lengths {
        let mut shift = 0;
        loop {
            let byte = *bytes.get(at).ok_or(Damaged)?;
            at += 1;
            *length |= u32::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                break;
            }
            shift += 7;
            if shift > 28 {
                return Err(Damaged);
            }
        }
    }
    Ok((lengths, &bytes[at..]))
}
