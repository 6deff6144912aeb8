//! Kills the program with SIGKILL, types the same command again, and compares with a run nobody killed.
#![cfg(feature = "failpoints")]
#![expect(clippy::expect_used, reason = "a test stops at the first surprise")]

mod answers;
mod busy;
mod documents;
mod drafts;
mod engines;
mod files;
mod full;
mod given_back;
mod held;
mod hooks;
mod interrupt;
mod late_lock;
mod later;
mod let_go;
mod lingering;
mod night;
mod paused;
mod scenario;
#[path = "../schemas/mod.rs"]
mod schemas;
#[allow(
    dead_code,
    reason = "shared by test programs that use different parts of it"
)]
#[path = "../postgres/server.rs"]
mod server;
mod server_gone;
mod server_guards;
mod server_legacy;
mod server_writers;
mod story;
mod taken_back;

use std::{
    collections::BTreeSet,
    sync::OnceLock,
    thread,
    time::{Duration, Instant},
};

use pinferry::failpoint::{STEPS, Stage};
use scenario::{Engine, Scenario};

const LOCK: &[&str] = &["lock", "engage", "--reason", "a test"];
const RUN: &[&str] = &["run"];
const INTAKE: &[&str] = &["intake", "requests.csv"];
const ACTIVATE: &[&str] = &["activate"];
const ABORT: &[&str] = &["abort", "--yes"];

/// The steps of removing what a lock in PostgreSQL left behind.
const SWEEP: [&str; 2] = ["lock.sweep", "lock.swept"];

/// The content of a target nobody was killed on the way to.
fn uninterrupted(engine: Engine) -> &'static str {
    static TARGETS: [OnceLock<String>; 2] = [OnceLock::new(), OnceLock::new()];
    TARGETS[engine as usize].get_or_init(|| {
        let scenario = Scenario::on(engine);
        scenario.expect(LOCK, &[0]);
        scenario.office_at_work();
        for command in [RUN, INTAKE, ACTIVATE] {
            scenario.expect(command, &[0, 3]);
        }
        finish(&scenario);
        scenario.target()
    })
}

/// The digest of a run nobody disturbed, the same on every engine.
fn uninterrupted_run() -> &'static str {
    static DIGEST: OnceLock<String> = OnceLock::new();
    DIGEST.get_or_init(|| {
        let scenario = Scenario::new();
        scenario.expect(RUN, &[3]);
        scenario.digest()
    })
}

/// What must hold at the end, however it was reached.
fn finish(scenario: &Scenario) {
    scenario.assert_sealed();
    scenario.expect(&["verify"], &[0]);
}

/// Kills `command` at `step`, kills the process that resumes it there too, and lets the third one through.
fn twice_killed(scenario: &Scenario, command: &[&str], step: &str) -> bool {
    let killed = scenario.killed_at(command, step);
    if killed && scenario.killed_at(command, step) {
        scenario.expect(command, &[0, 3]);
    }
    killed
}

fn steps(engine: Engine, stage: Stage) -> BTreeSet<&'static str> {
    let mut steps: BTreeSet<_> = (STEPS.iter())
        .filter(|step| step.stage == stage)
        .map(|step| step.name)
        .collect();
    if (engine, stage) == (Engine::Postgres, Stage::Job) {
        // Tables are laid out in a database that is there.
        steps.retain(|step| !step.starts_with("target."));
        steps.extend(["schema.migrate", "schema.migrated"]);
    }
    // Only a server has readers who keep a lock from being removed to the last.
    steps.retain(|step| !SWEEP.contains(step));
    assert!(!steps.is_empty());
    steps
}

/// How many of the steps one scenario is killed at.
#[derive(Clone, Copy)]
enum Kills {
    /// One: nothing else may hide what a kill there does.
    One,
    /// Up to this many, far from each other: the rules are those of the other engine, and each start of a process costs.
    UpTo(usize),
}

/// All steps; the check plans the kills and says which steps were never reached. After some steps others are not
/// reached any more: they get a scenario of their own.
fn at_each_step(
    steps: BTreeSet<&'static str>,
    kills: Kills,
    check: impl Fn(&[&'static str]) -> Vec<&'static str> + Sync,
) {
    let steps: Vec<_> = steps.into_iter().collect();
    let mut missed = steps.clone();
    if let Kills::UpTo(many) = kills {
        missed = in_groups(&steps, steps.len().div_ceil(many), &check);
    }
    missed = in_groups(&missed, missed.len(), &check);
    assert!(
        missed.is_empty(),
        "steps that were never reached: {missed:?}"
    );
}

/// The steps in so many groups, on both cores.
fn in_groups(
    steps: &[&'static str],
    groups: usize,
    check: &(impl Fn(&[&'static str]) -> Vec<&'static str> + Sync),
) -> Vec<&'static str> {
    let group = |n: usize| -> Vec<_> { steps.iter().skip(n).step_by(groups).copied().collect() };
    let group = &group;
    thread::scope(|scope| {
        let halves = [0, 1].map(|half| {
            scope.spawn(move || {
                let mine = (half..groups).step_by(2);
                mine.flat_map(|n| check(&group(n))).collect::<Vec<_>>()
            })
        });
        let halves = halves.into_iter();
        halves
            .flat_map(|half| half.join().expect("every step ends well"))
            .collect()
    })
}

/// One step a scenario where the target is a file.
const fn kills(engine: Engine) -> Kills {
    match engine {
        Engine::Sqlite => Kills::One,
        Engine::Postgres => Kills::UpTo(9),
    }
}

#[test]
fn killed_at_any_step_of_the_job_the_same_commands_end_where_an_uninterrupted_job_ends() {
    killed_at_any_step_of_the_job(Engine::Sqlite);
}

#[test]
fn killed_at_any_step_of_the_job_it_is_the_same_with_a_target_in_postgresql() {
    killed_at_any_step_of_the_job(Engine::Postgres);
}

fn killed_at_any_step_of_the_job(engine: Engine) {
    let expected = uninterrupted(engine);
    at_each_step(steps(engine, Stage::Job), kills(engine), |steps| {
        let scenario = Scenario::on(engine);
        scenario.plan_kills(steps);
        scenario.through_kills(LOCK, || {});
        scenario.office_at_work();
        for command in [RUN, INTAKE, ACTIVATE] {
            scenario.through_kills(command, || {});
        }
        finish(&scenario);
        assert!(
            scenario.target() == expected,
            "the target differs after kills at {steps:?}"
        );
        scenario.never_reached(steps)
    });
}

#[test]
fn killed_at_any_step_an_abort_goes_back_to_an_open_legacy_and_a_new_run_ends_like_any_other() {
    killed_at_any_step_of_an_abort(Engine::Sqlite);
}

#[test]
fn killed_at_any_step_of_an_abort_it_is_the_same_with_a_target_in_postgresql() {
    killed_at_any_step_of_an_abort(Engine::Postgres);
}

fn killed_at_any_step_of_an_abort(engine: Engine) {
    let expected = uninterrupted_run();
    at_each_step(steps(engine, Stage::Abort), kills(engine), |steps| {
        let scenario = Scenario::on(engine);
        let before = scenario.legacy_content();
        assert!(
            scenario.killed_at(RUN, "chunk.committed:3"),
            "the run is killed in the middle"
        );
        scenario.plan_kills(steps);
        scenario.through_kills(ABORT, || {});
        assert!(
            scenario.legacy_content() == before,
            "the legacy is as it was, {steps:?}"
        );
        for table in [
            "person",
            "pin",
            "profile_grant",
            "quarantine",
            "finding",
            "run_partition",
        ] {
            let rows = scenario.count(table);
            assert_eq!(rows, 0, "{table} after an abort killed at {steps:?}");
        }
        scenario.expect(RUN, &[0, 3]);
        finish(&scenario);
        assert_eq!(scenario.digest(), expected, "{steps:?}");
        scenario.never_reached(steps)
    });
}

#[test]
fn fifty_kills_at_random_moments_leave_no_trace() {
    fifty_kills(Engine::Sqlite);
}

#[test]
fn fifty_kills_at_random_moments_leave_no_trace_in_postgresql_either() {
    fifty_kills(Engine::Postgres);
}

fn fifty_kills(engine: Engine) {
    let expected = uninterrupted(engine);
    let scenario = Scenario::on(engine);
    scenario.expect(LOCK, &[0]);
    scenario.office_at_work();
    let whole = time_of_a_run(engine);
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    for kill in 0..50 {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let moment = whole.mul_f64((random >> 40) as f64 / (1_u64 << 24) as f64);
        let mut child = scenario
            .command(RUN)
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .expect("it starts");
        thread::sleep(moment.max(Duration::from_millis(5)));
        child.kill().expect("ours");
        let status = child.wait().expect("ours");
        let code = status.code();
        // 4 would mean that a dead holder's lease is respected: that has its own limit.
        assert!(
            matches!(code, None | Some(0 | 3 | 4)),
            "kill {kill}: {status:?}"
        );
    }
    for command in [RUN, INTAKE, ACTIVATE] {
        scenario.expect(command, &[0, 3]);
    }
    finish(&scenario);
    assert!(
        scenario.target() == expected,
        "the target differs after random kills"
    );
}

/// How long the run takes here when nobody kills it.
fn time_of_a_run(engine: Engine) -> Duration {
    let scenario = Scenario::on(engine);
    scenario.expect(LOCK, &[0]);
    scenario.office_at_work();
    let begun = Instant::now();
    scenario.expect(RUN, &[0, 3]);
    begun.elapsed()
}
