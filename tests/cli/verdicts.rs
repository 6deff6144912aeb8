//! The verdict of a dry run on every record, and the run held to it.

use std::{fs, os::unix::fs::PermissionsExt as _};

use crate::{folder, run};

#[test]
fn a_dry_run_writes_its_verdicts_and_verification_holds_the_run_to_them() {
    let folder = folder();
    let folder = folder.path();
    assert_eq!(run(folder, &["demo", "--dir", "."]).code, 0);
    fs::remove_dir_all(folder.join("out")).expect("gone");
    let reopen = ["lock", "release", "--reopen", "--hand-back", "--yes"];
    assert_eq!(run(folder, &reopen).code, 0);
    for file in ["said.csv", "said.csv.gz"] {
        let planned = run(folder, &["plan", "--verdicts", file]);
        assert_eq!(planned.code, 3, "{}", planned.stderr);
        let mode = fs::metadata(folder.join(file))
            .expect("a file")
            .permissions();
        assert_eq!(mode.mode() & 0o777, 0o600, "{file}");
    }
    assert_eq!(run(folder, &["run"]).code, 3);
    for file in ["said.csv", "said.csv.gz"] {
        let held = run(folder, &["verify", "--verdicts", file]);
        assert_eq!(held.code, 0, "{}", held.stderr);
        assert!(
            held.stdout
                .contains("verdicts of the dry run that came true: ")
        );
    }
    let said = fs::read_to_string(folder.join("said.csv")).expect("a file");
    let spoilt = said.replacen(";survivor;", ";history;", 1);
    fs::write(folder.join("said.csv"), spoilt).expect("a file");
    let missed = run(folder, &["verify", "--verdicts", "said.csv"]);
    assert_eq!(missed.code, 6);
    assert!(
        missed.stdout.contains("records that ended otherwise"),
        "{}",
        missed.stdout
    );
    let stranger = run(folder, &["plan", "--verdicts", "links.csv"]);
    assert_eq!(stranger.code, 1);
    assert!(stranger.stderr.contains("links.csv"), "{}", stranger.stderr);
    for flag in ["--verdicts", "--save"] {
        assert_eq!(run(folder, &["plan", flag, "-"]).code, 2, "{flag}");
    }
    assert!(!folder.join("-").exists());
    let none = run(folder, &["verify", "--verdicts", "nowhere.csv"]);
    assert_eq!(none.code, 2);
    assert!(none.stderr.contains("nowhere.csv"), "{}", none.stderr);
}
