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
    // U+0080 to U+009F begin with the byte C2; what else begins with it is looked at closely and rarely.
    let suspicious = |byte: u8| (byte < 0x20) | (byte == 0x7f) | (byte == 0xc2);
    // In blocks, which the compiler turns into vector instructions.
    let (blocks, rest) = text.as_bytes().as_chunks::<16>();
    let any = |bytes: &[u8]| {
        let found = bytes.iter().map(|byte| suspicious(*byte));
        found.fold(false, |any, found| any | found)
    };
    let in_blocks = blocks.iter().fold(false, |found, block| found | any(block));
    (in_blocks || any(rest)) && trimmed(text).chars().any(char::is_control)
}
