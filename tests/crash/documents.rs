//! Every document of a job, in the states that change it, is as its schema describes it, on every engine.

use std::fs;

use serde_json::Value;

use crate::{
    scenario::{Engine, Scenario},
    server_legacy::{self, Mode},
};

/// What a command writes for programs; that it is as its schema says is seen to where commands are called.
fn json(scenario: &Scenario, arguments: &[&str], codes: &[i32]) -> Value {
    let arguments = [&["--format", "json"], arguments].concat();
    let output = scenario.expect(&arguments, codes);
    serde_json::from_slice(&output.stdout).expect("a document")
}

/// A revocation, and a new PIN that the lock diverts.
fn office_at_work(scenario: &Scenario, engine: Engine, new: &str) {
    let statements = format!("UPDATE pin_legacy SET stato = 'R' WHERE id =
             (SELECT min(id) FROM pin_legacy WHERE stato = 'A' AND length(codice_fiscale) = 16);
         INSERT INTO pin_legacy (id, codice_fiscale, cognome, nome, classe_utente, codice_ente, stato, tipo_pin,
             pin_hash, algoritmo, data_rilascio, sede, canale)
         VALUES ({new}, 'CIT', '', 'A', 'ORD',
             '0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef', 'SHA256', '2026-01-01', '0100', 'SED');");
    match engine {
        Engine::Sqlite => scenario.legacy().execute_batch(&statements).expect("SQL"),
        Engine::Postgres => scenario.legacy_database().batch(&statements),
    }
}

/// A run that is locked, held, paused, found wrong, and taken back.
fn taken_back(scenario: &Scenario, engine: Engine) {
    let before = json(scenario, &["status"], &[0]);
    assert_eq!(
        (&before["phase"], &before["queue"]),
        (&"none".into(), &Value::Null)
    );
    json(scenario, &["doctor"], &[0, 1]);
    json(
        scenario,
        &["plan", "--save", "plan.json", "--report", "kept"],
        &[3],
    );
    json(scenario, &["lock", "test"], &[0]);
    let engaged = json(scenario, &["lock", "engage", "--reason", "a test"], &[0]);
    assert_eq!(engaged["locks"][0]["owner"]["kind"], "administrator");
    json(scenario, &["lock", "test"], &[0]);
    json(scenario, &["run", "--plan", "plan.json", "--hold"], &[5]);
    json(scenario, &["pause"], &[0]);
    json(scenario, &["throttle", "500"], &[0]);
    let held = json(scenario, &["status"], &[0]);
    assert_eq!(held["control"]["records_per_second"], 500);
    assert!(held["progress"]["partitions"][0].is_object());
    json(scenario, &["resume"], &[0]);
    json(scenario, &["throttle", "off"], &[0]);
    office_at_work(
        scenario,
        engine,
        "'NEW-1', 'RSSMRA80A01H501U', 'ROSSI', 'MARIO'",
    );
    let locks = json(scenario, &["lock", "status"], &[0]);
    assert_eq!(locks["locks"][0]["diverted_open"], 1);
    assert_eq!(json(scenario, &["intake", "requests.csv"], &[3])["late"], 0);
    json(scenario, &["activate", "--dry-run"], &[0]);
    json(scenario, &["activate"], &[0]);
    scenario.change_target("DELETE FROM finding WHERE kind = 'omocodia_pair'");
    let wrong = json(scenario, &["verify"], &[6]);
    assert_eq!(wrong["passed"], false);
    assert_eq!(json(scenario, &["run"], &[6])["passed"], false);
    let aborted = json(scenario, &["abort", "--yes"], &[0]);
    assert_eq!(aborted["handed_back"], 1);
    json(scenario, &["abort", "--yes"], &[0]);
    json(scenario, &["status"], &[0]);
    json(scenario, &["lock", "engage", "--reason", "a test"], &[0]);
    let broken = [
        "lock", "break", "--by", "anna", "--reason", "a test", "--yes",
    ];
    assert_eq!(
        json(scenario, &broken, &[0])["broken"][0]["state"],
        "engaged"
    );
    json(scenario, &["lock", "release"], &[0]);
    json(scenario, &["lock", "engage", "--reason", "a test"], &[0]);
    let released = json(scenario, &["lock", "release"], &[0]);
    assert_eq!(released["released"][0]["source"], "inps");
}

/// A run that is finished, and the day after it.
fn finished(scenario: &Scenario, engine: Engine) {
    json(scenario, &["run", "--hold"], &[5]);
    office_at_work(
        scenario,
        engine,
        "'NEW-2', 'BNCLRA75D52F205V', 'BIANCHI', 'LAURA'",
    );
    json(scenario, &["run"], &[3]);
    json(scenario, &["run"], &[3]);
    json(scenario, &["activate", "--dry-run"], &[0]);
    json(scenario, &["activate"], &[0, 3]);
    json(scenario, &["intake", "requests.csv"], &[0, 3]);
    json(scenario, &["verify"], &[0]);
    json(scenario, &["report", "--to", "told"], &[0]);
    json(scenario, &["report", "--notices", "notices"], &[0]);
    json(
        scenario,
        &["plan", "--compare", "plan.json", "--report", "kept"],
        &[3],
    );
    let revoked = scenario
        .ask_target("SELECT 'inps:' || min(legacy_id) FROM captured_change WHERE source = 'inps'");
    for what in [
        revoked.as_str(),
        "activation:REQ-0001",
        "activation:REQ-0004",
    ] {
        json(scenario, &["explain", what], &[0]);
    }
    json(scenario, &["quarantine", "list"], &[0]);
    json(scenario, &["quarantine", "export", "left-out.csv"], &[0]);
    json(scenario, &["audit", "verify"], &[0]);
    json(scenario, &["audit", "export", "--out", "audit.jsonl"], &[0]);
    json(scenario, &["migrate-schema"], &[0]);
    json(scenario, &["grants", "--runner", "traghetto"], &[0]);
    let after = json(scenario, &["status"], &[0]);
    assert_eq!(
        (&after["phase"], &after["progress"]),
        (&"finished".into(), &Value::Null)
    );
    fs::remove_file(scenario.path("sede.csv")).expect("a file");
    let missing = json(scenario, &["doctor"], &[1, 2]);
    assert!(missing["checks"].to_string().contains("\"fail\""));
}

#[test]
fn every_document_is_as_its_schema_describes_it_in_every_state_in_files() {
    let scenario = Scenario::new();
    taken_back(&scenario, Engine::Sqlite);
    finished(&scenario, Engine::Sqlite);
}

#[test]
fn every_document_is_as_its_schema_describes_it_in_every_state_on_a_server() {
    let scenario = server_legacy::scenario(Engine::Postgres, Mode::Divert);
    taken_back(&scenario, Engine::Postgres);
    finished(&scenario, Engine::Postgres);
}
