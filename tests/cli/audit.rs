//! The audit log from outside: walked, and taken away.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::Path,
};

use rusqlite::Connection;

use crate::{folder, pinferry, run};

/// A finished job, whose target keeps an audit log.
fn audited(folder: &Path) -> Connection {
    assert_eq!(run(folder, &["demo", "--dir", "."]).code, 0);
    let target = Connection::open(folder.join("out/multiprofile.db")).expect("the target");
    let entries: i64 = target
        .query_row("SELECT count(*) FROM audit_event", [], |row| row.get(0))
        .expect("a count");
    assert!(
        entries >= 2,
        "the demo's requests and activations are audited"
    );
    target
}

#[test]
fn a_whole_log_is_counted_and_a_changed_or_missing_entry_is_named_with_6() {
    let folder = folder();
    let target = audited(folder.path());
    let whole = run(folder.path(), &["audit", "verify"]);
    assert_eq!(whole.code, 0, "{}", whole.stderr);
    assert!(whole.stdout.contains("entries"), "{}", whole.stdout);
    assert!(whole.stdout.contains("whole"), "{}", whole.stdout);
    for (change, entry) in [
        (
            "UPDATE audit_event SET actor = 'nobody' WHERE audit_id = 2",
            2,
        ),
        ("DELETE FROM audit_event WHERE audit_id = 1", 2),
    ] {
        target.execute(change, []).expect("a change");
        let broken = run(folder.path(), &["--format", "json", "audit", "verify"]);
        assert_eq!(broken.code, 6, "{}", broken.stderr);
        let document: serde_json::Value = serde_json::from_str(&broken.stdout).expect("JSON");
        assert_eq!(document["whole"], false);
        assert_eq!(document["breaks_at"], entry);
        let told = run(folder.path(), &["audit", "verify"]);
        assert!(
            told.stdout.contains(&format!("entry {entry}")),
            "{}",
            told.stdout
        );
    }
}

#[test]
fn the_log_is_exported_as_lines_of_json_to_standard_output_or_to_a_private_file() {
    let folder = folder();
    drop(audited(folder.path()));
    let shown = run(folder.path(), &["audit", "export"]);
    assert_eq!(shown.code, 0, "{}", shown.stderr);
    let lines: Vec<serde_json::Value> = (shown.stdout.lines())
        .map(|line| serde_json::from_str(line).expect("a line of JSON"))
        .collect();
    assert!(lines.len() >= 2);
    assert_eq!(lines[0]["audit_id"], 1);
    for key in ["at", "actor", "action", "reason", "detail", "chain"] {
        assert!(!lines[0][key].is_null(), "{key}");
    }
    let kept = run(folder.path(), &["audit", "export", "--out", "audit.jsonl"]);
    assert_eq!((kept.code, kept.stdout.as_str()), (0, ""));
    let file = folder.path().join("audit.jsonl");
    assert_eq!(fs::read_to_string(&file).expect("a text"), shown.stdout);
    let mode = fs::metadata(&file).expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let again = run(folder.path(), &["audit", "export", "--out", "audit.jsonl"]);
    assert_eq!(again.code, 1, "an existing file is not replaced");
    let shown_again = run(folder.path(), &["audit", "export", "--out", "-"]);
    assert_eq!(shown_again.stdout, shown.stdout);
}

#[test]
fn without_a_target_the_log_is_said_to_be_missing_with_2() {
    let folder = folder();
    assert_eq!(run(folder.path(), &["demo", "--dir", "."]).code, 0);
    fs::remove_dir_all(folder.path().join("out")).expect("gone");
    for what in ["verify", "export"] {
        let ended = run(folder.path(), &["audit", what]);
        assert_eq!(ended.code, 2, "{}", ended.stderr);
        assert!(
            ended.stderr.contains("there is no such file"),
            "{}",
            ended.stderr
        );
    }
}

#[test]
fn who_has_no_name_in_the_environment_is_kept_by_his_number() {
    let folder = folder();
    assert_eq!(run(folder.path(), &["demo", "--dir", "."]).code, 0);
    let nobody = (pinferry(folder.path()))
        .args(["report", "--notices", "avvisi"])
        .env_clear()
        .output();
    assert!(nobody.expect("it ran").status.success());
    let log = run(folder.path(), &["audit", "export"]);
    let last = log.stdout.lines().last().expect("an entry");
    let entry: serde_json::Value = serde_json::from_str(last).expect("a line of JSON");
    let owner = fs::metadata("/proc/self").expect("this process").uid();
    assert_eq!(entry["actor"], format!("uid {owner}"), "{last}");
}
