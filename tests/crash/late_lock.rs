//! A holder that is stopped while it waits for the table of a legacy, and goes on when its run is over.

use std::{
    process::{Child, Output, Stdio},
    thread::sleep,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};

use crate::{
    RUN, finish,
    scenario::{Engine, Scenario},
    server_legacy::{Mode, scenario},
};

const LEASE: Duration = Duration::from_secs(3);

fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).expect("the process is ours");
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// What the run finds that is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    Nothing,
    /// An earlier process locked the legacy and died, and somebody removed the lock.
    RemovedLock,
}

/// A run that was stopped while it waited for a writer, its run aborted, and both gone on.
fn locked_too_late(target: Engine, found: Found) -> (Scenario, Output) {
    let scenario = scenario(target, Mode::Refuse);
    scenario.configure("[run]", "[run]\nlease = \"PT3S\"");
    if found == Found::RemovedLock {
        assert!(scenario.killed_at(RUN, "phase.committed"));
        let mut somebody = scenario.legacy_database().session();
        let remove = "DROP SCHEMA pinferry_lock CASCADE";
        somebody.batch("removing", remove).expect("he may");
    }
    let mut writer = scenario.legacy_database().session();
    let busy = "BEGIN; UPDATE pin_legacy SET telefono = telefono";
    writer.batch("writing", busy).expect("it may");
    let stale = scenario
        .command(RUN)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let waits =
        "pg_stat_activity WHERE application_name = 'pinferry lock' AND wait_event_type = 'Lock'
        AND datname = current_database()";
    let waits = format!("SELECT count(*)::text FROM {waits}");
    let waiting = (0..2_000).any(|_| {
        sleep(Duration::from_millis(5));
        scenario.legacy_database().text(&waits) != "0"
    });
    assert!(waiting, "the run never waited for the table");
    signal(&stale, Signal::STOP);
    sleep(LEASE + Duration::from_secs(1));
    scenario.expect(&["abort", "--yes"], &[0]);
    writer.batch("writing", "COMMIT").expect("it may");
    signal(&stale, Signal::CONT);
    let stale = stale.wait_with_output().expect("it ends");
    (scenario, stale)
}

#[test]
fn a_holder_that_goes_on_after_its_run_was_aborted_leaves_the_legacy_open_and_begins_no_other_run()
{
    let postgres = (Engine::Postgres, Found::Nothing);
    let removed = (Engine::Sqlite, Found::RemovedLock);
    for (target, found) in [(Engine::Sqlite, Found::Nothing), postgres, removed] {
        let (scenario, stale) = locked_too_late(target, found);
        assert_eq!(stale.status.code(), Some(4), "{}", told(&stale));
        assert_eq!(scenario.count("run"), 1, "{}", told(&stale));
        let mut office = scenario.legacy_database().session();
        let write = "UPDATE pin_legacy SET telefono = 'x'";
        office.batch("writing", write).expect("the legacy is open");
        scenario.expect(RUN, &[3]);
        finish(&scenario);
    }
}
