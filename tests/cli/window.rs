//! A run that stops in time.

use std::{fs, path::Path};

use jiff::{Timestamp, ToSpan as _, tz::TimeZone};

use crate::{folder, run};

/// So many seconds from now, as people in Rome write it.
fn in_seconds(seconds: i64) -> String {
    let rome = TimeZone::get("Europe/Rome").expect("a zone");
    let at = (Timestamp::now() + seconds.seconds()).to_zoned(rome);
    at.strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

fn job(folder: &Path, target: &str) -> String {
    let text = format!(
        "[target]\nurl = \"sqlite://{target}\"\n[[source]]\nname = \"inps\"\nurl = \"csv://big.csv\"\n\
         [rules]\nas_of = \"2013-11-03\"\n[run]\nchunk_records = 500\n"
    );
    let file = format!("{target}.toml");
    fs::write(folder.join(&file), text).expect("a configuration");
    file
}

fn digest(output: &str) -> &str {
    let mut lines = output.lines();
    lines
        .find(|line| line.starts_with("digest "))
        .expect("a digest")
}

#[test]
fn a_run_stops_before_its_window_closes_and_goes_on_in_the_next() {
    let folder = folder();
    let folder = folder.path();
    let sample = ["sample-data", "--records", "30000", "--out", "big.csv"];
    assert_eq!(run(folder, &sample).code, 0);
    let whole = run(folder, &["--config", &job(folder, "whole.db"), "run"]);
    assert_eq!(whole.code, 3, "{}", whole.stderr);
    let config = job(folder, "parts.db");
    let mut stopped = 0;
    let last = loop {
        let until = in_seconds(2);
        let ended = run(folder, &["--config", &config, "run", "--until", &until]);
        if ended.code != 5 {
            break ended;
        }
        stopped += 1;
        assert!(
            ended.stderr.contains("stopped before the window closes"),
            "{}",
            ended.stderr
        );
        assert!(
            ended.stderr.contains("`pinferry run` goes on from here"),
            "{}",
            ended.stderr
        );
        if stopped == 2 {
            break run(folder, &["--config", &config, "run"]);
        }
    };
    assert!(stopped >= 1, "two seconds are enough here: {}", last.stderr);
    assert_eq!(last.code, 3, "{}", last.stderr);
    assert_eq!(digest(&last.stdout), digest(&whole.stdout));
}

#[test]
fn outside_its_window_a_run_does_nothing_and_says_when_it_opens() {
    let folder = folder();
    let folder = folder.path();
    assert_eq!(run(folder, &["demo", "--dir", "."]).code, 0);
    fs::remove_dir_all(folder.join("out")).expect("gone");
    let after = |minutes: i64| {
        (Timestamp::now() + minutes.minutes())
            .to_zoned(TimeZone::UTC)
            .strftime("%H:%M")
            .to_string()
    };
    let closed = format!("{}-{} UTC", after(120), after(180));
    let outside = run(folder, &["run", "--window", &closed]);
    assert_eq!(outside.code, 5, "{}", outside.stderr);
    assert!(
        outside
            .stderr
            .contains("the window is closed, and nothing was done"),
        "{}",
        outside.stderr
    );
    assert!(
        outside.stderr.contains("lasts 1 h 00 min"),
        "{}",
        outside.stderr
    );
    assert!(!folder.join("out").exists());
    let shorter = format!("{}-{} UTC", after(120), after(150));
    let planned = run(folder, &["plan", "--window", &shorter]);
    assert_eq!(planned.code, 3);
    assert!(
        planned.stderr.contains("lasts 30 min 00 s"),
        "{}",
        planned.stderr
    );
    for (flag, value, says) in [
        ("--window", "Sun 06:00-06:00", "never opens"),
        ("--window", "Dom 00:00-06:00", "days are Mon"),
        ("--window", "00:00-06:00 Europe/Roma", "no such time zone"),
        ("--until", "25:00", "this is no time"),
        ("--until", "2013-11-04T05:30", "this is past"),
        ("--until", "2013-11-04", "this is no time"),
    ] {
        let refused = run(folder, &["run", flag, value]);
        assert_eq!(refused.code, 2, "{value}: {}", refused.stderr);
        assert!(refused.stderr.contains(says), "{value}: {}", refused.stderr);
    }
    for alone in [
        &["run", "--release-on-stop"][..],
        &["run", "--release-on-stop", "--until", "05:30", "--hold"],
    ] {
        let refused = run(folder, alone);
        assert_eq!(refused.code, 2, "{alone:?}: {}", refused.stderr);
    }
    let reopen = ["lock", "release", "--reopen", "--hand-back", "--yes"];
    assert_eq!(run(folder, &reopen).code, 0);
    let open = format!("{}-{} UTC", after(-60), after(60));
    let inside = run(folder, &["run", "--window", &open]);
    assert_eq!(inside.code, 3, "{}", inside.stderr);
}
