//! Renamed and discarded codes.

use pinferry::domain::{
    links::Links,
    sort_key::{self, NOBODY},
};

use super::support::{Legacy, assert_text, expand, judged, rules_with_links};

#[test]
fn old_codes_lead_to_the_person_transitively_and_stay_findable() {
    let rules = rules_with_links(
        "VECCHIO;RSSMRA80A01H50M*
         RSSMRA80A01H50M*;RSSMRA80A01H501*",
    );
    let got = judged(
        "id=1, code= vecchio ",
        &["code", "person", "finding"],
        &rules,
    );
    let expected = "person RSSMRA80A01H501* ROSSI MARIO 1980-01-01 - -
                    code RSSMRA80A01H501* current
                    code RSSMRA80A01H50M* old
                    code VECCHIO old";
    assert_text("chain", &got, expected);
}

#[test]
fn validity_is_checked_after_renaming() {
    let rules = rules_with_links("RSSMRA80A01H501*;NUOVO");
    let got = judged("id=1", &["quarantine"], &rules);
    let expected = "quarantine inps:1/0 fiscal_code_invalid fiscal_code: neither the personal nor the numeric form";
    assert_text("renamed to nonsense", &got, expected);
}

#[test]
fn a_chain_that_ends_discarded_discards_every_code_on_it() {
    let rules = rules_with_links(
        "VECCHIO;RSSMRA80A01H501*
         RSSMRA80A01H501*;",
    );
    let got = judged("id=1\nid=2, code=VECCHIO", &["quarantine"], &rules);
    let expected = "quarantine inps:1/0 fiscal_code_discarded fiscal_code: the links file discards it
                    quarantine inps:2/0 fiscal_code_discarded fiscal_code: the links file discards it";
    assert_text("discarded", &got, expected);
}

#[test]
fn mistakes_in_the_table_are_all_reported_by_line() {
    let links = |lines: &[(&str, &str)]| {
        let pairs = lines
            .iter()
            .zip(1..)
            .map(|((old, new), line)| (line, *old, *new));
        match Links::from_pairs(pairs) {
            Ok(links) => format!("{} old codes", links.len()),
            Err(mistakes) => mistakes
                .iter()
                .map(|mistake| format!("{mistake}\n"))
                .collect(),
        }
    };
    for (lines, expected) in [
        (vec![("A", "B"), ("B", "C"), (" a ", "b")], "2 old codes"),
        (
            vec![("A", "A")],
            "line 1: following its new code leads back to its old code",
        ),
        (
            vec![("X", "B"), ("B", "C"), ("C", "B"), ("Y", "X")],
            "line 2: following its new code leads back to its old code",
        ),
        (
            vec![("A", "B"), ("A", "")],
            "line 2: its old code already has another new code on line 1",
        ),
        (
            vec![("", "B"), ("A", "B"), ("A", "C"), ("P", "Q"), ("Q", "P")],
            "line 1: the old code is empty
             line 3: its old code already has another new code on line 2
             line 4: following its new code leads back to its old code",
        ),
    ] {
        let got = links(&lines);
        assert_text(expected, got.trim_end(), expected);
    }
}

#[test]
fn the_sort_key_puts_siblings_together_and_what_belongs_to_nobody_last() {
    let rules = rules_with_links("VECCHIO;RSSMRA80A01H501*\nBNCLRA85B41F205*;");
    let key = |line: &str| sort_key::of(&Legacy::parse(1, line).raw(), &rules);
    let plain = key("code=RSSMRA80A01H501*");
    let sibling = key("code=RSSMRA80A01H50M*");
    assert_eq!(plain.base(), sibling.base());
    assert!(plain < sibling);
    assert_eq!(plain, key("code=vecchio"));
    assert_eq!(
        plain,
        key("surname=, status=?"),
        "a record that fails sorts with its person"
    );
    assert!(key("id=1, source=1") > key("id=2"));
    assert!(sibling < key("code=ZZZZZZ80A01H501*"));
    assert_eq!(&key("code=00000000018").base().0[..12], b"00000000018\0");
    for nobody in ["code=?", "malformed=[]", "code=BNCLRA85B41F205*"] {
        assert_eq!(key(nobody).base(), NOBODY, "{nobody}");
        assert!(key(nobody) > key("code=ZZZZZZ80A01H501*"));
    }
    // Leftmost digits weigh most, as in the codes themselves.
    let codes = [
        "RSSMRA80A01H501*",
        "RSSMRA80A01H50M*",
        "RSSMRA80A01H5L1*",
        "RSSMRA80A01HR01*",
    ];
    assert!(codes.map(expand).is_sorted());
    assert!(codes.map(|code| key(&format!("code={code}"))).is_sorted());
}
