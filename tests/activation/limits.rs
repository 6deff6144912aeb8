//! What no column takes is refused by the line, on every engine; what the database itself finds too large holds up
//! nobody else's, and a failure once the requests are taken is told with their answers.

use std::fs;

use serde_json::{Value, json};

use crate::town::{ENGINES, Engine, Town, ended};

const LEGACY: &str = "\
id;codice_fiscale;cognome;nome;data_nascita;classe_utente;codice_ente;stato;tipo_pin;pin_hash;algoritmo;data_rilascio;data_scadenza;ultimo_accesso;sede;canale;meta_consegnate;email;telefono;cf_tutore
M1;RSSMRA80A01H501U;Rossi;Mario;1980-01-01;CIT;;A;DISP;HASH;SHA256;2020-01-01;;2025-12-01;0700;SED;;;;
L1;BNCLRA75D52F205V;Bianchi;Laura;1975-04-12;CIT;;A;DISP;HASH;SHA256;2020-01-01;;2025-12-01;0700;SED;;;;
G1;VRDGPP68T03L219K;Verdi;Giuseppe;1968-12-03;CIT;;P;DISP;HASH;SHA256;2020-01-01;;2025-12-01;0700;SED;1;;;
";

fn town(engine: Engine) -> Town {
    let town = Town::with_legacy(engine, &LEGACY.replace("HASH", &"cd".repeat(32)));
    town.expect(&["run"], &[0]);
    town
}

/// Text that compresses badly.
fn large() -> String {
    let letters = (0..9000_u64).map(|n| {
        let mixed = (n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 32;
        char::from(b'A' + u8::try_from(mixed % 26).expect("a letter"))
    });
    letters.collect()
}

fn request(id: &str, changes: &Value) -> String {
    let mut line = json!({
        "request_id": id, "accepted_at": "2026-01-02T10:00", "fiscal_code": "RSSMRA80A01H501U", "surname": "Rossi",
        "given_name": "Mario", "birth_date": "1980-01-01", "profile": "PAT", "entity": "E7", "channel": "SED",
        "credential": "ab".repeat(32), "credential_scheme": "SHA256", "halves_delivered": 2, "office": "0700",
        "documents": ["IDENTITY_CARD", "APPOINTMENT_BY_ENTITY"],
    });
    for (key, value) in changes.as_object().expect("an object") {
        line[key] = value.clone();
    }
    format!("{line}\n")
}

fn receipt(id: &str, key: &str, of: &str) -> String {
    let line = json!({
        "request_id": id, "kind": "receipt", "accepted_at": "2026-01-02T10:00", "half": "second",
        "outcome": "delivered", key: of,
    });
    format!("{line}\n")
}

fn revocation(id: &str, code: &str) -> String {
    let line = json!({
        "request_id": id, "kind": "revocation", "accepted_at": "2026-01-02T09:00", "fiscal_code": code,
    });
    format!("{line}\n")
}

#[test]
fn a_line_that_holds_what_no_column_takes_is_refused_alone_on_every_engine() {
    let large = large();
    let lines = [
        request("N1", &json!({"surname": "Ros\u{0}si"})),
        request(
            "N2",
            &json!({"requester": "proxy", "mandate": "Not. \u{0}7"}),
        ),
        request("N3", &json!({"competent_office": "07\u{0}00"})),
        request("N4", &json!({"documents": ["IDENTITY_CARD", "A\u{0}B"]})),
        request("N5", &json!({"way": "\u{0}"})),
        request("N6", &json!({"fiscal_code": large})),
        request("N7", &json!({"entity": large})),
        request("N8", &json!({"mandate": large})),
        request(
            "N9",
            &json!({"surname": "A1B2C3D4", "entity": "12345678", "profile": "87654321", "level": "PIN"}),
        ),
        receipt("P1", "of_request", "a\u{0}b"),
        receipt("P2", "of_request", &large),
        receipt("P3", "of_pin", &format!("inps:{large}")),
        receipt("P4", "of_pin", "inps:G1"),
        revocation("V1", "BNCLRA75D52F205V"),
    ];
    let control =
        |column: &str| format!("refused encoding_invalid: {column} holds a control character");
    let reasons = [
        control("surname"),
        control("mandate"),
        control("competent_office"),
        control("documents"),
        control("way"),
        "refused too_long: fiscal_code is longer than 40 characters".to_owned(),
        "refused too_long: entity is longer than 255 characters".to_owned(),
        "refused too_long: mandate is longer than 255 characters".to_owned(),
        "refused profile_unknown: profile is not in the catalogue".to_owned(),
        "failed encoding_invalid: of_request holds a control character".to_owned(),
        "failed too_long: of_request is longer than 255 characters".to_owned(),
        "failed too_long: of_pin is longer than 512 characters".to_owned(),
        "accepted ".to_owned(),
        "done ".to_owned(),
    ];
    for engine in ENGINES {
        let town = town(engine);
        fs::write(town.path("r.jsonl"), lines.concat()).expect("a file");
        for known in [false, true] {
            let output = town.expect(&["--format", "json", "intake", "r.jsonl"], &[3]);
            let told: Value = serde_json::from_slice(&output.stdout).expect("JSON");
            let answers = told["requests"].as_array().expect("answers");
            let found: Vec<_> = (answers.iter())
                .map(|one| {
                    assert_eq!(one["known"], known, "{engine:?} {one}");
                    let reason = one["reason"].as_str().unwrap_or_default();
                    format!("{} {reason}", one["state"].as_str().expect("a state"))
                })
                .collect();
            assert_eq!(found, reasons, "{engine:?}");
        }
        let kept = town.texts(
            "SELECT request_id || ' ' || fiscal_code || ' ' || surname || ' ' || profile || ' ' || entity || documents
             FROM delayed_activation WHERE state = 'refused' AND request_id >= 'N5' ORDER BY request_id",
        );
        let mario = "RSSMRA80A01H501U Rossi PAT []";
        assert_eq!(
            kept,
            [
                format!("N5 {mario}"),
                "N6  Rossi PAT []".to_owned(),
                format!("N7 {mario}"),
                format!("N8 {mario}"),
                "N9 RSSMRA80A01H501U   []".to_owned(),
            ]
        );
        let lengths = "SELECT CAST(max(length(coalesce(of_request, of_legacy_id))) AS text) FROM delivery_receipt";
        assert_eq!(town.texts(lengths), ["507"], "{engine:?}");
        town.expect(&["activate"], &[0]);
        town.expect(&["report", "--notices", "lists"], &[0]);
        let explained = town.expect(&["explain", "activation:N6"], &[0]);
        let explained = String::from_utf8_lossy(&explained.stdout).into_owned();
        assert!(explained.contains("too_long"), "{explained}");
        assert!(!explained.contains("N7"), "{explained}");
        for (receipt, of) in [("P4", "inps:G1"), ("P1", "encoding_invalid")] {
            let explained = town.expect(&["explain", &format!("activation:{receipt}")], &[0]);
            let explained = String::from_utf8_lossy(&explained.stdout).into_owned();
            assert!(
                explained.contains(receipt) && explained.contains(of),
                "{explained}"
            );
        }
        town.expect(&["explain", "activation:P9"], &[1]);
    }
}

#[test]
fn what_the_database_finds_too_large_is_set_aside_and_holds_up_nobody_else() {
    for engine in ENGINES {
        let town = town(engine);
        fs::write(town.path("x.jsonl"), request("X7", &json!({}))).expect("a file");
        town.expect(&["intake", "x.jsonl"], &[0]);
        town.sql(&format!(
            "UPDATE delayed_activation SET entity = '{}'",
            large()
        ));
        let earlier = revocation("V1", "RSSMRA80A01H501U");
        let lines = earlier + &revocation("V2", "BNCLRA75D52F205V");
        fs::write(town.path("v.jsonl"), lines).expect("a file");
        town.expect(&["intake", "v.jsonl"], &[0]);
        assert_eq!(
            town.count("delayed_activation WHERE state = 'done' AND kind = 'revocation'"),
            2
        );
        let mut codes = Vec::new();
        for _ in 0..5 {
            codes.push(ended(town.drain(), &[0, 3]).status.code().expect("a code"));
        }
        let state = town.texts("SELECT state FROM delayed_activation WHERE request_id = 'X7'");
        match engine {
            Engine::Sqlite => assert_eq!((state, codes), (vec!["done".to_owned()], vec![0; 5])),
            Engine::Postgres => {
                assert_eq!(
                    (state, codes),
                    (vec!["failed".to_owned()], vec![3, 3, 3, 3, 0])
                );
            }
        }
    }
}

#[test]
fn a_failure_once_the_requests_are_taken_is_told_with_their_answers() {
    for engine in ENGINES {
        let town = town(engine);
        town.sql("UPDATE fiscal_code SET current = FALSE WHERE fiscal_code = 'BNCLRA75D52F205V'");
        fs::write(town.path("v.jsonl"), revocation("V2", "BNCLRA75D52F205V")).expect("a file");
        let output = town.expect(&["intake", "v.jsonl"], &[1]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("the requests are taken, but"), "{said}");
        assert!(said.contains("pinferry activate"), "{said}");
        let answers = fs::read_to_string(town.path("v.result.jsonl")).expect("answers");
        assert!(answers.contains("\"state\":\"accepted\""), "{answers}");
        town.sql("UPDATE fiscal_code SET current = TRUE WHERE fiscal_code = 'BNCLRA75D52F205V'");
        town.expect(&["activate"], &[0]);
        assert_eq!(
            town.count("delayed_activation WHERE state = 'done'"),
            1,
            "{engine:?}"
        );
    }
}

/// Another session has Laura for a while; a request of Mario's fails, for it came before his revocation.
#[test]
fn what_another_has_is_tried_again_although_something_else_failed() {
    let town = town(Engine::Postgres);
    let mario = json!({"profile": "CIT", "entity": "", "accepted_at": "2026-01-02T08:00", "halves_delivered": 2});
    fs::write(town.path("n.jsonl"), request("N1", &mario)).expect("a file");
    town.expect(&["intake", "n.jsonl"], &[0]);
    let mut held = town.database().session();
    held.batch(
        "holding Laura",
        "BEGIN; SELECT 1 FROM person WHERE person_id = (
             SELECT person_id FROM fiscal_code WHERE fiscal_code = 'BNCLRA75D52F205V') FOR UPDATE",
    )
    .expect("she is held");
    let lines = revocation("V1", "RSSMRA80A01H501U") + &revocation("V2", "BNCLRA75D52F205V");
    fs::write(town.path("v.jsonl"), lines).expect("a file");
    let intake = town
        .command(&["intake", "v.jsonl"])
        .spawn()
        .expect("it starts");
    std::thread::sleep(std::time::Duration::from_millis(800));
    assert_eq!(
        town.texts("SELECT state FROM delayed_activation ORDER BY request_id"),
        ["failed", "done", "accepted"]
    );
    held.batch("letting go of Laura", "ROLLBACK")
        .expect("she is free");
    ended(intake, &[0]);
    assert_eq!(town.count("effective_access"), 0);
}
