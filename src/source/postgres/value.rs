//! From the binary form of a value to the text that PostgreSQL itself would print.

use std::fmt::{Display, Write as _};

use jiff::Timestamp;

use crate::source::{
    moment::Zone,
    number::{append_hex, append_real},
};

/// How the values of a column arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Text as it is: enumerations too.
    Text,
    /// Text padded with spaces.
    Padded,
    /// Two, four or eight bytes with a sign.
    Integer,
    /// True or false.
    Boolean,
    /// Days since 2000.
    Date,
    /// Microseconds since 2000 on nobody's clock in particular.
    Timestamp,
    /// Microseconds since 2000.
    Instant,
    /// Sixteen bytes.
    Uuid,
    /// Any bytes.
    Bytes,
    /// Four or eight bytes of floating point.
    Real,
    /// Text that the server is asked to make of it.
    Cast,
}

/// 2000-01-01 from 1970-01-01, in days and in microseconds.
const EPOCH_DAYS: i64 = 10_957;
const EPOCH_MICROS: i64 = EPOCH_DAYS * DAY_MICROS;
const DAY_MICROS: i64 = 86_400_000_000;

const WRONG_LENGTH: &str = "a value has another length than its type";

impl Form {
    /// Of a type of PostgreSQL's own, by its name in the catalogue.
    pub(super) fn of_type(name: &str) -> Self {
        match name {
            "text" | "varchar" | "name" => Self::Text,
            "bpchar" => Self::Padded,
            "int2" | "int4" | "int8" => Self::Integer,
            "bool" => Self::Boolean,
            "date" => Self::Date,
            "timestamp" => Self::Timestamp,
            "timestamptz" => Self::Instant,
            "uuid" => Self::Uuid,
            "bytea" => Self::Bytes,
            "float4" | "float8" => Self::Real,
            _ => Self::Cast,
        }
    }

    /// The text itself, where the value is one.
    pub(super) fn text(self, bytes: &[u8]) -> Option<&[u8]> {
        match self {
            Self::Text | Self::Cast => Some(bytes),
            Self::Padded => {
                let padding = bytes.iter().rev().take_while(|byte| **byte == b' ');
                Some(&bytes[..bytes.len() - padding.count()])
            }
            Self::Integer
            | Self::Boolean
            | Self::Date
            | Self::Timestamp
            | Self::Instant
            | Self::Uuid
            | Self::Bytes
            | Self::Real => None,
        }
    }

    /// Spells a value that is no text.
    pub(super) fn append(
        self,
        bytes: &[u8],
        zone: &Zone,
        out: &mut String,
    ) -> Result<(), &'static str> {
        match self {
            Self::Text | Self::Padded | Self::Cast => {}
            Self::Integer => append(out, integer(bytes)?),
            Self::Boolean => match bytes {
                [0] => out.push_str("false"),
                [_] => out.push_str("true"),
                _ => return Err(WRONG_LENGTH),
            },
            Self::Date => match i32::from_be_bytes(sized(bytes)?) {
                i32::MIN | i32::MAX => {}
                days => append_day(i64::from(days) + EPOCH_DAYS, "", out),
            },
            Self::Timestamp => match i64::from_be_bytes(sized(bytes)?) {
                i64::MIN | i64::MAX => {}
                micros => append_timestamp(micros, out),
            },
            Self::Instant => match i64::from_be_bytes(sized(bytes)?) {
                i64::MIN | i64::MAX => {}
                micros => append_instant(micros, zone, out),
            },
            Self::Uuid => append_uuid(sized(bytes)?, out),
            Self::Bytes => append_hex(bytes, out),
            Self::Real => match bytes.len() {
                // Digit by digit as short as PostgreSQL itself prints it.
                4 => append(out, f32::from_be_bytes(sized(bytes)?)),
                _ => append_real(f64::from_be_bytes(sized(bytes)?), out),
            },
        }
        Ok(())
    }
}

fn sized<const N: usize>(bytes: &[u8]) -> Result<[u8; N], &'static str> {
    bytes.try_into().map_err(|_| WRONG_LENGTH)
}

fn append(out: &mut String, number: impl Display) {
    // Writing to a string cannot fail.
    let _ = write!(out, "{number}");
}

fn integer(bytes: &[u8]) -> Result<i64, &'static str> {
    Ok(match bytes.len() {
        2 => i64::from(i16::from_be_bytes(sized(bytes)?)),
        4 => i64::from(i32::from_be_bytes(sized(bytes)?)),
        _ => i64::from_be_bytes(sized(bytes)?),
    })
}

fn append_uuid(bytes: [u8; 16], out: &mut String) {
    let mut rest = &bytes[..];
    for (at, length) in [4, 2, 2, 2, 6].into_iter().enumerate() {
        if at > 0 {
            out.push('-');
        }
        let (part, after) = rest.split_at(length);
        append_hex(part, out);
        rest = after;
    }
}

/// A day, counted from 1970, with the time of that day behind it: years before 1 end in BC.
fn append_day(days: i64, time: &str, out: &mut String) {
    let (year, month, day) = civil(days);
    let (year, era) = if year > 0 {
        (year, "")
    } else {
        (1 - year, " BC")
    };
    match u32::try_from(year) {
        Ok(year @ 0..10_000) => append_digits::<4>(year, out),
        _ => append(out, year),
    }
    for part in [month, day] {
        out.push('-');
        append_digits::<2>(part as u32, out);
    }
    out.push_str(time);
    out.push_str(era);
}

/// The last so many digits: every record has dates, and general formatting is slow.
fn append_digits<const DIGITS: u32>(number: u32, out: &mut String) {
    let digit = |place| b'0' + (number / 10_u32.pow(place) % 10) as u8;
    out.extend((0..DIGITS).rev().map(|place| char::from(digit(place))));
}

fn append_timestamp(micros: i64, out: &mut String) {
    let (days, of_day) = (micros.div_euclid(DAY_MICROS), micros.rem_euclid(DAY_MICROS));
    let (seconds, fraction) = (of_day / 1_000_000, of_day % 1_000_000);
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    let mut time = format!(" {hours:02}:{minutes:02}:{:02}", seconds % 60);
    if fraction > 0 {
        let digits = format!(".{fraction:06}");
        time.push_str(digits.trim_end_matches('0'));
    }
    append_day(days + EPOCH_DAYS, &time, out);
}

/// In the zone; an instant that no clock there can show is left in UTC, and is no date to anybody.
fn append_instant(micros: i64, zone: &Zone, out: &mut String) {
    let since_1970 = micros.checked_add(EPOCH_MICROS);
    match since_1970.map(Timestamp::from_microsecond) {
        Some(Ok(at)) => out.push_str(&zone.local(at)),
        Some(Err(_)) | None => append_timestamp(micros, out),
    }
}

/// Year, month and day of a day counted from 1970 in the Gregorian calendar, which PostgreSQL uses for all times.
/// Counting begins with March, so that the leap day is the last of its year; the months then have a regular
/// pattern of 153 days in five.
fn civil(days: i64) -> (i64, i64, i64) {
    const CYCLE_DAYS: i64 = 146_097;
    let days = days + 719_468;
    let (cycle, day) = (days.div_euclid(CYCLE_DAYS), days.rem_euclid(CYCLE_DAYS));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let of_year = day - (365 * year + year / 4 - year / 100);
    let from_march = (5 * of_year + 2) / 153;
    let of_month = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    (cycle * 400 + year + i64::from(month <= 2), month, of_month)
}

#[cfg(test)]
mod tests {
    use jiff::civil::Date;

    use super::civil;

    #[test]
    fn days_are_those_of_the_calendar() {
        let epoch = jiff::civil::date(1970, 1, 1);
        let days = |date: Date| i64::from(date.since(epoch).expect("a span").get_days());
        let (first, last) = (days(Date::MIN), days(Date::MAX));
        for day in (first..=last)
            .step_by(97)
            .chain([-719_468, 11_016, first, last])
        {
            let span = jiff::Span::new().days(i32::try_from(day).expect("few days"));
            let date = epoch.checked_add(span).expect("a date");
            let expected = (date.year().into(), date.month().into(), date.day().into());
            assert_eq!(civil(day), expected, "{date}");
        }
    }
}
