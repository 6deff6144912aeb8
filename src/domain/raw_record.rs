//! One record of a source as it was read, and its compact form on the way through the sort.

use super::field::{FIELDS, Field};

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
    /// The fields in the order of [`Field::ALL`].
    pub fields: [&'a str; FIELDS],
}

/// A compact record could not be read back: memory or a spill file was damaged.
#[derive(Debug, thiserror::Error)]
#[error(
    "a record in the work area is damaged; check memory and the disk of run.work_dir, then run the same command again"
)]
pub struct Damaged;

const HEADER: usize = 2 + 8 + 4;
const MALFORMED: u32 = 1 << 31;

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
        for field in self.fields {
            let mut rest = field.len();
            while rest >= 0x80 {
                out.push(rest as u8 | 0x80);
                rest >>= 7;
            }
            out.push(rest as u8);
        }
        for field in self.fields {
            out.extend_from_slice(field.as_bytes());
        }
    }

    /// Reads the compact form back.
    ///
    /// # Errors
    /// [`Damaged`] when `bytes` is not one whole compact record.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Damaged> {
        let (header, rest) = bytes.split_at_checked(HEADER).ok_or(Damaged)?;
        let source = u16::from_le_bytes([header[0], header[1]]);
        let number = header[2..10].try_into().map_err(|_| Damaged)?;
        let flags = header[10..14].try_into().map_err(|_| Damaged)?;
        let flags = u32::from_le_bytes(flags);
        let mut lengths = [0_usize; FIELDS];
        let mut at = 0;
        for length in &mut lengths {
            let mut shift = 0;
            loop {
                let byte = *rest.get(at).ok_or(Damaged)?;
                at += 1;
                *length |= usize::from(byte & 0x7f) << shift;
                if byte & 0x80 == 0 {
                    break;
                }
                shift += 7;
                if shift > 28 {
                    return Err(Damaged);
                }
            }
        }
        let mut text = std::str::from_utf8(&rest[at..]).map_err(|_| Damaged)?;
        let mut fields = [""; FIELDS];
        for (field, length) in fields.iter_mut().zip(lengths) {
            (*field, text) = text.split_at_checked(length).ok_or(Damaged)?;
        }
        if !text.is_empty() {
            return Err(Damaged);
        }
        Ok(Self {
            source: SourceIndex(source),
            number: u64::from_le_bytes(number),
            shape: if flags & MALFORMED == 0 {
                Shape::Row
            } else {
                Shape::Malformed
            },
            invalid: flags & !MALFORMED,
            fields,
        })
    }
}
