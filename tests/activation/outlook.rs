//! What the queue looks like to those who change nothing.

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
            json!({"waiting": 0, "of_nobody": 0, "due": 0, "oldest_due": null, "late_secs": null, "set_aside": 1})
        );
        let text = String::from_utf8(town.expect(&["status"], &[0]).stdout).expect("UTF-8");
        assert!(
            text.contains("queue: 0 wait, 0 of them due; 1 set aside"),
            "{text}"
        );
    }
}
