//! Computed fiscal codes (D.M. 23/12/1976).

use crate::domain::check_character;

/// A fiscal code as text, personal or numeric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Code {
    text: [u8; 16],
    length: usize,
}

const MONTHS: &[u8; 12] = b"ABCDEHLMPRST";
const OMOCODIA: &[u8; 10] = b"LMNPQRSTUV";
/// Where the digits stand that omocodia turns into letters, the last first.
const DIGITS: [usize; 7] = [14, 13, 12, 10, 9, 7, 6];

impl Code {
    /// The code of a person; `birth` is an ISO date.
    pub(super) fn personal(
        surname: [u8; 3],
        given_name: [u8; 3],
        birth: &[u8; 10],
        woman: bool,
        place: usize,
    ) -> Self {
        let month = usize::from(birth[5] - b'0') * 10 + usize::from(birth[6] - b'0');
        let mut text = [0; 16];
        text[..3].copy_from_slice(&surname);
        text[3..6].copy_from_slice(&given_name);
        text[6..8].copy_from_slice(&birth[2..4]);
        text[8] = MONTHS[month - 1];
        text[9..11].copy_from_slice(&birth[8..10]);
        if woman {
            text[9] += 4;
        }
        text[11] = b'A' + (place / 900 % 13) as u8;
        put_digits(&mut text[12..15], place as u64 % 900 + 1);
        let mut code = Self { text, length: 16 };
        code.seal();
        code
    }

    /// The code of a company.
    pub(super) fn numeric(number: u64) -> Self {
        let mut text = [0; 16];
        put_digits(&mut text[..10], number);
        text[10] = check_character::of_numeric(&text);
        Self { text, length: 11 }
    }

    /// The code of a namesake: so many of the last digits are letters.
    pub(super) fn omocode(mut self, letters: usize) -> Self {
        for &at in DIGITS.iter().take(letters) {
            if self.text[at].is_ascii_digit() {
                self.text[at] = OMOCODIA[usize::from(self.text[at] - b'0')];
            }
        }
        self.seal();
        self
    }

    /// The same code with a check character that does not fit.
    pub(super) fn spoilt(mut self) -> Self {
        let last = &mut self.text[self.length - 1];
        *last = match *last {
            b'Z' => b'A',
            b'9' => b'0',
            other => other + 1,
        };
        self
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.text[..self.length]
    }

    fn seal(&mut self) {
        self.text[15] = check_character::of_personal(&self.text);
    }
}

/// Writes a number with leading zeros.
pub(super) fn put_digits(into: &mut [u8], mut number: u64) {
    for digit in into.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_what_the_revenue_agency_would_compute() {
        let code = Code::personal(*b"RSS", *b"MRA", b"1980-01-01", false, 7 * 900 + 500);
        assert_eq!(code.as_bytes(), b"RSSMRA80A01H501U");
        let woman = Code::personal(*b"RSS", *b"MRA", b"1980-12-31", true, 7 * 900 + 500);
        assert_eq!(&woman.as_bytes()[..15], b"RSSMRA80T71H501");
        assert_eq!(code.omocode(2).as_bytes()[..15], *b"RSSMRA80A01H5LM");
        assert_eq!(Code::numeric(74_311_015).as_bytes(), b"00743110157");
    }
}
