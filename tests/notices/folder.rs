//! Where the lists are written: whole or not at all, and over nothing of somebody else's.

use std::{fs, os::unix::fs::PermissionsExt as _};

use crate::town::{ENGINES, Engine, Town};

const REPORT: [&str; 3] = ["report", "--notices", "lists"];

fn mode(town: &Town, name: &str) -> u32 {
    let metadata = fs::metadata(town.path(name)).expect("metadata");
    metadata.permissions().mode() & 0o777
}

#[test]
fn the_lists_are_for_their_owner_and_an_office_leads_nowhere_else() {
    let town = Town::on(Engine::Sqlite);
    let before = town.names(".");
    town.expect(&REPORT, 0);
    let names = town.names("lists");
    assert_eq!(
        names,
        [
            "indice.csv",
            "sede-0700.csv",
            "sede-0700.html",
            "sede-0800.csv",
            "sede-0800.html",
            "sede-_2E_2E_2F_2E_2E_2Fetc.csv",
            "sede-_2E_2E_2F_2E_2E_2Fetc.html",
            "senza-sede.csv",
            "senza-sede.html",
        ]
    );
    assert_eq!(mode(&town, "lists"), 0o700);
    for name in names {
        assert_eq!(mode(&town, &format!("lists/{name}")), 0o600, "{name}");
    }
    let mut after = town.names(".");
    after.retain(|name| name != "lists");
    assert_eq!(after, before, "nothing is left beside it");
}

#[test]
fn what_somebody_else_put_there_is_left_alone_and_the_command_ends_with_2() {
    let town = Town::on(Engine::Sqlite);
    let refused = |what: &str| {
        let ended = town.expect(&REPORT, 2);
        assert!(
            ended.stderr.contains("holds something else"),
            "{what}: {}",
            ended.stderr
        );
    };
    town.write("lists", "mine");
    refused("a file");
    assert_eq!(town.read("lists"), "mine");
    fs::remove_file(town.path("lists")).expect("gone");
    fs::create_dir(town.path("lists")).expect("a folder");
    town.write("lists/mine.txt", "mine");
    refused("a folder with a file");
    fs::remove_file(town.path("lists/mine.txt")).expect("gone");
    // An empty one is nobody's.
    town.expect(&REPORT, 0);
    town.write("lists/mine.txt", "mine");
    let lists = town.names("lists");
    refused("lists with another file");
    assert_eq!(town.names("lists"), lists);
    fs::remove_file(town.path("lists/mine.txt")).expect("gone");
    town.write("lists/indice.csv", "mine\n");
    refused("files called like ours");
    fs::remove_dir_all(town.path("lists")).expect("gone");
    fs::create_dir(town.path("elsewhere")).expect("a folder");
    std::os::unix::fs::symlink("elsewhere", town.path("lists")).expect("a link");
    refused("a link");
    let entries =
        town.text("SELECT CAST(count(*) AS text) FROM audit_event WHERE action = 'report.notices'");
    assert_eq!(entries, "1", "the one time that lists were written");
    let ended = town.expect(&["report", "--notices", "no/such/folder"], 2);
    assert!(
        ended.stderr.contains("cannot be written"),
        "{}",
        ended.stderr
    );
}

#[test]
fn earlier_lists_are_replaced_whole() {
    let town = Town::on(Engine::Sqlite);
    town.expect(&REPORT, 0);
    town.expect(&["report", "--notices", "lists", "--office", "0800"], 0);
    assert_eq!(
        town.names("lists"),
        ["indice.csv", "sede-0800.csv", "sede-0800.html"]
    );
    assert!(
        !town
            .names(".")
            .iter()
            .any(|name| name.contains("unfinished"))
    );
}

#[test]
fn the_audit_log_keeps_who_did_it_where_and_how_many_people_and_stays_whole() {
    for engine in ENGINES {
        let town = Town::on(engine);
        let mut command = town.command(&["report", "--notices", "lists", "--since", "2026-01-01"]);
        command.env("SUDO_USER", "clerk");
        assert!(command.output().expect("it ran").status.success());
        let entry = town
            .text("SELECT actor || ' ' || detail FROM audit_event WHERE action = 'report.notices'");
        let (actor, detail) = entry.split_once(' ').expect("both");
        assert_eq!(actor, "clerk");
        let detail: serde_json::Value = serde_json::from_str(detail).expect("JSON");
        let folder = fs::canonicalize(town.path("lists")).expect("a folder");
        assert_eq!(detail["folder"], folder.display().to_string());
        assert_eq!(detail["since"], "2025-12-31T23:00:00Z");
        assert_eq!(detail["offices"][0]["office"], "");
        assert_eq!(detail["offices"][2]["office"], "0700");
        assert_eq!(detail["offices"][2]["people"], 5);
        assert_eq!(detail["offices"][2]["notices"], 7);
        town.expect(&["audit", "verify"], 0);
    }
}

#[cfg(feature = "failpoints")]
#[test]
fn a_kill_leaves_the_lists_as_they_were_or_whole_and_the_next_time_cleans_up() {
    use std::os::unix::process::ExitStatusExt as _;

    for engine in ENGINES {
        let town = Town::on(engine);
        let killed = |step: &str| {
            let mut command = town.command(&REPORT);
            command.env("PINFERRY_FAILPOINT", step);
            let status = command.status().expect("it ran");
            assert_eq!(status.signal(), Some(9), "{step}");
        };
        for step in ["notices.written", "notices.rename"] {
            killed(step);
            assert!(!town.path("lists").exists(), "{step}");
            assert_eq!(mode(&town, ".lists.unfinished"), 0o700);
        }
        town.expect(&["report", "--notices", "lists", "--office", "0800"], 0);
        assert!(!town.path(".lists.unfinished").exists(), "{engine:?}");
        let before = town.names("lists");
        killed("notices.rename");
        assert_eq!(town.names("lists"), before, "{engine:?}");
        killed("notices.renamed");
        assert!(town.names("lists").len() > before.len(), "{engine:?}");
        let entries = town
            .text("SELECT CAST(count(*) AS text) FROM audit_event WHERE action = 'report.notices'");
        // All but the one that was killed before its entry.
        assert_eq!(entries, "4", "{engine:?}");
        town.expect(&REPORT, 0);
        assert!(!town.path(".lists.unfinished").exists(), "{engine:?}");
        town.expect(&["audit", "verify"], 0);
    }
}

#[test]
fn two_at_once_do_not_write_into_the_same_folder() {
    let town = Town::on(Engine::Sqlite);
    fs::create_dir(town.path(".lists.unfinished")).expect("a folder");
    let held = fs::File::open(town.path(".lists.unfinished")).expect("a folder");
    held.lock().expect("a lock");
    let ended = town.expect(&REPORT, 4);
    assert!(ended.stderr.contains("another process"), "{}", ended.stderr);
    drop(held);
    town.expect(&REPORT, 0);
}
