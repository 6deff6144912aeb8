//! The lock's own test.

use pinferry::source::lock::{self, Expected, Outcome, TestReport};

use crate::support::{Legacy, TABLES};

fn test(legacy: &Legacy) -> TestReport {
    lock::test(&legacy.source, &legacy.lock)
        .expect("a test")
        .expect("something to test")
}

#[test]
fn the_test_passes_on_every_kind_of_table_engaged_or_not_and_changes_nothing() {
    for (what, id, tail) in TABLES {
        for mode in ["WAL", "DELETE"] {
            for divert in [false, true] {
                let mut legacy = Legacy::with(id, tail);
                if divert {
                    legacy.lock.mode = pinferry::config::settings::LockMode::Divert;
                }
                legacy.assert_passes(&format!("PRAGMA journal_mode = {mode}"));
                let before = legacy.dump();
                let report = test(&legacy);
                assert!(report.passed(), "{what}: {:?}", report.failures());
                assert!(!report.on_engaged_lock);
                assert_eq!(before, legacy.dump());
                legacy.engage();
                let before = legacy.dump();
                let report = test(&legacy);
                assert!(report.passed(), "{what}: {:?}", report.failures());
                assert!(report.on_engaged_lock);
                assert_eq!(before, legacy.dump());
                assert_eq!(legacy.captured(), 0);
            }
        }
    }
}

#[test]
fn the_test_tries_what_it_promises() {
    let legacy = Legacy::new();
    legacy.engage();
    let report = test(&legacy);
    let tried = |word: &str, expected: Expected| {
        report.tries.iter().any(|one| {
            let made = !matches!(one.outcome, Outcome::NothingToTryOn(_));
            made && one.expected == expected && one.what.contains(word)
        })
    };
    for word in [
        "a new row",
        "OR IGNORE",
        "OR REPLACE",
        "by upsert",
        "RETURNING",
        "delete of a row",
        "UPDATE of \"id\"",
        "UPDATE of \"codice_fiscale\"",
        "upsert that changes \"stato\"",
        "another rowid",
        "status from suspended to active",
        "status from revoked to ceased",
        "second connection",
    ] {
        assert!(tried(word, Expected::Refused), "{word}");
    }
    for word in [
        "\"nota\"",
        "\"ultimo_accesso\"",
        "every column to the value it has",
    ] {
        assert!(tried(word, Expected::Passes), "{word}");
    }
    assert!(tried("status from active to revoked", Expected::Captured));
}

#[test]
fn the_test_fails_loudly_when_a_guard_lets_something_through() {
    for guard in ["insert", "delete", "update", "update_early"] {
        let legacy = Legacy::new();
        legacy.engage();
        legacy.assert_passes(&format!(
            "DROP TRIGGER \"pinferry_guard:inps:pin_legacy:{guard}\""
        ));
        if guard == "update_early" || guard == "insert" {
            // Its twin still holds.
            let twin = if guard == "insert" {
                "insert_early"
            } else {
                "update"
            };
            legacy.assert_passes(&format!(
                "DROP TRIGGER \"pinferry_guard:inps:pin_legacy:{twin}\""
            ));
        }
        let report = test(&legacy);
        assert!(!report.passed(), "{guard}");
        assert!(!report.failures().is_empty());
    }
}

#[test]
fn an_empty_table_is_tested_as_far_as_it_goes() {
    let legacy = Legacy::new();
    legacy.assert_passes("DELETE FROM pin_legacy");
    let report = test(&legacy);
    assert!(report.passed(), "{:?}", report.failures());
    assert!(
        report
            .tries
            .iter()
            .any(|one| one.outcome == Outcome::Refused)
    );
    assert!(
        report
            .tries
            .iter()
            .any(|one| matches!(one.outcome, Outcome::NothingToTryOn(_)))
    );
}

#[test]
fn no_row_of_anybody_stands_in_the_report() {
    let legacy = Legacy::new();
    let report = serde_json::to_string(&test(&legacy)).expect("JSON");
    for secret in ["CF1", "Rossi", "abc"] {
        assert!(!report.contains(secret), "{secret}");
    }
}
