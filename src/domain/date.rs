//! ISO dates as legacy databases write them.

use jiff::civil::Date;

/// Bytes of `YYYY-MM-DD`.
pub const DATE_BYTES: usize = 10;

/// The date in a trimmed text: `YYYY-MM-DD`, alone or before a time part that begins with `T` or a space
/// and is dropped. The time is not judged beyond its form (digits, `:`, `.`, `,`, a zone), since nothing depends on
/// it. There is no year 0: not every engine can keep it.
#[must_use]
pub fn parse(text: &str) -> Option<Date> {
    let bytes = text.as_bytes();
    let &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, ref rest @ ..] = bytes else {
        return None;
    };
    if !(rest.is_empty() || is_time_part(rest)) {
        return None;
    }
    let year = i16::from(two_digits(y1, y2)?) * 100 + i16::from(two_digits(y3, y4)?);
    if year == 0 {
        return None;
    }
    Date::new(year, two_digits(m1, m2)?, two_digits(d1, d2)?).ok()
}

/// The date as `YYYY-MM-DD`.
#[must_use]
pub fn text(date: Date) -> [u8; DATE_BYTES] {
    let year = date.year().unsigned_abs();
    let [y1, y2] = digits((year / 100) as u8);
    let [y3, y4] = digits((year % 100) as u8);
    let [m1, m2] = digits(date.month().unsigned_abs());
    let [d1, d2] = digits(date.day().unsigned_abs());
    [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2]
}

const fn digits(number: u8) -> [u8; 2] {
    [b'0' + number / 10, b'0' + number % 10]
}

fn two_digits(tens: u8, ones: u8) -> Option<i8> {
    let both = tens.is_ascii_digit() && ones.is_ascii_digit();
    both.then(|| ((tens - b'0') * 10 + (ones - b'0')) as i8)
}

fn is_time_part(rest: &[u8]) -> bool {
    let of_a_time = |byte: &u8| {
        byte.is_ascii_digit() || matches!(byte, b':' | b'.' | b',' | b'+' | b'-' | b' ' | b'Z')
    };
    matches!(rest, [b'T' | b' ', hour, minutes @ ..]
        if hour.is_ascii_digit() && minutes.iter().all(of_a_time))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_an_iso_date_with_perhaps_a_time_that_is_dropped() {
        for (text, expected) in [
            ("2013-11-03", Some("2013-11-03")),
            ("2013-11-03T10:20:30.5Z", Some("2013-11-03")),
            ("2013-11-03 10:20:30+01:00", Some("2013-11-03")),
            ("2012-02-29", Some("2012-02-29")),
            ("9999-12-31", Some("9999-12-31")),
            ("2013-02-29", None),
            ("2013-13-01", None),
            ("0000-01-01", None),
            ("2013-1-01", None),
            ("+013-01-01", None),
            ("20131103", None),
            ("03/11/2013", None),
            ("2013-11-03T", None),
            ("2013-11-03 (?)", None),
            ("2013-11-03x", None),
            ("2013-11-0\u{663}", None),
            ("", None),
        ] {
            let got = parse(text);
            let shown = got.map(|date| date.to_string());
            assert_eq!(shown.as_deref(), expected, "{text}");
            let spelt = got.map(super::text);
            assert_eq!(
                spelt.as_ref().map(|text| &text[..]),
                expected.map(str::as_bytes)
            );
        }
    }
}
