//! The server of the target goes away while a run is at work.

use std::{
    process::{Child, Output, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use crate::{
    finish,
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
