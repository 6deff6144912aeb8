//! Any number of drains at once come to what one alone comes to, whatever happens to some of them.

use std::{
    thread,
    time::{Duration, Instant},
};

use crate::town::{ENGINES, Engine, Town, activated, ended};

/// The content of a target that one drain alone emptied the queue of, and its digest.
fn alone(engine: Engine) -> (String, String) {
    let town = Town::on(engine);
    let due = town.count("delayed_activation WHERE state = 'accepted'");
    assert!(due > 2_000, "{due} requests are due");
    let drained = activated(&ended(town.drain(), &[0]));
    assert_eq!(i64::try_from(drained), Ok(due));
    (town.content(), town.verified_digest())
}

fn assert_same(town: &Town, expected: &str, what: &str) {
    let found = town.content();
    if found == expected {
        return;
    }
    let differing = found
        .lines()
        .zip(expected.lines())
        .find(|(one, other)| one != other);
    panic!("{what}: the target differs, first in {differing:?}");
}

#[test]
fn several_drains_at_once_come_to_what_one_alone_comes_to_on_every_engine() {
    let digests = ENGINES.map(|engine| {
        let (expected, digest) = alone(engine);
        let town = Town::on(engine);
        let due = town.count("delayed_activation WHERE state = 'accepted'");
        let drains: Vec<_> = (0..4).map(|_| town.drain()).collect();
        let mut shares: Vec<_> = drains
            .into_iter()
            .map(|drain| activated(&ended(drain, &[0])))
            .collect();
        // Requests of one person under two codes may meet in two drains; who comes second leaves them be.
        shares.push(activated(&ended(town.drain(), &[0])));
        assert_eq!(
            i64::try_from(shares.iter().sum::<u64>()),
            Ok(due),
            "{shares:?}"
        );
        assert_same(&town, &expected, "four drains");
        assert_eq!(town.verified_digest(), digest);
        assert_eq!(activated(&ended(town.drain(), &[0])), 0);
        digest
    });
    assert_eq!(digests[0], digests[1], "both engines come to the same");
}

#[cfg(feature = "failpoints")]
#[test]
fn drains_that_are_killed_leave_what_others_finish_on_every_engine() {
    for engine in ENGINES {
        let (expected, digest) = alone(engine);
        let town = Town::on(engine);
        for step in [
            "begin:2",
            "claimed",
            "effect",
            "commit",
            "committed",
            "commit:2",
        ] {
            let step = format!("activation.{step}");
            let killed = [town.drain_to(&step), town.drain_to(&step)];
            for drain in killed {
                drain.wait_with_output().expect("it ends");
            }
        }
        ended(town.drain(), &[0]);
        assert_same(&town, &expected, "after kills");
        assert_eq!(town.verified_digest(), digest);
    }
}

#[test]
fn a_drain_that_is_stopped_in_the_middle_of_a_batch_keeps_nobody_else_from_theirs() {
    let (expected, digest) = alone(Engine::Postgres);
    let town = Town::on(Engine::Postgres);
    town.work_with_one_hand();
    let mut held = town.database().session();
    held.batch(
        "holding the ledger",
        "BEGIN; LOCK TABLE digest_ledger IN SHARE MODE",
    )
    .expect("the ledger");
    let stopped = town.drain();
    let waits = "pg_locks WHERE NOT granted AND relation = 'digest_ledger'::regclass";
    wait_until("the drain has a batch", || town.count(waits) == 1);
    let pid = i32::try_from(stopped.id()).ok();
    let pid = pid
        .and_then(rustix::process::Pid::from_raw)
        .expect("a process");
    rustix::process::kill_process(pid, rustix::process::Signal::STOP).expect("ours");
    held.batch("letting go of the ledger", "ROLLBACK")
        .expect("the ledger");
    let others = activated(&ended(town.drain(), &[0]));
    let left = town.count("delayed_activation WHERE state = 'accepted'");
    assert!(
        others > 500 && left > 100,
        "{others} went on, {left} are the stopped one's"
    );
    rustix::process::kill_process(pid, rustix::process::Signal::CONT).expect("ours");
    ended(stopped, &[0]);
    assert_same(&town, &expected, "a drain was stopped");
    assert_eq!(town.verified_digest(), digest);
}

#[test]
fn a_request_that_the_server_refuses_is_tried_once_a_drain_and_holds_up_nobody() {
    let town = Town::on(Engine::Postgres);
    town.sql("ALTER TABLE pin ADD CONSTRAINT poison CHECK (legacy_id <> 'S5-1') NOT VALID");
    let due = town.count("delayed_activation WHERE state = 'accepted'");
    let drained = activated(&ended(town.drain(), &[3]));
    assert_eq!(i64::try_from(drained), Ok(due - 1));
    let poisoned = |holds: &str| {
        town.count(&format!(
            "delayed_activation WHERE request_id = 'S5-1' AND {holds}"
        ))
    };
    for attempts in 1..5 {
        let waits = format!("state = 'accepted' AND attempts = {attempts}");
        assert_eq!(poisoned(&waits), 1, "after {attempts} drains");
        assert_eq!(activated(&ended(town.drain(), &[3])), 0);
    }
    assert_eq!(
        poisoned("state = 'failed' AND reason LIKE 'set_aside: %'"),
        1
    );
    assert_eq!(activated(&ended(town.drain(), &[0])), 0);
}

fn wait_until(what: &str, holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(30), "{what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// What is accepted of somebody on the next day: that all of it is taken away, or a PIN after that.
#[cfg(feature = "failpoints")]
fn next_day(
    file: &str,
    people: &[String],
    line: impl Fn(usize, &str) -> String,
) -> (String, String) {
    const HEADER: &str = "request_id;kind;accepted_at;fiscal_code;surname;given_name;birth_date;profile;level;\
        credential;credential_scheme;halves_delivered;documents";
    let lines = people.iter().enumerate().map(|(n, person)| line(n, person));
    let text = format!("{HEADER}\n{}", lines.collect::<String>());
    (file.to_owned(), text)
}

/// Hands files in one after the other, killing every other process at a step, and hands in again what was killed.
#[cfg(feature = "failpoints")]
fn hand_in(town: &Town, files: &[(String, String)], steps: &[&str]) {
    for (n, (file, text)) in files.iter().enumerate() {
        std::fs::write(town.path(file), text).expect("a file");
        if n % 2 == 0 {
            let mut killed = town.command(&["intake", file]);
            killed.env("PINFERRY_FAILPOINT", steps[n / 2 % steps.len()]);
            killed.output().expect("it starts");
        }
        town.expect(&["intake", file], &[0, 3]);
    }
}

#[cfg(feature = "failpoints")]
#[test]
fn drains_and_counters_racing_for_everybody_with_kills_end_in_what_was_accepted_last_on_every_engine()
 {
    for engine in ENGINES {
        let town = Town::on(engine);
        let people = town.texts(
            "SELECT fiscal_code || ';' || min(surname) || ';' || min(given_name) || ';' || min(coalesce(CAST(birth_date AS text), ''))
             FROM delayed_activation WHERE state = 'accepted' AND given_name IS NOT NULL
             GROUP BY fiscal_code ORDER BY fiscal_code",
        );
        assert!(people.len() > 1_000, "{}", people.len());
        let revocations = people.chunks(250).enumerate().map(|(file, people)| {
            next_day(&format!("revoke-{file}.csv"), people, |n, person| {
                format!("V{file}-{n};revocation;2026-01-03T02:00;{person};;;;;;\n")
            })
        });
        let revocations: Vec<_> = revocations.collect();
        // One in seven comes for a new PIN in the morning.
        let back: Vec<_> = people.iter().step_by(7).cloned().collect();
        let hash = "ef".repeat(32);
        let mornings = back.chunks(80).enumerate().map(|(file, people)| {
            next_day(&format!("back-{file}.csv"), people, |n, person| {
                format!(
                    "B{file}-{n};new_pin;2026-01-03T09:00;{person};CIT;ORD;{hash};SHA256;2;IDENTITY_CARD\n"
                )
            })
        });
        let mornings: Vec<_> = mornings.collect();
        thread::scope(|scope| {
            let town = &town;
            for steps in [
                [
                    "activation.effect",
                    "activation.committed",
                    "activation.commit:2",
                ],
                [
                    "activation.claimed",
                    "activation.commit",
                    "activation.begin:3",
                ],
            ] {
                scope.spawn(move || {
                    for step in steps {
                        let killed = town.drain_to(step);
                        killed.wait_with_output().expect("it ends");
                        ended(town.drain(), &[0, 3]);
                    }
                });
            }
            let steps = [
                "activation.commit",
                "intake.committed",
                "activation.claimed",
            ];
            scope.spawn(move || hand_in(town, &revocations, &steps));
            scope.spawn(move || hand_in(town, &mornings, &steps));
        });
        ended(town.drain(), &[0, 3]);
        // Who lost all before anything was activated is nobody yet, and his revocation waits for him.
        let unsettled = "delayed_activation WHERE state = 'accepted' AND halves_delivered = 2
            AND NOT (kind = 'revocation' AND reason = 'holder_unknown')";
        assert_eq!(town.count(unsettled), 0);
        let codes = |people: &[String]| {
            let codes: Vec<_> = (people.iter())
                .map(|person| format!("'{}'", &person[..16]))
                .collect();
            codes.join(", ")
        };
        let of = |columns: &str, codes: String| {
            format!(
                "SELECT DISTINCT now.fiscal_code || {columns} FROM fiscal_code AS known
                 JOIN fiscal_code AS now ON now.person_id = known.person_id AND now.current
                 LEFT JOIN effective_access AS access ON access.fiscal_code = now.fiscal_code
                 WHERE known.fiscal_code IN ({codes})"
            )
        };
        let expected = town.texts(&format!(
            "{} ORDER BY 1",
            of("' CIT ordinary'", codes(&back))
        ));
        let access = of(
            "' ' || access.profile || ' ' || access.level",
            codes(&people),
        );
        let access = town.texts(&format!(
            "{access} AND access.profile IS NOT NULL ORDER BY 1"
        ));
        assert!(expected.len() > 150, "{}", expected.len());
        let differing = access
            .iter()
            .zip(&expected)
            .find(|(one, other)| one != other);
        assert!(access == expected, "{engine:?}: first in {differing:?}");
        town.expect(&["verify"], &[0]);
    }
}
