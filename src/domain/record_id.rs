//! The id a record stands under in every table, list and log.

use std::{borrow::Cow, fmt::Write as _};

use super::{
    digest::{RowHash, Table},
    field::Field,
    normalise::{has_control, trimmed},
    raw_record::{RawRecord, Shape},
    rules::{Nameless, Rules},
};

/// Ids that begin with this character are pinferry's own.
pub const RESERVED: char = '@';

/// The id of a record: the trimmed id; `@` and a number or hash where the row is malformed, the id is
/// missing, or it begins with `@`. Control characters are escaped, so that an id is always safe to print.
#[must_use]
pub fn record_id<'a>(raw: &RawRecord<'a>, rules: &Rules) -> Cow<'a, str> {
    match given(raw) {
        Some(id) if has_control(id) => Cow::Owned(escape(id, raw)),
        Some(id) => Cow::Borrowed(id),
        None => Cow::Owned(match rules.source(raw.source).nameless {
            Nameless::ByNumber => format!("{RESERVED}{}", raw.number),
            Nameless::ByHash => format!("{RESERVED}{:016x}", content_hash(raw)),
        }),
    }
}

/// The trimmed id, if the record has one that is not reserved.
pub(super) fn given<'a>(raw: &RawRecord<'a>) -> Option<&'a str> {
    match raw.shape {
        Shape::Malformed => None,
        Shape::Row => {
            let id = trimmed(raw.get(Field::LegacyId));
            (!id.is_empty() && !id.starts_with(RESERVED)).then_some(id)
        }
    }
}

/// Spells control characters as `\u{…}`. The backslash is doubled where the source has not escaped the
/// text already, so that different ids stay different.
fn escape(id: &str, raw: &RawRecord<'_>) -> String {
    let mut escaped = String::with_capacity(id.len() + 8);
    for character in id.chars() {
        match character {
            '\\' if raw.is_valid(Field::LegacyId) => escaped.push_str("\\\\"),
            control if control.is_control() => {
                // Writing to a String cannot fail.
                let _ = write!(escaped, "\\u{{{:x}}}", u32::from(control));
            }
            other => escaped.push(other),
        }
    }
    escaped
}

/// Half of the hash of all that was read of the record, independent of where it was read.
fn content_hash(raw: &RawRecord<'_>) -> u64 {
    let mut hash = RowHash::default();
    hash.start(Table::SourceRecord, "");
    for field in raw.fields {
        hash.text(field);
    }
    hash.integer(i64::from(raw.invalid));
    (hash.finish() >> 64) as u64
}
