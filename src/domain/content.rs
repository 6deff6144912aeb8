//! Comparison of two records by what they say.

use std::cmp::Ordering;

use super::{
    date::{self, DATE_BYTES},
    field::Field,
    normalise::{self, Kind, trimmed},
    raw_record::{RawRecord, Shape},
};

/// Byte order of the normalised mapped fields in canonical order, then of what was read. Where it says
/// `Equal`, the records were read alike to the byte; it never looks at their place in the source.
///
/// Normalised is what rule 1 makes of a field, and of a valid date its ten characters. Status, level and
/// halves count as written: two codes are different content even where a configuration gives them the same
/// meaning, since calling copies identical that are not would choose between them unseen.
#[must_use]
pub fn compare_content(a: &RawRecord<'_>, b: &RawRecord<'_>) -> Ordering {
    compare_normalised(a, b).then_with(|| a.fields.cmp(&b.fields))
}

/// Whether the records are copies of each other: equal once normalised.
#[must_use]
pub fn same_content(a: &RawRecord<'_>, b: &RawRecord<'_>) -> bool {
    compare_normalised(a, b).is_eq()
}

fn compare_normalised(a: &RawRecord<'_>, b: &RawRecord<'_>) -> Ordering {
    Field::ALL
        .into_iter()
        .map(|field| compare_field(field, a.get(field), b.get(field)))
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
        .then_with(|| a.invalid.cmp(&b.invalid))
        .then_with(|| (a.shape == Shape::Malformed).cmp(&(b.shape == Shape::Malformed)))
}

fn compare_field(field: Field, a: &str, b: &str) -> Ordering {
    if a == b {
        return Ordering::Equal;
    }
    let (a, b) = (trimmed(a), trimmed(b));
    match normalise::kind(field) {
        Kind::Text => a.cmp(b),
        Kind::Code => {
            let upper = |byte: u8| byte.to_ascii_uppercase();
            a.bytes().map(upper).cmp(b.bytes().map(upper))
        }
        Kind::Date => without_time(a).cmp(without_time(b)),
    }
}

fn without_time(text: &str) -> &str {
    match date::parse(text) {
        Some(_) => &text[..DATE_BYTES],
        None => text,
    }
}
