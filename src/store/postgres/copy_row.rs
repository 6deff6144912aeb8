//! Rows in the format of binary COPY (PostgreSQL manual, "COPY", file formats).

use crate::store::tape::{Cell, Tape};

/// What a column is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Int2,
    Int4,
    Int8,
    Flag,
    Text,
    Date,
}

const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";
const NULL: [u8; 4] = (-1_i32).to_be_bytes();

/// Days from 0000-03-01 to 2000-01-01.
const EPOCH_DAYS: i32 = 730_425;

/// Writes all rows of a tape, with header and trailer.
pub(super) fn write(tape: &Tape, kinds: &[Kind], out: &mut Vec<u8>) {
    out.extend_from_slice(SIGNATURE);
    // Flags, and the length of a header extension.
    out.extend_from_slice(&[0; 8]);
    let columns = (kinds.len() as i16).to_be_bytes();
    let mut cells = tape.cells();
    for _ in 0..tape.rows() {
        out.extend_from_slice(&columns);
        for (kind, cell) in kinds.iter().zip(cells.by_ref()) {
            column(*kind, cell, out);
        }
    }
    out.extend_from_slice(&(-1_i16).to_be_bytes());
}

fn column(kind: Kind, cell: Cell<'_>, out: &mut Vec<u8>) {
    match (kind, cell) {
        (_, Cell::Null) => out.extend_from_slice(&NULL),
        (Kind::Date, Cell::Text(text)) => {
            out.extend_from_slice(&4_i32.to_be_bytes());
            out.extend_from_slice(&days(text).to_be_bytes());
        }
        (_, Cell::Text(text)) => {
            out.extend_from_slice(&(text.len() as u32).to_be_bytes());
            out.extend_from_slice(text);
        }
        (Kind::Flag, Cell::Integer(value)) => {
            out.extend_from_slice(&1_i32.to_be_bytes());
            out.push(u8::from(value != 0));
        }
        (Kind::Int2, Cell::Integer(value)) => {
            out.extend_from_slice(&2_i32.to_be_bytes());
            out.extend_from_slice(&(value as i16).to_be_bytes());
        }
        (Kind::Int4, Cell::Integer(value)) => {
            out.extend_from_slice(&4_i32.to_be_bytes());
            out.extend_from_slice(&(value as i32).to_be_bytes());
        }
        (_, Cell::Integer(value)) => {
            out.extend_from_slice(&8_i32.to_be_bytes());
            out.extend_from_slice(&value.to_be_bytes());
        }
    }
}

/// Days since 2000-01-01 of a date that a tape spells, `YYYY-MM-DD`; years begin in March, so that leap days end
/// them.
fn days(text: &[u8]) -> i32 {
    let number = |from: usize, to: usize| {
        let digits = text.get(from..to).unwrap_or_default();
        digits
            .iter()
            .fold(0, |sum, digit| sum * 10 + i32::from(digit & 0x0f))
    };
    let (year, month, day) = (number(0, 4), number(5, 7), number(8, 10));
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let days_of_years =
        year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    days_of_years + (month * 153 + 2) / 5 + day - 1 - EPOCH_DAYS
}

#[cfg(test)]
mod tests {
    use jiff::{ToSpan as _, civil::date};

    use super::{Kind, days, write};
    use crate::store::tape::Tape;

    #[test]
    fn days_are_counted_as_the_calendar_has_them() {
        let epoch = date(2000, 1, 1);
        for offset in (-730_000..2_900_000).step_by(97) {
            let day = epoch.checked_add(offset.days()).expect("a day");
            assert_eq!(days(day.to_string().as_bytes()), offset, "{day}");
        }
        assert_eq!(days(b"2000-02-29"), 59);
    }

    #[test]
    fn a_row_is_its_columns_with_their_lengths() {
        let mut tape = Tape::default();
        tape.integer(7);
        tape.optional(None);
        tape.text("PIN");
        tape.date(Some(date(2000, 1, 2)));
        tape.integer(1);
        tape.end_row();
        let kinds = [Kind::Int8, Kind::Text, Kind::Text, Kind::Date, Kind::Flag];
        let mut out = Vec::new();
        write(&tape, &kinds, &mut out);
        let expected: [&[u8]; 9] = [
            b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0",
            &[0, 5],
            &[0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 7],
            &[0xff; 4],
            b"\0\0\0\x03PIN",
            &[0, 0, 0, 4, 0, 0, 0, 1],
            &[0, 0, 0, 1, 1],
            &[0xff; 2],
            &[],
        ];
        assert_eq!(out, expected.concat());
    }
}
