//! What comes in late, or about people who come later, ends as it would have in order.

use std::fs;

use crate::town::{ENGINES, Town, ended};

pub(crate) const COLUMNS: &str = "id;codice_fiscale;cognome;nome;data_nascita;classe_utente;codice_ente;stato;tipo_pin;pin_hash;algoritmo;\
    data_rilascio;data_scadenza;ultimo_accesso;sede;canale;meta_consegnate;email;telefono;cf_tutore";

pub(crate) const HEADER: &str = "request_id;kind;accepted_at;channel;fiscal_code;surname;given_name;birth_date;profile;credential;\
    credential_scheme;halves_delivered;documents;of_pin;half;outcome";

pub(crate) const MARIO: &str = "RSSMRA80A01H501U;Rossi;Mario;1980-01-01";

pub(crate) fn record(id: &str, person: &str, profile: &str, status: &str, halves: &str) -> String {
    let hash = "cd".repeat(32);
    format!(
        "{id};{person};{profile};;{status};DISP;{hash};SHA256;2020-01-01;;2025-12-01;0700;SED;{halves};;;\n"
    )
}

pub(crate) fn town(engine: crate::town::Engine, records: &[String]) -> Town {
    let town = Town::with_legacy(engine, &format!("{COLUMNS}\n{}", records.concat()));
    town.expect(&["run"], &[0, 3]);
    town
}

pub(crate) fn request(id: &str, kind: &str, hour: &str, profile: &str) -> String {
    let pin = match kind {
        "new_pin" | "replacement" => format!("{};SHA256;2", "ab".repeat(32)),
        _no_pin => ";;".to_owned(),
    };
    let documents = "IDENTITY_CARD PROFESSIONAL_REGISTER_ENTRY";
    format!("{id};{kind};2026-01-02T{hour};SED;{MARIO};{profile};{pin};{documents};;;\n")
}

/// A source that comes after cut-over, with a configuration of its own.
pub(crate) fn comes(town: &Town, records: &[String]) {
    let text = format!("{COLUMNS}\n{}", records.concat());
    fs::write(town.path("later.csv"), text).expect("a file");
    let text = fs::read_to_string(town.path("pinferry.toml")).expect("a file");
    let text = text
        .replace("name = \"inps\"", "name = \"later\"")
        .replace("legacy.csv", "later.csv");
    fs::write(town.path("later.toml"), text).expect("a file");
}

/// The command with that configuration.
pub(crate) fn later<'a>(command: &[&'a str]) -> Vec<&'a str> {
    [&["--config", "later.toml"], command].concat()
}

fn hand_in(town: &Town, requests: &[String], codes: &[i32]) {
    let text = format!("{HEADER}\n{}", requests.concat());
    fs::write(town.path("late.csv"), text).expect("a file");
    town.expect(&["intake", "late.csv"], codes);
    town.expect(&["activate"], &[0, 3]);
}

fn receipt(id: &str, pin: &str, half: &str) -> String {
    format!("{id};receipt;2026-01-02T09:00;;;;;;;;;;;inps:{pin};{half};delivered\n")
}

/// Hands receipts in; no drain comes.
fn take(town: &Town, receipts: &[String]) {
    let text = format!("{HEADER}\n{}", receipts.concat());
    fs::write(town.path("receipts.csv"), text).expect("a file");
    town.expect(&["intake", "receipts.csv"], &[0]);
}

/// How many pending PINs a drain made active, and how many requests took effect.
fn drained(town: &Town) -> (u64, u64) {
    let output = ended(town.drain(), &[0]);
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let number = |key: &str| told[key].as_u64().expect("a number");
    (number("pending_activated"), number("activated"))
}

fn fate(town: &Town, receipt: &str) -> String {
    let state = format!(
        "SELECT state || ' ' || reason FROM delivery_receipt WHERE request_id = '{receipt}'"
    );
    town.texts(&state).concat().trim().to_owned()
}

pub(crate) fn access(town: &Town) -> Vec<String> {
    town.texts("SELECT profile || ' ' || level FROM effective_access ORDER BY profile")
}

#[test]
fn a_replacement_saves_no_pin_from_what_was_taken_away_before_it() {
    for engine in ENGINES {
        for kind in ["suspension", "revocation"] {
            let records = [
                record("M1", MARIO, "CIT", "A", ""),
                record("M2", MARIO, "CDL", "A", ""),
            ];
            let town = town(engine, &records);
            hand_in(&town, &[request("R1", "replacement", "10:00", "CIT")], &[0]);
            assert_eq!(access(&town), ["CDL dispositive", "CIT dispositive"]);
            hand_in(&town, &[request("V1", kind, "09:00", "")], &[0]);
            assert!(access(&town).is_empty(), "{engine:?} {kind}");
            town.expect(&["verify"], &[0]);
        }
    }
}

#[test]
fn a_pin_issued_after_a_suspension_opens_only_what_it_was_issued_for() {
    for engine in ENGINES {
        let records = [
            record("M1", MARIO, "CIT", "A", ""),
            record("M2", MARIO, "CDL", "A", ""),
        ];
        let town = town(engine, &records);
        hand_in(&town, &[request("S1", "suspension", "09:00", "")], &[0]);
        assert!(access(&town).is_empty());
        hand_in(&town, &[request("N1", "new_pin", "10:00", "CIT")], &[0]);
        assert_eq!(access(&town), ["CIT dispositive"], "{engine:?}");
    }
}

#[test]
fn a_revocation_of_somebody_who_is_not_there_yet_waits_for_him() {
    for engine in ENGINES {
        let other = record(
            "L1",
            "BNCLRA75D52F205V;Bianchi;Laura;1975-04-12",
            "CIT",
            "A",
            "",
        );
        let town = town(engine, &[other]);
        hand_in(&town, &[request("V1", "revocation", "09:00", "")], &[3]);
        let state = "SELECT state || reason FROM delayed_activation WHERE request_id = 'V1'";
        assert_eq!(town.texts(state), ["acceptedholder_unknown"]);
        comes(&town, &[record("M1", MARIO, "CIT", "A", "")]);
        town.expect(&later(&["run"]), &[0]);
        town.expect(&["activate"], &[0]);
        assert_eq!(town.texts(state), ["done"], "{engine:?}");
        assert_eq!(access(&town), ["CIT dispositive"], "Laura's alone");
        let pin = "SELECT status FROM pin WHERE legacy_id = 'M1'";
        assert_eq!(town.texts(pin), ["revoked"], "{engine:?}");
    }
}

#[test]
fn a_retired_pin_that_was_delivered_gives_what_waited_for_it_at_the_first_drain_and_once() {
    for engine in ENGINES {
        let records = [
            record("M1", MARIO, "CIT", "A", ""),
            record("M2", MARIO, "CDL", "P", "2"),
        ];
        let town = town(engine, &records);
        assert_eq!(access(&town), ["CIT dispositive"]);
        assert_eq!(drained(&town), (0, 0), "no PIN became active: {engine:?}");
        let both = ["CDL dispositive", "CIT dispositive"];
        assert_eq!(access(&town), both, "{engine:?}");
        let told = "SELECT detail FROM audit_event WHERE action = 'activation'";
        let before = town.texts(told);
        assert_eq!(before.len(), 1, "{before:?}");
        assert!(before[0].contains("granted_pin_ids"), "{before:?}");
        hand_in(&town, &[receipt("P1", "M2", "second")], &[0]);
        assert_eq!(access(&town), both, "{engine:?}");
        assert_eq!(fate(&town, "P1"), "done already_delivered");
        let explained = town.expect(&["explain", "activation:P1"], &[0]).stdout;
        let explained = String::from_utf8(explained).expect("UTF-8");
        assert!(
            explained.contains("P1") && explained.contains("inps:M2"),
            "{explained}"
        );
        town.expect(&["report", "--notices", "lists"], &[0]);
        let sheet = fs::read_to_string(town.path("lists/sede-0700.csv")).expect("a list");
        let told: Vec<_> = sheet.lines().skip(1).collect();
        assert_eq!(told.len(), 2, "{engine:?}: {sheet}");
        assert!(
            told[1].starts_with("profile_active;") && told[1].contains(";inps:M2;"),
            "{sheet}"
        );
        town.expect(&["verify"], &[0]);
    }
}

#[test]
fn a_pin_becomes_active_with_its_second_receipt_and_never_again() {
    for engine in ENGINES {
        let records = [
            record("M1", MARIO, "CIT", "P", "0"),
            record("M2", MARIO, "CDL", "P", "1"),
        ];
        let town = town(engine, &records);
        // Both halves at once, and one of them twice.
        take(
            &town,
            &[
                receipt("P1", "M1", "first"),
                receipt("P2", "M1", "second"),
                receipt("P3", "M1", "second"),
            ],
        );
        assert_eq!(drained(&town), (1, 0), "{engine:?}");
        assert_eq!(access(&town), ["CIT dispositive"], "{engine:?}");
        let digest = town.verified_digest();
        take(&town, &[receipt("P4", "M1", "first")]);
        assert_eq!(drained(&town), (0, 0), "{engine:?}");
        assert_eq!(town.verified_digest(), digest, "{engine:?}");
        let fates = ["P1", "P2", "P3", "P4"].map(|id| fate(&town, id));
        let again = "done already_delivered";
        assert_eq!(fates, ["done", "done", again, again], "{engine:?}");
        town.expect(&["report", "--notices", "lists"], &[0]);
        let sheet = fs::read_to_string(town.path("lists/sede-0700.csv")).expect("a list");
        assert_eq!(
            sheet.matches("pin_active").count(),
            1,
            "{engine:?}: {sheet}"
        );
        // What waited for the other one comes with its receipt, and once.
        take(&town, &[receipt("P5", "M2", "second")]);
        assert_eq!(drained(&town), (0, 0), "{engine:?}");
        assert_eq!(access(&town), ["CDL dispositive", "CIT dispositive"]);
        take(&town, &[receipt("P6", "M2", "second")]);
        assert_eq!(drained(&town), (0, 0), "{engine:?}");
        assert_eq!(fate(&town, "P6"), again, "{engine:?}");
        town.expect(&["verify"], &[0]);
    }
}

/// Hands in that the second half of a request's PIN was delivered, and drains.
fn second_half(town: &Town, of: &str) {
    let header = "request_id;kind;accepted_at;of_request;half;outcome";
    let text = format!("{header}\nH1;receipt;2026-01-03T09:00;{of};second;delivered\n");
    fs::write(town.path("half.csv"), text).expect("a file");
    town.expect(&["intake", "half.csv"], &[0]);
    drained(town);
}

#[test]
fn a_pin_asked_for_after_what_was_taken_away_opens_its_profile_however_late_its_half_comes() {
    let of_the_person =
        |of: &str| format!("SELECT legacy_id FROM pin WHERE status = '{of}' ORDER BY legacy_id");
    for engine in ENGINES {
        for (kind, is_late) in [("suspension", false), ("revocation", true)] {
            let case = format!("{engine:?} {kind} {is_late}");
            let town = town(engine, &[record("M1", MARIO, "CIT", "A", "")]);
            let taking = request("V1", kind, "09:00", "");
            let open = request("N1", "new_pin", "10:00", "CIT").replace(";SHA256;2;", ";SHA256;1;");
            let given = [open, request("X1", "replacement", "11:00", "CIT")];
            let (first, second) = match is_late {
                false => (vec![taking], given.to_vec()),
                true => (given.to_vec(), vec![taking]),
            };
            hand_in(&town, &first, &[0]);
            hand_in(&town, &second, &[0, 3]);
            assert!(access(&town).is_empty(), "{case}");
            second_half(&town, "N1");
            assert_eq!(access(&town), ["CIT dispositive"], "{case}");
            assert_eq!(town.texts(&of_the_person("active")), ["N1"], "{case}");
            if kind == "suspension" {
                assert_eq!(
                    town.texts(&of_the_person("retired")),
                    ["M1", "X1"],
                    "{case}"
                );
            }
            town.expect(&["verify"], &[0]);
            town.verified_digest();
        }
        // The later PIN stays where it is as good as it would be, whatever came before.
        let ordinary = record("M1", MARIO, "CIT", "A", "").replace(";DISP;", ";ORD;");
        for (record, stays) in [
            (record("M1", MARIO, "CIT", "A", ""), "X1"),
            (ordinary, "N1"),
        ] {
            let town = town(engine, &[record]);
            let open = request("N1", "new_pin", "10:00", "CIT").replace(";SHA256;2;", ";SHA256;1;");
            let replacement = request("X1", "replacement", "11:00", "CIT");
            hand_in(&town, &[open, replacement], &[0]);
            second_half(&town, "N1");
            assert_eq!(access(&town), ["CIT dispositive"], "{engine:?} {stays}");
            assert_eq!(town.texts(&of_the_person("active")), [stays], "{engine:?}");
            town.expect(&["verify"], &[0]);
        }
    }
}
