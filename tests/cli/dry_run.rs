//! What a dry run says of the run that may follow it, that has begun, or that was made.

use std::{fs, path::Path};

use serde_json::{Value, json};

use crate::{folder, run};

fn job(folder: &Path, records: &str, settings: &str) {
    let sample = [
        "sample-data",
        "--records",
        records,
        "--seed",
        "3",
        "--out",
        "legacy.csv",
    ];
    assert_eq!(run(folder, &sample).code, 0);
    let job = format!(
        "[target]\nurl = \"sqlite://target.db\"\n[[source]]\nname = \"inps\"\nurl = \"csv://legacy.csv\"\n\
         [rules]\nas_of = \"2013-11-03\"\n[catalogue]\nfiscal_code_links = \"legacy.links.csv\"\n{settings}"
    );
    fs::write(folder.join("pinferry.toml"), job).expect("a configuration");
}

/// What `plan --save` says, and the page it leaves.
fn planned(folder: &Path, language: &str, code: i32) -> (String, String) {
    let arguments = [
        "plan",
        "--save",
        "plan.json",
        "--report",
        "kept",
        "--lang",
        language,
    ];
    let planned = run(folder, &arguments);
    assert_eq!(planned.code, code, "{}", planned.stderr);
    let page = fs::read_to_string(folder.join("kept/report.html")).expect("a page");
    (planned.stderr, page)
}

#[test]
fn too_much_quarantine_leads_to_no_run_and_to_no_go() {
    let folder = folder();
    let folder = folder.path();
    job(folder, "3000", "[run]\nmax_quarantine_ratio = 0.0001\n");
    for (language, says, time, go) in [
        ("en", "Not ready.", "A run would take about", "Go:"),
        ("it", "Non pronta.", "La migrazione durerebbe", "Si può"),
    ] {
        let (said, page) = planned(folder, language, 1);
        assert!(said.contains("next: mend those records"), "{said}");
        assert!(!said.contains("run --plan"), "{said}");
        assert!(page.contains(says) && page.contains(time), "{language}");
        assert!(!page.contains(go), "{language}");
    }
}

#[test]
fn a_dry_run_beside_a_run_says_where_that_one_stands_and_advises_none() {
    let folder = folder();
    let folder = folder.path();
    job(folder, "300", "[run]\nmax_quarantine_ratio = 1.0\n");
    let (said, page) = planned(folder, "it", 3);
    assert!(said.contains("run --plan plan.json"), "{said}");
    assert!(page.contains("Pronta.") && page.contains("Si può"));
    assert!(page.contains("Cittadino") && !page.contains("Citizen"));
    let held = run(folder, &["run", "--hold"]);
    assert_eq!(held.code, 5, "{}", held.stderr);
    let stands = |says: &str, languages: [[&str; 2]; 2]| {
        for [language, shown] in languages {
            let (said, page) = planned(folder, language, 3);
            assert!(said.contains(says) && !said.contains("next:"), "{said}");
            assert!(page.contains(shown), "{shown}");
            for stale in ["Ready.", "Go:", "Pronta.", "Si può"] {
                assert!(!page.contains(stale), "{stale}");
            }
        }
        let report = fs::read_to_string(folder.join("kept/report.json")).expect("a report");
        let report: Value = serde_json::from_str(&report).expect("JSON");
        assert_eq!(report["totals"]["records"], 300);
        report["found_run"].clone()
    };
    let found = stands(
        "run 1 is under way (verified)",
        [
            ["en", "Run 1 is under way (verified)."],
            ["it", "L&#39;esecuzione 1 è in corso (verified)."],
        ],
    );
    assert_eq!(found, json!({"run_id": 1, "phase": "verified"}));
    assert_eq!(run(folder, &["run"]).code, 3);
    let found = stands(
        "already migrated by run 1",
        [
            ["en", "Already migrated by run 1."],
            ["it", "Già migrata dall&#39;esecuzione 1."],
        ],
    );
    assert_eq!(found, json!({"run_id": 1, "phase": "finished"}));
}

#[test]
fn an_italian_name_in_the_catalogue_moves_no_run() {
    let folder = folder();
    let folder = folder.path();
    let settings = "profiles = \"profiles.toml\"\n[run]\nmax_quarantine_ratio = 1.0\n";
    job(folder, "300", settings);
    let catalogue = include_str!("../../src/domain/profiles.toml");
    let older: String = (catalogue.split_inclusive('\n'))
        .filter(|line| !line.starts_with("name_it"))
        .collect();
    fs::write(folder.join("profiles.toml"), older).expect("written");
    let (_, page) = planned(folder, "it", 3);
    assert!(page.contains("Citizen"));
    assert_eq!(run(folder, &["run", "--hold"]).code, 5);
    fs::write(folder.join("profiles.toml"), catalogue).expect("written");
    let resumed = run(folder, &["run"]);
    assert_eq!(resumed.code, 3, "{}", resumed.stderr);
}

#[test]
fn records_without_an_id_are_neither_gone_nor_new_where_their_lines_moved() {
    let folder = folder();
    let folder = folder.path();
    job(folder, "3000", "[run]\nmax_quarantine_ratio = 1.0\n");
    let source = folder.join("legacy.csv");
    let mut rows = fs::read(&source).expect("the sample");
    let newline = rows
        .iter()
        .position(|byte| *byte == b'\n')
        .expect("a header");
    // Two rows that end as they begin, below the two that go.
    let columns = rows[..newline].iter().filter(|byte| **byte == b';').count();
    rows.extend(format!("{}\n", ";".repeat(columns)).repeat(2).bytes());
    fs::write(&source, &rows).expect("written");
    planned(folder, "en", 3);
    let mut lines = rows.split_inclusive(|byte| *byte == b'\n');
    let header = lines.next().expect("a header");
    let left: Vec<_> = [header].into_iter().chain(lines.skip(2)).collect();
    fs::write(&source, left.concat()).expect("written");
    let compare = ["plan", "--compare", "plan.json", "--report", "kept"];
    let it = run(folder, &[&compare[..], &["--lang", "it"]].concat());
    assert_eq!(it.code, 3, "{}", it.stderr);
    let page = fs::read_to_string(folder.join("kept/report.html")).expect("a page");
    assert!(page.contains("Fonte inps: 2 record in meno (3 002 &#62; 3 000)."));
    let text = run(folder, &compare).stdout;
    assert!(
        text.contains("source inps: 2 records fewer (3 002 > 3 000)"),
        "{text}"
    );
    let shown = run(folder, &[&compare[..], &["--format", "json"]].concat());
    let shown: Value = serde_json::from_str(&shown.stdout).expect("JSON");
    let compared = &shown["compared"];
    for way in ["added", "gone"] {
        assert!(!compared[way].to_string().contains("inps:@"), "{compared}");
    }
    let by_line = compared["by_line"]["inps"].as_object().expect("reasons");
    assert!(!by_line.is_empty());
    for counts in by_line.values() {
        assert_eq!(counts[0], counts[1], "{compared}");
    }
    assert_eq!(compared["counts"], json!({"inps": [3002, 3000]}));
}

#[test]
fn an_extract_replaced_under_a_run_is_not_blamed_on_the_target() {
    let folder = folder();
    let folder = folder.path();
    job(folder, "300", "[run]\nmax_quarantine_ratio = 1.0\n");
    assert_eq!(run(folder, &["run", "--hold"]).code, 5);
    let other = ["sample-data", "--records", "300", "--seed", "4"];
    let other = run(folder, &[&other[..], &["--out", "other.csv"]].concat());
    assert_eq!(other.code, 0, "{}", other.stderr);
    fs::rename(folder.join("other.csv"), folder.join("legacy.csv")).expect("replaced");
    let ended = run(folder, &["run"]);
    let said = format!("{}{}", ended.stdout, ended.stderr);
    assert_eq!(ended.code, 6, "{said}");
    assert!(
        said.contains("the source is not what the run read"),
        "{said}"
    );
    assert!(said.contains("settle that first"), "{said}");
    assert!(!said.contains("behind pinferry's back"), "{said}");
}
