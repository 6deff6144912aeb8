//! The commands of the lock, from outside.

use std::{fs, path::Path};

use assert_cmd::{Command, cargo::cargo_bin};

use crate::{
    schemas,
    support::{Legacy, insert},
};

struct Ended {
    code: i32,
    stdout: String,
    stderr: String,
}

/// Lays a configuration beside the legacy.
fn configured(legacy: &Legacy, more: &str) {
    let folder = legacy.path.parent().expect("a folder");
    let configuration = format!(
        "[target]\nurl = \"sqlite://multiprofile.db\"\n[[source]]\nname = \"inps\"\nurl = \"sqlite://legacy.db\"\n\
         table = \"pin_legacy\"\n[lock]\nexpected = \"PT4H\"\nallow_columns = [\"ultimo_accesso\"]\n{more}"
    );
    fs::write(folder.join("pinferry.toml"), configuration).expect("a configuration");
}

fn lock(legacy: &Legacy, user: &str, arguments: &[&str]) -> Ended {
    pinferry(legacy, user, &[&["lock"], arguments].concat())
}

fn pinferry(legacy: &Legacy, user: &str, arguments: &[&str]) -> Ended {
    let folder = legacy.path.parent().expect("a folder");
    let output = Command::new(cargo_bin!("pinferry"))
        .current_dir(Path::new(folder))
        .env_clear()
        .env("USER", user)
        .args(arguments)
        .output()
        .expect("it ran");
    schemas::hold_call(folder, arguments, output.status.code(), &output.stdout);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    Ended {
        code: output.status.code().expect("an exit code"),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

const ENGAGE: [&str; 3] = ["engage", "--reason", "passaggio ai PIN nuovi"];

#[test]
fn an_administrator_engages_looks_tests_and_releases() {
    let legacy = Legacy::new();
    configured(&legacy, "");
    let before = legacy.dump();
    let ended = lock(&legacy, "anna", &["status"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(
        ended.stdout.contains("inps: PIN management is open"),
        "{}",
        ended.stdout
    );
    let ended = lock(&legacy, "anna", &ENGAGE);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(ended.stdout.contains("LOCKED since"), "{}", ended.stdout);
    assert!(
        ended.stdout.contains("by administrator anna"),
        "{}",
        ended.stdout
    );
    legacy.run(&insert("INSERT", "9", "A")).expect_err("locked");
    let ended = lock(&legacy, "bruno", &["test"]);
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    assert!(
        ended
            .stdout
            .contains("tries went as they should, on the lock as it is engaged")
    );
    assert!(!ended.stdout.contains("FAILED"), "{}", ended.stdout);
    let ended = lock(&legacy, "bruno", &["release"]);
    assert_eq!(ended.code, 4);
    assert!(
        ended.stderr.contains("administrator anna"),
        "{}",
        ended.stderr
    );
    assert!(ended.stderr.contains("next:"), "{}", ended.stderr);
    let ended = lock(&legacy, "anna", &["release"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert_eq!(before, legacy.dump());
    let ended = lock(&legacy, "anna", &["release"]);
    assert_eq!(ended.code, 0);
    assert!(
        ended.stderr.contains("no source is locked"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_lock_somebody_holds_is_refused_with_4_and_broken_by_name_and_reason() {
    let legacy = Legacy::new();
    configured(&legacy, "");
    assert_eq!(lock(&legacy, "anna", &ENGAGE).code, 0);
    let ended = lock(&legacy, "bruno", &ENGAGE);
    assert_eq!(ended.code, 4);
    assert!(
        ended.stderr.contains("pinferry lock break"),
        "{}",
        ended.stderr
    );
    // Nobody is there to confirm.
    let ended = lock(
        &legacy,
        "bruno",
        &["break", "--by", "bruno", "--reason", "emergenza"],
    );
    assert_eq!(ended.code, 2, "{}", ended.stderr);
    legacy
        .run(&insert("INSERT", "9", "A"))
        .expect_err("still locked");
    let ended = lock(
        &legacy,
        "bruno",
        &["break", "--by", "bruno", "--reason", "emergenza", "--yes"],
    );
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    legacy.assert_passes(&insert("INSERT", "9", "A"));
    let ended = lock(&legacy, "anna", &["status"]);
    assert!(
        ended.stdout.contains("by bruno: emergenza"),
        "{}",
        ended.stdout
    );
    let ended = lock(&legacy, "carla", &["release"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let ended = lock(
        &legacy,
        "carla",
        &["break", "--by", "carla", "--reason", "x", "--yes"],
    );
    assert_eq!(ended.code, 0);
    assert!(
        ended.stderr.contains("no source is locked"),
        "{}",
        ended.stderr
    );
    let ended = lock(
        &legacy,
        "carla",
        &[
            "break", "--by", "carla", "--reason", "x", "--yes", "--source", "altro",
        ],
    );
    assert_eq!(ended.code, 2);
    assert!(ended.stderr.contains("inps"), "{}", ended.stderr);
}

#[test]
fn a_damaged_lock_and_a_failed_test_end_with_1() {
    let legacy = Legacy::new();
    configured(&legacy, "");
    assert_eq!(lock(&legacy, "anna", &ENGAGE).code, 0);
    legacy.assert_passes("DROP TRIGGER \"pinferry_guard:inps:pin_legacy:delete\"");
    let ended = lock(&legacy, "anna", &["status"]);
    assert_eq!(ended.code, 1);
    assert!(ended.stdout.contains("GUARDS DAMAGED"), "{}", ended.stdout);
    let ended = lock(&legacy, "anna", &["test"]);
    assert_eq!(ended.code, 1);
    assert!(
        ended.stdout.contains("FAILED  pin_legacy: delete of a row"),
        "{}",
        ended.stdout
    );
}

#[test]
fn status_as_json_says_all_there_is_to_know() {
    let legacy = Legacy::new();
    configured(&legacy, "mode = \"divert\"\n");
    assert_eq!(lock(&legacy, "anna", &ENGAGE).code, 0);
    legacy.assert_passes(&insert("INSERT", "9", "A"));
    legacy.assert_passes("UPDATE pin_legacy SET stato = 'R' WHERE id = '1'");
    let ended = lock(&legacy, "anna", &["--format", "json", "status"]);
    let json: serde_json::Value = serde_json::from_str(&ended.stdout).expect("JSON");
    let shown = &json["locks"][0];
    assert_eq!(shown["state"], "engaged");
    assert_eq!(shown["mode"], "divert");
    assert_eq!(shown["owner"]["name"], "anna");
    assert_eq!(
        (&shown["diverted_open"], &shown["captured_open"]),
        (&1.into(), &1.into())
    );
    assert_eq!(shown["refused"]["state"], "not_counted");
    assert_eq!(shown["guards"]["state"], "present");
    let ended = lock(&legacy, "anna", &["release"]);
    assert_eq!(ended.code, 1);
    assert!(ended.stderr.contains("--hand-back"), "{}", ended.stderr);
    let ended = lock(&legacy, "anna", &["release", "--hand-back"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert_eq!(
        legacy.text("SELECT count(*) FROM pin_legacy WHERE id = '9'"),
        "1"
    );
}

#[test]
fn the_reason_given_first_stands_and_whoever_gives_another_is_told() {
    let legacy = Legacy::new();
    configured(&legacy, "");
    assert_eq!(lock(&legacy, "anna", &ENGAGE).code, 0);
    let again = lock(&legacy, "anna", &ENGAGE);
    assert!(!again.stderr.contains("stands"), "{}", again.stderr);
    let other = lock(&legacy, "anna", &["engage", "--reason", "altro motivo"]);
    assert_eq!(other.code, 0, "{}", other.stderr);
    assert!(
        other.stderr.contains("\"passaggio ai PIN nuovi\" stands"),
        "{}",
        other.stderr
    );
    legacy.assert_refused_with("UPDATE pin_legacy SET nome = 'X'", "passaggio ai PIN nuovi");
}

#[test]
fn doctor_finds_before_the_window_what_the_lock_would_refuse_in_it() {
    let legacy = Legacy::new();
    configured(&legacy, "");
    let well = pinferry(&legacy, "anna", &["doctor"]);
    assert_eq!(well.code, 0, "{}", well.stdout);
    legacy.assert_passes(
        "CREATE TRIGGER zitto BEFORE INSERT ON pin_legacy BEGIN SELECT RAISE(IGNORE); END",
    );
    let before = legacy.dump();
    let ill = pinferry(&legacy, "anna", &["doctor"]);
    assert_eq!(ill.code, 1, "{}", ill.stdout);
    assert!(ill.stdout.contains("pinferry lock test"), "{}", ill.stdout);
    assert_eq!(before, legacy.dump());
    legacy.assert_passes("DROP TRIGGER zitto; CREATE VIEW vista AS SELECT * FROM pin_legacy");
    let file = legacy.path.with_file_name("pinferry.toml");
    let text = fs::read_to_string(&file).expect("a file");
    let view = text.replace("table = \"pin_legacy\"", "table = \"vista\"");
    fs::write(&file, view).expect("a file");
    let view = pinferry(&legacy, "anna", &["doctor"]);
    assert_eq!(view.code, 2, "{}", view.stdout);
    assert!(view.stdout.contains("lock_tables"), "{}", view.stdout);
}

#[test]
fn doctor_fails_where_guards_of_a_lock_are_damaged_and_warns_where_it_holds() {
    let legacy = Legacy::new();
    configured(&legacy, "");
    assert_eq!(lock(&legacy, "anna", &ENGAGE).code, 0);
    let holds = pinferry(&legacy, "anna", &["doctor"]);
    assert_eq!(holds.code, 0, "{}", holds.stdout);
    legacy.assert_passes("DROP TRIGGER \"pinferry_guard:inps:pin_legacy:delete\"");
    let damaged = pinferry(&legacy, "anna", &["doctor"]);
    assert_eq!(damaged.code, 1, "{}", damaged.stdout);
    let what = "find out who did that";
    assert!(damaged.stdout.contains(what), "{}", damaged.stdout);
}
