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
