//! Numbers and bytes as text.

use std::fmt::Write as _;

/// The shortest text that reads back as the same number; without an exponent where it has few digits.
pub(super) fn append_real(value: f64, out: &mut String) {
    let size = value.abs();
    // Writing to a string cannot fail.
    let _ = if size != 0.0 && !(1e-6..1e17).contains(&size) && size.is_finite() {
        write!(out, "{value:e}")
    } else {
        write!(out, "{value}")
    };
}

/// Two lower-case digits for each byte.
pub(super) fn append_hex(bytes: &[u8], out: &mut String) {
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(out, "{byte:02x}");
    }
}
