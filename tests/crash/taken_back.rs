//! A run whose window closes before cut-over, and that is to leave an open legacy.

use std::process::Output;

use jiff::{Timestamp, ToSpan as _, tz::TimeZone};

use crate::{
    LOCK, RUN, at_each_step, finish, kills,
    scenario::{Engine, Scenario},
    steps, uninterrupted_run,
};
use pinferry::failpoint::Stage;

/// A window in this span of hours from now.
pub(crate) fn window(from: i64, to: i64) -> String {
    let hour = |hours: i64| {
        let at = (Timestamp::now() + hours.hours()).to_zoned(TimeZone::UTC);
        at.strftime("%H:%M").to_string()
    };
    format!("{}-{} UTC", hour(from), hour(to))
}

/// So near that nothing is begun any more.
fn at_once() -> String {
    let rome = TimeZone::get("Europe/Rome").expect("a zone");
    let at = (Timestamp::now() + 2500.milliseconds()).to_zoned(rome);
    at.strftime("%Y-%m-%dT%H:%M:%S%.f").to_string()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Nothing of the run is in the target.
fn assert_empty(scenario: &Scenario, when: &str) {
    for table in ["person", "pin", "quarantine", "finding", "run_partition"] {
        assert_eq!(scenario.count(table), 0, "{table} {when}");
    }
}

fn legacy_is_open(engine: Engine) {
    let scenario = Scenario::on(engine);
    let before = scenario.legacy_content();
    assert!(scenario.killed_at(RUN, "chunk.committed:3"), "half loaded");
    let kept = scenario.expect(&["run", "--hold", "--window", &window(-1, 2)], &[5]);
    assert!(said(&kept).contains("the management lock is still held"));
    let first = said(&kept);
    let first = first.lines().next().expect("a line");
    assert!(
        first.contains("STAYS") && first.contains("records now, 2 400 in the end, in about 2 s"),
        "{first}"
    );
    let closes = at_once();
    let taken_back = ["run", "--until", &closes, "--release-on-stop"];
    let output = scenario.expect(&taken_back, &[5]);
    let said = said(&output);
    assert!(
        said.contains("that were loaded are taken back")
            && said.contains("is aborted: the legacy is open again"),
        "{said}"
    );
    assert!(!said.contains("still held"), "{said}");
    assert!(scenario.legacy_content() == before);
    assert_empty(&scenario, "after its window");
    scenario.expect(RUN, &[3]);
    finish(&scenario);
    assert_eq!(scenario.digest(), uninterrupted_run());
}

#[test]
fn a_window_that_closes_leaves_an_open_legacy_where_that_was_asked_for() {
    legacy_is_open(Engine::Sqlite);
}

#[test]
fn a_window_that_closes_leaves_an_open_legacy_with_a_target_in_postgresql_too() {
    legacy_is_open(Engine::Postgres);
}

#[test]
fn what_the_offices_did_under_the_lock_is_in_the_legacy_when_the_window_has_closed() {
    let scenario = Scenario::new();
    scenario.expect(LOCK, &[0]);
    scenario.office_at_work();
    scenario.expect(&["run", "--hold"], &[5]);
    let closed = window(2, 3);
    let line = ["run", "--window", &closed, "--release-on-stop", "--if-due"];
    let said = said(&scenario.expect(&line, &[5]));
    assert!(said.contains("2 diverted PINs went back into it"), "{said}");
    let here = scenario.legacy().query_row(
        "SELECT count(*) FROM pin_legacy WHERE id IN ('NEW-1', 'NEW-2')",
        [],
        |row| row.get::<_, i64>(0),
    );
    assert_eq!(here.expect("a count"), 2);
    // Once it is done, the line says nothing and changes nothing.
    let again = scenario.expect(&line, &[0]);
    let said = String::from_utf8_lossy(&again.stderr).into_owned();
    assert!(said.contains("nothing was done"), "{said}");
}

#[test]
fn what_is_past_the_point_of_no_return_is_not_taken_back() {
    let scenario = Scenario::new();
    assert!(scenario.killed_at(RUN, "cut_over.committed"));
    let closed = window(2, 3);
    let line = ["run", "--window", &closed, "--release-on-stop"];
    let said = said(&scenario.expect(&line, &[5]));
    assert!(said.contains("nothing was done"), "{said}");
    let closes = at_once();
    let inside = scenario.expect(&["run", "--until", &closes, "--release-on-stop"], &[3]);
    assert!(!String::from_utf8_lossy(&inside.stderr).contains("the window closes at"));
    finish(&scenario);
    assert_eq!(scenario.digest(), uninterrupted_run());
}

fn killed_at_any_step(engine: Engine) {
    let expected = uninterrupted_run();
    at_each_step(steps(engine, Stage::Abort), kills(engine), |steps| {
        let scenario = Scenario::on(engine);
        let before = scenario.legacy_content();
        assert!(scenario.killed_at(RUN, "chunk.committed:3"), "half loaded");
        scenario.plan_kills(steps);
        let (open, closed) = (window(-1, 2), window(2, 3));
        let outside = ["run", "--window", &closed, "--release-on-stop"];
        loop {
            let mut command = scenario.command(&outside);
            let ended = command.env("PINFERRY_FAILPOINT", "@kills").output();
            match ended.expect("it starts").status.code() {
                None => {}
                code => {
                    assert_eq!(code, Some(5), "{steps:?}");
                    break;
                }
            }
        }
        assert!(scenario.legacy_content() == before, "open, {steps:?}");
        assert_empty(&scenario, &format!("{steps:?}"));
        let inside = ["run", "--window", &open, "--release-on-stop"];
        scenario.expect(&inside, &[3]);
        finish(&scenario);
        assert_eq!(scenario.digest(), expected, "{steps:?}");
        scenario.never_reached(steps)
    });
}

#[test]
fn killed_while_it_is_taken_back_the_same_command_opens_the_legacy() {
    killed_at_any_step(Engine::Sqlite);
}

#[test]
fn killed_while_it_is_taken_back_it_is_the_same_with_a_target_in_postgresql() {
    killed_at_any_step(Engine::Postgres);
}

#[test]
fn what_is_half_way_back_when_the_next_window_opens_goes_all_the_way_before_a_run_begins() {
    let scenario = Scenario::new();
    scenario.expect(&["run", "--hold"], &[5]);
    let (open, closed) = (window(-1, 2), window(2, 3));
    let mut outside = scenario.command(&["run", "--window", &closed, "--release-on-stop"]);
    let killed = outside.env("PINFERRY_FAILPOINT", "abort.released").output();
    assert_eq!(killed.expect("it starts").status.code(), None);
    scenario.expect(&["run", "--window", &open], &[1]);
    let inside = ["run", "--window", &open, "--release-on-stop"];
    let said = said(&scenario.expect(&inside, &[3]));
    assert!(
        said.contains("run 1 was half way back to an open legacy"),
        "{said}"
    );
    finish(&scenario);
    assert_eq!(scenario.digest(), uninterrupted_run());
}
