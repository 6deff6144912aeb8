//! Rows of one table, written one after the other: cheap to build, compact to keep, read once.

use jiff::civil::Date;

use crate::domain::date::{self, DATE_BYTES};

const NULL: u32 = u32::MAX;
const INTEGER: u32 = u32::MAX - 1;

/// One column of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cell<'a> {
    Null,
    Integer(i64),
    Text(&'a [u8]),
}

/// The rows of one table. A cell is four bytes (length, or what it is instead) and its bytes.
#[derive(Clone, Default)]
pub(super) struct Tape {
    bytes: Vec<u8>,
    rows: usize,
}

impl Tape {
    /// Ends a row.
    pub(super) fn end_row(&mut self) {
        self.rows += 1;
    }

    /// Number of rows.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Bytes of memory in use.
    pub(super) fn bytes(&self) -> usize {
        self.bytes.capacity()
    }

    /// Forgets the rows and keeps the memory.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.rows = 0;
    }

    /// A text; one that is too long for a row of SQLite (a gigabyte) fails there.
    pub(super) fn text(&mut self, text: &str) {
        let length = u32::try_from(text.len()).unwrap_or(INTEGER - 1);
        self.bytes.extend_from_slice(&length.to_le_bytes());
        self.bytes
            .extend_from_slice(&text.as_bytes()[..length as usize]);
    }

    /// A text or NULL.
    pub(super) fn optional(&mut self, text: Option<&str>) {
        match text {
            Some(text) => self.text(text),
            None => self.bytes.extend_from_slice(&NULL.to_le_bytes()),
        }
    }

    /// An integer.
    pub(super) fn integer(&mut self, value: i64) {
        self.bytes.extend_from_slice(&INTEGER.to_le_bytes());
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    /// An integer or NULL.
    pub(super) fn optional_integer(&mut self, value: Option<i64>) {
        match value {
            Some(value) => self.integer(value),
            None => self.bytes.extend_from_slice(&NULL.to_le_bytes()),
        }
    }

    /// A date as ISO text, or NULL.
    pub(super) fn date(&mut self, date: Option<Date>) {
        let Some(date) = date else {
            return self.optional(None);
        };
        self.bytes
            .extend_from_slice(&(DATE_BYTES as u32).to_le_bytes());
        self.bytes.extend_from_slice(&date::text(date));
    }

    /// The cells, row after row.
    pub(super) fn cells(&self) -> Cells<'_> {
        Cells { rest: &self.bytes }
    }
}

/// Reads a tape.
pub(super) struct Cells<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Cells<'a> {
    type Item = Cell<'a>;

    #[inline]
    fn next(&mut self) -> Option<Cell<'a>> {
        let (tag, rest) = self.rest.split_first_chunk::<4>()?;
        match u32::from_le_bytes(*tag) {
            NULL => {
                self.rest = rest;
                Some(Cell::Null)
            }
            INTEGER => {
                let (value, rest) = rest.split_first_chunk::<8>()?;
                self.rest = rest;
                Some(Cell::Integer(i64::from_le_bytes(*value)))
            }
            length => {
                let (text, rest) = rest.split_at_checked(length as usize)?;
                self.rest = rest;
                Some(Cell::Text(text))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::{Cell, Tape};

    #[test]
    fn what_is_written_is_read_in_order() {
        let mut tape = Tape::default();
        tape.text("");
        tape.integer(-7);
        tape.optional(None);
        tape.date(Some(date(1987, 3, 9)));
        tape.optional_integer(None);
        tape.end_row();
        assert_eq!(
            tape.cells().collect::<Vec<_>>(),
            [
                Cell::Text(b""),
                Cell::Integer(-7),
                Cell::Null,
                Cell::Text(b"1987-03-09"),
                Cell::Null
            ]
        );
        assert_eq!(tape.rows(), 1);
    }
}
