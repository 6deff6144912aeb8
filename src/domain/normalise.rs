//! Normalisation of a mapped value: trim, upper case, and no control characters.

use std::borrow::Cow;

use super::{field::Field, raw_record::RawRecord};

/// What normalisation does to a field beyond trimming.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Nothing: case matters, or the text is opaque.
    Text,
    /// ASCII upper case.
    Code,
    /// An ISO date, whose time part is dropped.
    Date,
}

/// How this field is normalised.
#[must_use]
pub const fn kind(field: Field) -> Kind {
    match field {
        Field::FiscalCode
        | Field::Profile
        | Field::Entity
        | Field::Status
        | Field::Level
        | Field::CredentialScheme
        | Field::Channel
        | Field::GuardianFiscalCode => Kind::Code,
        Field::BirthDate | Field::IssuedOn | Field::ExpiresOn | Field::LastUsedOn => Kind::Date,
        Field::LegacyId
        | Field::Surname
        | Field::GivenName
        | Field::Credential
        | Field::CredentialSalt
        | Field::Office
        | Field::HalvesDelivered
        | Field::Email
        | Field::Phone => Kind::Text,
    }
}

/// The text without Unicode white space around it.
#[must_use]
pub fn trimmed(text: &str) -> &str {
    match text.as_bytes() {
        [] => text,
        [first, .., last] if first.is_ascii_graphic() && last.is_ascii_graphic() => text,
        _ => text.trim(),
    }
}

/// Trimmed and in ASCII upper case; allocates only where a letter changes.
#[must_use]
pub fn code(text: &str) -> Cow<'_, str> {
    let text = trimmed(text);
    if text.bytes().any(|byte| byte.is_ascii_lowercase()) {
        Cow::Owned(text.to_ascii_uppercase())
    } else {
        Cow::Borrowed(text)
    }
}

/// The trimmed field, or `None` where nothing is left.
pub(super) fn optional<'a>(raw: &RawRecord<'a>, field: Field) -> Option<&'a str> {
    let text = trimmed(raw.get(field));
    (!text.is_empty()).then_some(text)
}

/// The field as [`code`], or `None` where nothing is left.
pub(super) fn optional_code<'a>(raw: &RawRecord<'a>, field: Field) -> Option<Cow<'a, str>> {
    let text = code(raw.get(field));
    (!text.is_empty()).then_some(text)
}

/// Whether the text holds a character of category Cc once it is trimmed.
#[must_use]
pub fn has_control(text: &str) -> bool {
    may_hold_control(text.as_bytes()) && trimmed(text).chars().any(char::is_control)
}

/// Whether a character of category Cc may stand in UTF-8 text; a glance that is seldom wrong and never misses one.
#[must_use]
pub fn may_hold_control(bytes: &[u8]) -> bool {
    let hints = match bytes.last_chunk::<8>() {
        // The last word overlaps the one before; looking twice is cheaper than byte by byte.
        Some(last) => bytes
            .as_chunks::<8>()
            .0
            .iter()
            .fold(control_hints(*last), |hints, word| {
                hints | control_hints(*word)
            }),
        None => {
            let mut word = [b' '; 8];
            for (place, byte) in word.iter_mut().zip(bytes) {
                *place = *byte;
            }
            control_hints(word)
        }
    };
    hints != 0
}

/// Not zero where one of eight bytes is below 20, is 7F, or is C2: U+0080 to U+009F begin with C2, and what
/// else does is looked at closely and rarely.
const fn control_hints(bytes: [u8; 8]) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = ONES << 7;
    /// Sets the high bit of some byte if and only if a byte of `word` is below `limit` (at most 128).
    const fn below(word: u64, limit: u64) -> u64 {
        word.wrapping_sub(ONES * limit) & !word & HIGH
    }
    let word = u64::from_ne_bytes(bytes);
    below(word, 0x20) | below(word ^ (ONES * 0x7f), 1) | below(word ^ (ONES * 0xc2), 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_seen_wherever_they_stand_but_not_around_a_text() {
        for control in (0..0xa0_u8).map(char::from).filter(|one| one.is_control()) {
            for before in 0..20 {
                let text = format!("{}{control}x", "è".repeat(before / 2) + &"b".repeat(before));
                let begins_blank = before == 0 && control.is_whitespace();
                assert_eq!(
                    has_control(&text),
                    !begins_blank,
                    "{:x}",
                    u32::from(control)
                );
            }
        }
        for clean in [
            "",
            "a",
            " \t a b\n",
            "CITTÀ Â\u{a0}£ 12345678",
            "\u{85}a\u{85}",
        ] {
            assert!(!has_control(clean), "{clean}");
        }
    }

    #[test]
    fn codes_are_trimmed_of_any_white_space_and_put_in_ascii_upper_case() {
        assert_eq!(code("\u{2003}pat\u{a0}"), "PAT");
        assert_eq!(code("naïf"), "NAïF");
        assert!(matches!(code(" PAT "), Cow::Borrowed("PAT")));
    }
}
