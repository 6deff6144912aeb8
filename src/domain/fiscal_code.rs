//! Italian fiscal codes: form, date, check character, omocodia.

use std::{fmt, str::FromStr};

/// A valid fiscal code, personal (16 characters) or numeric (11 digits). Its `Debug` is masked.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FiscalCode {
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

impl FiscalCode {
    /// The code.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let length = if self.bytes[11] == 0 { 11 } else { 16 };
        std::str::from_utf8(&self.bytes[..length]).unwrap_or_default()
    }
}

impl fmt::Debug for FiscalCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FiscalCode(****************)")
    }
}

impl FromStr for FiscalCode {
    type Err = InvalidFiscalCode;

    fn from_str(_text: &str) -> Result<Self, InvalidFiscalCode> {
        Err(InvalidFiscalCode::Form)
    }
}
