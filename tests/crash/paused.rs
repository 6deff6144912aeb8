//! What an administrator asks of a run from another terminal.

use std::{
    process::{Child, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use jiff::{Timestamp, ToSpan as _, tz::TimeZone};

use crate::{
    ABORT, RUN, finish,
    scenario::{Engine, Scenario},
    uninterrupted_run,
};

/// No test waits longer than this for a process.
const PATIENCE: Duration = Duration::from_secs(60);

/// A run that commits record by record, so that there is time to meet it in the middle.
const SLOW_RUN: &[&str] = &["run", "--chunk-records", "1"];

fn start(scenario: &Scenario, arguments: &[&str]) -> Child {
    let mut command = scenario.command(arguments);
    let piped = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    piped.spawn().expect("it starts")
}

fn end(child: Child) -> Output {
    child.wait_with_output().expect("it ends")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Waits until the run has committed something.
fn in_the_middle(scenario: &Scenario) {
    let begun = Instant::now();
    while scenario.committed_records() < 5 {
        assert!(begun.elapsed() < PATIENCE, "nothing was committed");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Waits until it commits nothing more; how much it has committed.
fn at_rest(scenario: &Scenario) -> i64 {
    let begun = Instant::now();
    loop {
        let before = scenario.committed_records();
        thread::sleep(Duration::from_secs(1));
        if scenario.committed_records() == before {
            return before;
        }
        assert!(begun.elapsed() < PATIENCE, "it does not pause");
    }
}

fn asked_by(scenario: &Scenario, who: &str, arguments: &[&str]) -> String {
    let output = scenario.command(arguments).env("SUDO_USER", who).output();
    let output = output.expect("it starts");
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    said(&output)
}

fn status(scenario: &Scenario) -> String {
    said(&scenario.expect(&["status"], &[0]))
}

/// So many seconds from now, as people in Rome write it.
fn in_seconds(seconds: i64) -> String {
    let rome = TimeZone::get("Europe/Rome").expect("a zone");
    let at = (Timestamp::now() + seconds.seconds()).to_zoned(rome);
    at.strftime("%Y-%m-%dT%H:%M:%S%.f").to_string()
}

fn paused_in_the_middle(engine: Engine) {
    let scenario = Scenario::on(engine);
    scenario.configure("[run]", "[run]\nlease = \"PT3S\"");
    let mut run = start(&scenario, SLOW_RUN);
    in_the_middle(&scenario);
    let told = asked_by(
        &scenario,
        "anna",
        &["pause", "--reason", "the database is slow"],
    );
    assert!(told.contains("run 1 pauses"), "{told}");
    let committed = at_rest(&scenario);
    let again = asked_by(&scenario, "bruno", &["pause"]);
    assert!(
        again.contains("paused already, since 2") && again.contains("by anna"),
        "{again}"
    );
    // Longer than a lease: the heartbeat goes on.
    thread::sleep(Duration::from_secs(4));
    assert_eq!(run.try_wait().expect("ours"), None);
    assert_eq!(scenario.committed_records(), committed);
    let living = status(&scenario);
    assert!(
        living.contains("run 1: loading")
            && living.contains("PAUSED since 2")
            && living.contains("by anna")
            && living.contains("worked on by")
            && living.contains("next: `pinferry resume`"),
        "{living}"
    );
    scenario.expect(RUN, &[4]);
    scenario.expect(ABORT, &[4]);
    run.kill().expect("ours");
    let talk = said(&end(run));
    assert_eq!(talk.matches("paused since").count(), 1, "{talk}");
    thread::sleep(Duration::from_secs(4));
    let dead = status(&scenario);
    assert!(
        dead.contains("PAUSED since 2")
            && dead.contains("next: `pinferry resume`, then `pinferry run`"),
        "{dead}"
    );
    let mut waits = start(&scenario, RUN);
    thread::sleep(Duration::from_secs(2));
    assert_eq!(waits.try_wait().expect("ours"), None);
    assert_eq!(scenario.committed_records(), committed);
    let resumed = asked_by(&scenario, "bruno", &["resume"]);
    assert!(resumed.contains("run 1 goes on"), "{resumed}");
    let output = end(waits);
    let talk = said(&output);
    assert_eq!(output.status.code(), Some(3), "{talk}");
    assert!(
        talk.contains("by anna, lease and lock kept") && talk.contains("resumed"),
        "{talk}"
    );
    finish(&scenario);
    assert_eq!(scenario.digest(), uninterrupted_run());
    assert_eq!(scenario.count("run_control"), 0, "it is over");
    let audited = |action| {
        scenario.ask_target(&format!(
            "SELECT actor || ' ' || reason FROM audit_event WHERE action = '{action}'"
        ))
    };
    assert_eq!(audited("run.paused"), "anna the database is slow");
    assert_eq!(audited("run.resumed").trim_end(), "bruno");
    scenario.expect(&["audit", "verify"], &[0]);
}

#[test]
fn a_paused_run_keeps_lease_and_lock_and_stays_paused_when_its_process_dies() {
    paused_in_the_middle(Engine::Sqlite);
}

#[test]
fn a_paused_run_keeps_lease_and_lock_with_a_target_in_postgresql_too() {
    paused_in_the_middle(Engine::Postgres);
}

#[test]
fn a_window_that_closes_ends_a_pause() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let scenario = Scenario::on(engine);
        assert!(scenario.killed_at(RUN, "chunk.committed:3"), "half loaded");
        let committed = scenario.committed_records();
        asked_by(&scenario, "anna", &["pause"]);
        let talk = said(&scenario.expect(&["run", "--until", &in_seconds(3)], &[5]));
        assert!(talk.contains("by anna, lease and lock kept"), "{talk}");
        assert!(talk.contains("stopped before the window closes"), "{talk}");
        assert_eq!(scenario.committed_records(), committed);
        let taken_back = ["run", "--until", &in_seconds(3), "--release-on-stop"];
        let talk = said(&scenario.expect(&taken_back, &[5]));
        assert!(talk.contains("the legacy is open again"), "{talk}");
        assert_eq!(scenario.count("run_control"), 0);
        scenario.expect(RUN, &[3]);
        finish(&scenario);
        assert_eq!(scenario.digest(), uninterrupted_run());
    }
}

#[test]
fn no_index_of_many_records_is_begun_that_the_end_of_the_window_would_find_half_built() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let scenario = Scenario::on(engine);
        assert!(scenario.killed_at(RUN, "index.build"), "loaded");
        let many = |from: &str, to: &str| {
            scenario.change_target(&format!(
                "UPDATE run_partition SET tally = replace(tally, '\"records\":{from}', '\"records\":{to}')"
            ));
        };
        many("", "1000000");
        let talk = said(&scenario.expect(&["run", "--until", &in_seconds(20)], &[5]));
        assert!(talk.contains("stopped before the window closes"), "{talk}");
        assert_eq!(scenario.count("run_step"), 0);
        many("1000000", "");
        scenario.expect(RUN, &[3]);
        finish(&scenario);
        assert_eq!(scenario.digest(), uninterrupted_run());
    }
}

#[test]
fn a_throttled_run_writes_no_faster_until_the_throttle_is_off() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let scenario = Scenario::on(engine);
        let run = start(&scenario, SLOW_RUN);
        in_the_middle(&scenario);
        asked_by(&scenario, "anna", &["throttle", "20"]);
        let told = status(&scenario);
        assert!(told.contains("throttled to 20 records a second"), "{told}");
        thread::sleep(Duration::from_millis(500));
        let (before, since) = (scenario.committed_records(), Instant::now());
        thread::sleep(Duration::from_secs(3));
        let written = scenario.committed_records() - before;
        let most = (since.elapsed().as_secs_f64() * 20.0) as i64 + 5;
        assert!((5..=most).contains(&written), "{written} of {most}");
        // A long wait ends as well when the throttle does.
        asked_by(&scenario, "anna", &["throttle", "1"]);
        asked_by(&scenario, "anna", &["throttle", "off"]);
        let output = end(run);
        let talk = said(&output);
        assert_eq!(output.status.code(), Some(3), "{talk}");
        assert!(talk.contains("at most 20 records a second"), "{talk}");
        finish(&scenario);
        assert_eq!(scenario.digest(), uninterrupted_run());
    }
}

#[test]
fn a_throttle_whose_wait_is_long_heeds_the_window() {
    let scenario = Scenario::new();
    assert!(scenario.killed_at(RUN, "chunk.committed:3"), "half loaded");
    asked_by(&scenario, "anna", &["throttle", "1"]);
    let begun = Instant::now();
    scenario.expect(&["run", "--until", &in_seconds(5)], &[5]);
    // A chunk of 300 records would be followed by five minutes.
    assert!(begun.elapsed() < Duration::from_secs(60));
    asked_by(&scenario, "anna", &["throttle", "off"]);
    scenario.expect(RUN, &[3]);
    finish(&scenario);
    assert_eq!(scenario.digest(), uninterrupted_run());
}

#[test]
fn only_a_run_under_way_before_cut_over_is_paused_and_everything_else_is_refused_in_words() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let scenario = Scenario::on(engine);
        scenario.expect(&["pause"], &[2]);
        scenario.expect(&["throttle", "0"], &[2]);
        scenario.expect(&["throttle", "fast"], &[2]);
        scenario.expect(&["run", "--hold"], &[5]);
        let idle = said(&scenario.expect(&["resume"], &[0]));
        assert!(idle.contains("is not paused"), "{idle}");
        asked_by(&scenario, "anna", &["pause"]);
        asked_by(&scenario, "anna", &["throttle", "7"]);
        asked_by(&scenario, "anna", &["resume"]);
        assert!(status(&scenario).contains("throttled to 7"));
        asked_by(&scenario, "anna", &["throttle", "off"]);
        assert_eq!(scenario.count("run_control"), 0);
        assert!(scenario.killed_at(RUN, "cut_over.committed"));
        for command in [&["pause"][..], &["resume"], &["throttle", "7"]] {
            let refused = said(&scenario.expect(command, &[2]));
            assert!(refused.contains("past the point of no return"), "{refused}");
        }
        scenario.expect(RUN, &[3]);
        let refused = said(&scenario.expect(&["pause"], &[2]));
        assert!(refused.contains("run 1 is over"), "{refused}");
        finish(&scenario);
    }
}
