//! What becomes of several requests for one code, whatever somebody mistyped and whenever each came in.

use std::fs;

use serde_json::{Value, json};

use crate::{
    town::{ENGINES, Engine, Town},
    world::World,
};

const COLUMNS: &str = "id;codice_fiscale;cognome;nome;data_nascita;classe_utente;codice_ente;stato;tipo_pin;pin_hash;algoritmo;\
    data_rilascio;data_scadenza;ultimo_accesso;sede;canale;meta_consegnate;email;telefono;cf_tutore";

const HEADER: &str = "request_id;kind;accepted_at;fiscal_code;surname;given_name;birth_date;profile;channel;credential;\
    credential_scheme;halves_delivered;documents;requester;guardian_fiscal_code;of_request;half;outcome";

const MARIO: &str = "RSSMRA80A01H501U;Rossi;Mario;1980-01-01";
const LAURA: &str = "BNCLRA75D52F205V;Bianchi;Laura;1975-04-12";
const GIUSEPPE: &str = "VRDGPP68T03L219K;Verdi;Giuseppe;1968-12-03";
const LUCA: &str = "NRELCU60C03H501Z;Neri;Luca;1960-03-03";
const ADA: &str = "VLIDAA62E45H501D;Viola;Ada;1962-05-05";
/// Nobody has a PIN under this code.
const UGO: &str = "GLLGUO61D04H501O;Gialli;Ugo;1961-04-04";

const DOCUMENTS: &str = "IDENTITY_CARD PROFESSIONAL_REGISTER_ENTRY GUARDIAN_DECLARATION";

/// People with a PIN each; Mario has two, Luca an ordinary one, and Ada a guardian.
fn town(engine: Engine) -> Town {
    let hash = "cd".repeat(32);
    let record = |(id, person, profile, guardian): (&str, &str, &str, &str)| {
        let level = if person == LUCA { "ORD" } else { "DISP" };
        format!(
            "{id};{person};{profile};;A;{level};{hash};SHA256;2020-01-01;;2025-01-01;0700;SED;;;;{guardian}\n"
        )
    };
    let records = [
        ("M1", MARIO, "CIT", ""),
        ("M2", MARIO, "CDL", ""),
        ("B1", LAURA, "CIT", ""),
        ("V1", GIUSEPPE, "CIT", ""),
        ("N1", LUCA, "CIT", ""),
        ("A1", ADA, "CIT", "BNCLRA75D52F205V"),
    ];
    let records: String = records.map(record).concat();
    let town = Town::with_legacy(engine, &format!("{COLUMNS}\n{records}"));
    town.expect(&["run"], &[0]);
    town
}

/// A PIN, handed over whole, or the first half of it.
fn pin(id: &str, kind: &str, at: &str, person: &str, profile: &str, halves: u8) -> String {
    let hash = "ab".repeat(32);
    format!("{id};{kind};{at};{person};{profile};SED;{hash};SHA256;{halves};{DOCUMENTS};;;;;\n")
}

fn further(id: &str, at: &str, person: &str, profile: &str) -> String {
    format!("{id};further_profile;{at};{person};{profile};SED;;;;{DOCUMENTS};;;;;\n")
}

fn new_pin(id: &str, at: &str, person: &str) -> String {
    pin(id, "new_pin", at, person, "CIT", 2)
}

fn revocation(id: &str, at: &str, person: &str, profile: &str) -> String {
    format!(
        "{id};revocation;{at};{person};{profile}{}\n",
        ";".repeat(10)
    )
}

fn second_half(id: &str, of: &str) -> String {
    let empty = ";".repeat(13);
    format!("{id};receipt;2026-01-03T09:00{empty}{of};second;delivered\n")
}

/// Of this person only the code.
fn code(person: &str) -> String {
    format!("{};;;", &person[..16])
}

/// This person's code, and the name of somebody else.
fn mistyped(person: &str) -> String {
    format!(
        "{};Blu;Gino;{}",
        &person[..16],
        &person[person.len() - 10..]
    )
}

fn hand_in(town: &Town, lines: &[String]) {
    fs::write(
        town.path("order.csv"),
        format!("{HEADER}\n{}", lines.concat()),
    )
    .expect("a file");
    town.expect(&["intake", "order.csv"], &[0, 3]);
}

fn settle(town: &Town, lines: &[String]) {
    hand_in(town, lines);
    town.expect(&["activate"], &[0, 3]);
}

fn fate(town: &Town, id: &str) -> String {
    town.texts(&format!(
        "SELECT state || ' ' || reason FROM delayed_activation WHERE request_id = '{id}'"
    ))
    .concat()
    .trim_end()
    .to_owned()
}

/// Profiles that somebody may use.
fn access(town: &Town, person: &str) -> String {
    let code = &person[..16];
    town.texts(&format!(
        "SELECT profile FROM effective_access WHERE fiscal_code = '{code}' ORDER BY profile"
    ))
    .join(" ")
}

#[test]
fn who_mistypes_a_code_takes_nothing_from_whose_it_is() {
    for engine in ENGINES {
        let town = town(engine);
        settle(
            &town,
            &[
                new_pin("N1", "2026-01-02T10:00", MARIO),
                new_pin("N2", "2026-01-02T11:00", &mistyped(MARIO)),
                new_pin("N3", "2026-01-02T10:00", LUCA),
                revocation("R3", "2026-01-02T12:00", &mistyped(LUCA), ""),
                new_pin("N4", "2026-01-02T10:00", UGO),
                revocation("R4", "2026-01-02T12:00", &mistyped(UGO), ""),
                revocation("R5", "2026-01-02T12:00", LAURA, ""),
                new_pin("N5", "2026-01-02T10:00", LAURA),
            ],
        );
        for (id, expected) in [
            ("N1", "done"),
            ("N2", "failed identity_conflict"),
            ("N3", "done"),
            ("R3", "failed identity_conflict"),
            ("N4", "done"),
            ("R4", "failed identity_conflict"),
            ("R5", "done"),
            ("N5", "failed revoked"),
        ] {
            assert_eq!(fate(&town, id), expected, "{engine:?} {id}");
        }
        town.expect(&["verify"], &[0]);
    }
}

#[test]
fn what_gave_its_place_to_a_request_that_fails_comes_back() {
    for engine in ENGINES {
        let town = town(engine);
        // The holder may not ask alone; his guardian did before.
        let by_guardian = |line: String| line.replace(";;;;;\n", ";guardian;BNCLRA75D52F205V;;;\n");
        hand_in(
            &town,
            &[
                by_guardian(pin("N1", "new_pin", "2026-01-02T10:00", ADA, "CDL", 2)),
                by_guardian(pin("N2", "new_pin", "2026-01-02T11:00", ADA, "CDL", 1)),
                pin("N3", "new_pin", "2026-01-02T12:00", ADA, "CDL", 2),
                by_guardian(pin("P4", "replacement", "2026-01-02T13:00", ADA, "CDL", 2)),
            ],
        );
        assert_eq!(fate(&town, "N1"), "superseded by N2");
        assert_eq!(fate(&town, "N2"), "superseded by N3");
        settle(&town, &[]);
        assert_eq!(fate(&town, "N3"), "failed guardian_must_ask", "{engine:?}");
        assert_eq!(fate(&town, "N2"), "accepted", "{engine:?}");
        assert_eq!(fate(&town, "P4"), "done", "{engine:?}");
        assert_eq!(access(&town, ADA), "CIT");
        settle(&town, &[second_half("H2", "N2")]);
        assert_eq!(fate(&town, "N2"), "done", "{engine:?}");
        assert_eq!(fate(&town, "N1"), "superseded by N2");
        assert_eq!(access(&town, ADA), "CDL CIT");
        // All at once, the half that came meanwhile included, and in the order of acceptance.
        hand_in(
            &town,
            &[
                by_guardian(pin("N5", "new_pin", "2026-01-02T14:00", ADA, "COM", 1)),
                by_guardian(pin("P6", "replacement", "2026-01-02T14:30", ADA, "CIT", 2)),
                pin("N7", "new_pin", "2026-01-02T15:00", ADA, "COM", 2),
                second_half("H5", "N5"),
            ],
        );
        settle(&town, &[]);
        assert_eq!(fate(&town, "N7"), "failed guardian_must_ask", "{engine:?}");
        assert_eq!(fate(&town, "N5"), "done", "{engine:?}");
        let pins = "SELECT pin.legacy_id || ' ' || later.legacy_id FROM pin
             JOIN pin AS later ON later.pin_id = pin.superseded_by WHERE pin.legacy_id IN ('N5', 'P4')
             ORDER BY pin.legacy_id";
        assert_eq!(town.texts(pins), ["N5 P6", "P4 N5"], "{engine:?}");
        town.expect(&["verify"], &[0]);
    }
}

#[test]
fn what_gave_its_place_to_a_request_that_is_taken_away_is_judged_by_itself() {
    for engine in ENGINES {
        let town = town(engine);
        let at = |minute: u8| format!("2026-01-02T10:{minute}");
        settle(
            &town,
            &[
                // A profile less is no reason against another PIN, and none for what asks for that profile.
                pin("P1", "replacement", &at(10), MARIO, "CIT", 2),
                new_pin("N1", &at(20), MARIO),
                new_pin("N2", &at(30), MARIO),
                revocation("R1", &at(40), MARIO, "CIT"),
                // Nothing is left to replace, or to be replaced by.
                pin("P3", "replacement", &at(10), LAURA, "CIT", 2),
                new_pin("N3", &at(20), LAURA),
                revocation("R3", &at(40), LAURA, ""),
            ],
        );
        for (id, expected) in [
            ("P1", "done"),
            ("N1", "failed revoked"),
            ("N2", "failed revoked"),
            ("P3", "failed revoked"),
            ("N3", "failed revoked"),
        ] {
            assert_eq!(fate(&town, id), expected, "{engine:?} {id}");
        }
        let pins = "SELECT legacy_id FROM pin WHERE status = 'active' AND legacy_id IN ('M1', 'M2', 'B1', 'P1')";
        assert_eq!(town.texts(pins), ["P1"], "{engine:?}");
        assert_eq!(access(&town, MARIO), "CDL", "{engine:?}");
        town.expect(&["report", "--notices", "lists"], &[0]);
        for entry in fs::read_dir(town.path("lists")).expect("lists") {
            let text = fs::read_to_string(entry.expect("a list").path()).expect("a list");
            assert!(!text.contains("sostituita da"), "{engine:?}: {text}");
        }
        town.expect(&["verify"], &[0]);
    }
}

#[test]
fn in_doubt_about_the_time_what_takes_away_wins() {
    for engine in ENGINES {
        let town = town(engine);
        // Counters note the minute, and some of them the second.
        settle(&town, &[new_pin("N1", "2026-01-02T10:15:30", LAURA)]);
        assert_eq!(access(&town, LAURA), "CIT");
        settle(&town, &[revocation("R1", "2026-01-02T10:15", LAURA, "")]);
        assert_eq!(access(&town, LAURA), "", "{engine:?}");
        settle(&town, &[revocation("R2", "2026-01-02T10:15", LUCA, "")]);
        settle(&town, &[new_pin("N2", "2026-01-02T10:15:30", LUCA)]);
        assert_eq!(fate(&town, "N2"), "failed revoked", "{engine:?}");
        // In this night the hour from two to three came twice.
        settle(&town, &[new_pin("N3", "2025-10-26T02:40", GIUSEPPE)]);
        settle(&town, &[revocation("R3", "2025-10-26T02:30", GIUSEPPE, "")]);
        assert_eq!(access(&town, GIUSEPPE), "", "{engine:?}");
        town.expect(&["verify"], &[0]);
    }
}

#[test]
fn a_replacement_is_judged_by_what_it_replaced_and_by_no_profile() {
    for engine in ENGINES {
        let town = town(engine);
        settle(
            &town,
            &[
                pin("P1", "replacement", "2026-01-02T10:00", MARIO, "CIT", 2),
                revocation("R1", "2026-01-02T12:00", MARIO, "CIT"),
            ],
        );
        assert_eq!(fate(&town, "P1"), "done", "{engine:?}");
        assert_eq!(access(&town, MARIO), "CDL", "{engine:?}");
        // One that came in late points to it, and was not replaced by it.
        let late = pin("L1", "new_pin", "2026-01-02T12:00", LAURA, "CDL", 1);
        settle(&town, &[late, new_pin("N2", "2026-01-02T20:00", LAURA)]);
        let replacement = pin("P3", "replacement", "2026-01-02T21:00", LAURA, "CIT", 2);
        settle(&town, &[replacement]);
        settle(&town, &[second_half("H1", "L1")]);
        assert_eq!(access(&town, LAURA), "CDL CIT");
        settle(&town, &[revocation("R3", "2026-01-02T15:00", LAURA, "")]);
        assert_eq!(access(&town, LAURA), "CIT", "{engine:?}");
        town.expect(&["verify"], &[0]);
    }
}

#[test]
fn a_revocation_of_nobody_yet_is_told_as_waiting_for_its_holder_and_not_as_late() {
    for engine in ENGINES {
        let town = town(engine);
        settle(
            &town,
            &[revocation("R1", "2026-01-02T12:00", &code(UGO), "")],
        );
        let read = |arguments: &[&str]| -> Value {
            let output = town.expect(&[&["--format", "json"], arguments].concat(), &[0]);
            serde_json::from_slice(&output.stdout).expect("JSON")
        };
        let foreseen = read(&["activate", "--dry-run"]);
        assert_eq!(foreseen["due"], 0, "{engine:?}");
        assert_eq!(foreseen["waiting"], json!({"holder_unknown": 1}));
        let why = &foreseen["requests"][0]["why_not_yet"];
        assert_eq!(*why, json!(["holder_unknown"]));
        let status = read(&["status"]);
        let queue = json!({"waiting": 1, "of_nobody": 1, "behind": 0, "due": 0, "oldest_due": null, "late_secs": null, "set_aside": 0, "receipts_due": 0, "pending_due": 0, "retired_due": 0, "receipts_waiting": 0});
        assert_eq!(status["queue"], queue, "{engine:?}");
        assert_eq!(status["next"], "`pinferry verify`");
        let drained = read(&["activate"]);
        let waiting = json!({"for_their_day": 0, "for_halves": 0, "for_their_holder": 1, "for_earlier_requests": 0, "for_another_try": 0});
        assert_eq!(drained["waiting"], waiting);
        // It goes on guarding.
        fs::write(
            town.path("n.csv"),
            format!("{HEADER}\n{}", new_pin("N1", "2026-01-02T10:00", UGO)),
        )
        .expect("a file");
        town.expect(&["intake", "n.csv"], &[0]);
        assert_eq!(read(&["activate", "--dry-run"])["due"], 1);
        town.expect(&["activate"], &[3]);
        assert_eq!(fate(&town, "N1"), "failed revoked", "{engine:?}");
    }
}

#[test]
fn what_needs_the_pin_of_a_request_accepted_before_it_waits_for_that_one() {
    for engine in ENGINES {
        let town = town(engine);
        let read = |arguments: &[&str]| -> Value {
            let output = town.expect(&[&["--format", "json"], arguments].concat(), &[0]);
            serde_json::from_slice(&output.stdout).expect("JSON")
        };
        let (first, then, last) = ("2026-01-02T10:00", "2026-01-02T10:05", "2026-01-02T10:10");
        settle(&town, &[revocation("R0", "2026-01-01T10:00", GIUSEPPE, "")]);
        let half = |id, person| pin(id, "new_pin", first, person, "CIT", 1);
        settle(
            &town,
            &[
                half("N1", UGO),
                further("F1", then, UGO, "CDL"),
                pin("P1", "replacement", last, UGO, "CIT", 2),
                half("N2", LUCA),
                further("F2", then, LUCA, "CDL"),
                half("N3", LAURA),
                further("F3", then, LAURA, "CDL"),
                half("N4", GIUSEPPE),
                further("F4", then, GIUSEPPE, "CDL"),
                half("N5", &mistyped(MARIO)),
                revocation("R5", "2026-01-02T09:00", MARIO, ""),
                further("F5", then, MARIO, "CDL"),
            ],
        );
        for (id, expected) in [
            ("F1", "accepted earlier_request"),
            ("P1", "accepted earlier_request"),
            // The PIN he has is ordinary, and hers is not.
            ("F2", "accepted earlier_request"),
            ("F3", "done"),
            ("F4", "accepted earlier_request"),
            ("F5", "failed pin_missing"),
        ] {
            assert_eq!(fate(&town, id), expected, "{engine:?} {id}");
        }
        let foreseen = read(&["activate", "--dry-run"]);
        assert_eq!(foreseen["due"], 0, "{engine:?}");
        let waiting = json!({"halves_open": 5, "earlier_request": 4});
        assert_eq!(foreseen["waiting"], waiting, "{engine:?}");
        let queue = &read(&["status"])["queue"];
        assert_eq!((&queue["behind"], &queue["due"]), (&json!(4), &json!(0)));
        assert_eq!(queue["late_secs"], Value::Null, "{engine:?}");
        assert_eq!(read(&["activate"])["waiting"]["for_another_try"], 0);
        town.expect(&["report", "--notices", "lists"], &[0]);
        let sheet = fs::read_to_string(town.path("lists/senza-sede.csv")).expect("a list");
        let told = sheet.matches("quando sarà attivo il PIN chiesto prima");
        assert_eq!(told.count(), 4, "{engine:?}: {sheet}");
        // The PIN of one is taken away before it comes; those of the others come.
        settle(
            &town,
            &[
                second_half("H1", "N1"),
                second_half("H2", "N2"),
                revocation("R4", last, GIUSEPPE, "CIT"),
            ],
        );
        for id in ["N1", "F1", "P1", "N2", "F2"] {
            assert_eq!(fate(&town, id), "done", "{engine:?} {id}");
        }
        assert_eq!(fate(&town, "F4"), "failed pin_missing", "{engine:?}");
        let level = |person: &str| {
            town.texts(&format!(
                "SELECT level FROM effective_access WHERE fiscal_code = '{}' AND profile = 'CDL'",
                &person[..16]
            ))
        };
        assert_eq!(level(UGO), ["dispositive"], "{engine:?}");
        assert_eq!(level(LUCA), ["dispositive"], "{engine:?}");
        town.expect(&["verify"], &[0]);
    }
}

#[test]
fn a_receipt_of_a_time_to_come_is_refused_alone_and_keeps_no_revocation_back() {
    let world = World::finished();
    world.migrate_mario("active", 2);
    let file = world.folder.path().join("future.csv");
    let text = "request_id;kind;accepted_at;fiscal_code;of_request;half;outcome\n\
         H1;receipt;2999-01-01T10:00;;N1;second;delivered\n\
         R1;revocation;2013-11-04T10:15;RSSMRA80A01H501U;;;\n";
    fs::write(&file, text).expect("a file");
    let told = world.try_intake(&file).expect("a file of requests");
    assert_eq!((told.refused, told.accepted, told.exit().code()), (1, 1, 3));
    let reason = told.requests[0].reason.as_deref().unwrap_or_default();
    assert!(reason.starts_with("accepted_in_future"), "{reason}");
    assert_eq!(world.one("SELECT status FROM pin"), "revoked");
    assert_eq!(world.one("SELECT count(*) FROM delivery_receipt"), "0");
}
