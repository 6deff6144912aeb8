//! Releasing and breaking a lock while somebody reads for hours: a report, or a backup of the whole database.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use pinferry::{
    config::settings::LockMode,
    postgres::Session,
    source::lock::{self, Guards, Leftovers, LockState, LockStatus, Released},
};

use crate::support::{Legacy, administrator, fingerprint, insert, run, run_one};

/// What a statement of the application may take beside a release, on a machine that others share.
const PATIENCE: Duration = Duration::from_millis(1500);

/// What a release may take: the attempts at removing what is left included.
const PROMPT: Duration = Duration::from_secs(10);

/// A reader in an open transaction, of the table alone or as a backup reads.
fn reader(legacy: &Legacy, whole: bool) -> Session {
    let mut session = legacy.application();
    let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM pin_legacy";
    run(&mut session, begin).expect("a reader");
    if whole {
        let tables = legacy.database.text(
            "SELECT 'SELECT count(*) FROM ' || c.oid::regclass || ';' FROM pg_class c
              WHERE c.relnamespace = 'pinferry_lock'::regnamespace AND c.relkind IN ('r', 'S')",
        );
        assert!(tables.lines().count() >= 3, "{tables}");
        run(&mut session, &tables).expect("a backup");
    }
    session
}

fn status(legacy: &Legacy) -> LockStatus {
    lock::status(&legacy.source, &legacy.lock).expect("a status")
}

fn sweep(legacy: &Legacy) -> Vec<String> {
    lock::sweep(&legacy.source, &legacy.lock).expect("a sweep")
}

#[test]
fn a_reader_keeps_nobody_from_opening_the_legacy_and_what_is_left_goes_later() {
    for (mut legacy, whole) in Legacy::each_kind().skip(3).zip([true, false, true]) {
        legacy.lock.mode = LockMode::Divert;
        let before = legacy.dump();
        let locked = legacy.engage();
        let mut reader = reader(&legacy, whole);
        legacy.assert_passes("UPDATE pin_legacy SET stato = 'R' WHERE id = '1'");
        legacy.assert_passes(&insert("INSERT", "9", "A"));
        let began = Instant::now();
        let released = locked
            .release(Leftovers::HandBack(&|_| Ok(())))
            .expect("released");
        assert!(began.elapsed() < PROMPT, "{:?}", began.elapsed());
        assert_eq!(released.handed_back, 1);
        assert!(
            released.remains[0].contains("disabled guards on"),
            "{released:?}"
        );
        let open = status(&legacy);
        assert_eq!(
            (open.state, &open.guards),
            (LockState::Open, &Guards::Absent)
        );
        assert_eq!(open.remains, released.remains);
        assert!(open.line().contains("no lock"), "{}", open.line());
        assert!(
            open.line().contains("disabled guards on"),
            "{}",
            open.line()
        );
        // Also where somebody enables all triggers of the table, as restoring data does.
        legacy.assert_passes("ALTER TABLE pin_legacy ENABLE TRIGGER ALL");
        for statement in [
            "UPDATE pin_legacy SET nome = 'X', stato = 'A'",
            "DELETE FROM pin_legacy WHERE id = '2'",
            "INSERT INTO pin_legacy (id, stato) VALUES ('8', 'A')",
            "BEGIN; LOCK pin_legacy IN ROW EXCLUSIVE MODE; ROLLBACK",
        ] {
            legacy.assert_passes(statement);
        }
        assert_eq!(
            legacy.text("SELECT count(*) FROM pin_legacy WHERE nome = 'X'"),
            legacy.text("SELECT count(*) - 1 FROM pin_legacy")
        );
        assert_eq!(status(&legacy).state, LockState::Open);
        let read = fingerprint(&legacy);
        assert_eq!(sweep(&legacy), released.remains);
        run(&mut reader, "COMMIT").expect("a reader");
        assert_eq!(sweep(&legacy), Vec::<String>::new());
        assert_eq!(fingerprint(&legacy), read);
        assert_eq!(before[1..], legacy.dump()[1..]);
    }
}

#[test]
fn what_an_earlier_lock_left_is_no_damage_to_the_next_one_and_no_way_past_it() {
    for mode in [LockMode::Refuse, LockMode::Divert] {
        let mut legacy = Legacy::diverting();
        let mut sealed = legacy.engage();
        sealed.seal().expect("sealed");
        let mut old = reader(&legacy, false);
        let released = lock::reopen(&legacy.source, &legacy.lock, Leftovers::Refuse);
        assert!(!released.expect("reopened").remains.is_empty());
        legacy.lock.mode = mode;
        let locked = legacy.engage();
        locked.check_present().expect("the guards");
        assert_eq!(status(&legacy).guards, Guards::Present);
        legacy.assert_refused("DELETE FROM pin_legacy");
        let error = run(&mut old, "UPDATE pin_legacy SET nome = 'X'").expect_err("locked");
        assert!(error.contains("PIN management is locked"), "{error}");
        run(&mut old, "ROLLBACK").expect("back");
        let inserted = legacy.run(&insert("INSERT", "9", "A"));
        assert_eq!(inserted.is_ok(), mode == LockMode::Divert, "{inserted:?}");
        legacy.assert_passes("UPDATE pin_legacy SET stato = 'R' WHERE id = '1'");
        assert_eq!(legacy.captured(), 1);
        assert!(sweep(&legacy).is_empty());
        locked.check_present().expect("the guards");
        // A guard of the lock that stands is damage when it is disabled, and no left-over.
        legacy.assert_passes(
            "ALTER TABLE pin_legacy DISABLE TRIGGER \"~pinferry_guard:inps:update\"",
        );
        let error = locked.check_present().expect_err("disabled").to_string();
        assert!(error.contains("was altered"), "{error}");
        assert!(status(&legacy).remains.is_empty());
        assert!(sweep(&legacy).is_empty());
        let released = locked
            .release(Leftovers::HandBack(&|_| Ok(())))
            .expect("released");
        assert!(released.remains.is_empty(), "{released:?}");
    }
}

#[test]
fn a_lock_is_broken_beside_a_reader_and_keeps_what_it_caught() {
    let legacy = Legacy::diverting();
    legacy.engage();
    legacy.assert_passes(&insert("INSERT", "9", "A"));
    let mut reader = reader(&legacy, true);
    let began = Instant::now();
    let was = lock::break_open(&legacy.source, &legacy.lock, "anna", "urgenza").expect("broken");
    assert!(began.elapsed() < PROMPT, "{:?}", began.elapsed());
    assert!(!was.remains.is_empty());
    legacy.assert_passes("UPDATE pin_legacy SET nome = 'X'");
    let broken = status(&legacy);
    assert_eq!(broken.state, LockState::Broken);
    assert_eq!(broken.diverted_open, 1);
    assert!(!broken.is_damaged(), "{:?}", broken.guards);
    let locked = lock::claim(&legacy.source, &legacy.lock, &run_one()).expect("broken");
    let Released { handed_back, .. } = (locked.expect("a broken lock"))
        .release(Leftovers::HandBack(&|_| Ok(())))
        .expect("released");
    assert_eq!(handed_back, 1);
    run(&mut reader, "COMMIT").expect("a reader");
    assert!(sweep(&legacy).is_empty());
    legacy
        .engage_as(&administrator())
        .expect("a lock of somebody else");
}

#[test]
fn the_application_goes_on_while_a_lock_is_released_beside_a_reader() {
    let legacy = Legacy::new();
    let locked = legacy.engage();
    let _reader = reader(&legacy, true);
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let writes = scope.spawn(|| {
            let mut session = legacy.application();
            let mut longest = Duration::ZERO;
            for turn in 0..1_000_000 {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                let began = Instant::now();
                let login = format!("UPDATE pin_legacy SET nota = '{turn}' WHERE id = '1'");
                run(&mut session, &login).expect("a login");
                longest = longest.max(began.elapsed());
            }
            longest
        });
        let released = locked.release(Leftovers::Refuse);
        // Before anything can fail.
        stop.store(true, Ordering::Relaxed);
        assert!(!released.expect("released").remains.is_empty());
        let longest = writes.join().expect("no panic");
        assert!(longest < PATIENCE, "a writer waited {longest:?}");
    });
}
