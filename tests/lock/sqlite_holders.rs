//! Whose lock it is, and how it comes and goes.

use std::{thread, time::Duration};

use pinferry::{
    config::settings::SourceLocation,
    exit::Exit,
    source::lock::{self, Guards, LockError, LockState},
};

use crate::support::{Legacy, run, run_one};

fn status(legacy: &Legacy) -> lock::LockStatus {
    lock::status(&legacy.source, &legacy.lock).expect("a status")
}

#[test]
fn missing_altered_and_foreign_guards_are_found() {
    for (damage, word) in [
        ("DROP TRIGGER \"pinferry_guard:inps:pin_legacy:delete\"", "is missing"),
        (
            "DROP TRIGGER \"pinferry_guard:inps:pin_legacy:delete\";
             CREATE TRIGGER \"pinferry_guard:inps:pin_legacy:delete\" BEFORE DELETE ON pin_legacy BEGIN SELECT 1; END",
            "was altered",
        ),
        (
            "CREATE TRIGGER \"pinferry_guard:inps:pin_legacy:extra\" BEFORE DELETE ON pin_legacy BEGIN SELECT 1; END",
            "is none of this lock",
        ),
        (
            "CREATE TRIGGER zitto AFTER INSERT ON pin_legacy BEGIN SELECT RAISE(IGNORE); END",
            "own triggers",
        ),
        ("ALTER TABLE pin_legacy RENAME TO pin_vecchi", "no table"),
        (
            "DROP TRIGGER \"pinferry_guard:inps:pin_legacy:delete\";
             DROP TRIGGER \"pinferry_guard:inps:pin_legacy:insert\";
             DROP TRIGGER \"pinferry_guard:inps:pin_legacy:insert_early\";
             DROP TRIGGER \"pinferry_guard:inps:pin_legacy:update\";
             DROP TRIGGER \"pinferry_guard:inps:pin_legacy:update_early\"",
            "every guard is missing",
        ),
    ] {
        let legacy = Legacy::new();
        let locked = legacy.engage();
        legacy.assert_passes(damage);
        let error = locked.check_present().expect_err(damage).to_string();
        assert!(error.contains(word), "{error}");
        let Guards::Damaged(what) = status(&legacy).guards else {
            panic!("{damage}");
        };
        assert!(what.join(", ").contains(word), "{what:?}");
        // The owner itself does not paper over it.
        assert!(legacy.engage_as(&run_one()).is_err(), "{damage}");
    }
}

#[test]
fn adding_a_column_that_is_not_mapped_damages_nothing() {
    let legacy = Legacy::new();
    let locked = legacy.engage();
    legacy.assert_passes(
        "ALTER TABLE pin_legacy ADD COLUMN altro TEXT; CREATE INDEX i ON pin_legacy (nota)",
    );
    locked.check_present().expect("the guards");
}

#[test]
fn guards_without_a_control_row_are_nobodys_and_can_be_broken() {
    let legacy = Legacy::new();
    let locked = legacy.engage();
    legacy.assert_passes("DELETE FROM pinferry_lock");
    assert!(matches!(
        locked.check_present(),
        Err(LockError::NotHeld { .. })
    ));
    assert!(matches!(
        legacy.engage_as(&run_one()),
        Err(LockError::Damaged { .. })
    ));
    assert_eq!(status(&legacy).state, LockState::Engaged);
    lock::break_open(&legacy.source, &legacy.lock, "anna", "resti").expect("broken");
    assert_eq!(status(&legacy).state, LockState::Open);
    legacy.assert_passes("UPDATE pin_legacy SET nome = 'X'");
}

#[test]
fn engaging_waits_for_a_writer_in_flight_and_lets_readers_and_writers_by() {
    for mode in ["WAL", "DELETE"] {
        let legacy = Legacy::new();
        legacy.assert_passes(&format!("PRAGMA journal_mode = {mode}"));
        let writer = legacy.application();
        run(
            &writer,
            "BEGIN IMMEDIATE; UPDATE pin_legacy SET nome = 'prima' WHERE id = '1'",
        )
        .expect("a write");
        thread::scope(|scope| {
            let engaging = scope.spawn(|| legacy.engage_as(&run_one()).map(drop));
            thread::sleep(Duration::from_millis(900));
            assert!(!engaging.is_finished());
            run(
                &writer,
                "UPDATE pin_legacy SET nome = 'poi' WHERE id = '1'; COMMIT",
            )
            .expect("a write");
            engaging.join().expect("no panic").expect("the lock");
        });
        assert_eq!(
            legacy.text("SELECT nome FROM pin_legacy WHERE id = '1'"),
            "poi"
        );
        legacy.assert_refused("UPDATE pin_legacy SET nome = 'X'");
    }
}

#[test]
fn a_database_that_cannot_be_written_is_named() {
    let mut legacy = Legacy::new();
    legacy.source.location = SourceLocation::Sqlite {
        path: legacy.path.with_file_name("assente.db"),
        table: "pin_legacy".to_owned(),
        lock_tables: Vec::new(),
    };
    let error = legacy.engage_as(&run_one()).expect_err("absent");
    assert!(error.to_string().contains("assente.db"), "{error}");
    assert!(error.to_string().contains("cannot be opened"), "{error}");
    let hint = error.hint().expect("a hint");
    assert!(hint.contains("[[source]] url"), "{hint}");
    assert_eq!(error.exit(), Exit::Failed);
}
