//! What `status` says to type where the legacy, the target or the process is gone.

use std::{fs, path::Path};

use crate::{Ended, folder, run, runbook::lay_out};

/// The last line of `status`: what to type.
fn next(ended: &Ended) -> &str {
    let next = ended.stdout.lines().find(|line| line.starts_with("next:"));
    next.unwrap_or_else(|| panic!("{}{}", ended.stdout, ended.stderr))
}

/// What a refused command says to do.
fn hint(ended: &Ended) -> &str {
    assert_eq!(ended.code, 4, "{}", ended.stderr);
    let hint = ended
        .stderr
        .lines()
        .find_map(|line| line.strip_prefix("next: "));
    hint.expect("a hint")
}

fn lose(folder: &Path, what: &str) {
    fs::rename(folder.join(what), folder.join(format!("{what}.away"))).expect("moved");
}

fn find(folder: &Path, what: &str) {
    fs::rename(folder.join(format!("{what}.away")), folder.join(what)).expect("moved back");
}

#[test]
fn a_lock_nobody_can_read_is_one_for_doctor_until_the_run_is_over() {
    let folder = folder();
    let folder = folder.path();
    lay_out(folder);
    let doctor = "next: `pinferry doctor`, until the lock can be read";
    for held in [false, true] {
        if held {
            assert_eq!(run(folder, &["run", "--hold"]).code, 5);
        }
        lose(folder, "sportello.db");
        let status = run(folder, &["status"]);
        assert_eq!((status.code, next(&status)), (1, doctor));
        assert_ne!(run(folder, &["doctor"]).code, 0);
        find(folder, "sportello.db");
    }
    assert_eq!(run(folder, &["run"]).code, 3);
    lose(folder, "sportello.db");
    let status = run(folder, &["status"]);
    assert_eq!(
        next(&status),
        "next: `pinferry verify`",
        "the legacy is left"
    );
}

#[test]
fn a_lock_of_a_run_that_is_not_in_the_target_is_told_by_status_as_run_tells_it() {
    let folder = folder();
    let folder = folder.path();
    lay_out(folder);
    for (hold, code) in [(&["run", "--hold"][..], 5), (&["run"], 3)] {
        assert_eq!(run(folder, hold).code, code);
        lose(folder, "out");
        let (status, refused) = (run(folder, &["status"]), run(folder, &["run"]));
        let told = next(&status);
        assert!(told.contains("by run 1 of 2"), "{told}");
        assert!(told.contains("which is not in this target"), "{told}");
        assert!(told.contains("multiprofile.db"), "{told}");
        assert!(told.ends_with(hint(&refused)), "{told}\n{}", refused.stderr);
        assert!(
            !hint(&refused).contains("pinferry status"),
            "{}",
            refused.stderr
        );
        assert!(
            status.stdout.contains("no run yet in this target"),
            "{}",
            status.stdout
        );
        if folder.join("out").exists() {
            fs::remove_dir_all(folder.join("out")).expect("gone");
        }
        find(folder, "out");
    }
    let sealed = run(folder, &["status"]);
    let moved = "the PINs moved to sqlite://";
    assert!(sealed.stdout.contains(moved), "{}", sealed.stdout);
}

#[test]
fn a_process_that_ended_with_its_lease_is_said_to_be_gone_and_nobody_waits_for_it() {
    if !cfg!(feature = "failpoints") {
        return;
    }
    let folder = folder();
    let folder = folder.path();
    lay_out(folder);
    let killed = crate::pinferry(folder)
        .arg("run")
        .env("PINFERRY_FAILPOINT", "chunk.rows")
        .output();
    assert_eq!(killed.expect("it ran").status.code(), None);
    let status = run(folder, &["status"]);
    assert!(
        status
            .stdout
            .contains(" worked on it, and that process is gone"),
        "{}",
        status.stdout
    );
    assert_eq!(
        next(&status),
        "next: `pinferry run` goes on, `pinferry abort` takes it back"
    );
    let json = run(folder, &["--format", "json", "status"]);
    let json: serde_json::Value = serde_json::from_str(&json.stdout).expect("JSON");
    assert_eq!(
        (&json["runner"]["living"], &json["runner"]["gone"]),
        (&true.into(), &true.into())
    );
    assert_eq!(run(folder, &["run"]).code, 3);
}
