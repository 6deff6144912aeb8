//! Omocodia: two people would have the same code, so the later one gets letters in place of digits.

/// Where a personal code has digits, from the left.
const DIGIT_POSITIONS: [usize; 7] = [6, 7, 9, 10, 12, 13, 14];

/// The value of a digit or of the omocodia letter in its place (LMNPQRSTUV are 0 to 9).
pub(super) const fn digit_value(byte: u8) -> Option<u8> {
    Some(match byte {
        b'0'..=b'9' => byte - b'0',
        b'L'..=b'N' => byte - b'L',
        b'P'..=b'V' => byte - b'P' + 3,
        _ => return None,
    })
}

/// Which of the seven digits are letters: the leftmost is the highest bit, so that masks of one base order
/// like the codes themselves.
pub(super) fn mask(code: &[u8; 16]) -> u8 {
    DIGIT_POSITIONS.iter().fold(0, |mask, position| {
        mask << 1 | u8::from(code[*position].is_ascii_uppercase())
    })
}

/// Puts digits in place of the letters; the check character is left as it was.
pub(super) fn spell_digits(code: &mut [u8; 16]) {
    for position in DIGIT_POSITIONS {
        if let Some(value) = digit_value(code[position]) {
            code[position] = b'0' + value;
        }
    }
}
