//! Receipts that come in while drains are at work: whoever is first, a PIN becomes active once, and nothing is lost.

use std::{
    fs,
    process::Child,
    thread,
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
        thread::sleep(Duration::from_millis(250));
        if engine == Engine::Postgres {
            until_waiting(self.town, count);
        }
    }
}

/// Until so many wait for something in the town's database.
fn until_waiting(town: &Town, count: i64) {
    let waits = "pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    until(town, waits, count);
}

/// Until so many wait for a table.
fn until_waiting_for(town: &Town, table: &str, count: i64) {
    let waits = format!("pg_locks WHERE NOT granted AND relation = '{table}'::regclass");
    until(town, &waits, count);
}

fn until(town: &Town, waits: &str, count: i64) {
    let begun = Instant::now();
    while town.count(waits) < count {
        assert!(begun.elapsed() < Duration::from_secs(30), "nobody waits");
        thread::sleep(Duration::from_millis(20));
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
                    let told = told(drain);
                    active += number(&told, "activated") + number(&told, "pending_activated");
                }
                assert_eq!(active, 1, "{case}");
                assert_eq!(number(&told(town.drain()), "activated"), 0, "{case}");
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

/// What a drain said it did.
fn told(drain: Child) -> Value {
    serde_json::from_slice(&ended(drain, &[0]).stdout).expect("JSON")
}

fn number(told: &Value, key: &str) -> u64 {
    told[key].as_u64().expect("a number")
}

/// A file with the receipt of a half that was delivered.
fn write_receipt(town: &Town, file: &str, pin: &str, half: &str) {
    let text = format!(
        "request_id;kind;accepted_at;of_pin;half;outcome\n\
         P-{half};receipt;2026-01-02T09:00;{pin};{half};delivered\n"
    );
    fs::write(town.path(file), text).expect("a file");
}

#[test]
fn two_halves_of_a_pin_that_drains_meet_at_once_make_it_active_once_on_every_engine() {
    for engine in ENGINES {
        let town = town(engine, &[record("L1", LAURA, "CIT", "P", "0")]);
        town.work_with_one_hand();
        assert_eq!(number(&told(town.drain()), "pending_activated"), 0);
        for (file, half) in [("half1.csv", "first"), ("half2.csv", "second")] {
            write_receipt(&town, file, "inps:L1", half);
            town.expect(&["intake", file], &[0]);
        }
        let held = Held::new(&town, engine);
        let drains = [(); 3].map(|()| town.drain());
        held.until_waiting(engine, 3);
        (held.let_go)();
        let told = drains.map(told);
        let sum = |key| told.iter().map(|told| number(told, key)).sum::<u64>();
        assert_eq!(
            (sum("pending_activated"), sum("receipts")),
            (1, 2),
            "{engine:?}"
        );
        assert_eq!(town.count("effective_access"), 1, "{engine:?}");
        assert_eq!(
            town.count("delivery_receipt WHERE state = 'done'"),
            2,
            "{engine:?}"
        );
        town.verified_digest();
    }
}

/// The second drain has looked at the PIN while the first one was at it, and comes to the person after that one.
#[test]
fn a_drain_that_waited_for_another_counts_a_half_beside_the_one_that_this_has_counted() {
    for (pin, gave) in [
        ("inps:L1", "pending_activated"),
        ("inps:M2", "retired_delivered"),
    ] {
        let town = town(
            Engine::Postgres,
            &[
                record("L1", LAURA, "CIT", "P", "0"),
                record("M1", MARIO, "CIT", "A", ""),
                record("M2", MARIO, "CDL", "P", "0"),
            ],
        );
        town.work_with_one_hand();
        assert_eq!(number(&told(town.drain()), gave), 0);
        let had = town.count("effective_access");
        write_receipt(&town, "half2.csv", pin, "second");
        write_receipt(&town, "half1.csv", pin, "first");
        town.expect(&["intake", "half2.csv"], &[0]);
        let mut ledger = town.database().session();
        let hold = "BEGIN; LOCK TABLE digest_ledger IN SHARE MODE";
        ledger.batch("holding the ledger", hold).expect("held");
        let first = town.drain();
        until_waiting_for(&town, "digest_ledger", 1);
        town.expect(&["intake", "half1.csv"], &[0]);
        let second = thread::scope(|scope| {
            let mut people = town.database().session();
            scope.spawn(move || {
                let pass = "BEGIN; LOCK TABLE person IN EXCLUSIVE MODE; ROLLBACK";
                people
                    .batch("waiting for the first one", pass)
                    .expect("let");
            });
            until_waiting_for(&town, "person", 1);
            let second = town.drain();
            until_waiting_for(&town, "person", 2);
            ledger.batch("letting go", "ROLLBACK").expect("let go");
            second
        });
        let [first, second] = [first, second].map(told);
        let did = |told| (number(told, "receipts"), number(told, gave));
        assert_eq!([did(&first), did(&second)], [(1, 0), (1, 1)], "{pin}");
        assert_eq!(town.count("effective_access"), had + 1, "{pin}");
        assert_eq!(number(&told(town.drain()), "receipts"), 0);
        town.verified_digest();
    }
}

/// One of them has done its part and is about to commit when the other comes.
#[test]
fn a_receipt_that_comes_in_while_its_request_does_is_counted_whoever_is_first() {
    for first in ["asked.csv", "receipt.csv"] {
        let town = town(Engine::Postgres, &[record("L1", LAURA, "CIT", "A", "")]);
        let open = request("N1", "new_pin", "10:00", "CIT").replace(";SHA256;2;", ";SHA256;1;");
        fs::write(town.path("asked.csv"), format!("{HEADER}\n{open}")).expect("a file");
        write_receipt(&town, "receipt.csv", "activation:N1", "second");
        let hand_in = |file: &str| {
            let mut command = town.command(&["intake", file]);
            command.spawn().expect("it starts")
        };
        let mut audit = town.database().session();
        let hold = "BEGIN; LOCK TABLE audit_event IN SHARE MODE";
        audit.batch("holding the log", hold).expect("held");
        let one = hand_in(first);
        until_waiting_for(&town, "audit_event", 1);
        let second = match first {
            "asked.csv" => "receipt.csv",
            _receipt => "asked.csv",
        };
        let other = hand_in(second);
        until_waiting(&town, 2);
        audit.batch("letting go", "ROLLBACK").expect("let go");
        ended(one, &[0]);
        ended(other, &[0]);
        let fates = "SELECT trim(state || ' ' || reason) FROM delivery_receipt";
        assert_eq!(town.texts(fates), ["done"], "{first}");
        assert_eq!(number(&told(town.drain()), "activated"), 1, "{first}");
        let mario = "effective_access WHERE fiscal_code LIKE 'RSS%'";
        assert_eq!(town.count(mario), 1, "{first}");
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
    let active = |drain| number(&told(drain), "pending_activated");
    assert_eq!(active(town.drain()), 0, "nothing was delivered");
    hand_in("P1", "inps:L1");
    let mut ledger = town.database().session();
    let hold = "BEGIN; LOCK TABLE digest_ledger IN SHARE MODE";
    ledger.batch("holding the ledger", hold).expect("held");
    let first = town.drain();
    until_waiting_for(&town, "digest_ledger", 1);
    assert_eq!(active(town.drain()), 0, "the receipt is the first one's");
    hand_in("P2", "inps:L1");
    assert_eq!(active(town.drain()), 0, "and so is the person");
    hand_in("P3", "inps:M1");
    let second = town.drain();
    until_waiting_for(&town, "digest_ledger", 2);
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
