//! An administrator's lock that a run adopts and gives back, because another source cannot be locked.

use std::{fs, os::unix::process::ExitStatusExt as _, process::Output};

use crate::{
    ABORT, RUN, finish,
    scenario::{Engine, Scenario},
    server_legacy::{self, Mode},
};

/// A run that must fail, and takes over nothing for good.
const REFUSED: i32 = 4;
const SIGKILL: i32 = 9;
const ENGAGE: [&str; 4] = ["lock", "engage", "--reason", "a test"];

/// Two sources, each locked by its administrator, the second in a way that no run can take over.
fn half_lockable(legacy: Engine) -> Scenario {
    let scenario = match legacy {
        Engine::Sqlite => Scenario::new(),
        Engine::Postgres => server_legacy::scenario(Engine::Sqlite, Mode::Divert),
    };
    let sample = [
        "sample-data",
        "--records",
        "60",
        "--seed",
        "13",
        "--dirty",
        "0",
    ];
    scenario.expect(&[&sample[..], &["--out", "altra.db"]].concat(), &[0]);
    let configuration = fs::read_to_string(scenario.path("pinferry.toml")).expect("a file");
    let second =
        "[[source]]\nname = \"altra\"\nurl = \"sqlite://altra.db\"\ntable = \"pin_legacy\"\n";
    fs::write(scenario.path("inps.toml"), &configuration).expect("a file");
    let (before, csv) = configuration
        .split_once("[[source]]\nname = \"inps\"")
        .expect("a source");
    let (_, after) = csv.split_once("[rules]").expect("a section");
    let alone = format!("{before}{second}[rules]{after}");
    let alone = alone.replace("[lock]\n", "[lock]\nallow_columns = []\n");
    fs::write(scenario.path("altra.toml"), alone).expect("a file");
    scenario.configure("[rules]", &format!("{second}[rules]"));
    for file in ["inps.toml", "altra.toml"] {
        scenario.expect(&[&["--config", file], &ENGAGE[..]].concat(), &[0]);
    }
    scenario
}

/// Whose lock the first source has: an administrator's or a run's.
fn owner(scenario: &Scenario) -> String {
    let arguments = [
        "--config",
        "inps.toml",
        "--format",
        "json",
        "lock",
        "status",
    ];
    let status = scenario.expect(&arguments, &[0]).stdout;
    let status: serde_json::Value = serde_json::from_slice(&status).expect("JSON");
    status["locks"][0]["owner"].to_string()
}

/// The run, killed at a step or not.
fn run(scenario: &Scenario, step: Option<&str>) -> Output {
    let mut command = scenario.command(RUN);
    if let Some(step) = step {
        command.env("PINFERRY_FAILPOINT", step);
    }
    command.output().expect("it starts")
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Opens the source that stood in the way; the same command then does the whole job.
fn goes_on(scenario: &Scenario) -> String {
    scenario.expect(&["--config", "altra.toml", "lock", "release"], &[0]);
    scenario.expect(RUN, &[0, 3]);
    finish(scenario);
    scenario.digest()
}

fn refused(scenario: &Scenario) {
    let output = run(scenario, None);
    let told = told(&output);
    assert_eq!(output.status.code(), Some(REFUSED), "{told}");
    assert!(told.contains("source \"altra\" was locked"), "{told}");
}

fn killed_while_a_lock_is_given_back(legacy: Engine) {
    let undisturbed = half_lockable(legacy);
    let administrator = owner(&undisturbed);
    assert!(administrator.contains("administrator"), "{administrator}");
    refused(&undisturbed);
    assert_eq!(owner(&undisturbed), administrator, "given back");
    let expected = goes_on(&undisturbed);
    for (step, is_given_back) in [("lock.give_back", false), ("lock.given_back", true)] {
        for aborted in [false, true] {
            let scenario = half_lockable(legacy);
            let killed = run(&scenario, Some(step));
            assert_eq!(killed.status.signal(), Some(SIGKILL), "{step}");
            assert_eq!(owner(&scenario) == administrator, is_given_back, "{step}");
            let again = run(&scenario, Some(step));
            let is_killed = again.status.signal() == Some(SIGKILL);
            assert_eq!(is_killed, is_given_back, "{step}: {}", told(&again));
            refused(&scenario);
            if !is_given_back {
                // The run holds it, and whoever would rather have it open is told how.
                let arguments = ["--config", "inps.toml", "lock", "release"];
                let told = told(&scenario.expect(&arguments, &[4]));
                assert!(told.contains("`pinferry abort` takes it back"), "{told}");
            }
            if aborted {
                scenario.expect(ABORT, &[0]);
                assert_eq!(owner(&scenario), "null", "{step}");
            }
            assert_eq!(goes_on(&scenario), expected, "{step}");
        }
    }
}

#[test]
fn killed_while_a_lock_is_given_back_the_same_commands_end_where_an_uninterrupted_job_ends() {
    killed_while_a_lock_is_given_back(Engine::Sqlite);
}

#[test]
fn killed_while_a_lock_is_given_back_it_is_the_same_with_a_legacy_in_postgresql() {
    killed_while_a_lock_is_given_back(Engine::Postgres);
}
