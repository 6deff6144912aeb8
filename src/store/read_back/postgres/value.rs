//! Values in binary, as SQLite spells them (PostgreSQL manual, "Frontend/Backend Protocol", and the source of
//! the server's send functions).

use std::fmt::Write as _;

use crate::store::{
    StoreError,
    database::damaged,
    read_back::row_set::{Keys, RowSet},
};

/// How the bytes of a column become text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// They are text.
    Text,
    /// Days since 2000, spelt `YYYY-MM-DD`.
    Date,
    /// An integer, or a flag as 0 or 1.
    Number,
}

/// Adds a row of these columns.
pub(super) fn push(
    rows: &mut RowSet,
    keys: Keys,
    kinds: &[Kind],
    columns: &[Option<&[u8]>],
) -> Result<(), StoreError> {
    rows.start(keys);
    for (kind, column) in kinds.iter().zip(columns) {
        match (column, kind) {
            (None, _) => rows.null_column(),
            (Some(bytes), Kind::Text) => {
                let text = text(bytes)?;
                rows.column(|out| out.push_str(text));
            }
            (Some(bytes), Kind::Date) => {
                let days = date(bytes)?;
                rows.column(|out| push_date(days, out));
            }
            (Some(bytes), Kind::Number) => {
                let number = integer(Some(bytes))?;
                rows.column(|out| push_number(number, out));
            }
        }
    }
    Ok(())
}

/// A text, which every server sends in UTF-8.
pub(super) fn text(bytes: &[u8]) -> Result<&str, StoreError> {
    std::str::from_utf8(bytes).map_err(|_| damaged("a text that is not UTF-8"))
}

/// A text that is not NULL.
pub(super) fn some_text(bytes: Option<&[u8]>) -> Result<&str, StoreError> {
    text(bytes.ok_or_else(|| damaged("NULL for a text"))?)
}

/// An integer of any size, or a flag.
pub(super) fn integer(bytes: Option<&[u8]>) -> Result<i64, StoreError> {
    match bytes.unwrap_or_default() {
        &[flag] => Ok(i64::from(flag)),
        &[a, b] => Ok(i64::from(i16::from_be_bytes([a, b]))),
        &[a, b, c, d] => Ok(i64::from(i32::from_be_bytes([a, b, c, d]))),
        other => match other.try_into() {
            Ok(bytes) => Ok(i64::from_be_bytes(bytes)),
            Err(_) => Err(damaged("no integer where one is asked for")),
        },
    }
}

fn date(bytes: &[u8]) -> Result<i32, StoreError> {
    let days = bytes
        .try_into()
        .map_err(|_| damaged("no date where one is asked for"))?;
    Ok(i32::from_be_bytes(days))
}

/// Days from 0000-03-01 to 2000-01-01.
const EPOCH_DAYS: i64 = 730_425;
/// Days of 400 years, after which the calendar begins anew.
const CYCLE_DAYS: i64 = 146_097;

/// Spells a date. Years are counted from March, so that leap days end them.
fn push_date(since_2000: i32, out: &mut String) {
    match since_2000 {
        i32::MAX => return out.push_str("infinity"),
        i32::MIN => return out.push_str("-infinity"),
        _ => {}
    }
    let days = i64::from(since_2000) + EPOCH_DAYS;
    let (cycle, day) = (days.div_euclid(CYCLE_DAYS), days.rem_euclid(CYCLE_DAYS));
    // The last day of a cycle, of its centuries and of its leap years would else begin a year of its own.
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (year, month) = match month {
        0..=9 => (year, month + 3),
        _ => (year + 1, month - 9),
    };
    match cycle * 400 + year {
        year @ 0..=9_999 => {
            push_two(year / 100, out);
            push_two(year % 100, out);
        }
        // No ISO date of four digits; whatever it is compared with differs.
        year => push_number(year, out),
    }
    out.push('-');
    push_two(month, out);
    out.push('-');
    push_two(day, out);
}

fn push_two(number: i64, out: &mut String) {
    for digit in [number / 10, number % 10] {
        out.push(char::from(b'0' + digit as u8));
    }
}

fn push_number(number: i64, out: &mut String) {
    // Writing to a String does not fail.
    let _ = write!(out, "{number}");
}

#[cfg(test)]
mod tests {
    use jiff::{ToSpan as _, civil};

    use super::{integer, push_date};

    #[test]
    fn dates_are_spelt_as_the_calendar_has_them() {
        let epoch = civil::date(2000, 1, 1);
        for days in (-730_000..2_900_000).step_by(61).chain(-800..800) {
            let mut spelt = String::new();
            push_date(days, &mut spelt);
            let date = epoch.checked_add(days.days()).expect("a day");
            assert_eq!(spelt, date.to_string(), "{days}");
        }
        for (days, expected) in [
            (i32::MAX, "infinity"),
            (i32::MIN, "-infinity"),
            (2_921_940, "10000-01-01"),
        ] {
            let mut spelt = String::new();
            push_date(days, &mut spelt);
            assert_eq!(spelt, expected);
        }
    }

    #[test]
    fn integers_have_any_size() {
        for bytes in [&[1][..], &[0, 1], &[0, 0, 0, 1], &[0, 0, 0, 0, 0, 0, 0, 1]] {
            assert_eq!(integer(Some(bytes)).ok(), Some(1));
        }
        assert_eq!(integer(Some(&[0xff, 0xfe])).ok(), Some(-2));
        assert!(integer(Some(&[0, 0, 1])).is_err() && integer(None).is_err());
    }
}
