//! `status --watch` where nobody sits in front of it.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use assert_cmd::cargo::cargo_bin;

use crate::{folder, run};

/// A job of an extract without a flaw.
fn lay_out(folder: &Path) {
    let clean = ["--records", "67", "--dirty", "0", "--out", "clean.csv"];
    assert_eq!(
        run(folder, &[&["sample-data"], &clean[..]].concat()).code,
        0
    );
    let job = "[target]\nurl = \"sqlite://target.db\"\n[[source]]\nname = \"inps\"\nurl = \"csv://clean.csv\"\n\
               [rules]\nas_of = \"2013-11-03\"\n";
    fs::write(folder.join("pinferry.toml"), job).expect("a configuration");
}

#[test]
fn a_job_that_is_watched_in_a_pipe_is_told_line_by_line_until_it_is_over() {
    let folder = folder();
    let folder = folder.path();
    lay_out(folder);
    let held = run(folder, &["run", "--hold"]);
    assert_eq!(held.code, 5, "{}", held.stderr);
    let seen = folder.join("seen");
    let file = |name: &str| fs::File::create(folder.join(name)).expect("a file");
    let mut watching = Command::new(cargo_bin!("pinferry"))
        .args(["status", "--watch"])
        .current_dir(folder)
        .env_clear()
        .stdin(Stdio::null())
        .stdout(file("seen"))
        .stderr(file("said"))
        .spawn()
        .expect("it starts");
    let begun = Instant::now();
    while fs::read_to_string(&seen).expect("what it wrote").is_empty() {
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "nothing is shown"
        );
        thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(run(folder, &["run"]).code, 0);
    assert!(watching.wait().expect("it ends").success());
    let seen = fs::read_to_string(&seen).expect("what it wrote");
    assert!(seen.starts_with("run 1: verified\n"), "{seen}");
    assert_eq!(seen.matches("run 1: verified\n").count(), 1, "{seen}");
    assert!(seen.contains("\nrun 1: finished\n"), "{seen}");
    let last = run(folder, &["status"]).stdout;
    assert!(seen.ends_with(&last), "{seen}");
    assert_eq!(fs::read(folder.join("said")).expect("a file"), b"");
}

#[test]
fn what_is_under_way_is_told_by_partition_and_step() {
    let folder = folder();
    let folder = folder.path();
    lay_out(folder);
    let progress = || {
        let looked = run(folder, &["--format", "json", "status"]);
        let state: serde_json::Value = serde_json::from_str(&looked.stdout).expect("JSON");
        state["progress"].clone()
    };
    assert!(progress().is_null());
    assert_eq!(run(folder, &["run", "--hold"]).code, 5);
    let held = progress();
    let partitions = held["partitions"].as_array().expect("partitions");
    let sum = |field: &str| -> u64 {
        let counts = partitions
            .iter()
            .map(|one| one[field].as_u64().expect("a count"));
        counts.sum()
    };
    assert_eq!((sum("records"), sum("committed")), (67, 67));
    assert_eq!(held["steps_done"], held["steps"]);
    assert!(held["phase_since"].is_string());
    assert_eq!(run(folder, &["run"]).code, 0);
    assert!(progress().is_null(), "a run that is over makes no progress");
}

#[test]
fn to_watch_quietly_is_to_ask_for_nothing() {
    let folder = folder();
    let folder = folder.path();
    lay_out(folder);
    let ended = run(folder, &["-q", "status", "--watch"]);
    assert_eq!(ended.code, 2);
    assert!(ended.stderr.contains("--watch"), "{}", ended.stderr);
}
