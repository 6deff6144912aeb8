//! What engaging or testing the lock would refuse, found without writing.

use std::fs;

use pinferry::{
    config::settings::{LockMode, SourceLocation},
    source::lock::{self, Foreseen},
};

use crate::support::{Legacy, TABLES, administrator};

fn foreseen(legacy: &Legacy) -> Foreseen {
    let bytes = fs::read(&legacy.path).expect("the legacy");
    let found = lock::foresee(&legacy.source, &legacy.lock).expect("a look");
    assert!(
        fs::read(&legacy.path).expect("the legacy") == bytes,
        "nothing was written"
    );
    found
}

/// Triggers of the application that carry a write past the guards, or keep a login from passing them.
const IN_THE_WAY: [(&str, LockMode); 2] = [
    (
        "CREATE TRIGGER zitto BEFORE INSERT ON pin_legacy BEGIN SELECT RAISE(IGNORE); END",
        LockMode::Refuse,
    ),
    (
        "CREATE TABLE regole (attiva INTEGER); INSERT INTO regole VALUES (1);
         CREATE TRIGGER traccia AFTER UPDATE OF ultimo_accesso ON pin_legacy
         WHEN EXISTS (SELECT 1 FROM regole WHERE attiva)
         BEGIN UPDATE pin_legacy SET telefono = 'visto' WHERE id = NEW.id; END",
        LockMode::Divert,
    ),
];

#[test]
fn what_the_test_would_find_is_found_on_a_copy_in_memory() {
    for (id, tail) in TABLES.map(|(_, id, tail)| (id, tail)) {
        for mode in [LockMode::Refuse, LockMode::Divert] {
            let mut legacy = Legacy::with(id, tail);
            legacy.lock.mode = mode;
            let Foreseen::Tested(report) = foreseen(&legacy) else {
                panic!("{id}");
            };
            assert!(report.passed(), "{id}: {:?}", report.failures());
            let tested = lock::test(&legacy.source, &legacy.lock).expect("a test");
            let tried = |report: &lock::TestReport| report.tries.len();
            let elsewhere = 1;
            assert_eq!(
                tested.map(|one| tried(&one)),
                Some(tried(&report) + elsewhere)
            );
        }
    }
}

#[test]
fn a_trigger_of_the_application_that_would_fail_the_test_is_found() {
    for (trigger, mode) in IN_THE_WAY {
        let mut legacy = Legacy::new();
        legacy.lock.mode = mode;
        legacy.assert_passes(trigger);
        let really = lock::test(&legacy.source, &legacy.lock)
            .expect("a test")
            .expect("something to test");
        assert!(!really.passed(), "{trigger}");
        let Foreseen::Tested(report) = foreseen(&legacy) else {
            panic!("{trigger}");
        };
        assert!(!report.passed(), "{trigger}");
    }
}

#[test]
fn a_view_without_its_tables_and_what_a_broken_lock_left_are_refused_as_engaging_would() {
    let mut legacy = Legacy::new();
    legacy.assert_passes("CREATE VIEW vista AS SELECT * FROM pin_legacy");
    legacy.source.location = SourceLocation::Sqlite {
        path: legacy.path.clone(),
        table: "vista".to_owned(),
        lock_tables: Vec::new(),
    };
    let error = lock::foresee(&legacy.source, &legacy.lock).expect_err("a view");
    assert!(error.to_string().contains("lock_tables"), "{error}");

    let legacy = Legacy::diverting();
    legacy.engage();
    assert!(matches!(foreseen(&legacy), Foreseen::Held));
    legacy.assert_passes(&crate::support::insert("INSERT", "9", "A"));
    lock::break_open(&legacy.source, &legacy.lock, "anna", "emergenza").expect("broken");
    let error = lock::foresee(&legacy.source, &legacy.lock).expect_err("leftovers");
    assert!(error.to_string().contains("1 diverted"), "{error}");
    assert_eq!(
        legacy
            .engage_as(&administrator())
            .expect_err("leftovers")
            .to_string(),
        error.to_string()
    );
}

#[test]
fn what_cannot_be_copied_is_said_to_be_unknown() {
    let legacy = Legacy::new();
    legacy.assert_passes(
        "CREATE TABLE grande (n INTEGER); CREATE VIRTUAL TABLE parole USING fts5(testo)",
    );
    match foreseen(&legacy) {
        Foreseen::Tested(report) => assert!(report.passed(), "{:?}", report.failures()),
        Foreseen::Unknown(why) => assert!(!why.is_empty()),
        Foreseen::Held | Foreseen::Nothing => panic!("there is something to lock"),
    }
}

/// A legacy whose first row has text that is not valid UTF-8, in its key too, and refuses anything but text.
fn not_utf_8(mode: LockMode) -> Legacy {
    let mut legacy = Legacy::with(
        "id TEXT PRIMARY KEY",
        ", CHECK (typeof(id) = 'text' AND typeof(cognome) = 'text')) WITHOUT ROWID",
    );
    legacy.lock.mode = mode;
    legacy.assert_passes(
        "UPDATE pin_legacy SET id = CAST(x'31C3' AS TEXT), cognome = CAST(x'C328' AS TEXT),
             nota = CAST(x'FF' AS TEXT)
          WHERE id = '1'; DELETE FROM pin_legacy WHERE id = '3'",
    );
    legacy
}

#[test]
fn text_that_is_not_utf_8_is_copied_as_it_is() {
    for mode in [LockMode::Refuse, LockMode::Divert] {
        let Foreseen::Tested(report) = foreseen(&not_utf_8(mode)) else {
            panic!("it can be copied");
        };
        assert!(report.passed(), "{:?}", report.failures());
    }
}

#[test]
fn a_row_whose_text_is_not_utf_8_is_one_to_try_the_lock_on() {
    for mode in [LockMode::Refuse, LockMode::Divert] {
        let legacy = not_utf_8(mode);
        let rows = || legacy.text("SELECT group_concat(hex(id) || hex(cognome)) FROM pin_legacy");
        let before = rows();
        legacy.engage();
        let tested = lock::test(&legacy.source, &legacy.lock).expect("a test");
        let tested = tested.expect("something to test");
        assert!(tested.passed(), "{:?}", tested.failures());
        assert_eq!(before, rows());
    }
}
