//! Processes that are asked to stop, that are too many, or that come back from the dead.

use std::{
    process::{Child, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::{
    RUN, finish,
    scenario::{Engine, Scenario},
    uninterrupted_run,
};

/// No test waits longer than this for a process.
const PATIENCE: Duration = Duration::from_secs(60);

fn signal(child: &Child, signal: Signal) {
    let pid = Pid::from_child(child);
    kill_process(pid, signal).expect("the process is ours");
}

/// Starts a run that commits record by record, so that there is time to meet it in the middle.
fn slow_run(scenario: &Scenario) -> Child {
    scenario
        .command(&["run", "--chunk-records", "1"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts")
}

/// Waits until the run has committed something.
fn in_the_middle(scenario: &Scenario) {
    let begun = Instant::now();
    while scenario.committed_records() < 5 {
        assert!(begun.elapsed() < PATIENCE, "nothing was committed");
        thread::sleep(Duration::from_millis(5));
    }
}

/// A SQLite database stays locked while a process is stopped within a transaction; that is no takeover to test.
fn stop_between_transactions(child: &Child, scenario: &Scenario) {
    for _ in 0..1000 {
        signal(child, Signal::STOP);
        thread::sleep(Duration::from_millis(2));
        if scenario.target_is_writable() {
            return;
        }
        signal(child, Signal::CONT);
        thread::sleep(Duration::from_millis(1));
    }
    panic!("the runner was never met between two transactions");
}

fn end(child: Child) -> Output {
    child.wait_with_output().expect("it ends")
}

#[test]
fn a_signal_settles_the_chunk_says_the_lock_is_held_and_the_same_command_goes_on() {
    for (sent, code) in [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 143)] {
        let scenario = Scenario::new();
        let run = slow_run(&scenario);
        in_the_middle(&scenario);
        signal(&run, sent);
        let output = end(run);
        assert_eq!(output.status.code(), Some(code));
        let talk = String::from_utf8_lossy(&output.stderr);
        let held = talk
            .find("the management lock is still held")
            .expect("said");
        let next = talk.find("`pinferry run`").expect("the command to type");
        assert!(held < next, "{talk}");
        scenario.expect(RUN, &[3]);
        finish(&scenario);
        assert_eq!(scenario.digest(), uninterrupted_run());
    }
}

#[test]
fn a_second_run_is_refused_with_the_holder_and_the_first_one_finishes() {
    let scenario = Scenario::new();
    let run = slow_run(&scenario);
    in_the_middle(&scenario);
    let refused = scenario.expect(RUN, &[4]);
    let talk = String::from_utf8_lossy(&refused.stderr);
    assert!(talk.contains(&format!(":{}", run.id())), "{talk}");
    assert_eq!(end(run).status.code(), Some(3));
    finish(&scenario);
    assert_eq!(scenario.digest(), uninterrupted_run());
}

#[test]
fn a_run_that_waits_takes_over_when_the_holder_dies_and_reports_when_it_finishes() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        for dies in [true, false] {
            let scenario = Scenario::on(engine);
            let mut run = slow_run(&scenario);
            in_the_middle(&scenario);
            let waiter = scenario
                .command(&["run", "--wait"])
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .expect("it starts");
            thread::sleep(Duration::from_millis(300));
            if dies {
                run.kill().expect("ours");
            }
            let held = end(run);
            let waited = end(waiter);
            let talk = String::from_utf8_lossy(&waited.stderr);
            assert_eq!(held.status.code(), (!dies).then_some(3));
            assert_eq!(waited.status.code(), Some(3), "{talk}");
            assert!(talk.contains("waiting for it"), "{talk}");
            finish(&scenario);
            assert_eq!(scenario.digest(), uninterrupted_run());
        }
    }
}

#[test]
fn of_many_runs_started_at_once_one_works_and_the_others_are_refused() {
    let scenario = Scenario::new();
    let runs: Vec<_> = (0..12)
        .map(|_| {
            scenario
                .command(RUN)
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .spawn()
                .expect("it starts")
        })
        .collect();
    for run in runs {
        let output = end(run);
        // A late one finds the work done and reports it.
        assert!(
            matches!(output.status.code(), Some(3 | 4)),
            "{:?} {}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
    }
    scenario.expect(RUN, &[3]);
    finish(&scenario);
    assert_eq!(scenario.digest(), uninterrupted_run());
}

#[test]
fn a_runner_stopped_past_its_lease_cannot_commit_when_it_goes_on() {
    let scenario = Scenario::new();
    scenario.configure("[run]", "[run]\nlease = \"PT3S\"");
    let stale = slow_run(&scenario);
    in_the_middle(&scenario);
    stop_between_transactions(&stale, &scenario);
    let begun = Instant::now();
    loop {
        let output = scenario.call(RUN);
        match output.status.code() {
            Some(3) => break,
            Some(4 | 1) if begun.elapsed() < PATIENCE => thread::sleep(Duration::from_millis(200)),
            _ => panic!(
                "{:?} {}",
                output.status,
                String::from_utf8_lossy(&output.stderr)
            ),
        }
    }
    let target = scenario.target();
    signal(&stale, Signal::CONT);
    let output = end(stale);
    assert_eq!(
        output.status.code(),
        Some(4),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(
        scenario.target() == target,
        "the stale runner changed the target"
    );
    finish(&scenario);
}
