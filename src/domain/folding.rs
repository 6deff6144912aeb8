//! Names folded to their letters, so that NICOLÒ, NICOLO' and Nicolo are the same.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;

/// Upper case, NFKD, diacritics stripped, Ł Ø Đ Æ Œ ß Þ ı spelled L O D AE OE SS TH I, then letters A–Z only; if
/// nothing is left, the upper-cased text.
#[must_use]
pub fn folded(name: &str) -> Cow<'_, str> {
    if name.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Cow::Borrowed(name);
    }
    let letters = letters(name);
    Cow::Owned(if letters.is_empty() {
        name.to_uppercase()
    } else {
        letters
    })
}

/// The letters A–Z of a name, as [`folded`] finds them; perhaps none.
#[must_use]
pub fn letters(name: &str) -> String {
    if name.is_ascii() {
        let upper = name.bytes().map(|byte| byte.to_ascii_uppercase());
        return upper
            .filter(u8::is_ascii_uppercase)
            .map(char::from)
            .collect();
    }
    let upper = name.to_uppercase();
    let mut letters = String::with_capacity(upper.len());
    // Diacritics stand alone once decomposed, and fall away with all that is no letter A to Z.
    for character in upper.nfkd() {
        match character {
            'A'..='Z' => letters.push(character),
            'Ł' => letters.push('L'),
            'Ø' => letters.push('O'),
            'Đ' => letters.push('D'),
            'Æ' => letters.push_str("AE"),
            'Œ' => letters.push_str("OE"),
            // Upper-casing leaves these two alone only where they stand in upper case already.
            'ß' | 'ẞ' => letters.push_str("SS"),
            'Þ' => letters.push_str("TH"),
            'ı' => letters.push('I'),
            _ => {}
        }
    }
    letters
}

/// Whether two names are the same once folded.
#[must_use]
pub fn same(a: &str, b: &str) -> bool {
    a == b || folded(a) == folded(b)
}
