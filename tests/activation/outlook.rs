//! What the queue looks like to those who change nothing.

use std::fs;

use jiff::{Timestamp, ToSpan as _};
use serde_json::{Value, json};

use crate::{
    command::{configure, run},
    town::{ENGINES, Town, activated, ended},
    world::{LAURA, MARIO, World, line},
};

fn dry_run(world: &World, arguments: &[&str]) -> Value {
    let version = world.one("PRAGMA data_version");
    let all = [&["--format", "json", "activate", "--dry-run"], arguments].concat();
    let (code, out, err) = run(world.folder.path(), &all);
    assert_eq!(code, 0, "{err}");
    assert_eq!(world.one("PRAGMA data_version"), version, "it wrote");
    serde_json::from_str(&out).expect("JSON")
}

/// One that is due, one whose hour has not come, one that waits for its second half, and one that waits for both.
fn queue(world: &World) {
    let today = (Timestamp::now() - 1.second()).to_string();
    let half = |line: String| line.replace(";SHA256;2;", ";SHA256;1;");
    let taken = world.intake(&[
        line("R1", "2013-11-04T10:15", MARIO, "CIT", "DISP"),
        line("R2", &today, MARIO, "CDL", "DISP"),
        half(line("R3", "2013-11-05T10:15", LAURA, "CIT", "DISP")),
        half(line("R4", &today, LAURA, "CDL", "DISP")),
    ]);
    assert_eq!(taken.accepted, 4);
}

#[test]
fn a_dry_run_says_what_is_due_and_what_everything_else_waits_for_and_changes_nothing() {
    for (phase, obstacle, said) in [
        ("finished", None, Value::Null),
        (
            "aborted",
            Some("not_cut_over"),
            json!("no run was cut over yet"),
        ),
        (
            "loading",
            Some("run_under_way"),
            json!("run 1 is not finished (phase loading)"),
        ),
    ] {
        let world = World::in_phase(phase);
        configure(&world);
        world.migrate_mario("pending", 2);
        queue(&world);
        let found = dry_run(&world, &[]);
        let first = |why: &[&str]| json!(obstacle.iter().chain(why).collect::<Vec<_>>());
        let why = [
            ("R1", first(&[])),
            ("R3", first(&["halves_open"])),
            ("R2", first(&["hour_not_reached"])),
            ("R4", first(&["hour_not_reached", "halves_open"])),
        ];
        let requests = found["requests"].as_array().expect("a list");
        assert_eq!(requests.len(), why.len());
        for (request, (id, why)) in requests.iter().zip(why) {
            assert_eq!(request["request_id"], id, "{phase}");
            assert_eq!(request["why_not_yet"], why, "{phase} {id}");
            assert_eq!(request["state"], "accepted");
            assert_eq!(request["kind"], "new_pin");
        }
        assert_eq!(requests[0]["due_at"], "2013-11-05T00:00:00+01:00");
        assert_eq!(found["not_yet"], said);
        let mut waiting = json!({"hour_not_reached": 2, "halves_open": 2});
        if let Some(obstacle) = obstacle {
            waiting[obstacle] = json!(4);
        }
        assert_eq!(found["waiting"], waiting, "{phase}");
        let due = i64::from(obstacle.is_none());
        assert_eq!(found["due"], due, "{phase}");
        assert_eq!(found["pending_due"], due, "{phase}");
        let first = dry_run(&world, &["--limit", "1"]);
        assert_eq!((&first["more"], &first["waiting"]), (&json!(3), &waiting));
        let (_, out, err) = run(
            world.folder.path(),
            &["activate", "--dry-run", "--limit", "2"],
        );
        assert!(
            out.contains("nothing was changed") && err.contains("there are more"),
            "{out}{err}"
        );
        assert!(!out.contains(MARIO) && !out.contains("Rossi"), "{out}");
    }
}

#[test]
fn a_dry_run_and_status_see_the_receipts_that_a_drain_counts_on_every_engine() {
    for engine in ENGINES {
        let record = |id: &str, person: &str, halves: &str| {
            let hash = "cd".repeat(32);
            format!("{id};{person};CIT;;P;ORD;{hash};SHA256;2020-01-01;;;0700;SED;{halves};;;\n")
        };
        let legacy = [
            "id;codice_fiscale;cognome;nome;data_nascita;classe_utente;codice_ente;stato;tipo_pin;pin_hash;algoritmo;\
             data_rilascio;data_scadenza;ultimo_accesso;sede;canale;meta_consegnate;email;telefono;cf_tutore\n"
                .to_owned(),
            record("M1", "RSSMRA80A01H501U;Rossi;Mario;1980-01-01", "1"),
            record("L1", "BNCLRA75D52F205V;Bianchi;Laura;1975-04-12", "0"),
            record("G1", "VRDGPP68T03L219K;Verdi;Giuseppe;1968-12-03", "0"),
            record("Q1", "RSSMRA80A01H501X;Sbagliata;Carla;", "1"),
        ];
        let town = Town::with_legacy(engine, &legacy.concat());
        town.expect(&["run"], &[3]);
        let read = |arguments: &[&str]| -> Value {
            let output = town.expect(&[&["--format", "json"], arguments].concat(), &[0]);
            serde_json::from_slice(&output.stdout).expect("JSON")
        };
        let hand_in = |receipts: &[(&str, &str, &str)]| {
            let lines = receipts.iter().map(|(id, pin, half)| {
                format!("{id};receipt;2026-01-02T09:00;{pin};{half};delivered\n")
            });
            let header = "request_id;kind;accepted_at;of_pin;half;outcome\n";
            fs::write(
                town.path("r.csv"),
                header.to_owned() + &lines.collect::<String>(),
            )
            .expect("a file");
            town.expect(&["intake", "r.csv"], &[0]);
        };
        let drained = || -> Value {
            let drained = ended(town.drain(), &[0, 3]);
            serde_json::from_slice(&drained.stdout).expect("JSON")
        };
        hand_in(&[("P0", "inps:L1", "second")]);
        drained();
        assert_eq!(read(&["status"])["next"], "`pinferry verify`");
        // The second half of two, the same again of one, one of a record in quarantine, one of nothing, and one
        // of a source that may yet come.
        hand_in(&[
            ("P1", "inps:M1", "second"),
            ("P2", "inps:L1", "second"),
            ("P3", "inps:G1", "second"),
            ("P4", "inps:G1", "first"),
            ("P5", "inps:Q1", "second"),
            ("P6", "inps:nobody", "second"),
            ("P7", "later:X1", "second"),
        ]);
        let foreseen = read(&["activate", "--dry-run"]);
        let due = (&json!(5), &json!(2));
        assert_eq!((&foreseen["receipts_due"], &foreseen["pending_due"]), due);
        let status = read(&["status"]);
        let queue = &status["queue"];
        assert_eq!((&queue["receipts_due"], &queue["pending_due"]), due);
        assert_eq!(
            queue["receipts_waiting"], 2,
            "one of quarantine, one of a later source"
        );
        assert_eq!(foreseen["receipts_waiting"], 2);
        assert_eq!(status["next"], "`pinferry activate`");
        let text = String::from_utf8(town.expect(&["status"], &[0]).stdout).expect("UTF-8");
        assert!(
            text.contains("5 receipts to be counted, 2 pending PINs to become active"),
            "{text}"
        );
        assert!(
            text.contains("2 receipts wait for the PIN or the request they are of"),
            "{text}"
        );
        let told = drained();
        assert_eq!(told["pending_activated"], 2, "{engine:?}");
        assert_eq!(told["receipts"], 4, "and one failed: {engine:?}");
        let queue = &read(&["status"])["queue"];
        assert_eq!(
            (&queue["receipts_due"], &queue["pending_due"]),
            (&json!(0), &json!(0))
        );
    }
}

#[test]
fn what_a_dry_run_foresees_and_status_tells_is_what_a_drain_does_on_every_engine() {
    for engine in ENGINES {
        let town = Town::on(engine);
        let accepted = town.count("delayed_activation WHERE state = 'accepted'");
        let read = |arguments: &[&str]| -> Value {
            let output = town.expect(&[&["--format", "json"], arguments].concat(), &[0]);
            serde_json::from_slice(&output.stdout).expect("JSON")
        };
        let foreseen = read(&["activate", "--dry-run", "--limit", "3"]);
        assert_eq!(foreseen["due"], accepted, "{engine:?}");
        assert_eq!(foreseen["requests"].as_array().map(Vec::len), Some(3));
        assert_eq!(foreseen["more"], accepted - 3);
        let queue = &read(&["status"])["queue"];
        assert_eq!(queue["waiting"], accepted);
        assert_eq!(queue["due"], accepted);
        let late_secs = queue["late_secs"].as_i64().expect("a number");
        assert!(
            (0..86_400).contains(&late_secs),
            "nothing could take effect before the run was finished: {queue}"
        );
        let pending = foreseen["pending_due"].as_u64();
        let drained = ended(town.drain(), &[0]);
        assert_eq!(i64::try_from(activated(&drained)), Ok(accepted));
        let drained: Value = serde_json::from_slice(&drained.stdout).expect("JSON");
        assert_eq!(drained["pending_activated"].as_u64(), pending);
        town.sql(
            "UPDATE delayed_activation SET state = 'failed', done_at = NULL, pin_id = NULL,
                 reason = 'set_aside: a constraint' WHERE request_id = 'S1-1'",
        );
        let queue = &read(&["status"])["queue"];
        assert_eq!(
            *queue,
            json!({"waiting": 0, "of_nobody": 0, "behind": 0, "due": 0, "oldest_due": null, "late_secs": null, "set_aside": 1, "receipts_due": 0, "pending_due": 0, "retired_due": 0, "receipts_waiting": 0})
        );
        let text = String::from_utf8(town.expect(&["status"], &[0]).stdout).expect("UTF-8");
        assert!(
            text.contains("queue: 0 wait, 0 of them due; 1 set aside"),
            "{text}"
        );
    }
}
