//! Receipts that come in while drains are at work: whoever is first, a PIN becomes active once, and nothing is lost.

use std::{
    fs, thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{
    late::{HEADER, MARIO, record, request, town},
    town::{ENGINES, Engine, Town, ended},
};

const LAURA: &str = "BNCLRA75D52F205V;Bianchi;Laura;1975-04-12";

/// What nobody else writes to until it is let go of; what waits for it is counted.
struct Held<'t> {
    town: &'t Town,
    let_go: Box<dyn FnOnce() + 't>,
}

impl<'t> Held<'t> {
    fn new(town: &'t Town, engine: Engine) -> Self {
        let let_go: Box<dyn FnOnce()> = match engine {
            Engine::Sqlite => {
                let connection = town.connection();
                connection.execute_batch("BEGIN IMMEDIATE").expect("held");
                Box::new(move || connection.execute_batch("ROLLBACK").expect("let go"))
            }
            Engine::Postgres => {
                let mut session = town.database().session();
                let hold =
                    "BEGIN; LOCK TABLE delayed_activation, delivery_receipt IN EXCLUSIVE MODE";
                session.batch("holding", hold).expect("held");
                Box::new(move || session.batch("letting go", "ROLLBACK").expect("let go"))
            }
        };
        Self { town, let_go }
    }

    /// Until so many wait; how many wait for a file nobody tells.
    fn until_waiting(&self, engine: Engine, count: i64) {
        let begun = Instant::now();
        thread::sleep(Duration::from_millis(250));
        while engine == Engine::Postgres && self.waiting() < count {
            assert!(begun.elapsed() < Duration::from_secs(30), "nobody waits");
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn waiting(&self) -> i64 {
        self.town.count(
            "pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database
             WHERE NOT granted AND datname = current_database()",
        )
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum First {
    Receipt,
    Drain,
}

#[test]
fn a_receipt_that_races_with_drains_is_counted_once_and_its_pin_is_active_on_every_engine() {
    for engine in ENGINES {
        let open = request("N1", "new_pin", "10:00", "CIT").replace(";SHA256;2;", ";SHA256;1;");
        for of in ["activation:N1", "inps:L1"] {
            for first in [First::Receipt, First::Drain] {
                let case = format!("{engine:?} {of} {first:?}");
                let town = town(engine, &[record("L1", LAURA, "CIT", "P", "1")]);
                fs::write(town.path("asked.csv"), format!("{HEADER}\n{open}")).expect("a file");
                town.expect(&["intake", "asked.csv"], &[0]);
                assert_eq!(town.count("effective_access"), 0, "{case}");
                let receipt = format!(
                    "request_id;kind;accepted_at;of_pin;half;outcome\n\
                     P1;receipt;2026-01-02T09:00;{of};second;delivered\n"
                );
                fs::write(town.path("receipt.csv"), receipt).expect("a file");
                let hand_in = || {
                    let mut command = town.command(&["intake", "receipt.csv"]);
                    command.spawn().expect("it starts")
                };
                let held = Held::new(&town, engine);
                let (receipt, mut drains) = match first {
                    First::Receipt => {
                        let receipt = hand_in();
                        held.until_waiting(engine, 1);
                        (receipt, vec![town.drain()])
                    }
                    First::Drain => {
                        let drain = town.drain();
                        held.until_waiting(engine, 1);
                        (hand_in(), vec![drain])
                    }
                };
                held.until_waiting(engine, 2);
                drains.push(town.drain());
                held.until_waiting(engine, 3);
                (held.let_go)();
                ended(receipt, &[0]);
                let mut active = 0;
                for drain in drains.into_iter().chain([town.drain()]) {
                    let told: Value =
                        serde_json::from_slice(&ended(drain, &[0]).stdout).expect("JSON");
                    let number = |key: &str| told[key].as_u64().expect("a number");
                    active += number("activated") + number("pending_activated");
                }
                assert_eq!(active, 1, "{case}");
                let left: Value =
                    serde_json::from_slice(&ended(town.drain(), &[0]).stdout).expect("JSON");
                assert_eq!(left["activated"], 0, "{case}");
                assert_eq!(town.count("effective_access"), 1, "{case}");
                let state = "SELECT state || reason FROM delivery_receipt";
                assert_eq!(town.texts(state), ["done"], "{case}");
                let whose = match of {
                    "inps:L1" => LAURA,
                    _request => MARIO,
                };
                let code = &whose[..16];
                let access = format!("effective_access WHERE fiscal_code = '{code}'");
                assert_eq!(town.count(&access), 1, "{case}");
                town.verified_digest();
                town.expect(&["audit", "verify"], &[0]);
            }
        }
    }
}

#[test]
fn two_halves_of_a_pin_that_two_drains_meet_at_once_make_it_active_once_on_every_engine() {
    for engine in ENGINES {
        let town = town(engine, &[record("L1", LAURA, "CIT", "P", "0")]);
        let lines = [
            "P1;receipt;2026-01-02T09:00;inps:L1;first;delivered\n",
            "P2;receipt;2026-01-02T09:00;inps:L1;second;delivered\n",
        ];
        let header = "request_id;kind;accepted_at;of_pin;half;outcome\n";
        for (n, line) in lines.iter().enumerate() {
            let file = format!("half{n}.csv");
            fs::write(town.path(&file), format!("{header}{line}")).expect("a file");
        }
        let held = Held::new(&town, engine);
        let halves = ["half0.csv", "half1.csv"].map(|file| {
            let mut command = town.command(&["intake", file]);
            command.spawn().expect("it starts")
        });
        held.until_waiting(engine, 2);
        let drains = [(); 3].map(|()| town.drain());
        held.until_waiting(engine, 5);
        (held.let_go)();
        for half in halves {
            ended(half, &[0]);
        }
        let mut active = 0;
        for drain in drains.into_iter().chain([town.drain()]) {
            let told: Value = serde_json::from_slice(&ended(drain, &[0]).stdout).expect("JSON");
            active += told["pending_activated"].as_u64().expect("a number");
        }
        assert_eq!(active, 1, "{engine:?}");
        assert_eq!(town.count("effective_access"), 1, "{engine:?}");
        assert_eq!(
            town.count("delivery_receipt WHERE state = 'done'"),
            2,
            "{engine:?}"
        );
        town.verified_digest();
    }
}

#[test]
fn a_drain_that_has_a_receipt_in_hand_lets_others_and_the_counters_pass() {
    let town = town(
        Engine::Postgres,
        &[
            record("L1", LAURA, "CIT", "P", "1"),
            record("M1", MARIO, "CIT", "P", "1"),
        ],
    );
    town.work_with_one_hand();
    let header = "request_id;kind;accepted_at;of_pin;half;outcome\n";
    let hand_in = |id: &str, pin: &str| {
        let line = format!("{header}{id};receipt;2026-01-02T09:00;{pin};second;delivered\n");
        fs::write(town.path("receipt.csv"), line).expect("a file");
        town.expect(&["intake", "receipt.csv"], &[0]);
    };
    let active = |drain| {
        let told: Value = serde_json::from_slice(&ended(drain, &[0]).stdout).expect("JSON");
        told["pending_activated"].as_u64().expect("a number")
    };
    assert_eq!(active(town.drain()), 0, "nothing was delivered");
    hand_in("P1", "inps:L1");
    let mut ledger = town.database().session();
    let hold = "BEGIN; LOCK TABLE digest_ledger IN SHARE MODE";
    ledger.batch("holding the ledger", hold).expect("held");
    let first = town.drain();
    let waits = "pg_locks WHERE NOT granted AND relation = 'digest_ledger'::regclass";
    let begun = Instant::now();
    while town.count(waits) == 0 {
        assert!(begun.elapsed() < Duration::from_secs(30), "it has none");
        thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(active(town.drain()), 0, "the receipt is the first one's");
    hand_in("P2", "inps:L1");
    assert_eq!(active(town.drain()), 0, "and so is the person");
    hand_in("P3", "inps:M1");
    let second = town.drain();
    while town.count(waits) == 1 {
        assert!(begun.elapsed() < Duration::from_secs(30), "it passes by");
        thread::sleep(Duration::from_millis(20));
    }
    ledger.batch("letting go", "ROLLBACK").expect("let go");
    assert_eq!([active(first), active(second)], [1, 1]);
    assert_eq!(active(town.drain()), 0);
    let fates = "SELECT trim(request_id || ' ' || state || ' ' || reason) FROM delivery_receipt
         ORDER BY request_id";
    let done = ["P1 done", "P2 done already_delivered", "P3 done"];
    assert_eq!(town.texts(fates), done);
    assert_eq!(town.count("effective_access"), 2);
    town.verified_digest();
}
