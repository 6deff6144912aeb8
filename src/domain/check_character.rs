//! Check characters of fiscal codes: the tables of D.M. 23/12/1976 for people, Luhn's digit for numeric codes.

/// What a character in an odd position (counted from 1) adds: the ten digits, which share the values of
/// A to J, then the letters.
const ODD: [u8; 26] = [
    1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23,
];

/// Digits count from 0, letters likewise from A; the caller has checked that it is one of them.
const fn rank(byte: u8) -> u8 {
    if byte.is_ascii_digit() {
        byte - b'0'
    } else {
        byte - b'A'
    }
}

/// The sixteenth character of a personal code, over its first fifteen (digits and upper-case letters).
pub(crate) fn of_personal(code: &[u8; 16]) -> u8 {
    let mut sum = 0_u32;
    for (position, byte) in code[..15].iter().enumerate() {
        let rank = rank(*byte);
        sum += u32::from(if position % 2 == 0 {
            ODD[usize::from(rank)]
        } else {
            rank
        });
    }
    b'A' + (sum % 26) as u8
}

/// The eleventh digit of a numeric code, over its first ten: digits in odd positions as they are, in even
/// ones doubled with the digits of the product summed, modulo 10.
pub(crate) fn of_numeric(digits: &[u8]) -> u8 {
    let mut sum = 0_u32;
    for (position, byte) in digits.iter().take(10).enumerate() {
        let digit = u32::from(byte - b'0');
        let doubled = digit * 2;
        sum += match position % 2 {
            0 => digit,
            _ if doubled > 9 => doubled - 9,
            _ => doubled,
        };
    }
    b'0' + ((10 - sum % 10) % 10) as u8
}
