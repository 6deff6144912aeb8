//! How the files of an office are called, whatever its code holds.
//!
//! `sede-` and the code, of which ASCII digits and lower-case letters stay, and every other byte becomes `_` and two
//! hexadecimal digits: so `RM/1` is `sede-_52_4D_2F1`. Different codes have different names, also where the disk knows
//! no upper and lower case, and none leads out of the folder. Of a long one the beginning stays, with `~` and a hash of
//! all of it. Who has no office is in `senza-sede`.

use std::fmt::Write as _;

use xxhash_rust::xxh3::xxh3_128;

const NO_OFFICE: &str = "senza-sede";
const OFFICE: &str = "sede-";

/// Of a name longer than this only so much stays.
const STEM_BYTES_MAX: usize = 120;

/// Which of an office's files.
pub(super) const KINDS: [&str; 2] = ["csv", "html"];

/// The name of an office's files, without what says which of them it is.
pub(super) fn stem(office: &str) -> String {
    if office.is_empty() {
        return NO_OFFICE.to_owned();
    }
    let mut stem = OFFICE.to_owned();
    for byte in office.bytes() {
        if byte.is_ascii_digit() || byte.is_ascii_lowercase() {
            stem.push(char::from(byte));
        } else {
            // Writing to a String does not fail.
            let _ = write!(stem, "_{byte:02X}");
        }
    }
    if stem.len() > STEM_BYTES_MAX {
        stem.truncate(STEM_BYTES_MAX);
        let _ = write!(stem, "~{:032X}", xxh3_128(office.as_bytes()));
    }
    stem
}

/// Whether a file of this name is an office's.
pub(super) fn is_one(name: &str) -> bool {
    let Some((stem, kind)) = name.split_once('.') else {
        return false;
    };
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'~');
    let is_stem = stem
        .strip_prefix(OFFICE)
        .is_some_and(|code| code.bytes().all(is_letter));
    KINDS.contains(&kind) && (is_stem || stem == NO_OFFICE)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{is_one, stem};

    #[test]
    fn every_office_has_a_name_of_its_own_that_leads_nowhere() {
        let long = "A".repeat(500);
        let longer = "A".repeat(501);
        let codes = [
            "",
            "0700",
            "700",
            "rm",
            "RM",
            "Rm",
            "_52M",
            "../../etc",
            "..",
            ".",
            "/",
            "a/b",
            "a b",
            "à",
            "~",
            "CON",
            &long,
            &longer,
        ];
        let mut names = BTreeSet::new();
        for code in codes {
            let name = format!("{}.csv", stem(code));
            assert!(is_one(&name), "{name}");
            assert!(
                name.len() < 200 && !name.contains(['/', '\\', ' ']),
                "{name}"
            );
            assert_eq!(name.matches('.').count(), 1, "{name}");
            assert!(names.insert(name.to_lowercase()), "{name}");
        }
        assert_eq!(stem("0700"), "sede-0700");
        assert_eq!(stem("RM/1"), "sede-_52_4D_2F1");
    }

    #[test]
    fn what_is_called_otherwise_is_not_ours() {
        for name in [
            "notes.csv",
            "sede-1.txt",
            "sede-1",
            "sede-1.csv.bak",
            "sede-a b.csv",
            ".sede-1.csv",
        ] {
            assert!(!is_one(name), "{name}");
        }
    }
}
