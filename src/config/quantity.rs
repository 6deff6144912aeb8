//! Sizes, durations and zones as people write them.

use std::time::Duration;

use jiff::{SignedDuration, Span, SpanRelativeTo, civil::Time, tz::TimeZone};

/// What [`bytes`] accepts, in words.
pub(crate) const SIZES: &str = "a size such as \"256MiB\", \"1GiB\" or a number of bytes";

/// What [`duration`] accepts, in words.
pub(crate) const DURATIONS: &str = "an ISO duration such as \"PT4H\" or \"PT90S\"";

const UNITS: [(&str, u64); 9] = [
    ("KIB", 1 << 10),
    ("MIB", 1 << 20),
    ("GIB", 1 << 30),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("K", 1 << 10),
    ("M", 1 << 20),
    ("G", 1 << 30),
];

/// Bytes from `256MiB`, `1 GB`, `4096` or `512B`.
pub(crate) fn bytes(text: &str) -> Result<u64, &'static str> {
    let upper = text.to_ascii_uppercase();
    let (digits, factor) = UNITS
        .iter()
        .find_map(|(unit, factor)| Some((upper.strip_suffix(unit)?, *factor)))
        .unwrap_or_else(|| (upper.strip_suffix('B').unwrap_or(&upper), 1));
    let number: u64 = digits
        .trim()
        .replace('_', "")
        .parse()
        .map_err(|_| "is not a size")?;
    number.checked_mul(factor).ok_or("is too large")
}

/// A length of time; a day is 24 hours.
pub(crate) fn duration(text: &str) -> Result<Duration, &'static str> {
    let span: Span = text.parse().map_err(|_| "is not a duration")?;
    let length: SignedDuration = span
        .to_duration(SpanRelativeTo::days_are_24_hours())
        .map_err(|_| "has no fixed length; use days, hours, minutes or seconds")?;
    match Duration::try_from(length) {
        Ok(length) if !length.is_zero() => Ok(length),
        Ok(_) | Err(_) => Err("is not longer than nothing"),
    }
}

/// An IANA zone name, as it was written.
pub(crate) fn time_zone(text: &str) -> Result<String, &'static str> {
    match TimeZone::get(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err("is not a known time zone"),
    }
}

/// An hour of the day, `HH:MM`.
pub(crate) fn hour(text: &str) -> Result<Time, &'static str> {
    match Time::strptime("%H:%M", text) {
        Ok(hour) if text.len() == 5 && !text.starts_with([' ', '+']) => Ok(hour),
        Ok(_) | Err(_) => Err("is no hour of the day"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_with_binary_and_decimal_units() {
        assert_eq!(bytes("256MiB"), Ok(256 << 20));
        assert_eq!(bytes("1 gb"), Ok(1_000_000_000));
        assert_eq!(bytes("64M"), Ok(64 << 20));
        assert_eq!(bytes("4096"), Ok(4096));
        assert_eq!(bytes("512B"), Ok(512));
        for wrong in ["", "MiB", "-1", "1.5GiB", "99999999999G"] {
            assert!(bytes(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn durations_have_a_fixed_positive_length() {
        assert_eq!(duration("PT4H"), Ok(Duration::from_secs(4 * 3600)));
        assert_eq!(duration("P1DT1S"), Ok(Duration::from_secs(86_401)));
        for wrong in ["", "PT0S", "-PT1H", "P1M", "soon"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn hours_have_two_digits_for_each_part() {
        assert_eq!(hour("08:30"), Ok(Time::constant(8, 30, 0, 0)));
        for wrong in ["", "8:30", "24:00", "08:60", "08:30:00", "+8:30", " 8:30"] {
            assert!(hour(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn zones_are_those_of_the_iana_database() {
        assert!(time_zone("Europe/Rome").is_ok());
        assert!(time_zone("Roma").is_err());
    }
}
