//! What may happen between a run that is held and the one that goes on, and what must then not happen.

use std::fs;

use rusqlite::Connection;

use crate::{
    RUN, finish,
    scenario::{Engine, Scenario, beginning},
    uninterrupted_run,
};

const HOLD: &[&str] = &["run", "--hold"];

fn held() -> Scenario {
    let scenario = Scenario::new();
    scenario.expect(HOLD, &[5]);
    scenario
}

fn change(scenario: &Scenario, sql: &str) {
    let target = Connection::open(scenario.path("multiprofile.db")).expect("the target");
    assert!(target.execute(sql, []).expect("a change") > 0);
}

fn phase(scenario: &Scenario) -> String {
    let target = Connection::open(scenario.path("multiprofile.db")).expect("the target");
    target
        .query_row("SELECT phase FROM run ORDER BY run_id DESC", [], |row| {
            row.get(0)
        })
        .expect("a phase")
}

#[test]
fn a_target_changed_while_a_run_is_held_is_found_before_cut_over_and_names_nobody() {
    let scenario = held();
    change(
        &scenario,
        "UPDATE pin SET office = 'changed' WHERE pin_id = (SELECT min(pin_id) FROM pin)",
    );
    for _ in 0..2 {
        let output = scenario.expect(RUN, &[6]);
        assert_eq!(phase(&scenario), "verification_failed");
        let said = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        let code =
            |word: &str| word.len() == 16 && word.bytes().filter(u8::is_ascii_digit).count() >= 5;
        let words = said.split(|letter: char| !letter.is_ascii_alphanumeric());
        assert_eq!(
            words.filter(|word| code(word)).count(),
            0,
            "a fiscal code was shown"
        );
        assert!(
            !said.contains('@') || !said.contains(".it"),
            "an address was shown"
        );
    }
}

#[test]
fn a_failed_verification_is_overruled_by_name_and_reason_only_and_the_audit_log_keeps_both() {
    let scenario = held();
    change(
        &scenario,
        "UPDATE pin SET office = 'changed' WHERE pin_id = (SELECT min(pin_id) FROM pin)",
    );
    scenario.expect(&["run", "--overrule-by", "the director"], &[2]);
    let overruled = [
        "run",
        "--overrule-by",
        "the director",
        "--reason",
        "known and harmless",
    ];
    scenario.expect(&overruled, &[3]);
    let target = Connection::open(scenario.path("multiprofile.db")).expect("the target");
    let (actor, reason): (String, String) = target
        .query_row("SELECT actor, reason FROM audit_event", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .expect("an audit row");
    assert_eq!(
        (actor.as_str(), reason.as_str()),
        ("the director", "known and harmless")
    );
}

#[test]
fn a_source_changed_while_a_run_is_held_is_refused() {
    let scenario = held();
    let file = scenario.path("sede.csv");
    let text = fs::read(&file).expect("a file");
    let cut = text
        .iter()
        .rposition(|byte| *byte == b';')
        .expect("a field");
    fs::write(&file, [&text[..cut], b"x", &text[cut..]].concat()).expect("a file");
    scenario.expect(RUN, &[6]);
    fs::write(&file, &text).expect("a file");
    scenario.expect(RUN, &[3]);
    finish(&scenario);
    assert_eq!(scenario.digest(), uninterrupted_run());
}

#[test]
fn an_abort_with_other_sources_is_refused_so_that_no_lock_is_left_behind() {
    let scenario = held();
    scenario.configure("sqlite://inps.db", "sqlite://other.db");
    fs::copy(scenario.path("inps.db"), scenario.path("other.db")).expect("a copy");
    let refused = scenario.expect(&["abort", "--yes"], &[2]);
    let talk = String::from_utf8_lossy(&refused.stderr);
    assert!(talk.contains("source.inps.url"), "{talk}");
    scenario.configure("sqlite://other.db", "sqlite://inps.db");
    scenario.expect(&["abort", "--yes"], &[0]);
    let written = scenario
        .legacy()
        .execute("UPDATE pin_legacy SET telefono = '1'", []);
    assert!(written.is_ok_and(|rows| rows > 0));
}

#[test]
fn an_extract_without_records_is_refused_before_anything_is_written() {
    let scenario = Scenario::new();
    let file = scenario.path("sede.csv");
    let text = fs::read_to_string(&file).unwrap_or_else(|_| {
        String::from_utf8_lossy(&fs::read(&file).expect("a file")).into_owned()
    });
    let header = text.lines().next().expect("a header");
    fs::write(&file, format!("{header}\n")).expect("a file");
    for command in [RUN, &["plan"]] {
        let refused = scenario.expect(command, &[1]);
        let talk = String::from_utf8_lossy(&refused.stderr);
        assert!(
            talk.contains("\"sede\" holds no record") && talk.contains("records = 0"),
            "{talk}"
        );
    }
    assert!(!scenario.path("multiprofile.db").exists());
    let free = scenario
        .legacy()
        .execute("UPDATE pin_legacy SET telefono = '1'", []);
    assert!(free.is_ok_and(|rows| rows > 0));
}

#[test]
fn a_plan_or_an_export_never_takes_the_place_of_another_file() {
    let scenario = Scenario::new();
    for victim in ["sede.csv", "inps.db", "pinferry.toml"] {
        let before = fs::read(scenario.path(victim)).expect("a file");
        scenario.expect(&["plan", "--save", victim], &[1]);
        assert!(
            fs::read(scenario.path(victim)).expect("a file") == before,
            "{victim}"
        );
    }
    for _ in 0..2 {
        scenario.expect(&["plan", "--save", "plan.json"], &[3]);
    }
    scenario.expect(&["run", "--plan", "plan.json"], &[3]);
    for victim in ["sede.csv", "inps.db", "multiprofile.db"] {
        let before = fs::read(scenario.path(victim)).expect("a file");
        scenario.expect(&["quarantine", "export", victim], &[1]);
        assert!(
            fs::read(scenario.path(victim)).expect("a file") == before,
            "{victim}"
        );
    }
}

#[test]
fn a_dry_run_at_night_that_saves_a_new_plan_does_not_stop_the_run_that_began_with_the_last_one() {
    let plan = |day: &'static str| ["plan", "--as-of", day, "--save", "plan.json"];
    let run: &[&str] = &["run", "--plan", "plan.json"];
    let scenario = Scenario::new();
    scenario.configure("as_of = \"2026-01-01\"", "");
    scenario.expect(&plan("2026-01-01"), &[3]);
    assert!(scenario.killed_at(run, "chunk.committed:3"), "half loaded");
    scenario.office_at_work();
    scenario.expect(&plan("2026-01-02"), &[3]);
    scenario.expect(run, &[3]);
    let as_of = scenario.ask_target("SELECT as_of FROM run");
    assert_eq!(as_of, "2026-01-01");
    finish(&scenario);
}

#[test]
fn a_lock_that_somebody_removed_is_missed_by_status_and_by_the_run() {
    let scenario = held();
    drop_a_guard(&scenario);
    let status = scenario.expect(&["status"], &[0]);
    let talk = String::from_utf8_lossy(&status.stdout).into_owned()
        + &String::from_utf8_lossy(&status.stderr);
    assert!(talk.contains("the lock is gone or damaged"), "{talk}");
    scenario.expect(RUN, &[1]);
    assert_eq!(phase(&scenario), "verified");
    scenario.expect(&["abort", "--yes"], &[0]);
    finish_after_abort(&scenario);
}

fn drop_a_guard(scenario: &Scenario) {
    let legacy = scenario.legacy();
    let trigger: String = legacy
        .query_row(
            "SELECT name FROM sqlite_schema WHERE type = 'trigger' AND name LIKE 'pinferry%' ORDER BY name",
            [],
            |row| row.get(0),
        )
        .expect("a guard");
    legacy
        .execute_batch(&format!("DROP TRIGGER \"{trigger}\""))
        .expect("SQLite lets the application drop it");
}

/// The lock as a restored backup would leave it: not there, or an administrator's from before the run.
fn without_its_lock(scenario: &Scenario, administrator: bool) {
    let backup = scenario.path("backup.db");
    fs::copy(beginning().join("inps.db"), &backup).expect("a copy");
    for name in ["inps.db-wal", "inps.db-shm"] {
        drop(fs::remove_file(scenario.path(name)));
    }
    fs::rename(&backup, scenario.path("inps.db")).expect("restored");
    if administrator {
        scenario.expect(&["lock", "engage", "--reason", "found it open"], &[0]);
    }
}

fn told(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn a_run_whose_lock_was_lost_or_replaced_can_be_aborted_to_an_open_legacy_and_status_says_so() {
    for administrator in [false, true] {
        let scenario = held();
        without_its_lock(&scenario, administrator);
        let status = told(&scenario.expect(&["status"], &[0]));
        let next = status.lines().find(|line| line.starts_with("next:"));
        assert!(
            next.is_some_and(|next| next.contains("pinferry abort")),
            "{status}"
        );
        assert!(
            !next.is_some_and(|next| next.contains("pinferry run")),
            "{status}"
        );
        let refused = told(&scenario.expect(RUN, &[1, 4]));
        assert!(refused.contains("pinferry abort"), "{refused}");
        let aborted = told(&scenario.expect(&["abort", "--yes"], &[0]));
        assert_eq!(
            aborted.contains("administrator"),
            administrator,
            "{aborted}"
        );
        let open = scenario
            .legacy()
            .execute("UPDATE pin_legacy SET telefono = telefono", []);
        assert!(
            open.is_ok_and(|rows| rows > 0),
            "administrator: {administrator}"
        );
        finish_after_abort(&scenario);
    }
}

#[test]
fn a_legacy_whose_lock_was_lost_after_cut_over_is_sealed_all_the_same_and_the_run_says_so() {
    let scenario = held();
    assert!(scenario.killed_at(&["run"], "cut_over.committed"));
    without_its_lock(&scenario, false);
    let finished = told(&scenario.expect(&["run"], &[3]));
    assert!(finished.contains("somebody removed its lock"), "{finished}");
    assert_eq!(phase(&scenario), "finished");
    scenario.assert_sealed();
    assert_eq!(scenario.digest(), uninterrupted_run());
}

#[test]
fn damage_of_a_lock_that_was_found_when_it_was_sealed_is_kept_by_a_process_that_dies_right_after() {
    let found = "SELECT detail FROM run_event WHERE event = 'lock.damaged'";
    for is_gone in [false, true] {
        let scenario = held();
        assert!(scenario.killed_at(&["run"], "cut_over.committed"));
        if is_gone {
            without_its_lock(&scenario, false);
        } else {
            drop_a_guard(&scenario);
        }
        assert!(scenario.killed_at(&["run"], "lock.sealed"));
        let words = match is_gone {
            true => r#""gone":["inps"]"#,
            false => "pinferry",
        };
        let kept = scenario.ask_target(found);
        assert!(kept.contains(words), "{kept}");
        scenario.expect(&["run"], &[3]);
        assert_eq!(scenario.ask_target(found), kept);
        finish(&scenario);
    }
}

#[test]
fn an_abort_that_a_foreign_key_of_somebody_else_would_stop_half_way_names_it_and_does_nothing() {
    let scenario = Scenario::on(Engine::Postgres);
    scenario.expect(HOLD, &[5]);
    let database = scenario.database();
    database.batch(
        "CREATE SCHEMA altri;
         CREATE TABLE altri.\"Nota\" (pin_id BIGINT, CONSTRAINT pin_pin_superseded_fkey FOREIGN KEY (pin_id) REFERENCES pin)",
    );
    let before = (scenario.people(), scenario.legacy_content());
    for arguments in [&["abort"][..], &["abort", "--yes"]] {
        let refused = told(&scenario.expect(arguments, &[1]));
        let statement = "ALTER TABLE altri.\"Nota\" DROP CONSTRAINT pin_pin_superseded_fkey";
        assert!(refused.contains(statement), "{refused}");
        assert!(refused.contains("refers to pin"), "{refused}");
    }
    let phase = scenario.ask_target("SELECT phase FROM run");
    assert_eq!(phase, "verified");
    assert!((scenario.people(), scenario.legacy_content()) == before);
    database.batch("ALTER TABLE altri.\"Nota\" DROP CONSTRAINT pin_pin_superseded_fkey");
    scenario.expect(&["abort", "--yes"], &[0]);
    assert_eq!(scenario.count("pin"), 0);
}

#[test]
fn guards_without_a_control_row_go_with_an_abort() {
    let scenario = held();
    let legacy = scenario.legacy();
    legacy
        .execute("DELETE FROM pinferry_lock", [])
        .expect("a change");
    scenario.expect(RUN, &[1]);
    scenario.expect(&["abort", "--yes"], &[0]);
    let open = legacy.execute("UPDATE pin_legacy SET telefono = telefono", []);
    assert!(open.is_ok_and(|rows| rows > 0));
}

#[test]
fn a_run_that_read_nothing_yet_locks_again_when_its_lock_was_lost() {
    for administrator in [false, true] {
        let scenario = Scenario::new();
        assert!(scenario.killed_at(RUN, "phase.committed"));
        assert_eq!(phase(&scenario), "locked");
        without_its_lock(&scenario, administrator);
        let status = told(&scenario.expect(&["status"], &[0]));
        assert!(status.contains("`pinferry run` locks again"), "{status}");
        finish_after_abort(&scenario);
    }
}

#[test]
fn with_another_target_the_run_is_said_to_live_in_the_first_and_nothing_is_written() {
    let scenario = held();
    scenario.configure("sqlite://multiprofile.db", "sqlite://other.db");
    for (command, codes) in [
        (RUN, &[4][..]),
        (&["abort", "--yes"], &[4]),
        (&["lock", "release"], &[4]),
    ] {
        let refused = told(&scenario.expect(command, codes));
        let lives = refused.contains("multiprofile.db") && refused.contains("target.url");
        assert!(lives, "{command:?}: {refused}");
    }
    assert!(!scenario.path("other.db").exists());
    scenario.configure("sqlite://other.db", "sqlite://multiprofile.db");
    finish_after_abort(&scenario);
}

#[test]
fn a_first_record_that_cannot_be_read_fails_the_plan_and_the_run_alike() {
    let scenario = Scenario::new();
    let file = scenario.path("sede.csv");
    let text = fs::read(&file).expect("a file");
    let header = text
        .iter()
        .position(|byte| *byte == b'\n')
        .expect("a header")
        + 1;
    fs::write(&file, [&text[..header], b"1;\"never closed\n"].concat()).expect("a file");
    for command in [RUN, &["plan"], &["doctor"]] {
        let refused = told(&scenario.expect(command, &[1]));
        assert!(refused.contains("sede.csv:2"), "{command:?}: {refused}");
    }
}

#[test]
fn the_advice_of_a_failed_verification_fits_the_phase() {
    let scenario = held();
    let damage =
        "UPDATE run_event SET detail = '{}' WHERE event_id = (SELECT max(event_id) FROM run_event)";
    change(&scenario, damage);
    let before = told(&scenario.expect(&["verify"], &[6]));
    assert!(before.contains("abort"), "{before}");
    let scenario = Scenario::new();
    scenario.expect(RUN, &[3]);
    change(&scenario, damage);
    let after = told(&scenario.expect(&["verify"], &[6]));
    assert!(!after.contains("abort"), "{after}");
    assert!(after.contains("backup"), "{after}");
}

fn finish_after_abort(scenario: &Scenario) {
    scenario.expect(RUN, &[3]);
    finish(scenario);
    assert_eq!(scenario.digest(), uninterrupted_run());
}

#[test]
fn a_lock_that_comes_back_after_an_abort_goes_with_another_abort() {
    let scenario = held();
    let locked = scenario.path("locked.db");
    scenario
        .legacy()
        .execute("VACUUM INTO ?1", [locked.to_str().expect("a path")])
        .expect("a backup");
    scenario.expect(&["abort", "--yes"], &[0]);
    for name in ["inps.db-wal", "inps.db-shm"] {
        drop(fs::remove_file(scenario.path(name)));
    }
    fs::rename(&locked, scenario.path("inps.db")).expect("restored");
    let again = told(&scenario.expect(&["abort", "--yes"], &[0]));
    assert!(again.contains("that lock is released"), "{again}");
    let open = scenario
        .legacy()
        .execute("UPDATE pin_legacy SET telefono = telefono", []);
    assert!(open.is_ok_and(|rows| rows > 0));
    let nothing = told(&scenario.expect(&["abort", "--yes"], &[0]));
    assert!(nothing.contains("the legacy is open"), "{nothing}");
    finish_after_abort(&scenario);
}
