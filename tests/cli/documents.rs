//! What programs read: one JSON document a command, and standard output where a file is asked for.

use std::{fs, path::Path};

use serde_json::Value;

use crate::{Ended, folder, run};

/// A job on the sample data that is held before cut-over, its lock engaged.
fn held(folder: &Path) {
    assert_eq!(run(folder, &["demo", "--dir", "."]).code, 0);
    fs::remove_dir_all(folder.join("out")).expect("gone");
    let opened = json(
        folder,
        &["lock", "release", "--reopen", "--hand-back", "--yes"],
        0,
    );
    assert_eq!(opened["released"][0]["source"], "sportello");
    assert_eq!(run(folder, &["run", "--hold"]).code, 5);
}

fn json(folder: &Path, arguments: &[&str], code: i32) -> Value {
    let arguments = [&["--format", "json"], arguments].concat();
    let Ended {
        code: found,
        stdout,
        stderr,
    } = run(folder, &arguments);
    assert_eq!(found, code, "{arguments:?}: {stderr}");
    serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {stdout}"))
}

#[test]
fn every_command_that_changes_something_says_so_in_one_document() {
    let folder = folder();
    let folder = folder.path();
    held(folder);
    let paused = json(folder, &["pause"], 0);
    assert_eq!(
        (&paused["run_id"], &paused["changed"]),
        (&1.into(), &true.into())
    );
    assert!(paused["paused_at"].is_string());
    let status = json(folder, &["status"], 0);
    assert_eq!(status["control"]["paused_by"], paused["paused_by"]);
    let throttled = json(folder, &["throttle", "500"], 0);
    assert_eq!(throttled["records_per_second"], 500);
    assert_eq!(json(folder, &["resume"], 0)["paused_at"], Value::Null);
    assert_eq!(json(folder, &["resume"], 0)["changed"], false);
    let broken = [
        "lock", "break", "--by", "anna", "--reason", "a test", "--yes",
    ];
    assert_eq!(json(folder, &broken, 0)["broken"][0]["source"], "sportello");
    assert_eq!(json(folder, &broken, 0)["broken"], Value::Array(Vec::new()));
    let aborted = json(folder, &["abort", "--yes"], 0);
    assert_eq!(aborted["phase"], "aborted");
    assert_eq!(aborted["handed_back"], 0);
    assert_eq!(json(folder, &["abort", "--yes"], 0)["phase"], "aborted");
    let released = json(folder, &["lock", "release"], 0);
    assert_eq!(released["released"], Value::Array(Vec::new()));
    let migrated = json(folder, &["migrate-schema"], 0);
    assert_eq!(migrated["done"], "is of this version already");
    assert_eq!(run(folder, &["run"]).code, 3);
    let exported = json(folder, &["quarantine", "export", "left-out.csv"], 0);
    assert_eq!(exported["exported"]["records"], 21);
    let audit = json(folder, &["audit", "export", "--out", "audit.jsonl"], 0);
    assert!(
        audit["exported"]["entries"]
            .as_u64()
            .is_some_and(|entries| entries > 0)
    );
}

#[test]
fn the_demo_is_one_document_with_those_of_its_scenes() {
    let folder = folder();
    let document = json(folder.path(), &["demo"], 0);
    let scenes = document["scenes"].as_array().expect("scenes");
    assert_eq!(scenes.len(), 13);
    for scene in scenes {
        assert!(
            scene["typed"]
                .as_str()
                .is_some_and(|typed| typed.starts_with("pinferry "))
        );
        assert!(scene["exit_code"].is_u64());
        assert!(scene["document"].is_object(), "{scene}");
    }
}

#[test]
fn a_dash_is_standard_output_or_refused_in_words_and_never_a_file() {
    let folder = folder();
    let folder = folder.path();
    assert_eq!(run(folder, &["demo", "--dir", "."]).code, 0);
    assert_eq!(
        run(folder, &["quarantine", "export", "left-out.csv"]).code,
        0
    );
    let shown = run(folder, &["quarantine", "export", "-"]);
    assert_eq!(shown.code, 0, "{}", shown.stderr);
    let kept = fs::read_to_string(folder.join("left-out.csv")).expect("a text");
    assert_eq!(shown.stdout, kept);
    let both = run(folder, &["--format", "json", "quarantine", "export", "-"]);
    assert_eq!((both.code, both.stdout.as_str()), (2, ""));
    let sample = ["sample-data", "--records", "50", "--dirty", "0", "--out"];
    assert_eq!(run(folder, &[&sample[..], &["fifty.csv"]].concat()).code, 0);
    let shown = run(folder, &[&sample[..], &["-"]].concat());
    assert_eq!(shown.code, 0, "{}", shown.stderr);
    let kept = fs::read_to_string(folder.join("fifty.csv")).expect("a text");
    assert_eq!(shown.stdout, kept);
    for more in [&["--dirty", "0.1"][..], &["--dirty", "0", "--sources", "2"]] {
        let words = [&["sample-data", "--records", "50", "--out", "-"], more].concat();
        let refused = run(folder, &words);
        assert_eq!((refused.code, refused.stdout.as_str()), (2, ""), "{more:?}");
        assert!(refused.stderr.contains("--dirty 0"), "{}", refused.stderr);
    }
    assert!(!folder.join("-").exists() && !folder.join("-.links.csv").exists());
}

#[test]
fn long_help_is_wrapped_once() {
    let folder = folder();
    for command in ["intake", "report"] {
        let help = run(folder.path(), &[command, "--help"]).stdout;
        let text = help.split("more\n\n").last().expect("a text");
        let lines: Vec<_> = text.lines().collect();
        for pair in lines.windows(2) {
            let is_of_paragraph = |line: &str| !line.is_empty() && !line.starts_with(' ');
            if pair.iter().all(|line| is_of_paragraph(line)) {
                assert!(pair[0].len() > 70, "{command}: {pair:?}");
            }
        }
    }
}
