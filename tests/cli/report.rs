//! What a dry run leaves in the folder of its report.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use serde_json::Value;

use crate::{folder, pinferry, run};

const FILES: [&str; 6] = [
    "offices.csv",
    "problems.csv",
    "profiles.csv",
    "report.html",
    "report.json",
    "report.txt",
];

fn text(path: &Path) -> String {
    fs::read_to_string(path).expect("a file of the report")
}

fn sum<'v>(counts: impl IntoIterator<Item = &'v Value>) -> i64 {
    let counts = counts.into_iter();
    counts.map(|count| count.as_i64().expect("a count")).sum()
}

fn all(counts: &Value) -> impl Iterator<Item = &Value> {
    counts.as_object().expect("counts by name").values()
}

/// What looks like a fiscal code of a natural person.
fn looks_like_code(word: &str) -> bool {
    let class = |at: usize, byte: u8| match at {
        0..=5 | 8 | 11 | 15 => byte.is_ascii_uppercase(),
        _ => byte.is_ascii_alphanumeric(),
    };
    word.len() == 16 && word.bytes().enumerate().all(|(at, byte)| class(at, byte))
}

#[test]
fn the_folder_of_a_dry_run_adds_up_in_both_languages_and_names_nobody() {
    let folder = folder();
    let folder = folder.path();
    assert_eq!(run(folder, &["demo", "--dir", "."]).code, 0);
    fs::remove_dir_all(folder.join("out")).expect("gone");
    let people = fs::read(folder.join("inps.csv")).expect("the sample");
    let people = String::from_utf8_lossy(&people);
    let surnames = people
        .lines()
        .skip(1)
        .filter_map(|row| row.split(';').nth(2));
    let surnames: Vec<_> = surnames.filter(|name| name.len() > 4).collect();
    assert!(surnames.len() > 20);
    for (language, ready, meaning) in [
        (
            "en",
            "Ready. 21 of 67 records (31.34 %)",
            "the record has no id",
        ),
        (
            "it",
            "Pronta. 21 record su 67 (31,34 %)",
            "il record non ha un identificativo",
        ),
    ] {
        let planned = run(folder, &["plan", "--report", "kept", "--lang", language]);
        assert_eq!(planned.code, 3, "{}", planned.stderr);
        let kept = folder.join("kept");
        let files = fs::read_dir(&kept)
            .expect("a folder")
            .map(|file| file.expect("a file"));
        let mut names: Vec<_> = files.map(|file| file.file_name()).collect();
        names.sort();
        assert_eq!(names, FILES);
        for name in FILES {
            let path = kept.join(name);
            let mode = fs::metadata(&path).expect("a file").permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
            let text = text(&path);
            let mut words = text.split(|c: char| !c.is_ascii_alphanumeric());
            assert!(!words.any(looks_like_code), "{name} holds a code");
            let named = surnames.iter().find(|surname| text.contains(**surname));
            assert_eq!(named, None, "{name} names somebody");
        }
        let page = text(&kept.join("report.html"));
        assert!(page.contains(ready) && page.contains(meaning), "{language}");
        assert!(page.contains(&format!("<html lang=\"{language}\">")));
        for outside in ["http:", "https:", "url(", "@import", " src="] {
            assert!(!page.contains(outside), "{outside}");
        }
        assert!(text(&kept.join("problems.csv")).contains(meaning));
    }
    let report: Value =
        serde_json::from_str(&text(&folder.join("kept/report.json"))).expect("JSON");
    let (totals, survey) = (&report["totals"], &report["survey"]);
    let of = |name: &str| totals[name].as_i64().expect("a total");
    assert_eq!(sum(all(&survey["persons_by_pins"])), of("persons"));
    let offices = |field: &str| sum(all(&survey["offices"]).map(|office| &office[field]));
    assert_eq!(offices("records"), of("records"));
    assert_eq!(offices("quarantined"), of("quarantined"));
    assert_eq!(offices("findings"), sum(all(&report["findings"])));
    let grants = all(&survey["profiles"]).flat_map(|profile| all(&profile["grants"]));
    assert_eq!(sum(grants), sum(all(&totals["grants"])));
    let records = sum(all(&survey["profiles"]).map(|profile| &profile["records"]));
    assert_eq!(records, of("records") - of("quarantined"));
    for (sort, examples) in [
        ("quarantine", "quarantine_examples"),
        ("findings", "finding_examples"),
    ] {
        for (reason, count) in report[sort].as_object().expect("counts") {
            let named = survey[examples][reason]
                .as_object()
                .map_or(0, |named| named.len() as i64);
            assert!(
                (1..=count.as_i64().expect("a count").min(5)).contains(&named),
                "{reason}"
            );
        }
    }
}

#[test]
fn a_report_that_has_no_place_or_no_language_ends_the_dry_run_with_the_reason() {
    let folder = folder();
    let folder = folder.path();
    assert_eq!(run(folder, &["demo", "--dir", "."]).code, 0);
    let nowhere = run(folder, &["plan", "--report", "inps.csv"]);
    assert_eq!(nowhere.code, 1);
    assert!(nowhere.stderr.contains("inps.csv"), "{}", nowhere.stderr);
    let foreign = run(folder, &["plan", "--report", "kept", "--lang", "fr"]);
    assert_eq!(foreign.code, 2);
    assert!(foreign.stderr.contains("en, it"), "{}", foreign.stderr);
    assert!(!folder.join("kept").exists());
    assert_eq!(run(folder, &["plan", "--lang", "it"]).code, 2);
}

#[test]
fn a_dry_run_says_what_changed_since_another_one() {
    let folder = folder();
    let folder = folder.path();
    assert_eq!(run(folder, &["demo", "--dir", "."]).code, 0);
    fs::remove_dir_all(folder.join("out")).expect("gone");
    assert_eq!(run(folder, &["plan", "--save", "plan.json"]).code, 3);
    let source = folder.join("inps.csv");
    let rows = fs::read(&source).expect("the sample");
    let rows = rows.split_inclusive(|byte| *byte == b'\n');
    fs::write(&source, rows.flat_map(edited).collect::<Vec<_>>()).expect("written");
    let configuration = folder.join("pinferry.toml");
    let settings = fs::read_to_string(&configuration).expect("the configuration");
    let settings = settings.replace("records = 46", "records = 45");
    let settings = settings.replace("as_of = \"2013-11-03\"", "as_of = \"2013-11-04\"");
    fs::write(&configuration, settings).expect("written");
    let again = [
        "plan",
        "--compare",
        "plan.json",
        "--save",
        "plan.json",
        "--report",
        "kept",
        "--format",
        "json",
    ];
    let planned = run(folder, &again);
    assert_eq!(planned.code, 3, "{}", planned.stderr);
    let shown: Value = serde_json::from_str(&planned.stdout).expect("JSON");
    let compared = &shown["compared"];
    assert_eq!(
        compared["mended"],
        serde_json::json!({"inps:bad-date": "date_invalid"})
    );
    assert_eq!(
        compared["added"],
        serde_json::json!({"inps:merge-1": "date_invalid"})
    );
    assert_eq!(
        compared["gone"],
        serde_json::json!({"inps:no-entity": "entity_missing"})
    );
    assert_eq!(
        compared["otherwise"],
        serde_json::json!({"inps:no-name": ["identity_missing", "fiscal_code_invalid"]})
    );
    assert_eq!(compared["as_of"], "2013-11-03");
    let moved = compared["moved"].to_string();
    assert!(
        moved.contains("rules.as_of") && moved.contains("source inps changed"),
        "{moved}"
    );
    let kept: Value = serde_json::from_str(&text_of(folder, "report.json")).expect("JSON");
    assert_eq!(&kept["compared"], compared);
    let page = text_of(folder, "report.html");
    for part in [
        "Compared with the dry run as of 2013-11-03",
        "inps:bad-date (date_invalid)",
        "rules.as_of is another",
    ] {
        assert!(page.contains(part), "{part}");
    }
    assert!(text_of(folder, "report.txt").contains("gone from the source"));
    // The plan that was saved over the other is the one to compare with next.
    let planned = run(folder, &["plan", "--compare", "plan.json"]);
    assert_eq!(planned.code, 3, "{}", planned.stderr);
    let line = |label: &str| {
        let mut lines = planned.stdout.lines();
        let line = lines.find(|line| line.starts_with(label)).expect("a line");
        line.trim_start_matches(label).trim().to_owned()
    };
    for label in [
        "mended",
        "gone from the source",
        "newly quarantined",
        "for another reason",
    ] {
        assert_eq!(line(label), "0", "{label}");
    }
    assert!(!planned.stdout.contains("moved:"), "{}", planned.stdout);
    let mut plan: Value = serde_json::from_str(&text(&folder.join("plan.json"))).expect("JSON");
    plan.as_object_mut().expect("a plan").remove("quarantined");
    fs::write(folder.join("plan.json"), plan.to_string()).expect("written");
    for file in ["plan.json", "nowhere.json", "links.csv"] {
        let refused = run(folder, &["plan", "--compare", file]);
        assert_eq!(refused.code, 2, "{}", refused.stderr);
        assert!(
            refused.stderr.contains(file) && refused.stderr.contains("plan --save"),
            "{}",
            refused.stderr
        );
    }
}

#[test]
fn the_first_of_the_nightly_dry_runs_has_nothing_to_compare_with_and_the_second_has_the_first() {
    let folder = folder();
    let folder = folder.path();
    assert_eq!(run(folder, &["demo", "--dir", "."]).code, 0);
    fs::remove_dir_all(folder.join("out")).expect("gone");
    let nightly = ["plan", "--compare", "last.json", "--save", "last.json"];
    let first = run(folder, &nightly);
    assert_eq!(first.code, 3, "{}", first.stderr);
    assert!(
        first
            .stderr
            .contains("last.json: no plan to compare with yet"),
        "{}",
        first.stderr
    );
    assert!(!first.stdout.contains("mended"), "{}", first.stdout);
    let second = run(folder, &nightly);
    assert_eq!(second.code, 3, "{}", second.stderr);
    assert!(second.stdout.contains("mended"), "{}", second.stdout);
}

#[test]
fn the_italian_page_says_in_italian_which_rules_and_sources_moved() {
    let folder = folder();
    let folder = folder.path();
    assert_eq!(run(folder, &["demo", "--dir", "."]).code, 0);
    fs::remove_dir_all(folder.join("out")).expect("gone");
    assert_eq!(run(folder, &["plan", "--save", "plan.json"]).code, 3);
    let source = folder.join("inps.csv");
    let rows = fs::read(&source).expect("the sample");
    let rows = rows.split_inclusive(|byte| *byte == b'\n');
    fs::write(&source, rows.flat_map(edited).collect::<Vec<_>>()).expect("written");
    let configuration = folder.join("pinferry.toml");
    let settings = fs::read_to_string(&configuration).expect("the configuration");
    let settings = settings.replace("records = 46", "records = 45");
    let settings = settings.replace("as_of = \"2013-11-03\"", "as_of = \"2013-11-04\"");
    fs::write(&configuration, settings).expect("written");
    let compared = ["plan", "--compare", "plan.json", "--report", "kept"];
    let planned = run(folder, &[&compared[..], &["--lang", "it"]].concat());
    assert_eq!(planned.code, 3, "{}", planned.stderr);
    let page = text_of(folder, "report.html");
    for part in [
        "Confronto con la prova a vuoto alla data del 2013-11-03",
        "rules.as_of: valore diverso da allora",
        "fonte inps: è cambiata, l&#39;impronta era ",
    ] {
        assert!(page.contains(part), "{part}");
    }
    assert!(!page.contains("than planned") && !page.contains("fingerprint was"));
}

fn text_of(folder: &Path, name: &str) -> String {
    text(&folder.join("kept").join(name))
}

/// A row after a day's work on the source: a day that is one, one that is none, a row gone, and another mistake.
fn edited(row: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(row).into_owned();
    let (id, _) = text.split_once(';').expect("columns");
    let (column, value) = match id {
        "bad-date" => (11, "2009-05-06"),
        "merge-1" => (11, "2009-05-36"),
        "no-name" => (1, "NOBODY"),
        "no-entity" => return Vec::new(),
        _ => return row.to_vec(),
    };
    let mut fields: Vec<_> = text.split(';').collect();
    fields[column] = value;
    fields.join(";").into_bytes()
}

#[test]
fn a_dry_run_foretells_how_long_a_run_takes_and_whether_the_window_holds_it() {
    let folder = folder();
    let folder = folder.path();
    assert_eq!(run(folder, &["demo", "--dir", "."]).code, 0);
    let forecast = |arguments: &[&str]| {
        let planned = run(folder, &[&["plan", "--report", "kept"], arguments].concat());
        assert_eq!(planned.code, 3, "{}", planned.stderr);
        let report = text(&folder.join("kept/report.json"));
        let report: Value = serde_json::from_str(&report).expect("JSON");
        let said = planned
            .stderr
            .lines()
            .find(|line| line.starts_with("forecast"));
        (
            report["forecast"].clone(),
            said.expect("a forecast").to_owned(),
        )
    };
    let (rehearsed, said) = forecast(&["--window", "00:00-23:59 UTC"]);
    assert_eq!(rehearsed["measured_runs"], 1);
    assert_eq!(rehearsed["against"], "window");
    assert!(
        said.contains("an earlier run into this target tells"),
        "{said}"
    );
    fs::remove_dir_all(folder.join("out")).expect("gone");
    let (derived, said) = forecast(&[]);
    assert_eq!(derived["measured_runs"], 0);
    assert_eq!(derived["against"], "lock_expected");
    assert_eq!(derived["fits"], "yes");
    assert!(said.contains("lock.expected"), "{said}");
    let likely = |stage: &str| {
        derived["stages"][stage]["likely"]
            .as_f64()
            .expect("seconds")
    };
    let stages = ["lock", "read", "load", "index", "verify", "cut_over"];
    let all: f64 = stages.map(likely).iter().sum();
    let in_all = derived["seconds"]["likely"].as_f64().expect("seconds");
    assert!((all - in_all).abs() < 0.01, "{derived}");
    let configuration = folder.join("pinferry.toml");
    let settings = fs::read_to_string(&configuration).expect("the configuration");
    let short = settings.replace("expected = \"PT1H\"", "expected = \"PT1S\"");
    assert_ne!(short, settings);
    fs::write(&configuration, short).expect("written");
    let (short, said) = forecast(&["--lang", "it"]);
    assert_eq!(short["fits"], "no", "{said}");
    assert!(said.contains("does not fit"), "{said}");
    assert!(text(&folder.join("kept/report.html")).contains("Non si può: non ci sta in 1 s"));
}

#[test]
fn the_report_of_a_run_shows_what_the_dry_run_foretold() {
    let folder = folder();
    let folder = folder.path();
    let sample = [
        "sample-data",
        "--records",
        "3000",
        "--seed",
        "3",
        "--out",
        "legacy.csv",
    ];
    assert_eq!(run(folder, &sample).code, 0);
    let job = "[target]\nurl = \"sqlite://target.db\"\n[[source]]\nname = \"inps\"\nurl = \"csv://legacy.csv\"\n\
               [rules]\nas_of = \"2013-11-03\"\n[run]\nmax_quarantine_ratio = 1.0\n\
               [catalogue]\nfiscal_code_links = \"legacy.links.csv\"\n";
    fs::write(folder.join("pinferry.toml"), job).expect("a configuration");
    let none = run(folder, &["report", "--to", "of-run"]);
    assert_eq!(none.code, 2, "{}", none.stderr);
    assert!(none.stderr.contains("no run yet"), "{}", none.stderr);
    assert_eq!(run(folder, &["plan", "--report", "of-plan"]).code, 3);
    let held = run(folder, &["run", "--hold"]);
    assert_eq!(held.code, 5, "{}", held.stderr);
    let of_run = |arguments: &[&str]| {
        let reported = run(
            folder,
            &[&["report"], arguments, &["--to", "of-run"]].concat(),
        );
        assert_eq!(reported.code, 0, "{}", reported.stderr);
        text(&folder.join("of-run/report.html"))
    };
    assert!(of_run(&["1"]).contains("Not finished (verified). 3 000 records are committed"));
    assert_eq!(run(folder, &["run"]).code, 3);
    assert!(of_run(&["--lang", "it"]).contains("Conclusa. "));
    let document = |name: &str| -> Value {
        let text = text(&folder.join(name).join("report.json"));
        serde_json::from_str(&text).expect("JSON")
    };
    let (planned, done) = (document("of-plan"), document("of-run"));
    for member in [
        "survey",
        "totals",
        "quarantine",
        "findings",
        "digest",
        "as_of",
    ] {
        assert!(!done[member].is_null());
        assert_eq!(planned[member], done[member], "{member}");
    }
    assert!(done["took"]["load"].is_number() && done["forecast"].is_null());
    let unknown = run(folder, &["report", "7", "--to", "of-run"]);
    assert_eq!(unknown.code, 2);
    assert!(unknown.stderr.contains("no run 7"), "{}", unknown.stderr);
    assert_eq!(run(folder, &["report", "1", "--notices", "lists"]).code, 2);
}

#[test]
fn a_run_that_was_held_up_tells_nothing_of_how_long_one_takes() {
    if !cfg!(feature = "failpoints") {
        return;
    }
    for holds_up in [false, true] {
        let folder = folder();
        let folder = folder.path();
        let sample = [
            "sample-data",
            "--records",
            "30",
            "--dirty",
            "0",
            "--out",
            "legacy.csv",
        ];
        assert_eq!(run(folder, &sample).code, 0);
        let job = "[target]\nurl = \"sqlite://target.db\"\n[[source]]\nname = \"inps\"\nurl = \"csv://legacy.csv\"\n";
        fs::write(folder.join("pinferry.toml"), job).expect("a configuration");
        let killed = pinferry(folder)
            .arg("run")
            .env("PINFERRY_FAILPOINT", "phase.committed")
            .output();
        assert_eq!(killed.expect("it ran").status.code(), None);
        if holds_up {
            assert_eq!(run(folder, &["throttle", "1000000"]).code, 0);
        }
        assert_eq!(run(folder, &["run"]).code, 0);
        assert_eq!(run(folder, &["report", "--to", "kept"]).code, 0);
        let report: Value =
            serde_json::from_str(&text(&folder.join("kept/report.json"))).expect("JSON");
        let stages: Vec<_> = report["took"].as_object().expect("stages").keys().collect();
        let whole = ["cut_over", "index", "load", "lock", "verify"];
        let begun = ["lock"];
        assert_eq!(stages, if holds_up { &begun[..] } else { &whole });
    }
}
