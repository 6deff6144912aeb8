//! A server that others keep busy.

use std::{
    process::{Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::{
    RUN, finish,
    scenario::{Engine, Scenario},
    uninterrupted_run,
};

/// A run into a server that says by itself how busy it is.
fn asked(query: &str, load: &str) -> Scenario {
    let scenario = Scenario::on(Engine::Postgres);
    scenario.database().batch(&format!(
        "CREATE SCHEMA ops; CREATE TABLE ops.load (n numeric); INSERT INTO ops.load VALUES ({load})"
    ));
    let keys = format!("[run]\nload_query = \"{query}\"\nload_limit = 10.5");
    scenario.configure("[run]", &keys);
    scenario
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn while_a_server_is_busy_nothing_is_written_and_each_change_is_said_once() {
    let scenario = asked("SELECT n FROM ops.load -- a number;", "37");
    let doctor = said(&scenario.call(&["doctor"]));
    assert!(
        doctor.contains("gives 37, run.load_limit is 10.5: a run would wait now"),
        "{doctor}"
    );
    let mut command = scenario.command(RUN);
    let piped = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut run = piped.spawn().expect("it starts");
    let begun = Instant::now();
    while !said(&scenario.call(&["status"])).contains("run 1: loading") {
        assert!(begun.elapsed() < Duration::from_secs(60), "it begins");
    }
    thread::sleep(Duration::from_secs(4));
    assert_eq!(run.try_wait().expect("ours"), None);
    assert_eq!(scenario.committed_records(), 0);
    scenario.database().batch("UPDATE ops.load SET n = 10.5");
    let output = run.wait_with_output().expect("it ends");
    let talk = said(&output);
    assert_eq!(output.status.code(), Some(3), "{talk}");
    for line in [
        "run.load_query gives 37, run.load_limit is 10.5: nothing is written",
        "run.load_query gives 10.5: going on",
    ] {
        assert_eq!(talk.matches(line).count(), 1, "{talk}");
    }
    let doctor = said(&scenario.call(&["doctor"]));
    assert!(
        doctor.contains("gives 10.5, run.load_limit is 10.5"),
        "{doctor}"
    );
    finish(&scenario);
    assert_eq!(scenario.digest(), uninterrupted_run());
}

#[test]
fn a_query_that_says_nothing_of_the_load_is_found_before_anything_is_locked_or_written() {
    for (query, why) in [
        ("SELECT n FROM ops.loud", "ops.loud"),
        ("SELECT NULL", "it gives no number"),
        ("SELECT n FROM ops.load WHERE n < 0", "it gives no number"),
        ("SELECT 1, 2", "one column"),
        ("SELECT generate_series(1, 2)", "more than one row"),
        ("SELECT 'NaN'", "it gives no number"),
        ("SELECT 'low'", "refuses a value"),
        ("SELECT 1; SELECT 2", "syntax"),
    ] {
        let scenario = asked(query, "37");
        for command in [RUN, &["doctor"]] {
            let refused = said(&scenario.expect(command, &[2]));
            assert!(
                refused.contains("run.load_query") && refused.contains(why),
                "{refused}"
            );
        }
        let tables = "SELECT CAST(count(*) AS text) FROM pg_tables WHERE tablename = 'run'";
        assert_eq!(scenario.ask_target(tables), "0", "{query}");
    }
}

#[test]
fn a_query_that_fails_in_the_middle_ends_the_run_which_goes_on_once_it_is_corrected() {
    let scenario = asked("SELECT n FROM ops.load", "1");
    assert!(scenario.killed_at(RUN, "chunk.committed:3"));
    scenario
        .database()
        .batch("ALTER TABLE ops.load RENAME TO other");
    let refused = said(&scenario.expect(RUN, &[2]));
    assert!(
        refused.contains("try it with `pinferry doctor`"),
        "{refused}"
    );
    scenario.configure("ops.load", "ops.other");
    scenario.expect(RUN, &[3]);
    finish(&scenario);
    assert_eq!(scenario.digest(), uninterrupted_run());
}

#[test]
fn a_query_that_is_not_answered_in_time_means_that_the_server_is_busy() {
    let scenario = asked("SELECT n FROM ops.load", "1");
    let mut other = scenario.database().session();
    other
        .batch("a test", "BEGIN; LOCK TABLE ops.load")
        .expect("ours");
    let doctor = said(&scenario.call(&["doctor"]));
    assert!(doctor.contains("is not answered in time"), "{doctor}");
}
