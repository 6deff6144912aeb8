//! The chain of `run_event` and `audit_event`: each row carries the SHA-256 of the row before and of itself.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

/// The link of a row: 64 hexadecimal digits over the link before (empty for the first row) and the row's
/// own columns, each framed by its length in bytes (eight, little endian).
#[must_use]
pub fn link(before: &str, columns: &[&str]) -> String {
    let mut hash = Sha256::new();
    for text in std::iter::once(&before).chain(columns) {
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text.as_bytes());
    }
    let mut hex = String::with_capacity(64);
    for byte in hash.finalize() {
        // Writing to a String does not fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

#[cfg(test)]
mod tests {
    use super::link;

    #[test]
    fn a_link_depends_on_the_link_before_and_on_where_a_column_ends() {
        let first = link("", &["a", "bc"]);
        assert_eq!(first.len(), 64);
        assert_ne!(first, link("", &["ab", "c"]));
        assert_ne!(first, link("", &["abc"]));
        assert_ne!(first, link(&first, &["a", "bc"]));
    }
}
