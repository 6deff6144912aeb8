//! The server of the target goes away while a run is at work.

use std::{
    process::{Child, Output, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::{
    RUN, finish,
    scenario::{Engine, Scenario},
    server::{Database, Server},
    uninterrupted_run,
};

/// No test waits longer than this.
const PATIENCE: Duration = Duration::from_secs(90);

/// Starts a run that commits so slowly that it can be met in the middle.
fn slow_run(scenario: &Scenario) -> Child {
    scenario
        .command(&["run", "--chunk-records", "5"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts")
}

fn until_committed(scenario: &Scenario, records: i64) {
    let begun = Instant::now();
    while scenario.committed_records() < records {
        assert!(
            begun.elapsed() < PATIENCE,
            "{records} records were never committed"
        );
        sleep(Duration::from_millis(5));
    }
}

fn ended_well(output: &Output) {
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{told}");
    assert!(told.contains("trying again"), "{told}");
}

#[test]
fn a_server_that_is_restarted_or_crashes_under_a_run_is_waited_for_and_nothing_is_lost_or_doubled()
{
    let server: &'static Server = Box::leak(Box::new(Server::private()));
    for mode in ["fast", "immediate"] {
        let scenario = Scenario::with(Some(Database::on(server, "")));
        let run = slow_run(&scenario);
        until_committed(&scenario, 100);
        server.stop(mode);
        sleep(Duration::from_millis(500));
        server.restart();
        let output = run.wait_with_output().expect("it ends");
        ended_well(&output);
        finish(&scenario);
        assert_eq!(scenario.digest(), uninterrupted_run(), "after {mode}");
    }
    // A leaked server is not dropped.
    server.stop("immediate");
}

#[test]
fn sessions_that_are_terminated_again_and_again_are_replaced() {
    let scenario = Scenario::on(Engine::Postgres);
    let run = slow_run(&scenario);
    for records in [50, 300, 600] {
        until_committed(&scenario, records);
        scenario.database().batch(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = current_database() AND application_name LIKE 'pinferry run %'",
        );
    }
    let output = run.wait_with_output().expect("it ends");
    ended_well(&output);
    finish(&scenario);
    assert_eq!(scenario.digest(), uninterrupted_run());
}

/// The server's processes that serve the run.
fn sessions(scenario: &Scenario) -> Vec<Pid> {
    let sessions = scenario.database().text(
        "SELECT pid::text FROM pg_stat_activity
         WHERE datname = current_database() AND application_name LIKE 'pinferry run %'",
    );
    let sessions: Vec<_> = (sessions.lines())
        .filter_map(|pid| Pid::from_raw(pid.parse().ok()?))
        .collect();
    assert!(!sessions.is_empty());
    sessions
}

fn tell(sessions: &[Pid], signal: Signal) {
    for pid in sessions {
        kill_process(*pid, signal).expect("the server is ours");
    }
}

#[test]
fn one_signal_ends_a_run_whose_server_has_fallen_silent_when_its_lease_would_have_run_out() {
    let server: &'static Server = Box::leak(Box::new(Server::private()));
    for (sent, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let scenario = Scenario::with(Some(Database::on(server, "")));
        scenario.configure("[run]", "[run]\nlease = \"PT3S\"");
        let run = slow_run(&scenario);
        until_committed(&scenario, 50);
        let sessions = sessions(&scenario);
        tell(&sessions, Signal::STOP);
        let begun = Instant::now();
        kill_process(Pid::from_child(&run), sent).expect("the process is ours");
        let output = run.wait_with_output().expect("it ends");
        let waited = begun.elapsed();
        tell(&sessions, Signal::CONT);
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{told}");
        assert!((3..10).contains(&waited.as_secs()), "{waited:?}");
        for words in [
            "at the next settled chunk, within 3 s",
            "not settled within 3 s",
            "a lock that was engaged is still held",
            "next: the same command again goes on",
        ] {
            assert!(told.contains(words), "{told}");
        }
        scenario.expect(RUN, &[3]);
        finish(&scenario);
        assert_eq!(scenario.digest(), uninterrupted_run());
    }
    server.stop("immediate");
}

#[test]
fn a_second_interrupt_ends_a_run_whose_server_has_fallen_silent_and_the_same_command_goes_on() {
    let server: &'static Server = Box::leak(Box::new(Server::private()));
    let scenario = Scenario::with(Some(Database::on(server, "")));
    let mut run = slow_run(&scenario);
    until_committed(&scenario, 50);
    let sessions = sessions(&scenario);
    tell(&sessions, Signal::STOP);
    let interrupt = |run: &Child| {
        kill_process(Pid::from_child(run), Signal::INT).expect("the process is ours");
    };
    interrupt(&run);
    sleep(Duration::from_secs(2));
    assert_eq!(
        run.try_wait().expect("ours"),
        None,
        "it waits for the server"
    );
    let begun = Instant::now();
    interrupt(&run);
    let output = run.wait_with_output().expect("it ends");
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "{:?}",
        begun.elapsed()
    );
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{told}");
    for words in [
        "Ctrl-C again ends at once",
        "a lock that was engaged is still held",
        "next: the same command again goes on",
    ] {
        assert!(told.contains(words), "{told}");
    }
    tell(&sessions, Signal::CONT);
    scenario.expect(RUN, &[3]);
    finish(&scenario);
    assert_eq!(scenario.digest(), uninterrupted_run());
    server.stop("immediate");
}
