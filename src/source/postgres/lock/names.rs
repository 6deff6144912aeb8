//! What the lock of a source calls its things: all in one schema, apart from those of other sources.

use sha2::{Digest as _, Sha256};

use super::sql;

/// The schema that holds control, capture and divert tables, and the guards' functions.
pub(super) const SCHEMA: &str = "pinferry_lock";

/// The table with one row a source.
pub(super) const CONTROL: &str = "control";

/// What every guard's name begins with. Triggers fire in the order of their names' bytes, and before the row is
/// written ours should come last.
pub(super) const PREFIX: &str = "~pinferry_guard:";

/// Names may have 63 bytes.
const LONGEST_KEY: usize = 24;

/// A name within the schema, as SQL takes it.
pub(super) fn within(name: &str) -> String {
    format!("{}.{}", sql::name(SCHEMA), sql::name(name))
}

/// The table of captures.
pub(super) fn captures(source: &str) -> String {
    format!("capture_{}", key(source))
}

/// The table of diverted PINs.
pub(super) fn diverted(source: &str) -> String {
    format!("divert_{}", key(source))
}

/// The sequence that counts refusals.
pub(super) fn refusals(source: &str) -> String {
    format!("refused_{}", key(source))
}

/// Where diverted PINs are kept that the legacy would not take back.
pub(super) fn not_handed_back(source: &str, at: &str) -> String {
    format!("not_handed_back_{}_{at}", key(source))
}

/// What the names of the functions of a source begin with.
pub(super) fn functions(source: &str) -> String {
    format!("{}:", key(source))
}

/// What the names of the guards of a source begin with.
pub(super) fn guards(source: &str) -> String {
    format!("{PREFIX}{}:", key(source))
}

/// A short ASCII name for a source that no other source has.
fn key(source: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if source.len() <= LONGEST_KEY && source.chars().all(plain) {
        return source.to_owned();
    }
    let digest = Sha256::digest(source);
    let hash: String = digest
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let kept: String = source.chars().filter(|c| plain(*c)).take(7).collect();
    format!("{kept}-{hash}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_ascii_fit_and_differ_with_the_source() {
        let long = "a_source_with_a_name_that_is_longer_than_the_server_likes";
        let sources = ["inps", "INPS", "sede è", "sede e", long, &long[1..]];
        let names: std::collections::BTreeSet<String> = sources
            .iter()
            .map(|source| not_handed_back(source, "20131103T101112345Z"))
            .collect();
        assert_eq!(names.len(), sources.len());
        assert!(
            names.iter().all(|name| name.is_ascii() && name.len() <= 63),
            "{names:?}"
        );
        assert!(guards(long).len() + "truncate".len() <= 63);
    }
}
