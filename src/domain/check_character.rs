//! Check characters of fiscal codes: the tables of D.M. 23/12/1976 for people, Luhn's digit for numeric codes.

/// What a character in an odd position (counted from 1) adds: the ten digits, which share the values of
/// A to J, then the letters.
const ODD: [u8; 26] = [
    1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23,
];

/// What each byte adds in an odd and in an even position; only digits and upper-case letters matter.
const ADDS: [[u8; 256]; 2] = {
    let mut adds = [[0; 256]; 2];
    let mut rank = 0;
    while rank < ODD.len() {
        let letter = b'A' as usize + rank;
        adds[0][letter] = ODD[rank];
        adds[1][letter] = rank as u8;
        if rank < 10 {
            let digit = b'0' as usize + rank;
            adds[0][digit] = ODD[rank];
            adds[1][digit] = rank as u8;
        }
        rank += 1;
    }
    adds
};

/// The sixteenth character of a personal code, over its first fifteen (digits and upper-case letters).
pub(crate) fn of_personal(code: &[u8; 16]) -> u8 {
    let mut sum = 0_u16;
    for (position, byte) in code[..15].iter().enumerate() {
        sum += u16::from(ADDS[position % 2][usize::from(*byte)]);
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
