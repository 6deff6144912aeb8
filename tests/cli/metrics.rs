//! What monitoring reads of the job.

use std::{collections::BTreeMap, fs, os::unix::fs::PermissionsExt as _, path::Path};

use prometheus_parse::{Scrape, Value};

use crate::{folder, run};

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
