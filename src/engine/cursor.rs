//! How far a partition was worked through.

use std::{cmp::Ordering, fmt};

use super::sort::Key;
use crate::domain::raw_record::SourceIndex;

/// The place of a record in the whole order, as bytes that sort like it: the sort key and the record's id,
/// or for a quarantined duplicate `ff`, its source, its id, a zero byte and the copy's number.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor(Vec<u8>);

/// The bytes are no cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a cursor has a sort key and an id, or the place of a duplicate")]
pub struct NotACursor;

const DUPLICATES: u8 = 0xff;
const KEY_BYTES: usize = 24;

impl Cursor {
    /// After a record that is judged.
    pub(super) fn of_record(key: Key, id: &[u8]) -> Self {
        Self([&key.to_bytes(), id].concat())
    }

    /// After a quarantined duplicate.
    pub(super) fn of_duplicate(source: SourceIndex, id: &[u8], copy: u32) -> Self {
        let source = source.0.to_be_bytes();
        Self([&[DUPLICATES], &source[..], id, &[0], &copy.to_be_bytes()].concat())
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether it lies in the zone of the quarantined duplicates.
    pub(super) fn is_duplicate(&self) -> bool {
        self.0[0] == DUPLICATES
    }

    /// How a record that is judged lies to it.
    pub(super) fn compare_record(&self, key: Key, id: &[u8]) -> Ordering {
        let (cursor_key, cursor_id) = self.0.split_at(KEY_BYTES.min(self.0.len()));
        (key.to_bytes()[..].cmp(cursor_key)).then_with(|| id.cmp(cursor_id))
    }
}

impl TryFrom<&[u8]> for Cursor {
    type Error = NotACursor;

    fn try_from(bytes: &[u8]) -> Result<Self, NotACursor> {
        match bytes.first() {
            Some(&DUPLICATES) => Ok(Self(bytes.to_vec())),
            Some(_) if bytes.len() >= KEY_BYTES => Ok(Self(bytes.to_vec())),
            Some(_) | None => Err(NotACursor),
        }
    }
}

// A cursor is made of a fiscal code: it is masked like one.
impl fmt::Debug for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cursor(****)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::sort_key::SortKey;

    #[test]
    fn cursors_sort_like_the_records_they_stand_for() {
        let key = |first| Key::from(SortKey([first; 24]));
        let (one, two) = (SourceIndex(1), SourceIndex(256));
        let cursors = [
            Cursor::of_record(key(b'A'), b"A"),
            Cursor::of_record(key(b'A'), b"AB"),
            Cursor::of_record(key(b'B'), b"A"),
            Cursor::of_duplicate(one, b"A", 1),
            Cursor::of_duplicate(one, b"A", 256),
            Cursor::of_duplicate(one, b"AB", 1),
            Cursor::of_duplicate(two, b"A", 1),
        ];
        assert!(cursors.is_sorted());
        for cursor in &cursors {
            assert_eq!(Cursor::try_from(cursor.as_bytes()).as_ref(), Ok(cursor));
        }
    }

    #[test]
    fn bytes_that_are_no_cursor_are_refused_and_a_cursor_is_never_shown() {
        assert_eq!(Cursor::try_from(&b"short"[..]), Err(NotACursor));
        assert_eq!(Cursor::try_from(&b""[..]), Err(NotACursor));
        let cursor = Cursor::of_record(Key::from(SortKey([b'R'; 24])), b"RSSMRA");
        assert_eq!(format!("{cursor:?}"), "Cursor(****)");
    }
}
