//! Italian fiscal codes (D.M. 23/12/1976): form, date and check character.

use std::{fmt, str::FromStr};

use super::{check_character, omocodia, sort_key::Base};

/// A valid fiscal code, personal (16 characters) or numeric (11 digits). Its `Debug` is masked.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FiscalCode {
    /// Numeric codes are padded with zero bytes.
    bytes: [u8; 16],
}

/// The text is no valid fiscal code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidFiscalCode {
    /// Neither 16 characters of the personal form nor 11 digits.
    #[error("neither the personal nor the numeric form")]
    Form,
    /// The day and month do not exist.
    #[error("the date in the code does not exist")]
    Date,
    /// The check character does not fit.
    #[error("the check character does not fit")]
    Check,
}

/// The date of birth as far as a personal code tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodeBirth {
    /// The last two digits of the year.
    pub year_of_century: u8,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31, the 40 added for women taken off.
    pub day: u8,
}

const PERSONAL_LENGTH: usize = 16;
const NUMERIC_LENGTH: usize = 11;
/// Added to the day of birth of women.
const WOMEN: u8 = 40;

impl FiscalCode {
    /// The code.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let length = if self.is_numeric() {
            NUMERIC_LENGTH
        } else {
            PERSONAL_LENGTH
        };
        std::str::from_utf8(&self.bytes[..length]).unwrap_or_default()
    }

    /// Whether it is a numeric code, as bodies have.
    #[must_use]
    pub fn is_numeric(&self) -> bool {
        self.bytes[NUMERIC_LENGTH] == 0
    }

    /// What codes that differ only by omocodia have in common: the code with digits for its omocodia
    /// letters and the check character that goes with them. Numeric codes are padded with zero bytes.
    #[must_use]
    pub fn base(&self) -> Base {
        let mut base = self.bytes;
        if self.omocodia_mask() != 0 {
            omocodia::spell_digits(&mut base);
            base[15] = check_character::of_personal(&base);
        }
        Base(base)
    }

    /// Which of the seven digits are omocodia letters, the leftmost as the highest bit; 0 for none.
    #[must_use]
    pub fn omocodia_mask(&self) -> u8 {
        if self.is_numeric() {
            0
        } else {
            omocodia::mask(&self.bytes)
        }
    }

    /// The six letters that stand for surname and given name; `None` for numeric codes.
    #[must_use]
    pub fn name_letters(&self) -> Option<[u8; 6]> {
        let letters = self.bytes[..6].try_into().ok()?;
        (!self.is_numeric()).then_some(letters)
    }

    /// The date of birth; `None` for numeric codes.
    #[must_use]
    pub fn birth(&self) -> Option<CodeBirth> {
        if self.is_numeric() {
            return None;
        }
        birth_of(&self.bytes)
    }

    /// The code in this text once it is trimmed and in upper case; allocates nothing.
    ///
    /// # Errors
    /// As for [`FromStr`].
    pub fn normalised(text: &str) -> Result<Self, InvalidFiscalCode> {
        Self::from_bytes(super::normalise::trimmed(text).as_bytes())
    }

    fn from_bytes(text: &[u8]) -> Result<Self, InvalidFiscalCode> {
        let mut bytes = [0; PERSONAL_LENGTH];
        bytes
            .get_mut(..text.len())
            .ok_or(InvalidFiscalCode::Form)?
            .copy_from_slice(text);
        bytes.make_ascii_uppercase();
        match text.len() {
            PERSONAL_LENGTH => check_personal(&bytes)?,
            NUMERIC_LENGTH => check_numeric(&bytes[..NUMERIC_LENGTH])?,
            _ => return Err(InvalidFiscalCode::Form),
        }
        Ok(Self { bytes })
    }
}

impl fmt::Debug for FiscalCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FiscalCode(****************)")
    }
}

impl FromStr for FiscalCode {
    type Err = InvalidFiscalCode;

    /// Takes a code that is trimmed and in upper case.
    fn from_str(text: &str) -> Result<Self, InvalidFiscalCode> {
        if text.bytes().any(|byte| byte.is_ascii_lowercase()) {
            return Err(InvalidFiscalCode::Form);
        }
        Self::from_bytes(text.as_bytes())
    }
}

/// Classes of characters, as bits.
const LETTER: u8 = 1;
const DIGIT: u8 = 2;
const MONTH: u8 = 4;

/// What stands where in a personal code.
const FORM: [u8; PERSONAL_LENGTH] = [
    LETTER, LETTER, LETTER, LETTER, LETTER, LETTER, DIGIT, DIGIT, MONTH, DIGIT, DIGIT, LETTER,
    DIGIT, DIGIT, DIGIT, LETTER,
];

/// The classes of each byte; omocodia letters are digits too.
const CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        if byte.is_ascii_uppercase() {
            classes[byte as usize] |= LETTER;
        }
        if omocodia::digit_value(byte).is_some() {
            classes[byte as usize] |= DIGIT;
        }
        if month_of(byte).is_some() {
            classes[byte as usize] |= MONTH;
        }
        byte += 1;
    }
    classes
};

fn check_personal(code: &[u8; 16]) -> Result<(), InvalidFiscalCode> {
    let mut fits = true;
    for (byte, wanted) in code.iter().zip(FORM) {
        fits &= CLASSES[usize::from(*byte)] & wanted != 0;
    }
    if !fits {
        return Err(InvalidFiscalCode::Form);
    }
    let birth = birth_of(code).ok_or(InvalidFiscalCode::Date)?;
    if birth.day == 0 || birth.day > longest_month(birth) {
        return Err(InvalidFiscalCode::Date);
    }
    if check_character::of_personal(code) != code[15] {
        return Err(InvalidFiscalCode::Check);
    }
    Ok(())
}

fn check_numeric(digits: &[u8]) -> Result<(), InvalidFiscalCode> {
    if !digits.iter().all(u8::is_ascii_digit) || digits.iter().all(|digit| *digit == b'0') {
        return Err(InvalidFiscalCode::Form);
    }
    if check_character::of_numeric(digits) != digits[10] {
        return Err(InvalidFiscalCode::Check);
    }
    Ok(())
}

/// The date in a code of valid form; the day may still be none of the month.
fn birth_of(code: &[u8; 16]) -> Option<CodeBirth> {
    let two_digits = |at: usize| {
        let tens = omocodia::digit_value(code[at])?;
        Some(tens * 10 + omocodia::digit_value(code[at + 1])?)
    };
    let day = two_digits(9)?;
    Some(CodeBirth {
        year_of_century: two_digits(6)?,
        month: month_of(code[8])?,
        day: if day > WOMEN { day - WOMEN } else { day },
    })
}

const fn month_of(letter: u8) -> Option<u8> {
    Some(match letter {
        b'A' => 1,
        b'B' => 2,
        b'C' => 3,
        b'D' => 4,
        b'E' => 5,
        b'H' => 6,
        b'L' => 7,
        b'M' => 8,
        b'P' => 9,
        b'R' => 10,
        b'S' => 11,
        b'T' => 12,
        _ => return None,
    })
}

/// The last day the month may have: the century is not known, so year 00 may be a leap year.
const fn longest_month(birth: CodeBirth) -> u8 {
    match birth.month {
        2 if birth.year_of_century.is_multiple_of(4) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(text: &str) -> String {
        match text.parse::<FiscalCode>() {
            Ok(code) => format!("{:07b}", code.omocodia_mask()),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn codes_are_judged_by_form_date_and_check_character() {
        const FORM: &str = "neither the personal nor the numeric form";
        const DATE: &str = "the date in the code does not exist";
        const CHECK: &str = "the check character does not fit";
        for (code, expected) in [
            ("RSSMRA80A01H501U", "0000000"),
            ("RSSMRA80A01H501V", CHECK),
            // Omocodia, from the right and from the left; the check character follows.
            ("RSSMRA80A01H50MU", CHECK),
            ("RSSMRA80A01H50MM", "0000001"),
            ("RSSMRAULALMHRLMD", "1111111"),
            ("RSSMRA80A01H50OU", FORM),
            // Women are born on days 41 to 71.
            ("RSSMRA80A41H501Y", "0000000"),
            ("RSSMRA80A71H501B", "0000000"),
            ("RSSMRA80A32H501C", DATE),
            ("RSSMRA80A40H501Z", DATE),
            ("RSSMRA80A72H501G", DATE),
            ("RSSMRA80A00H501V", DATE),
            // Thirty days, and 29 February where the year may be a leap year: 2000 was one.
            ("RSSMRA80D31H501D", DATE),
            ("RSSMRA80D70H501I", "0000000"),
            ("RSSMRA80B29H501Q", "0000000"),
            ("RSSMRA81B29H501R", DATE),
            ("RSSMRA00B29H501Y", "0000000"),
            ("RSSMRA80B69H501U", "0000000"),
            ("RSSMRA80B30H501X", DATE),
            // F is no month.
            ("RSSMRA80F01H501Z", FORM),
            ("rssmra80a01h501u", FORM),
            ("RSSMRA80A01H501", FORM),
            ("RSSMRA80A01H501UU", FORM),
            ("", FORM),
            ("00000000018", "0000000"),
            ("00743110157", "0000000"),
            ("00743110158", CHECK),
            ("00000000000", FORM),
            ("0074311015A", FORM),
            ("0074311015", FORM),
        ] {
            assert_eq!(verdict(code), expected, "{code}");
        }
    }

    #[test]
    fn omocodia_siblings_share_their_base_which_is_the_code_with_digits() {
        let base = |text: &str| text.parse::<FiscalCode>().map(|code| code.base());
        let plain = Ok(Base(*b"RSSMRA80A01H501U"));
        assert_eq!(base("RSSMRA80A01H501U"), plain);
        assert_eq!(base("RSSMRA80A01H50MM"), plain);
        assert_eq!(base("RSSMRAULALMHRLMD"), plain);
        assert_eq!(base("00743110157"), Ok(Base(*b"00743110157\0\0\0\0\0")));
    }

    #[test]
    fn a_code_is_never_shown_by_debug() {
        let code = "RSSMRA80A01H501U".parse::<FiscalCode>();
        assert!(!format!("{code:?}").contains("RSS"));
    }
}
