//! Engaging and sealing while the application writes.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use pinferry::{
    domain::field::Field,
    source::lock::{LockState, Locked},
};

use crate::support::{Legacy, TABLES, fingerprint, run, run_one};

/// What a writer may wait behind an engagement: the lock timeout and the guards' creation, on a machine that others
/// share.
const PATIENCE: Duration = Duration::from_millis(1500);

#[test]
fn a_transaction_begun_before_the_lock_cannot_write_past_it_whatever_its_isolation() {
    for isolation in ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"] {
        for legacy in Legacy::each_kind() {
            let mut application = legacy.application();
            let begin =
                format!("BEGIN ISOLATION LEVEL {isolation}; SELECT count(*) FROM pin_legacy");
            run(&mut application, &begin).expect("a transaction");
            let locked = legacy.engage();
            run(&mut application, "SAVEPOINT s").expect("a savepoint");
            for statement in [
                "UPDATE pin_legacy SET nome = 'X' WHERE id = '1'",
                "INSERT INTO pin_legacy (id) VALUES ('9')",
                "DELETE FROM pin_legacy WHERE id = '1'",
                "TRUNCATE pin_legacy",
            ] {
                let error = run(&mut application, statement).expect_err(statement);
                assert!(
                    error.contains("PIN management is locked"),
                    "{isolation}: {error}"
                );
                run(&mut application, "ROLLBACK TO s").expect("back");
            }
            run(
                &mut application,
                "UPDATE pin_legacy SET stato = 'R' WHERE id = '1'; COMMIT",
            )
            .expect("a revocation");
            assert_eq!(
                locked.captures(9).expect("captures").len(),
                1,
                "{isolation}"
            );
        }
    }
}

#[test]
fn engaging_waits_for_a_writer_in_flight_and_nobody_waits_for_it() {
    let legacy = Legacy::new();
    thread::scope(|scope| {
        // A failure on the way ends the writer first, and then whoever waits for it.
        let mut writer = legacy.application();
        run(
            &mut writer,
            "BEGIN; UPDATE pin_legacy SET nome = 'prima' WHERE id = '1'",
        )
        .expect("a write");
        let engaging = scope.spawn(|| legacy.engage_as(&run_one()).map(drop));
        let mut others = legacy.application();
        let until = Instant::now() + Duration::from_millis(1200);
        while Instant::now() < until {
            let began = Instant::now();
            run(
                &mut others,
                "UPDATE pin_legacy SET nome = 'altro' WHERE id = '2'",
            )
            .expect("a write");
            assert!(began.elapsed() < PATIENCE, "{:?}", began.elapsed());
        }
        assert!(!engaging.is_finished());
        run(
            &mut writer,
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

#[test]
fn sealing_waits_for_a_writer_in_flight_and_nobody_waits_for_it() {
    let legacy = Legacy::new();
    let mut locked = legacy.engage();
    let locked = &mut locked;
    thread::scope(|scope| {
        let mut writer = legacy.application();
        let revoke = "BEGIN; UPDATE pin_legacy SET stato = 'R' WHERE id = '1'";
        run(&mut writer, revoke).expect("a revocation");
        let sealing = scope.spawn(|| locked.seal().map(|damage| assert!(damage.is_empty())));
        let mut others = legacy.application();
        let until = Instant::now() + Duration::from_millis(1500);
        let mut longest = Duration::ZERO;
        while Instant::now() < until {
            let began = Instant::now();
            let login = "UPDATE pin_legacy SET ultimo_accesso = now() WHERE id = '2'";
            run(&mut others, login).expect("a login");
            longest = longest.max(began.elapsed());
        }
        assert!(longest < PATIENCE, "a login waited {longest:?}");
        assert!(!sealing.is_finished());
        run(&mut writer, "COMMIT").expect("a commit");
        sealing.join().expect("no panic").expect("the seal");
    });
    let captures = locked.captures(9).expect("captures");
    let after = captures[0].after.as_ref().expect("a row after");
    assert_eq!(after.fields[Field::LegacyId.index()], "1");
    assert!(
        legacy
            .run("UPDATE pin_legacy SET ultimo_accesso = now()")
            .is_err()
    );
}

#[test]
fn a_change_that_commits_after_later_ones_were_processed_is_found_all_the_same() {
    let legacy = Legacy::new();
    let locked = legacy.engage();
    let mut late = legacy.application();
    let revoke = "BEGIN; UPDATE pin_legacy SET stato = 'R' WHERE id = '1'";
    run(&mut late, revoke).expect("a revocation");
    legacy.assert_passes("UPDATE pin_legacy SET stato = 'R' WHERE id = '2'");
    let settle = || {
        let captures = locked.captures(9).expect("captures");
        let seqs: Vec<_> = captures.iter().map(|capture| capture.seq).collect();
        locked.mark_processed(&seqs).expect("marked");
        seqs
    };
    let early = settle();
    assert!(settle().is_empty());
    run(&mut late, "COMMIT").expect("a commit");
    let later = settle();
    assert_eq!((early.len(), later.len()), (1, 1));
    assert!(later < early, "the number was given before: {later:?}");
    assert!(settle().is_empty());
}

#[test]
fn a_source_that_is_read_while_revocations_are_committed_is_the_one_that_was_locked() {
    for (_, id, tail) in [TABLES[0], TABLES[4]] {
        let legacy = Legacy::with(id, tail);
        legacy.assert_passes(
            "INSERT INTO pin_legacy (id, stato) SELECT 'r' || n, 'A' FROM generate_series(1, 4000) n",
        );
        let engaged = fingerprint(&legacy);
        legacy.engage();
        let stop = AtomicBool::new(false);
        let (legacy, stop) = (&legacy, &stop);
        thread::scope(|scope| {
            let stops = Stops(stop);
            for (number, status) in ["R", "S"].into_iter().enumerate() {
                scope.spawn(move || {
                    let mut session = legacy.application();
                    for own in (number..4000).step_by(2) {
                        if stop.load(Ordering::Relaxed) {
                            return;
                        }
                        let tighten =
                            format!("UPDATE pin_legacy SET stato = '{status}' WHERE id = 'r{own}'");
                        run(&mut session, &tighten).expect("it may");
                        thread::sleep(Duration::from_millis(1));
                    }
                });
            }
            let before = legacy.captured();
            for _ in 0..8 {
                assert_eq!(fingerprint(legacy), engaged);
            }
            assert!(legacy.captured() > before, "nobody wrote meanwhile");
            drop(stops);
        });
        assert_eq!(fingerprint(legacy), engaged);
    }
}

#[test]
fn engaging_and_sealing_under_fire_let_nothing_forbidden_be_committed_afterwards() {
    let legacy = Legacy::new();
    legacy.assert_passes(
        "INSERT INTO pin_legacy (id, stato, nota) SELECT 'r' || n, 'A', '0' FROM generate_series(1, 200) n",
    );
    let stop = AtomicBool::new(false);
    let legacy = &legacy;
    let stop = &stop;
    thread::scope(|scope| {
        let stops = Stops(stop);
        let writers: Vec<_> = (0..6)
            .map(|number| scope.spawn(move || write(legacy, number, stop)))
            .collect();
        thread::sleep(Duration::from_millis(400));
        let began = Instant::now();
        let mut locked: Locked = legacy.engage();
        let took = began.elapsed();
        let forbidden =
            || legacy.text("SELECT count(*) || ' ' || sum(length(nome)) FROM pin_legacy");
        let engaged = forbidden();
        thread::sleep(Duration::from_millis(600));
        assert_eq!(forbidden(), engaged);
        locked.check_present().expect("the guards");
        locked.seal().expect("sealed");
        let whole =
            || legacy.text("SELECT md5(string_agg(t::text, '' ORDER BY id)) FROM pin_legacy t");
        let sealed = whole();
        thread::sleep(Duration::from_millis(300));
        assert_eq!(whole(), sealed);
        assert_eq!(locked.state(), LockState::Sealed);
        drop(stops);
        let longest = writers
            .into_iter()
            .map(|writer| writer.join().expect("no panic"))
            .max();
        let longest = longest.expect("writers");
        assert!(longest < PATIENCE, "a writer waited {longest:?}");
        // With --no-capture: how it goes under load.
        let report = format!("engaged in {took:?}, the longest statement took {longest:?}\n");
        std::io::Write::write_all(&mut std::io::stderr(), report.as_bytes()).expect("stderr");
    });
}

/// Stops the writers, whatever becomes of the test.
struct Stops<'s>(&'s AtomicBool);

impl Drop for Stops<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Writes what is forbidden and what is allowed until told to stop; the longest any statement took.
fn write(legacy: &Legacy, number: usize, stop: &AtomicBool) -> Duration {
    let mut session = legacy.application();
    let isolation = ["READ COMMITTED", "REPEATABLE READ"][number % 2];
    let mut longest = Duration::ZERO;
    for turn in 0..100_000 {
        if stop.load(Ordering::Relaxed) {
            return longest;
        }
        let own = format!("r{}", 1 + (number * 33 + turn) % 200);
        let statements = [
            format!("BEGIN ISOLATION LEVEL {isolation}; SELECT count(*) FROM pin_legacy"),
            format!(
                "UPDATE pin_legacy SET nome = repeat('x', {}), nota = '{turn}' WHERE id = '{own}'",
                turn % 70
            ),
            format!("INSERT INTO pin_legacy (id, stato) VALUES ('n{number}-{turn}', 'A')"),
            "COMMIT".to_owned(),
            format!("UPDATE pin_legacy SET ultimo_accesso = now() WHERE id = '{own}'"),
        ];
        for statement in statements {
            let began = Instant::now();
            // Whatever is refused is what this is about.
            if run(&mut session, &statement).is_err() && !statement.starts_with("COMMIT") {
                drop(run(&mut session, "ROLLBACK"));
            }
            longest = longest.max(began.elapsed());
        }
    }
    longest
}
