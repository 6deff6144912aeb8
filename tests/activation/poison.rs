//! One request or receipt that the database never takes keeps nobody else from theirs, and is set aside in the end.

use std::{fmt::Write as _, fs};

use crate::town::{ENGINES, Engine, Town, ended};

const PEOPLE: usize = 40;
/// Whose PIN the database lets nobody change.
const POISONED: &str = "L17";

const HEADER: &str =
    "request_id;kind;accepted_at;office;channel;fiscal_code;surname;given_name;of_pin;half;outcome";

/// A town of people with one PIN each, one half of which is yet to be delivered, or all of it.
fn town(engine: Engine, status: &str, halves: u8) -> (Town, Vec<String>) {
    let codes: Vec<_> = (0..PEOPLE).map(code).collect();
    let mut legacy = "id;codice_fiscale;cognome;nome;data_nascita;classe_utente;codice_ente;stato;tipo_pin;pin_hash;\
        algoritmo;data_rilascio;data_scadenza;ultimo_accesso;sede;canale;meta_consegnate;email;telefono;cf_tutore\n"
        .to_owned();
    let hash = "cd".repeat(32);
    for (n, code) in codes.iter().enumerate() {
        writeln!(
            legacy,
            "L{n};{code};ROSSI;MARIO;1980-01-01;CIT;;{status};ORD;{hash};SHA256;2020-01-01;;;0700;SED;{halves};;;"
        )
        .expect("text");
    }
    let town = Town::with_legacy(engine, &legacy);
    town.expect(&["run"], &[0]);
    town.sql(match engine {
        Engine::Sqlite => {
            "CREATE TRIGGER poison BEFORE UPDATE ON pin WHEN NEW.legacy_id = 'L17'
             BEGIN SELECT RAISE(ABORT, 'not this one'); END"
        }
        Engine::Postgres => {
            "CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS
                 'BEGIN RAISE ''not this one''; END';
             CREATE TRIGGER poison BEFORE UPDATE ON pin FOR EACH ROW WHEN (NEW.legacy_id = 'L17')
                 EXECUTE FUNCTION poison()"
        }
    });
    (town, codes)
}

fn code(n: usize) -> String {
    let letters = [n / 26, n % 26].map(|n| char::from(b'A' + u8::try_from(n).expect("few")));
    let letters: String = letters.iter().collect();
    ('A'..='Z')
        .map(|last| format!("{letters}SMRA80A01H501{last}"))
        .find(|code| {
            code.parse::<pinferry::domain::fiscal_code::FiscalCode>()
                .is_ok()
        })
        .expect("one of them fits")
}

fn hand_in(town: &Town, lines: &str, codes: &[i32]) -> serde_json::Value {
    fs::write(town.path("poison.csv"), format!("{HEADER}\n{lines}")).expect("a file");
    let output = town.expect(&["--format", "json", "intake", "poison.csv"], codes);
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// What a drain says it tried in vain.
fn failed(town: &Town, code: i32) -> Vec<serde_json::Value> {
    let output = ended(town.drain(), &[code]);
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    told["failed"].as_array().expect("a list").clone()
}

/// After how many drains the database was asked for the last time: each tried it once, and no longer.
fn drains_until_set_aside(town: &Town, table: &str, waits: &str) -> usize {
    let state = format!(
        "SELECT state || ' ' || CAST(attempts AS text) || ' ' || reason FROM {table} WHERE request_id = '{POISONED}'"
    );
    for drains in 0..10 {
        let found = town.texts(&state).concat();
        if found.starts_with("failed ") {
            assert!(found.contains(" set_aside: "), "{found}");
            assert_eq!(failed(town, 0), [""; 0]);
            assert_eq!(town.texts(&state).concat(), found);
            return drains;
        }
        assert!(found.starts_with(waits), "{found}");
        let failed = failed(town, 3);
        assert_eq!(failed.len(), 1, "{failed:?}");
        assert_eq!(failed[0]["request_id"], POISONED);
        let is_last = town.texts(&state).concat().starts_with("failed ");
        assert_eq!(failed[0]["tried_again"], !is_last);
    }
    panic!("it is tried for ever: {:?}", town.texts(&state));
}

#[test]
fn a_revocation_that_the_database_refuses_holds_up_nobody_elses_and_is_set_aside_on_every_engine() {
    for engine in ENGINES {
        let (town, codes) = town(engine, "A", 2);
        let lines: String = (codes.iter().enumerate())
            .map(|(n, code)| {
                format!("L{n};revocation;2026-01-06T02:00;0700;SED;{code};Rossi;Mario;;;\n")
            })
            .collect();
        let told = hand_in(&town, &lines, &[3]);
        assert_eq!(
            (&told["held_up"], &told["late"]),
            (&1.into(), &0.into()),
            "{told}"
        );
        assert_eq!(
            town.count("effective_access"),
            1,
            "all but one lost it at once"
        );
        assert_eq!(
            town.count("delayed_activation WHERE state = 'done'"),
            i64::try_from(PEOPLE - 1).expect("few")
        );
        assert_eq!(
            drains_until_set_aside(&town, "delayed_activation", "accepted "),
            4
        );
        // What was accepted before it stays without effect all the same.
        assert_eq!(town.count("effective_access"), 1);
    }
}

#[test]
fn a_receipt_that_the_database_refuses_holds_up_nobody_elses_and_is_set_aside_on_every_engine() {
    for engine in ENGINES {
        let (town, codes) = town(engine, "P", 1);
        assert_eq!(town.count("effective_access"), 0);
        let lines: String = (0..codes.len())
            .map(|n| format!("L{n};receipt;2026-01-05T09:00;0700;;;;;inps:L{n};second;delivered\n"))
            .collect();
        hand_in(&town, &lines, &[0]);
        let failed = failed(&town, 3);
        assert_eq!(failed.len(), 1, "{failed:?}");
        let others = i64::try_from(PEOPLE - 1).expect("few");
        assert_eq!(town.count("effective_access"), others);
        assert_eq!(
            drains_until_set_aside(&town, "delivery_receipt", "waiting "),
            4
        );
        assert_eq!(town.count("effective_access"), others);
        // Another receipt of the same half, handed in once the database takes it, is counted.
        town.sql(match engine {
            Engine::Sqlite => "DROP TRIGGER poison",
            Engine::Postgres => "DROP TRIGGER poison ON pin; DROP FUNCTION poison()",
        });
        let again = "AGAIN;receipt;2026-01-05T09:00;0700;;;;;inps:L17;second;delivered\n";
        hand_in(&town, again, &[0]);
        ended(town.drain(), &[0]);
        assert_eq!(town.count("effective_access"), others + 1);
        town.expect(&["verify"], &[0]);
    }
}
