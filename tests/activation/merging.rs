//! Revocations while a source that comes later is merged, and what they do to what it brings.

use std::fs;

use serde_json::{Value, json};

use crate::{
    command::{configure, run},
    late::{COLUMNS, HEADER, MARIO, access, comes, later, record, request, town},
    town::{ENGINES, Town},
    world::World,
};

const LAURA: &str = "BNCLRA75D52F205V;Bianchi;Laura;1975-04-12";

fn of(person: &str, request: String) -> String {
    request.replace(MARIO, person)
}

/// Hands in what counters accepted, and no more.
fn counter(town: &Town, requests: &[String], code: i32) -> String {
    let text = format!("{HEADER}\n{}", requests.concat());
    fs::write(town.path("counter.csv"), text).expect("a file");
    let taken = town.expect(&["intake", "counter.csv"], &[code]);
    String::from_utf8_lossy(&taken.stderr).into_owned()
}

fn states(town: &Town) -> Vec<String> {
    town.texts(
        "SELECT request_id || ' ' || state || reason FROM delayed_activation ORDER BY request_id",
    )
}

/// What `status` says to type.
fn next(town: &Town, status: &[&str]) -> String {
    let told = String::from_utf8(town.expect(status, &[0]).stdout).expect("text");
    let next = told.lines().find(|line| line.starts_with("next:"));
    next.expect("a next command").to_owned()
}

fn grants(town: &Town) -> Vec<String> {
    town.texts(
        "SELECT surname || ' ' || profile || ' ' || profile_grant.status || ' ' || level FROM profile_grant
         JOIN person ON person.person_id = profile_grant.person_id ORDER BY surname, profile",
    )
}

#[test]
fn a_stolen_pin_is_revoked_at_once_while_a_later_source_is_merged() {
    for engine in ENGINES {
        let town = town(engine, &[record("M1", MARIO, "CIT", "A", "")]);
        comes(
            &town,
            &[
                record("M2", MARIO, "CDL", "A", ""),
                record("L1", LAURA, "CIT", "A", ""),
            ],
        );
        town.expect(&later(&["run", "--hold"]), &[5]);
        assert_eq!(access(&town), ["CIT dispositive"]);
        let said = counter(
            &town,
            &[
                request("V1", "revocation", "09:00", ""),
                request("N1", "new_pin", "10:00", "CIT"),
                of(LAURA, request("V2", "revocation", "09:00", "")),
            ],
            3,
        );
        assert!(
            said.contains("1 revocations or suspensions did not"),
            "{said}"
        );
        assert!(access(&town).is_empty(), "{engine:?}");
        let waiting = ["N1 accepted", "V1 done", "V2 acceptedholder_unknown"];
        assert_eq!(states(&town), waiting, "{engine:?}");
        town.expect(&["activate"], &[0]);
        assert_eq!(states(&town), waiting, "{engine:?}");
        town.expect(&later(&["verify"]), &[0]);
        let aside = next(&town, &["status"]);
        assert!(
            aside.contains("another configuration, with the sources later"),
            "{aside}"
        );
        assert!(!aside.contains("pinferry run"), "{aside}");
        let own = next(&town, &later(&["status"]));
        assert!(own.contains("`pinferry run` goes on"), "{own}");
        let aborted = town.expect(&later(&["abort", "--yes"]), &[0]);
        let aborted = String::from_utf8_lossy(&aborted.stderr).into_owned();
        let told = "2 requests of the counters wait in the queue and stay there: once this run is aborted `pinferry \
             activate` goes on";
        assert!(aborted.contains(told), "{aborted}");
        let aside = next(&town, &["status"]);
        assert!(aside.contains("`pinferry activate`"), "{aside}");
        assert!(access(&town).is_empty(), "{engine:?}");
        town.expect(&later(&["run"]), &[0]);
        assert!(
            access(&town).is_empty(),
            "Laura's was taken away before: {engine:?}"
        );
        let taken = [
            "Bianchi CIT ended dispositive",
            "Rossi CDL ended dispositive",
            "Rossi CIT ended dispositive",
        ];
        assert_eq!(grants(&town), taken, "{engine:?}");
        town.expect(&later(&["verify"]), &[0]);
        town.expect(&["activate"], &[0]);
        assert_eq!(states(&town), ["N1 done", "V1 done", "V2 done"]);
        assert_eq!(access(&town), ["CIT dispositive"], "{engine:?}");
        assert_eq!(grants(&town)[..2], taken[..2], "{engine:?}");
        town.expect(&["verify"], &[0]);
        town.verified_digest();
    }
}

#[test]
fn a_code_that_a_later_source_brings_is_nobody_s_until_its_cut_over() {
    // One that Mario had before he was given his own.
    const OLD: &str = "RSSMRA80A02H501Z;Rossi;Mario;1980-01-02";
    for engine in ENGINES {
        let town = town(engine, &[record("M1", MARIO, "CIT", "A", "")]);
        let early = of(OLD, request("V1", "revocation", "09:00", "CDL"));
        counter(&town, &[early], 3);
        let brought = [
            record("M2", OLD, "CDL", "A", ""),
            record("L1", LAURA, "CIT", "A", ""),
        ];
        comes(&town, &brought);
        let links = format!("old;new\n{};{}\n", &OLD[..16], &MARIO[..16]);
        fs::write(town.path("renamed.csv"), links).expect("a file");
        let text = fs::read_to_string(town.path("later.toml")).expect("a file");
        let text = text.replace("links.csv", "renamed.csv");
        fs::write(town.path("later.toml"), text).expect("a file");
        town.expect(&later(&["run", "--hold"]), &[5]);
        counter(&town, &[request("V2", "revocation", "10:00", "")], 0);
        assert!(access(&town).is_empty(), "{engine:?}");
        let of_laura = of(LAURA, request("V3", "revocation", "10:00", ""));
        counter(&town, &[of_laura], 3);
        let waiting = [
            "V1 acceptedholder_unknown",
            "V2 done",
            "V3 acceptedholder_unknown",
        ];
        assert_eq!(states(&town), waiting, "{engine:?}");
        let read = |arguments: &[&str]| -> Value {
            let output = town.expect(&[&["--format", "json"], arguments].concat(), &[0]);
            serde_json::from_slice(&output.stdout).expect("JSON")
        };
        let foreseen = read(&["activate", "--dry-run"]);
        assert_eq!(foreseen["due"], 0, "{engine:?} {foreseen}");
        assert_eq!(foreseen["waiting"], json!({"holder_unknown": 2}));
        let queue = &read(&["status"])["queue"];
        let told = (&queue["due"], &queue["of_nobody"], &queue["late_secs"]);
        assert_eq!(told, (&json!(0), &json!(2), &Value::Null), "{engine:?}");
        let seen = town.expect(&["activate", "--dry-run"], &[0]).stdout;
        let seen = String::from_utf8(seen).expect("text");
        let nothing_else = "nothing but revocations and suspensions takes effect yet: run 2";
        assert!(seen.contains(nothing_else), "{seen}");
        town.expect(&["activate"], &[0]);
        assert_eq!(states(&town), waiting, "{engine:?}");
        let loaded = [
            "active (run 2 is not cut over)",
            "retired (run 2 is not cut over)",
        ];
        for (request, loaded) in [("activation:V3", &loaded[..1]), ("activation:V2", &loaded)] {
            let told = town.expect(&["explain", request], &[0]).stdout;
            let told = String::from_utf8(told).expect("text");
            assert!(
                loaded.iter().all(|one| told.contains(one)),
                "{engine:?} {told}"
            );
        }
        town.expect(&later(&["run"]), &[0]);
        let told = town.expect(&["explain", "activation:V3"], &[0]).stdout;
        let told = String::from_utf8(told).expect("text");
        assert!(!told.contains("is not cut over"), "{engine:?} {told}");
        assert!(access(&town).is_empty(), "{engine:?}");
        town.expect(&["activate"], &[0]);
        assert_eq!(states(&town), ["V1 done", "V2 done", "V3 done"]);
        town.expect(&later(&["verify"]), &[0]);
        town.verified_digest();
    }
}

#[test]
fn a_later_source_gives_nothing_back_but_what_was_issued_after_it_was_taken_away() {
    let issued = |record: String| record.replace("2020-01-01", "2026-03-01");
    for engine in ENGINES {
        for (kind, gone) in [("revocation", "ended"), ("suspension", "suspended")] {
            let town = town(engine, &[record("M1", MARIO, "CIT", "A", "")]);
            counter(&town, &[request("V1", kind, "09:00", "")], 0);
            counter(&town, &[of(LAURA, request("V2", kind, "09:00", ""))], 3);
            comes(
                &town,
                &[
                    record("M2", MARIO, "CDL", "A", ""),
                    issued(record("M3", MARIO, "AVV", "A", "")),
                    record("L1", LAURA, "CDL", "A", ""),
                    issued(record("L2", LAURA, "CIT", "A", "")),
                ],
            );
            town.expect(&later(&["run"]), &[0]);
            let left = [
                "Bianchi CDL",
                "Bianchi CIT",
                "Rossi AVV",
                "Rossi CDL",
                "Rossi CIT",
            ];
            let states = [gone, "active", "active", gone, gone];
            let expected: Vec<_> = (left.iter().zip(states))
                .map(|(grant, state)| format!("{grant} {state} dispositive"))
                .collect();
            assert_eq!(grants(&town), expected, "{engine:?} {kind}");
            town.expect(&["activate"], &[0]);
            assert_eq!(grants(&town), expected, "{engine:?} {kind}");
            assert_eq!(
                access(&town),
                ["CIT dispositive"],
                "by the PIN that Laura was issued later: {engine:?} {kind}"
            );
            town.expect(&later(&["verify"]), &[0]);
            town.verified_digest();
        }
    }
}

#[test]
fn what_failed_for_want_of_the_profile_is_done_once_a_later_source_brings_it_and_it_is_taken_away()
{
    for engine in ENGINES {
        for (kind, gone) in [("revocation", "ended"), ("suspension", "suspended")] {
            let town = town(engine, &[record("M1", MARIO, "CIT", "A", "")]);
            let requests = [
                request("V1", kind, "09:00", "CDL"),
                request("V2", kind, "09:10", "CDL"),
                request("V3", kind, "09:00", "AVV"),
            ];
            let all = requests.concat();
            counter(&town, &requests, 3);
            comes(&town, &[record("M2", MARIO, "CDL", "A", "")]);
            town.expect(&later(&["run"]), &[0]);
            let expected = ["V1 done", "V2 done", "V3 failedgrant_missing"];
            assert_eq!(states(&town), expected, "{engine:?} {kind}");
            assert_eq!(access(&town), ["CIT dispositive"], "{engine:?} {kind}");
            assert_eq!(
                grants(&town)[0],
                format!("Rossi CDL {gone} dispositive"),
                "{engine:?}"
            );
            let audited = town.texts(
                "SELECT detail FROM audit_event WHERE action = 'activation' ORDER BY audit_id",
            );
            let last = audited.last().expect("an entry");
            assert!(last.contains("V1") && last.contains("V2"), "{last}");
            assert!(!last.contains("V3"), "{last}");
            town.expect(&["report", "--notices", "lists"], &[0]);
            let sheet = fs::read_to_string(town.path("lists/senza-sede.csv")).expect("a list");
            let told = |sort: &str, id: &str| {
                let mut lines = sheet.lines();
                lines.any(|line| line.starts_with(sort) && line.contains(id))
            };
            assert!(
                told("taken_away", "V1") && told("not_done", "V3"),
                "{sheet}"
            );
            assert!(!told("not_done", "V1"), "{sheet}");
            let text = format!("{HEADER}\n{all}");
            fs::write(town.path("counter.csv"), text).expect("a file");
            let again = town.expect(&["intake", "counter.csv"], &[3]);
            let again = String::from_utf8_lossy(&again.stdout).into_owned();
            assert_eq!(again.matches("done").count(), 2, "{again}");
            town.expect(&later(&["verify"]), &[0]);
            town.expect(&["audit", "verify"], &[0]);
            town.verified_digest();
        }
    }
}

#[test]
fn a_pin_that_gave_way_to_one_taken_away_before_it_was_issued_comes_in_its_place() {
    for engine in ENGINES {
        for kind in ["revocation", "suspension"] {
            let town = town(engine, &[record("M1", MARIO, "CIT", "A", "")]);
            counter(&town, &[of(LAURA, request("V1", kind, "09:00", ""))], 3);
            let issued = record("L2", LAURA, "CIT", "A", "")
                .replace("2020-01-01", "2026-03-01")
                .replace(";DISP;", ";ORD;");
            comes(&town, &[record("L1", LAURA, "CIT", "A", ""), issued]);
            town.expect(&later(&["run"]), &[0]);
            let pins = "SELECT legacy_id || ' ' || status FROM pin WHERE source = 'later' ORDER BY legacy_id";
            let gone = match kind {
                "revocation" => "L1 revoked",
                _suspension => "L1 retired",
            };
            let both = ["CIT dispositive", "CIT ordinary"];
            for _ in 0..2 {
                assert_eq!(town.texts(pins), [gone, "L2 active"], "{engine:?} {kind}");
                let mut found = access(&town);
                found.sort_unstable();
                assert_eq!(found, both, "Mario's, and Laura's: {engine:?} {kind}");
                town.expect(&["activate"], &[0]);
            }
            assert!(town.count("pin WHERE legacy_id = 'L2' AND expires_on IS NULL") == 0);
            town.expect(&later(&["verify"]), &[0]);
            town.verified_digest();
        }
    }
}

#[test]
fn a_run_after_one_that_brought_nobody_is_a_later_one() {
    for engine in ENGINES {
        let town = Town::with_legacy(engine, &format!("{COLUMNS}\n"));
        let file = town.path("pinferry.toml");
        let text = fs::read_to_string(&file).expect("a file");
        let url = "url = \"csv://legacy.csv\"\n";
        fs::write(&file, text.replace(url, &format!("{url}records = 0\n"))).expect("a file");
        town.expect(&["run"], &[0]);
        counter(&town, &[request("V1", "revocation", "09:00", "")], 3);
        comes(&town, &[record("M1", MARIO, "CIT", "A", "")]);
        let file = town.path("later.toml");
        let text = fs::read_to_string(&file).expect("a file");
        fs::write(&file, text.replace("records = 0\n", "")).expect("a file");
        town.expect(&later(&["run", "--hold"]), &[5]);
        assert!(access(&town).is_empty(), "before cut-over: {engine:?}");
        town.expect(&later(&["run"]), &[0]);
        assert!(access(&town).is_empty(), "{engine:?}");
        assert_eq!(grants(&town), ["Rossi CIT ended dispositive"], "{engine:?}");
        town.expect(&["activate"], &[0]);
        assert_eq!(states(&town), ["V1 done"], "{engine:?}");
        town.expect(&later(&["verify"]), &[0]);
        town.verified_digest();
    }
}

#[test]
fn requests_may_come_before_any_run_and_an_abort_says_what_becomes_of_them() {
    for engine in ENGINES {
        let legacy = format!("{COLUMNS}\n{}", record("M1", MARIO, "CIT", "A", ""));
        let town = Town::with_legacy(engine, &legacy);
        let requests = [
            request("N1", "new_pin", "10:00", "CIT"),
            request("V1", "revocation", "09:00", ""),
        ];
        let said = counter(&town, &requests, 2);
        assert!(said.contains("`pinferry migrate-schema`"), "{said}");
        town.expect(&["migrate-schema"], &[0]);
        counter(&town, &requests[..1], 0);
        let said = counter(&town, &requests, 3);
        let told = "1 revocations or suspensions wait until a run is cut over";
        assert!(said.contains(told), "{engine:?} {said}");
        town.expect(&["run", "--hold"], &[5]);
        // As long as it is not in force the answer is no other.
        counter(&town, &requests, 3);
        let aborted = town.expect(&["--format", "json", "abort", "--yes"], &[0]);
        let said = String::from_utf8_lossy(&aborted.stderr).into_owned();
        for told in [
            "2 requests of the counters wait in the queue and stay there until another run is cut over and finished",
            "1 of them take rights away",
        ] {
            assert!(said.contains(told), "{engine:?} {said}");
        }
        let document: serde_json::Value =
            serde_json::from_slice(&aborted.stdout).expect("a document");
        assert_eq!(document["requests_waiting"], 2);
        assert_eq!(states(&town), ["N1 accepted", "V1 accepted"]);
    }
}

#[test]
fn a_revocation_while_the_first_run_is_sealed_is_not_told_to_be_in_force() {
    let world = World::in_phase("cut_over");
    configure(&world);
    world.migrate_mario("active", 2);
    let line = format!("{HEADER}\n{}", request("V1", "revocation", "09:00", ""));
    fs::write(world.folder.path().join("stolen.csv"), line).expect("a file");
    let (code, _, said) = run(world.folder.path(), &["intake", "stolen.csv"]);
    assert_eq!(code, 3, "{said}");
    let told = "1 revocations or suspensions wait until run 1, which is cut over, is finished";
    assert!(said.contains(told), "{said}");
    world.execute("UPDATE run SET phase = 'finished'");
    assert_eq!(run(world.folder.path(), &["activate"]).0, 0);
    assert_eq!(world.one("SELECT status FROM pin"), "revoked");
}
