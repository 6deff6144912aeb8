//! Revocations in PostgreSQL whose transactions come to their end at a bad moment.

use std::{
    process::Stdio,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use pinferry::postgres::Session;
use sqlx::postgres::PgArguments;

use crate::{
    RUN, finish,
    scenario::{Engine, Scenario},
    server_legacy::{Mode, laid_out, layout_of, scenario},
};

const HOLD: &[&str] = &["run", "--hold"];

/// No test waits longer than this.
const PATIENCE: Duration = Duration::from_secs(60);

/// An active PIN of a person who has no other record, so that its revocation is the person's.
fn active(scenario: &Scenario, skipped: u32) -> String {
    scenario.legacy_database().text(&format!(
        "SELECT min(id) FROM pin_legacy GROUP BY codice_fiscale
         HAVING count(*) = 1 AND min(stato) = 'A' AND length(min(codice_fiscale)) = 16
          ORDER BY 1 LIMIT 1 OFFSET {skipped}"
    ))
}

fn revoke(session: &mut Session, id: &str) {
    let revoke = format!("UPDATE pin_legacy SET stato = 'R' WHERE id = '{id}'");
    let rows = session.execute("revoking", &revoke, PgArguments::default());
    assert_eq!(rows.expect("a revocation"), 1);
}

/// A transaction that has revoked a PIN and waits.
fn open_revocation(scenario: &Scenario, id: &str) -> Session {
    let mut session = scenario.legacy_database().session();
    let begin = "SET idle_in_transaction_session_timeout = '60s'; BEGIN";
    session.batch("beginning", begin).expect("begun");
    revoke(&mut session, id);
    session
}

fn assert_revoked(scenario: &Scenario, id: &str) {
    let status = format!("SELECT status FROM pin WHERE source = 'inps' AND legacy_id = '{id}'");
    assert_eq!(scenario.ask_target(&status), "revoked", "{id}");
}

#[test]
fn a_revocation_that_commits_after_later_ones_were_replayed_arrives_before_cut_over() {
    let scenario = scenario(Engine::Sqlite, Mode::Refuse);
    scenario.expect(HOLD, &[5]);
    let (early, late) = (active(&scenario, 0), active(&scenario, 1));
    let mut waiting = open_revocation(&scenario, &late);
    revoke(&mut scenario.legacy_database().session(), &early);
    scenario.expect(HOLD, &[5]);
    assert_revoked(&scenario, &early);
    waiting.batch("committing", "COMMIT").expect("committed");
    scenario.expect(HOLD, &[5]);
    assert_revoked(&scenario, &late);
    scenario.expect(RUN, &[3]);
    finish(&scenario);
}

#[test]
fn sealing_waits_for_a_revocation_under_way_which_arrives_after_later_ones_were_replayed() {
    let scenario = scenario(Engine::Sqlite, Mode::Refuse);
    scenario.expect(HOLD, &[5]);
    let (early, late) = (active(&scenario, 0), active(&scenario, 1));
    let mut waiting = open_revocation(&scenario, &late);
    revoke(&mut scenario.legacy_database().session(), &early);
    let run = scenario
        .command(RUN)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let begun = Instant::now();
    while scenario.ask_target("SELECT model FROM model_state") != "multiprofile" {
        assert!(begun.elapsed() < PATIENCE, "no cut-over");
        thread::sleep(Duration::from_millis(20));
    }
    assert_revoked(&scenario, &early);
    thread::sleep(Duration::from_millis(500));
    let sealed = "SELECT state FROM pinferry_lock.control";
    assert_eq!(scenario.legacy_database().text(sealed), "engaged");
    waiting.batch("committing", "COMMIT").expect("committed");
    let output = run.wait_with_output().expect("it ends");
    let talk = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{talk}");
    assert_revoked(&scenario, &late);
    finish(&scenario);
}

#[test]
fn revocations_that_keep_coming_keep_no_run_from_being_verified_and_cut_over() {
    let scenario = laid_out(Engine::Sqlite, Mode::Refuse, &layout_of(3000));
    scenario.configure("chunk_records = 100", "chunk_records = 1000");
    scenario.expect(HOLD, &[5]);
    let ids = scenario
        .legacy_database()
        .text("SELECT id FROM pin_legacy WHERE stato = 'A' GROUP BY id HAVING count(*) = 1");
    let stop = AtomicBool::new(false);
    let revoked = thread::scope(|scope| {
        let offices = scope.spawn(|| {
            let mut session = scenario.legacy_database().session();
            let mut revoked = Vec::new();
            for id in ids.lines() {
                let update = format!("UPDATE pin_legacy SET stato = 'R' WHERE id = '{id}'");
                let done = session.execute("revoking", &update, PgArguments::default());
                // Once the legacy is sealed nothing passes any more.
                if stop.load(Ordering::Relaxed) || done.is_err() {
                    break;
                }
                revoked.push(id);
                thread::sleep(Duration::from_millis(40));
            }
            revoked
        });
        let held = scenario.call(HOLD);
        let run = scenario.call(RUN);
        stop.store(true, Ordering::Relaxed);
        for (output, code) in [(held, 5), (run, 3)] {
            let talk = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(code), "{talk}");
        }
        offices.join().expect("no panic")
    });
    assert!(revoked.len() > 20, "{} revocations", revoked.len());
    finish(&scenario);
    let alive = scenario.ask_target(&format!(
        "SELECT CAST(count(*) AS text) FROM pin
          WHERE source = 'inps' AND status IN ('active', 'suspended', 'pending') AND legacy_id IN ('{}')",
        revoked.join("', '")
    ));
    assert_eq!(alive, "0", "of {} revocations", revoked.len());
}
