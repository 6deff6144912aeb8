//! The lock's own test.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use pinferry::{
    config::settings::LockMode,
    source::lock::{self, Expected, Outcome, TestReport},
};

use crate::support::{Legacy, TABLES, run};

fn test(legacy: &Legacy) -> TestReport {
    lock::test(&legacy.source, &legacy.lock)
        .expect("a test")
        .expect("something to test")
}

#[test]
fn the_test_passes_on_every_kind_of_table_engaged_or_not_and_changes_nothing() {
    for mode in [LockMode::Refuse, LockMode::Divert] {
        for mut legacy in Legacy::each_kind() {
            legacy.lock.mode = mode;
            let before = legacy.dump();
            let report = test(&legacy);
            assert!(report.passed(), "{:?}", report.failures());
            assert!(!report.on_engaged_lock);
            assert_eq!(before, legacy.dump());
            legacy.engage();
            let before = legacy.dump();
            let report = test(&legacy);
            assert!(report.passed(), "{:?}", report.failures());
            assert!(report.on_engaged_lock);
            assert_eq!(before, legacy.dump());
            assert_eq!(legacy.captured(), 0);
        }
    }
}

#[test]
fn rows_that_are_written_to_all_the_time_are_tried_all_the_same() {
    let legacy = Legacy::diverting();
    let stop = AtomicBool::new(false);
    let report = thread::scope(|threads| {
        threads.spawn(|| {
            let mut application = legacy.application();
            while !stop.load(Ordering::Relaxed) {
                run(&mut application, "UPDATE pin_legacy SET nota = 'seen'").expect("it may");
            }
        });
        let report = test(&legacy);
        stop.store(true, Ordering::Relaxed);
        report
    });
    assert!(report.passed(), "{:?}", report.failures());
    let untried: Vec<_> = (report.tries.iter())
        .filter(
            |one| matches!(&one.outcome, Outcome::NothingToTryOn(why) if why.contains("changed")),
        )
        .collect();
    assert!(untried.is_empty(), "{untried:#?}");
}

#[test]
fn what_others_revoke_meanwhile_is_not_taken_for_what_the_test_did() {
    let legacy = Legacy::diverting();
    legacy.assert_passes(
        "INSERT INTO pin_legacy (id, stato) SELECT 'r' || n, 'A' FROM generate_series(1, 5000) n",
    );
    legacy.engage();
    let stop = AtomicBool::new(false);
    let report = thread::scope(|threads| {
        threads.spawn(|| {
            let mut application = legacy.application();
            for number in 1..=5000 {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                let revoke = format!("UPDATE pin_legacy SET stato = 'R' WHERE id = 'r{number}'");
                run(&mut application, &revoke).expect("it may");
                thread::sleep(Duration::from_millis(5));
            }
        });
        let report = test(&legacy);
        stop.store(true, Ordering::Relaxed);
        report
    });
    assert!(report.on_engaged_lock);
    assert!(report.passed(), "{:?}", report.failures());
    assert!(legacy.captured() > 0);
}

#[test]
fn the_test_tries_what_it_promises() {
    for (_, id, tail) in TABLES {
        let legacy = Legacy::with(id, tail);
        legacy.engage();
        let report = test(&legacy);
        let tried = |word: &str, outcome: &Outcome| {
            let mut tries = report.tries.iter();
            let found = tries.find(|one| one.what.contains(word) && one.outcome == *outcome);
            assert!(found.is_some(), "{word}: {:#?}", report.tries);
        };
        for word in [
            "a new row",
            "ON CONFLICT DO NOTHING",
            "by MERGE",
            "by COPY",
            "replica",
            "RETURNING",
            "TRUNCATE",
            "delete of a row",
            "UPDATE of \"id\"",
            "UPDATE of \"codice_fiscale\"",
            "UPDATE of \"data_rilascio\"",
            "MERGE that changes \"cognome\"",
            "status from suspended to active",
            "status from revoked to ceased",
            "second connection",
        ] {
            tried(word, &Outcome::Refused);
        }
        for word in [
            "\"nota\"",
            "\"ultimo_accesso\"",
            "every column to the value it has",
        ] {
            tried(word, &Outcome::Passed);
        }
        tried("status from active to revoked", &Outcome::Captured);
    }
}

#[test]
fn the_test_fails_loudly_when_a_guard_lets_something_through() {
    for guard in ["rows", "update", "truncate"] {
        let legacy = Legacy::new();
        legacy.engage();
        legacy.assert_passes(&format!(
            "DROP TRIGGER \"~pinferry_guard:inps:{guard}\" ON pin_legacy"
        ));
        let report = test(&legacy);
        assert!(!report.passed(), "{guard}");
    }
}

#[test]
fn the_test_is_made_as_the_role_of_the_application() {
    let mut legacy = Legacy::new();
    let role = format!("app_{}", legacy.database.name);
    legacy.assert_passes(&format!(
        "CREATE ROLE {role}; GRANT SELECT, INSERT, UPDATE ON pin_legacy TO {role}"
    ));
    legacy.lock.application_role = Some(role.clone());
    let report = test(&legacy);
    assert!(report.passed(), "{:?}", report.failures());
    let outcome = |word: &str| {
        let mut tries = report.tries.iter();
        tries
            .find(|one| one.what.ends_with(word))
            .map(|one| one.outcome.clone())
    };
    assert_eq!(outcome("a new row"), Some(Outcome::Refused));
    let Some(Outcome::RefusedByTable(why)) = outcome("delete of a row") else {
        panic!("no right to delete");
    };
    assert!(why.contains("permission denied"), "{why}");
    legacy.assert_passes(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
}

#[test]
fn no_row_of_anybody_stands_in_the_report() {
    let legacy = Legacy::new();
    let report = test(&legacy);
    assert!(
        report
            .tries
            .iter()
            .all(|one| one.expected != Expected::Diverted)
    );
    let report = serde_json::to_string(&report).expect("JSON");
    for secret in ["CF1", "Rossi", "abc"] {
        assert!(!report.contains(secret), "{secret}");
    }
}
