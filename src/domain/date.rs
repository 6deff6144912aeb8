//! ISO dates as legacy databases write them.

use jiff::civil::Date;

/// Bytes of `YYYY-MM-DD`.
pub(super) const DATE_BYTES: usize = 10;

/// The date in a trimmed text: `YYYY-MM-DD`, alone or before a time part that begins with `T` or a space
/// and is dropped. The time is not judged beyond its form (digits, `:`, `.`, `,`, a zone), since nothing depends on
/// it. There is no year 0: not every engine can keep it.
#[must_use]
pub fn parse(text: &str) -> Option<Date> {
    let (date, rest) = text.as_bytes().split_at_checked(DATE_BYTES)?;
    if date[4] != b'-' || date[7] != b'-' || !(rest.is_empty() || is_time_part(rest)) {
        return None;
    }
    let year = number(&date[..4])?;
    let month = i8::try_from(number(&date[5..7])?).ok()?;
    let day = i8::try_from(number(&date[8..])?).ok()?;
    if year == 0 {
        return None;
    }
    Date::new(year, month, day).ok()
}

fn number(digits: &[u8]) -> Option<i16> {
    digits.iter().try_fold(0, |number, digit| {
        digit
            .is_ascii_digit()
            .then(|| number * 10 + i16::from(digit - b'0'))
    })
}

fn is_time_part(rest: &[u8]) -> bool {
    let of_a_time = |byte: &u8| {
        byte.is_ascii_digit() || matches!(byte, b':' | b'.' | b',' | b'+' | b'-' | b' ' | b'Z')
    };
    matches!(rest, [b'T' | b' ', hour, minutes @ ..]
        if hour.is_ascii_digit() && minutes.iter().all(of_a_time))
}
