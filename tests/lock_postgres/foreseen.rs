//! What `doctor` finds out about a lock that is not engaged, and how long the application waits meanwhile.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use pinferry::{
    config::settings::LockMode,
    source::lock::{self, Foreseen, Outcome, TestReport},
};

use crate::support::{Legacy, insert, run};

/// What a statement of the application may take beside a test, on a machine that others share.
const PATIENCE: Duration = Duration::from_millis(1500);

fn foreseen(legacy: &Legacy) -> TestReport {
    let before = legacy.dump();
    let found = lock::foresee(&legacy.source, &legacy.lock).expect("a look");
    assert_eq!(before, legacy.dump());
    match found {
        Foreseen::Tested(report) => report,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_guards_are_tried_and_nothing_is_left() {
    for mode in [LockMode::Refuse, LockMode::Divert] {
        for mut legacy in Legacy::each_kind().skip(3) {
            legacy.lock.mode = mode;
            let report = foreseen(&legacy);
            assert!(report.passed(), "{:?}", report.failures());
            assert!(report.tries.len() > 60, "{}", report.tries.len());
        }
    }
}

#[test]
fn whatever_would_carry_a_write_past_the_guards_or_keep_a_revocation_from_passing_is_found() {
    for obstacle in [
        "CREATE RULE zitto AS ON INSERT TO pin_legacy DO INSTEAD NOTHING",
        "CREATE FUNCTION zitto() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
         CREATE TRIGGER zitto BEFORE INSERT ON pin_legacy FOR EACH ROW EXECUTE FUNCTION zitto()",
        "CREATE FUNCTION rifai() RETURNS trigger LANGUAGE plpgsql AS
           'BEGIN NEW.tipo_pin := ''DISP''; RETURN NEW; END';
         CREATE TRIGGER rifai BEFORE UPDATE ON pin_legacy FOR EACH ROW EXECUTE FUNCTION rifai()",
    ] {
        let legacy = Legacy::new();
        legacy.assert_passes(obstacle);
        assert!(!foreseen(&legacy).passed(), "{obstacle}");
    }
}

#[test]
fn a_lock_that_stands_is_not_tried() {
    let legacy = Legacy::new();
    legacy.engage();
    let found = lock::foresee(&legacy.source, &legacy.lock).expect("a look");
    assert_eq!(found, Foreseen::Held);
}

/// An application whose every change takes so long, and its longest statement beside the work.
fn beside(legacy: &Legacy, secs: &str, work: impl FnOnce() + Send) -> Duration {
    legacy.assert_passes(&format!(
        "CREATE FUNCTION lento() RETURNS trigger LANGUAGE plpgsql AS
           'BEGIN PERFORM pg_sleep({secs}); RETURN NEW; END';
         CREATE TRIGGER lento BEFORE UPDATE OF cognome, nome, sede, canale, email, telefono, tipo_pin, pin_hash
           ON pin_legacy FOR EACH ROW EXECUTE FUNCTION lento()"
    ));
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
        work();
        stop.store(true, Ordering::Relaxed);
        writes.join().expect("no panic")
    })
}

#[test]
fn the_application_goes_on_while_the_lock_is_tested_or_engaged_to_divert() {
    let legacy = Legacy::diverting();
    let longest = beside(&legacy, "0.1", || {
        let began = Instant::now();
        assert!(foreseen_beside(&legacy).passed());
        // Together the tries take much longer than anybody may wait.
        assert!(began.elapsed() > PATIENCE * 2, "{:?}", began.elapsed());
        legacy.engage();
    });
    assert!(longest < PATIENCE, "a writer waited {longest:?}");
    legacy.assert_passes(&insert("INSERT", "9", "A"));
    assert_eq!(legacy.waiting(), "1");
}

fn foreseen_beside(legacy: &Legacy) -> TestReport {
    match lock::foresee(&legacy.source, &legacy.lock).expect("a look") {
        Foreseen::Tested(report) => report,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_try_that_takes_too_long_is_given_up_and_told() {
    let legacy = Legacy::new();
    let longest = beside(&legacy, "5", || {
        let report = foreseen_beside(&legacy);
        let given_up = |outcome: &Outcome| matches!(outcome, Outcome::NothingToTryOn(why) if why.contains("longer"));
        assert!(
            report.tries.iter().any(|one| given_up(&one.outcome)),
            "{report:?}"
        );
        assert!(report.passed(), "{:?}", report.failures());
    });
    assert!(longest < PATIENCE, "a writer waited {longest:?}");
}
