//! What a binary COPY yields, row by row (PostgreSQL manual, "COPY", file formats).

use std::ops::ControlFlow;

use crate::store::{
    StoreError,
    database::{Server, damaged},
};

const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";
/// Signature, flags, and the length of an extension, which the server does not send.
const HEADER_BYTES: usize = SIGNATURE.len() + 8;

/// The columns of a row, `None` for NULL.
pub(super) type Columns<'b, const COLUMNS: usize> = [Option<&'b [u8]>; COLUMNS];

/// What bytes begin with.
enum Found<'b, const COLUMNS: usize> {
    /// A row of so many bytes.
    Row(Columns<'b, COLUMNS>, usize),
    /// The end.
    End,
    /// Less than a row.
    Part,
}

/// The rows of one COPY, all of them in memory.
#[derive(Debug, Default)]
pub(super) struct Copied {
    bytes: Vec<u8>,
    at: usize,
}

impl Copied {
    /// Forgets the rows, and reads those of a query.
    pub(super) fn read(&mut self, server: &Server, query: &str) -> Result<(), StoreError> {
        self.bytes.clear();
        copy(server, query, &mut |chunk| {
            self.bytes.extend_from_slice(chunk);
            ControlFlow::Continue(())
        })?;
        self.at = header(&self.bytes)?.ok_or_else(not_a_copy)?;
        Ok(())
    }

    /// The first column of the next row, an integer of eight bytes; none at the end.
    pub(super) fn peek(&self) -> Option<i64> {
        let key = self.bytes.get(self.at + 6..self.at + 14)?;
        Some(i64::from_be_bytes(key.try_into().ok()?))
    }

    /// The next row, which is there.
    pub(super) fn next<const COLUMNS: usize>(
        &mut self,
    ) -> Result<Columns<'_, COLUMNS>, StoreError> {
        match row(&self.bytes[self.at..])? {
            Found::Row(columns, length) => {
                self.at += length;
                Ok(columns)
            }
            Found::End | Found::Part => Err(not_a_copy()),
        }
    }
}

/// Gives every row of a query to `each`, without keeping more than a few of them.
pub(super) fn for_each<const COLUMNS: usize>(
    server: &Server,
    query: &str,
    each: &mut dyn FnMut(Columns<'_, COLUMNS>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut rest = Vec::new();
    let mut begun = false;
    let mut ended = Ok(false);
    copy(server, query, &mut |chunk| {
        rest.extend_from_slice(chunk);
        ended = take(&mut rest, &mut begun, each);
        match ended {
            Ok(_) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    })?;
    match ended? {
        true => Ok(()),
        false => Err(not_a_copy()),
    }
}

/// Takes the rows that are there whole; whether that was the last.
fn take<const COLUMNS: usize>(
    bytes: &mut Vec<u8>,
    begun: &mut bool,
    each: &mut dyn FnMut(Columns<'_, COLUMNS>) -> Result<(), StoreError>,
) -> Result<bool, StoreError> {
    let mut at = 0;
    if !*begun {
        match header(bytes)? {
            Some(length) => at = length,
            None => return Ok(false),
        }
        *begun = true;
    }
    let ended = loop {
        match row(&bytes[at..])? {
            Found::Row(columns, length) => {
                each(columns)?;
                at += length;
            }
            Found::End => break true,
            Found::Part => break false,
        }
    };
    bytes.drain(..at);
    Ok(ended)
}

fn copy(
    server: &Server,
    query: &str,
    each: &mut dyn FnMut(&mut Vec<u8>) -> ControlFlow<()>,
) -> Result<(), StoreError> {
    const ACTION: &str = "read a table";
    let copy = format!("COPY ({query}) TO STDOUT (FORMAT binary)");
    server
        .with(|session| session.copy_out(ACTION, &copy, each))
        .map_err(StoreError::postgres(ACTION))
}

/// The length of the header, if it is all there.
fn header(bytes: &[u8]) -> Result<Option<usize>, StoreError> {
    let seen = bytes.len().min(SIGNATURE.len());
    if bytes[..seen] != SIGNATURE[..seen] {
        return Err(not_a_copy());
    }
    Ok((bytes.len() >= HEADER_BYTES).then_some(HEADER_BYTES))
}

fn row<const COLUMNS: usize>(bytes: &[u8]) -> Result<Found<'_, COLUMNS>, StoreError> {
    let Some((count, mut rest)) = bytes.split_first_chunk() else {
        return Ok(Found::Part);
    };
    match i16::from_be_bytes(*count) {
        -1 => return Ok(Found::End),
        count if usize::try_from(count) == Ok(COLUMNS) => {}
        _ => return Err(not_a_copy()),
    }
    let mut columns = [None; COLUMNS];
    for column in &mut columns {
        let Some((length, after)) = rest.split_first_chunk() else {
            return Ok(Found::Part);
        };
        rest = after;
        // NULL has the length -1.
        if let Ok(length) = usize::try_from(i32::from_be_bytes(*length)) {
            let Some((value, after)) = rest.split_at_checked(length) else {
                return Ok(Found::Part);
            };
            *column = Some(value);
            rest = after;
        }
    }
    Ok(Found::Row(columns, bytes.len() - rest.len()))
}

fn not_a_copy() -> StoreError {
    damaged("rows in another format than was asked for")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn copied() -> Vec<u8> {
        let mut bytes = SIGNATURE.to_vec();
        bytes.extend([0; 8]);
        for key in [7_u8, 8] {
            bytes.extend([0, 3, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, key]);
            bytes.extend([0, 0, 0, 1, b'x', 0xff, 0xff, 0xff, 0xff]);
        }
        bytes.extend([0xff, 0xff]);
        bytes
    }

    #[test]
    fn rows_come_whole_wherever_the_bytes_are_cut() {
        let all = copied();
        for cut in 0..all.len() {
            let (mut rest, mut begun, mut rows) = (Vec::new(), false, Vec::new());
            let mut each = |[key, text, null]: Columns<'_, 3>| {
                rows.push((key.map(<[u8]>::to_vec), text == Some(b"x"), null.is_none()));
                Ok(())
            };
            rest.extend_from_slice(&all[..cut]);
            assert!(
                !take(&mut rest, &mut begun, &mut each).expect("rows"),
                "{cut}"
            );
            rest.extend_from_slice(&all[cut..]);
            assert!(
                take(&mut rest, &mut begun, &mut each).expect("rows"),
                "{cut}"
            );
            let row = |key| (Some(vec![0, 0, 0, 0, 0, 0, 0, key]), true, true);
            assert_eq!(rows, [row(7), row(8)], "{cut}");
        }
    }

    #[test]
    fn the_key_of_the_next_row_is_seen_before_it_is_taken() {
        let mut copied = Copied {
            bytes: copied(),
            at: HEADER_BYTES,
        };
        for key in [7, 8] {
            assert_eq!(copied.peek(), Some(key));
            assert_eq!(copied.next::<3>().expect("a row")[1], Some(&b"x"[..]));
        }
        assert_eq!(copied.peek(), None);
        assert!(copied.next::<3>().is_err());
    }

    #[test]
    fn another_format_is_refused() {
        assert!(header(b"PGCOPX").is_err());
        assert!(row::<2>(&copied()[HEADER_BYTES..]).is_err());
    }
}
