//! What cron hears: nothing while all is well.

use std::{
    fs,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use assert_cmd::cargo::cargo_bin;
use jiff::{Timestamp, ToSpan as _, tz::TimeZone};

use crate::{folder, run};

#[test]
fn a_quiet_command_says_nothing_when_all_is_well_and_everything_when_not() {
    let folder = folder();
    let folder = folder.path();
    let clean = [
        "sample-data",
        "--records",
        "50",
        "--dirty",
        "0",
        "--out",
        "clean.csv",
    ];
    assert_eq!(run(folder, &clean).code, 0);
    let job = "[target]\nurl = \"sqlite://target.db\"\n[[source]]\nname = \"inps\"\nurl = \"csv://clean.csv\"\n\
               [rules]\nas_of = \"2013-11-03\"\n";
    fs::write(folder.join("pinferry.toml"), job).expect("a configuration");
    for command in [
        &["plan", "-q"][..],
        &["-q", "run"],
        &["--quiet", "activate"],
        &["-q", "verify"],
    ] {
        let ended = run(folder, command);
        assert_eq!(
            (ended.code, ended.stdout.as_str(), ended.stderr.as_str()),
            (0, "", ""),
            "{command:?}"
        );
    }
    let dirty = fs::read_to_string(folder.join("clean.csv")).expect("the sample");
    let (header, rows) = dirty.split_once('\n').expect("a header");
    let (first, rest) = rows.split_once('\n').expect("a row");
    let mut fields: Vec<_> = first.split(';').collect();
    fields[0] = "";
    fs::write(
        folder.join("clean.csv"),
        format!("{header}\n{}\n{rest}", fields.join(";")),
    )
    .expect("written");
    fs::write(
        folder.join("other.toml"),
        job.replace("target.db", "other.db"),
    )
    .expect("a configuration");
    let loud = run(folder, &["--config", "other.toml", "plan"]);
    let quiet = run(folder, &["--config", "other.toml", "plan", "--quiet"]);
    assert_eq!((loud.code, quiet.code), (3, 3));
    assert_eq!(quiet.stdout, loud.stdout);
    assert!(
        quiet.stderr.contains("an extract, nothing to lock"),
        "{}",
        quiet.stderr
    );
    let refused = run(folder, &["--config", "nowhere.toml", "-q", "plan"]);
    assert_eq!(refused.code, 2);
    assert!(
        refused.stderr.contains("nowhere.toml"),
        "{}",
        refused.stderr
    );
    // What is asked for as data is no talk.
    let script = run(folder, &["-q", "completions", "bash"]);
    assert!(script.code == 0 && !script.stdout.is_empty());
}

#[test]
fn one_line_for_cron_does_the_job_once_and_is_safe_every_five_minutes() {
    let folder = folder();
    let folder = folder.path();
    assert_eq!(run(folder, &["demo", "--dir", "."]).code, 0);
    fs::remove_dir_all(folder.join("out")).expect("gone");
    let reopen = ["lock", "release", "--reopen", "--hand-back", "--yes"];
    assert_eq!(run(folder, &reopen).code, 0);
    let hour = |hours: i64| {
        (Timestamp::now() + hours.hours())
            .to_zoned(TimeZone::UTC)
            .strftime("%H:%M")
            .to_string()
    };
    let (open, closed) = (
        format!("{}-{} UTC", hour(-1), hour(1)),
        format!("{}-{} UTC", hour(2), hour(3)),
    );
    let line = |window| run(folder, &["-q", "run", "--if-due", "--window", window]);
    let before = line(&closed);
    assert_eq!(
        (before.code, before.stderr.as_str()),
        (0, ""),
        "{}",
        before.stderr
    );
    assert!(!folder.join("out").exists());
    assert_eq!(line(&open).code, 3);
    let after = line(&open);
    assert_eq!(
        (after.code, after.stdout.as_str(), after.stderr.as_str()),
        (0, "", "")
    );
    assert_eq!(run(folder, &["run"]).code, 3, "who asks is told");
    assert_eq!(run(folder, &["run", "--if-due", "--wait"]).code, 2);
}

#[test]
fn while_another_process_works_on_the_run_the_line_for_cron_ends_with_0_and_others_with_4() {
    let folder = folder();
    let folder = folder.path();
    let sample = ["sample-data", "--records", "40000", "--out", "big.csv"];
    assert_eq!(run(folder, &sample).code, 0);
    let job = "[target]\nurl = \"sqlite://target.db\"\n[[source]]\nname = \"inps\"\nurl = \"csv://big.csv\"\n\
               [rules]\nas_of = \"2013-11-03\"\n";
    fs::write(folder.join("pinferry.toml"), job).expect("a configuration");
    let mut command = Command::new(cargo_bin!("pinferry"));
    let command = command.current_dir(folder).env_clear().arg("run");
    let silent = command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut working = silent.spawn().expect("it starts");
    let begun = Instant::now();
    while !run(folder, &["status"]).stdout.contains("run 1") {
        assert!(begun.elapsed() < Duration::from_secs(60), "it begins");
    }
    let line = run(folder, &["-q", "run", "--if-due"]);
    assert_eq!(
        (line.code, line.stdout.as_str(), line.stderr.as_str()),
        (0, "", "")
    );
    let other = run(folder, &["-q", "run"]);
    assert_eq!(other.code, 4, "{}", other.stderr);
    assert!(
        other.stderr.contains("is being worked on by"),
        "{}",
        other.stderr
    );
    assert_eq!(working.wait().expect("it ends").code(), Some(3));
}
