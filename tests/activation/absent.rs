//! Receipts of PINs that are not in the model: of a source that comes later, or diverted by the lock.

use std::fs;

use crate::{
    late::{HEADER, MARIO, access, comes, later, record, request, town},
    town::{ENGINES, Town},
};

const LAURA: &str = "BNCLRA75D52F205V;Bianchi;Laura;1975-04-12";

fn receipt(id: &str, pin: &str, half: &str) -> String {
    format!("{id};receipt;2026-01-02T09:00;;;;;;;;;;;{pin};{half};delivered\n")
}

fn hand_in(town: &Town, lines: &[String]) {
    let text = format!("{HEADER}\n{}", lines.concat());
    fs::write(town.path("absent.csv"), text).expect("a file");
    town.expect(&["intake", "absent.csv"], &[0]);
}

fn receipts(town: &Town) -> Vec<String> {
    town.texts(
        "SELECT request_id || ' ' || state || ' ' || reason || ' ' || coalesce(of_request, of_source)
         FROM delivery_receipt ORDER BY request_id",
    )
}

#[test]
fn a_receipt_of_a_source_that_comes_later_waits_for_it() {
    for engine in ENGINES {
        let town = town(engine, &[record("M1", MARIO, "CIT", "A", "")]);
        hand_in(
            &town,
            &[
                receipt("P1", "later:L1", "second"),
                receipt("P2", "inps:L1", "second"),
                receipt("P3", "later:Q1", "second"),
            ],
        );
        let answers = fs::read_to_string(town.path("absent.result.csv")).expect("answers");
        assert!(
            answers.contains(";P1;receipt;accepted;false;;pin_unknown")
                && answers.contains(";P2;receipt;accepted;false;;\n"),
            "a mistyped source is found at once: {answers}"
        );
        town.expect(&["activate"], &[3]);
        let waiting = [
            "P1 waiting pin_unknown later",
            "P2 failed pin_unknown inps",
            "P3 waiting pin_unknown later",
        ];
        assert_eq!(receipts(&town), waiting, "{engine:?}");
        let wrong = record("Q1", "BNCLRA75D52F205X;Bianchi;Laura;", "CIT", "P", "1");
        comes(&town, &[record("L1", LAURA, "CIT", "P", "1"), wrong]);
        let explained = |what, code| {
            let ended = town.expect(&["explain", what], &[code]);
            let text = [ended.stdout, ended.stderr].concat();
            String::from_utf8(text).expect("UTF-8")
        };
        let said = explained("later:L1", 2);
        assert!(said.contains("sources: inps; a request"), "{said}");
        town.expect(&later(&["run"]), &[3]);
        // With the first configuration too, which does not know that source.
        let said = explained("later:L1", 0);
        assert!(said.contains("later:L1") && said.contains("P1"), "{said}");
        assert!(explained("later:nobody", 1).contains("no such record"));
        let said = explained("nowhere:L1", 2);
        assert!(said.contains("sources: inps, later; a request"), "{said}");
        assert!(explained("activation:R0", 1).contains("no such request"));
        town.expect(&["activate"], &[0]);
        assert_eq!(receipts(&town)[0], "P1 done  later", "{engine:?}");
        let waits = "P3 waiting  later";
        assert_eq!(receipts(&town)[2], waits, "it may leave quarantine");
        let laura = "effective_access WHERE fiscal_code LIKE 'BNC%'";
        assert_eq!(town.count(laura), 1, "{engine:?}");
        town.verified_digest();
    }
}

#[test]
fn a_diverted_pin_is_named_by_the_id_it_had() {
    for engine in ENGINES {
        for comes_first in [true, false] {
            let town = town(engine, &[record("L1", LAURA, "MED", "A", "")]);
            if comes_first {
                hand_in(&town, &[receipt("P1", "inps:D7", "second")]);
            }
            let pin = request("N1", "new_pin", "08:00", "CIT").replace("SHA256;2;", "SHA256;1;");
            hand_in(&town, &[pin]);
            // As the lock would have diverted it.
            town.sql(
                "UPDATE delayed_activation SET request_id = 'divert:inps:7', origin = 'divert',
                     payload = '{\"legacy_id\":\"D7\"}' WHERE request_id = 'N1'",
            );
            if !comes_first {
                hand_in(&town, &[receipt("P1", "inps:D7", "second")]);
                assert_eq!(receipts(&town), ["P1 done  divert:inps:7"], "{engine:?}");
            }
            let told = town.expect(&["explain", "inps:D7"], &[0]);
            let told = String::from_utf8_lossy(&told.stdout).into_owned();
            assert!(told.contains("divert:inps:7"), "{told}");
            town.expect(&["activate"], &[0]);
            assert_eq!(receipts(&town), ["P1 done  divert:inps:7"], "{engine:?}");
            assert_eq!(
                access(&town),
                ["CIT dispositive", "MED dispositive"],
                "{engine:?}"
            );
            town.expect(&["explain", "inps:D7"], &[0]);
            town.verified_digest();
        }
    }
}
