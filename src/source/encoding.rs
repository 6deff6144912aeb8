//! From the bytes of a source to text, without losing any byte.

use std::fmt::Write as _;

use crate::config::settings::Encoding;

/// Turns bytes of one encoding into text.
#[derive(Debug)]
pub(super) enum Decoder {
    /// UTF-8.
    Utf8,
    /// One byte, one character; `None` where the encoding defines none.
    Table(Box<[Option<char>; 256]>),
}

/// Whether all bytes were valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Validity {
    /// The text is what the bytes say.
    Valid,
    /// The text is the escaped spelling: `\xhh` for each byte that means nothing, `\\` for a backslash.
    Escaped,
}

/// The bytes that windows-1252 leaves undefined; the web maps them to control characters.
const UNDEFINED_IN_WINDOWS_1252: [u8; 5] = [0x81, 0x8d, 0x8f, 0x90, 0x9d];

impl Decoder {
    pub(super) fn new(encoding: Encoding) -> Self {
        match encoding {
            Encoding::Utf8 => Self::Utf8,
            Encoding::Windows1252 => {
                let mut table = table(encoding_rs::WINDOWS_1252);
                for byte in UNDEFINED_IN_WINDOWS_1252 {
                    table[usize::from(byte)] = None;
                }
                Self::Table(table)
            }
            Encoding::Iso8859_15 => Self::Table(table(encoding_rs::ISO_8859_15)),
        }
    }

    /// The bytes as text without any copying, where that is possible.
    pub(super) fn borrow<'b>(&self, bytes: &'b [u8]) -> Option<&'b str> {
        match self {
            Self::Utf8 => std::str::from_utf8(bytes).ok(),
            Self::Table(_) if bytes.is_ascii() => std::str::from_utf8(bytes).ok(),
            Self::Table(_) => None,
        }
    }

    /// Whether the bytes are valid.
    pub(super) fn validity(&self, bytes: &[u8]) -> Validity {
        let valid = match self {
            Self::Utf8 => std::str::from_utf8(bytes).is_ok(),
            Self::Table(table) => bytes.iter().all(|&byte| table[usize::from(byte)].is_some()),
        };
        if valid {
            Validity::Valid
        } else {
            Validity::Escaped
        }
    }

    /// Appends the bytes as text, escaped where they are not valid.
    pub(super) fn append(&self, bytes: &[u8], out: &mut String) -> Validity {
        let validity = self.validity(bytes);
        match validity {
            Validity::Valid => self.append_valid(bytes, out),
            Validity::Escaped => self.append_escaped(bytes, out),
        }
        validity
    }

    fn append_valid(&self, bytes: &[u8], out: &mut String) {
        match self {
            Self::Utf8 => out.push_str(&String::from_utf8_lossy(bytes)),
            Self::Table(table) => {
                out.extend(bytes.iter().filter_map(|&byte| table[usize::from(byte)]));
            }
        }
    }

    /// Appends the escaped spelling, which is reversible for any bytes.
    pub(super) fn append_escaped(&self, bytes: &[u8], out: &mut String) {
        match self {
            Self::Utf8 => {
                for chunk in bytes.utf8_chunks() {
                    for character in chunk.valid().chars() {
                        push_escaping(character, out);
                    }
                    for &byte in chunk.invalid() {
                        push_byte(byte, out);
                    }
                }
            }
            Self::Table(table) => {
                for &byte in bytes {
                    match table[usize::from(byte)] {
                        Some(character) => push_escaping(character, out),
                        None => push_byte(byte, out),
                    }
                }
            }
        }
    }
}

fn table(encoding: &'static encoding_rs::Encoding) -> Box<[Option<char>; 256]> {
    let mut table = Box::new([None; 256]);
    for (byte, slot) in (0..=u8::MAX).zip(table.iter_mut()) {
        *slot = encoding
            .decode_without_bom_handling_and_without_replacement(&[byte])
            .and_then(|text| text.chars().next());
    }
    table
}

fn push_escaping(character: char, out: &mut String) {
    if character == '\\' {
        out.push('\\');
    }
    out.push(character);
}

fn push_byte(byte: u8, out: &mut String) {
    // Writing to a string cannot fail.
    let _ = write!(out, "\\x{byte:02x}");
}
