//! What monitoring reads of the job.

use std::{collections::BTreeMap, fs, os::unix::fs::PermissionsExt as _, path::Path};

use prometheus_parse::{Scrape, Value};

use rusqlite::Connection;

use crate::{folder, run, runbook::lay_out};

/// Every value by its name and label.
fn metrics(path: &Path) -> BTreeMap<String, f64> {
    let text = fs::read_to_string(path).expect("a file of metrics");
    for line in text.lines() {
        let known = ["# HELP pinferry_", "# TYPE pinferry_", "# EOF", "pinferry_"];
        assert!(known.iter().any(|begin| line.starts_with(begin)), "{line}");
    }
    let lines = text.lines().map(|line| Ok(line.to_owned()));
    let scrape = Scrape::parse(lines).expect("the format of metrics");
    let value = |value: &Value| match value {
        Value::Gauge(value) => *value,
        other => panic!("no gauge: {other:?}"),
    };
    let samples = scrape.samples.iter().map(|sample| {
        let mut labels: Vec<_> = sample.labels.values().cloned().collect();
        labels.sort();
        (
            format!("{} {}", sample.metric, labels.join(" ")),
            value(&sample.value),
        )
    });
    samples.collect()
}

#[test]
fn monitoring_reads_the_state_of_the_job_and_nothing_of_anybody() {
    let folder = folder();
    let folder = folder.path();
    assert_eq!(run(folder, &["demo", "--dir", "."]).code, 0);
    let file = folder.join("pinferry.prom");
    let status = ["-q", "status", "--metrics", "pinferry.prom"];
    for _ in 0..2 {
        let ended = run(folder, &status);
        assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    }
    let mode = fs::metadata(&file).expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o644, "the collector is somebody else");
    let found = metrics(&file);
    let value = |name: &str| {
        *found
            .get(name)
            .unwrap_or_else(|| panic!("{name} in {found:?}"))
    };
    assert!(value("pinferry_status_timestamp_seconds ") > 1_700_000_000.0);
    assert_eq!(value("pinferry_run_phase finished"), 1.0);
    assert_eq!(value("pinferry_run_phase loading"), 0.0);
    assert_eq!(value("pinferry_run_paused "), 0.0);
    assert_eq!(value("pinferry_lock sealed sportello"), 1.0);
    assert_eq!(value("pinferry_lock engaged sportello"), 0.0);
    assert!(
        !found.keys().any(|name| name.contains("inps")),
        "an extract has no lock"
    );
    assert_eq!(value("pinferry_records expected"), 67.0);
    assert_eq!(
        value("pinferry_records migrated") + value("pinferry_records quarantined"),
        67.0
    );
    let reasons = found
        .iter()
        .filter(|(name, _)| name.starts_with("pinferry_quarantined_records "));
    assert_eq!(
        reasons.map(|(_, count)| count).sum::<f64>(),
        value("pinferry_records quarantined")
    );
    assert!(value("pinferry_requests done") > 0.0);
    assert_eq!(value("pinferry_queue due"), 0.0);
    assert_eq!(value("pinferry_queue_late_seconds "), 0.0);
    let before = fs::read(folder.join("links.csv")).expect("the sample");
    let foreign = run(folder, &["status", "--metrics", "links.csv"]);
    assert_eq!(foreign.code, 1);
    assert!(foreign.stderr.contains("links.csv"), "{}", foreign.stderr);
    assert_eq!(
        fs::read(folder.join("links.csv")).expect("the sample"),
        before
    );
    // Before there is a target, and with a lock nobody can read.
    fs::remove_dir_all(folder.join("out")).expect("gone");
    fs::write(folder.join("sportello.db"), "no database").expect("written");
    assert_eq!(run(folder, &status).code, 1);
    let found = metrics(&file);
    assert_eq!(found.get("pinferry_lock sportello unknown"), Some(&1.0));
    assert!(
        !found.keys().any(|name| name.starts_with("pinferry_queue")),
        "{found:?}"
    );
}

/// Which of its states the lock of the legacy is said to be in.
fn lock(folder: &Path) -> Vec<String> {
    let status = ["-q", "status", "--metrics", "pinferry.prom"];
    assert_eq!(run(folder, &status).code, 0);
    let found = metrics(&folder.join("pinferry.prom")).into_iter();
    let states = found.filter(|(name, value)| name.starts_with("pinferry_lock ") && *value == 1.0);
    states
        .map(|(name, _)| {
            name.replace("pinferry_lock ", "")
                .replace("sportello", "")
                .trim()
                .to_owned()
        })
        .collect()
}

#[test]
fn a_lock_that_does_not_hold_while_a_run_rests_on_it_is_one_to_alert_on() {
    let folder = folder();
    let folder = folder.path();
    lay_out(folder);
    let mut seen = vec!["unknown".to_owned()];
    assert_eq!(lock(folder), ["open"], "no run rests on it");
    assert_eq!(run(folder, &["run", "--hold"]).code, 5);
    assert_eq!(lock(folder), ["engaged"]);
    let legacy = Connection::open(folder.join("sportello.db")).expect("the legacy");
    let mut guards = legacy
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger' AND name LIKE 'pinferry%'")
        .expect("a query");
    let guards: Vec<String> = guards
        .query_map([], |row| row.get(0))
        .expect("guards")
        .collect::<Result<_, _>>()
        .expect("guards");
    assert!(!guards.is_empty());
    for guard in guards {
        let drop = format!("DROP TRIGGER \"{guard}\"");
        legacy.execute_batch(&drop).expect("dropped");
    }
    seen.extend(lock(folder));
    let told = run(folder, &["doctor"]);
    assert_eq!(told.code, 1, "{}", told.stdout);
    assert!(told.stdout.contains("GUARDS DAMAGED"), "{}", told.stdout);
    legacy
        .execute_batch(
            "CREATE TABLE aside AS SELECT * FROM pinferry_lock; DELETE FROM pinferry_lock",
        )
        .expect("taken away");
    seen.extend(lock(folder));
    legacy
        .execute_batch("INSERT INTO pinferry_lock SELECT * FROM aside; DROP TABLE aside")
        .expect("put back");
    let broken = ["lock", "break", "--by", "Anna", "--reason", "x", "--yes"];
    assert_eq!(run(folder, &broken).code, 0);
    seen.extend(lock(folder));
    assert_eq!(seen, ["unknown", "damaged", "lost", "broken"]);
    seen.sort();
    let alert = format!("`pinferry_lock{{state=~\"{}\"}} == 1`", seen.join("|"));
    assert!(include_str!("../../README.md").contains(&alert), "{alert}");
}
