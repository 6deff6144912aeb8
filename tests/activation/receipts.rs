//! What receipts are answered: with what is true of the PIN they are of, and none waits unseen.

use std::fs;

use serde_json::Value;

use crate::{
    late::{MARIO, access, record, request, town},
    town::{ENGINES, Town, ended},
};

const LAURA: &str = "BNCLRA75D52F205V;Bianchi;Laura;1975-04-12";
const ANNA: &str = "GLLNNA68E55A944R;Gialli;Anna;1968-05-15";

const HEADER: &str = "request_id;kind;accepted_at;of_request;of_pin;half;outcome\n";

fn receipt(id: &str, of: &str, half: &str, outcome: &str) -> String {
    let (of_request, of_pin) = if of.contains(':') { ("", of) } else { (of, "") };
    format!("{id};receipt;2026-01-02T09:00;{of_request};{of_pin};{half};{outcome}\n")
}

fn hand_in(town: &Town, receipts: &[String], code: i32) {
    fs::write(
        town.path("receipts.csv"),
        HEADER.to_owned() + &receipts.concat(),
    )
    .expect("a file");
    town.expect(&["intake", "receipts.csv"], &[code]);
}

fn ask(town: &Town, requests: &[String], code: i32) {
    let text = format!("{}\n{}", crate::late::HEADER, requests.concat());
    fs::write(town.path("asked.csv"), text).expect("a file");
    town.expect(&["intake", "asked.csv"], &[code]);
}

fn fates(town: &Town) -> Vec<String> {
    town.texts(
        "SELECT trim(request_id || ' ' || state || ' ' || reason) FROM delivery_receipt ORDER BY request_id",
    )
}

fn open(id: &str) -> String {
    request(id, "new_pin", "10:00", "CIT").replace(";SHA256;2;", ";SHA256;1;")
}

#[test]
fn a_receipt_of_a_pin_that_was_revoked_or_ceased_says_so_and_counts_nothing() {
    for engine in ENGINES {
        let town = town(
            engine,
            &[
                record("M1", MARIO, "CIT", "P", "1"),
                record("L1", LAURA, "CIT", "R", ""),
                record("G1", ANNA, "CIT", "C", ""),
                record("G2", ANNA, "CDL", "A", ""),
            ],
        );
        ask(&town, &[request("V1", "revocation", "08:00", "")], 0);
        let halves = "SELECT legacy_id || ' ' || status || ' ' || halves_delivered FROM pin ORDER BY legacy_id";
        let before = town.texts(halves);
        assert!(before.contains(&"M1 revoked 1".to_owned()), "{before:?}");
        let digest = town.verified_digest();
        hand_in(
            &town,
            &[
                receipt("P1", "inps:M1", "second", "delivered"),
                receipt("P2", "inps:L1", "second", "delivered"),
                receipt("P3", "inps:G1", "second", "delivered"),
                receipt("P4", "inps:G2", "second", "delivered"),
            ],
            0,
        );
        town.expect(&["activate"], &[0]);
        assert_eq!(
            fates(&town),
            [
                "P1 done pin_revoked",
                "P2 done pin_revoked",
                "P3 done pin_ceased",
                "P4 done already_delivered"
            ],
            "{engine:?}"
        );
        assert_eq!(town.texts(halves), before, "{engine:?}");
        assert_eq!(town.verified_digest(), digest, "{engine:?}");
    }
}

#[test]
fn a_receipt_of_a_request_without_a_pin_is_closed_with_its_reason_whichever_comes_first() {
    for engine in ENGINES {
        for comes_first in [true, false] {
            let town = town(engine, &[record("L1", LAURA, "CIT", "A", "")]);
            let receipts = ["N1", "F1", "V1", "N2"]
                .map(|of| receipt(&format!("P-{of}"), of, "second", "delivered"));
            if comes_first {
                hand_in(&town, &receipts, 0);
                let answers = fs::read_to_string(town.path("receipts.result.csv"));
                let answers = answers.expect("answers");
                assert_eq!(
                    answers.matches(";accepted;false;;request_unknown").count(),
                    4,
                    "a mistyped request is found at once: {answers}"
                );
                let text = String::from_utf8(town.expect(&["status"], &[0]).stdout);
                let text = text.expect("UTF-8");
                assert!(
                    text.contains("4 receipts wait for the PIN or the request they are of"),
                    "{text}"
                );
            }
            let refused = open("N1").replace("IDENTITY_CARD", "");
            let profile = request("F1", "further_profile", "10:00", "MED");
            let taking = request("V1", "revocation", "07:00", "").replace(MARIO, LAURA);
            ask(&town, &[refused, profile, taking, open("N2")], 3);
            if !comes_first {
                hand_in(&town, &receipts, 3);
            }
            assert_eq!(
                fates(&town),
                [
                    "P-F1 failed no_pin",
                    "P-N1 failed request_refused",
                    "P-N2 done",
                    "P-V1 failed no_pin"
                ],
                "{engine:?} {comes_first}"
            );
            town.expect(&["activate"], &[0, 3]);
            let told = town.expect(&["explain", "activation:P-N1"], &[0]).stdout;
            let told = String::from_utf8(told).expect("UTF-8");
            assert!(told.contains("request_refused"), "{told}");
            // All of it was delivered; and what is of nothing is told when it comes again.
            hand_in(&town, &[receipt("P-again", "N2", "first", "delivered")], 0);
            assert_eq!(fates(&town)[4], "P-again done already_delivered");
            hand_in(&town, &receipts, 3);
        }
    }
}

#[test]
fn a_pin_that_a_request_brings_may_be_named_as_explain_names_it() {
    for engine in ENGINES {
        let town = town(engine, &[record("L1", LAURA, "CIT", "A", "")]);
        ask(&town, &[open("N1")], 0);
        let pin = "activation:N1";
        hand_in(&town, &[receipt("P1", pin, "second", "delivered")], 0);
        assert_eq!(fates(&town), ["P1 done"], "{engine:?}");
        town.expect(&["activate"], &[0]);
        let mario = "effective_access WHERE fiscal_code LIKE 'RSS%'";
        assert_eq!(town.count(mario), 1, "{engine:?}");
        let told = town.expect(&["explain", "activation:P1"], &[0]).stdout;
        let told = String::from_utf8(told).expect("UTF-8");
        assert!(told.contains("activation:N1"), "{told}");
    }
}

#[test]
fn what_a_retired_pin_gives_late_is_foreseen_told_and_asked_for_on_every_engine() {
    for engine in ENGINES {
        let town = town(
            engine,
            &[
                record("M1", MARIO, "CIT", "A", ""),
                record("M2", MARIO, "CDL", "P", "1"),
            ],
        );
        let read = |arguments: &[&str]| -> Value {
            let output = town.expect(&[&["--format", "json"], arguments].concat(), &[0]);
            serde_json::from_slice(&output.stdout).expect("JSON")
        };
        hand_in(&town, &[receipt("P1", "inps:M2", "second", "returned")], 0);
        town.expect(&["report", "--notices", "lists"], &[0]);
        let sheet = fs::read_to_string(town.path("lists/sede-0700.csv")).expect("a list");
        let back = sheet.lines().find(|line| line.starts_with("half_back;"));
        let back = back.unwrap_or_else(|| panic!("{engine:?}: {sheet}"));
        assert!(
            back.contains(";inps:M2;") && back.contains("poi si usa con il PIN inps:M1"),
            "{back}"
        );
        assert!(
            sheet.contains("anche per il profilo del PIN di prima non appena"),
            "{sheet}"
        );
        hand_in(&town, &[receipt("P2", "inps:M2", "second", "delivered")], 0);
        let foreseen = read(&["activate", "--dry-run"]);
        assert_eq!(
            (&foreseen["retired_due"], &foreseen["receipts_due"]),
            (&1.into(), &1.into()),
            "{engine:?}: {foreseen}"
        );
        let said = String::from_utf8(town.expect(&["activate", "--dry-run"], &[0]).stdout);
        let said = said.expect("UTF-8");
        assert!(
            said.contains("1 receipts, 0 pending PINs, 1 retired PINs that give their profile"),
            "{said}"
        );
        assert_eq!(read(&["status"])["queue"]["retired_due"], 1, "{engine:?}");
        let said = String::from_utf8(town.expect(&["activate"], &[0]).stdout).expect("UTF-8");
        assert!(
            said.contains("1 retired PINs gave their profile, 1 receipts were answered"),
            "{said}"
        );
        assert_eq!(access(&town), ["CDL dispositive", "CIT dispositive"]);
        let drained: Value =
            serde_json::from_slice(&ended(town.drain(), &[0]).stdout).expect("JSON");
        assert_eq!(
            (&drained["retired_delivered"], &drained["receipts"]),
            (&0.into(), &0.into())
        );
        town.expect(&["report", "--notices", "lists"], &[0]);
        let sheet = fs::read_to_string(town.path("lists/sede-0700.csv")).expect("a list");
        assert!(!sheet.contains("half_back;"), "{sheet}");
        assert!(
            sheet.contains("da ora si usa quello, per tutti i profili"),
            "{sheet}"
        );
    }
}

#[test]
fn only_what_takes_away_without_a_profile_is_explained_to_be_about_everything() {
    let town = town(
        crate::town::Engine::Sqlite,
        &[record("L1", LAURA, "CIT", "A", "")],
    );
    let requests = [
        request("N1", "new_pin", "10:00", "NOPE").replace(MARIO, LAURA),
        request("V1", "revocation", "09:00", "").replace(MARIO, LAURA),
    ];
    ask(&town, &requests, 3);
    let told = town.expect(&["explain", "inps:L1"], &[0]).stdout;
    let told = String::from_utf8(told).expect("UTF-8");
    let row = |id: &str| {
        let row = told.lines().find(|line| line.starts_with(id));
        row.unwrap_or_else(|| panic!("{told}"))
    };
    assert!(row("V1").contains("everything"), "{told}");
    assert!(!row("N1").contains("everything"), "{told}");
}
