//! Intake is idempotent, and a drain lets each request take effect exactly once.

use std::{collections::BTreeMap, time::Duration};

use jiff::{Timestamp, ToSpan, tz::TimeZone};
use pinferry::{
    domain::{
        activation::{
            diverted::{DivertedPin, evaluate_diverted},
            submission::RequestState,
        },
        field::{FIELDS, Field},
        raw_record::{RawRecord, Shape, SourceIndex},
        status::PinStatus,
        tally::Tally,
    },
    store::{CommitPoint, Intent, Target},
};

use crate::world::{HEADER, LAURA, MARIO, World, drain, grounds, hash, line};

const DAY: &str = "2013-11-04T10:00";

fn states(world: &World) -> String {
    world.one(
        "SELECT group_concat(request_id || ' ' || state, ', ' ORDER BY activation_id) FROM delayed_activation",
    )
}

#[test]
fn the_same_file_twice_changes_nothing() {
    let world = World::in_phase("loading");
    let lines = [
        line("R1", DAY, MARIO, "CIT", "ORD"),
        line("R2", DAY, LAURA, "XYZ", "ORD"),
    ];
    let first = world.intake(&lines);
    assert_eq!(
        (first.accepted, first.refused, first.exit().code()),
        (1, 1, 3)
    );
    let before = world.one("SELECT total_changes()") + &states(&world);
    let second = world.intake(&lines);
    assert!(second.requests.iter().all(|answer| answer.known));
    assert_eq!((second.accepted, second.refused), (1, 1));
    assert_eq!(second.requests[1].reason, first.requests[1].reason);
    assert_eq!(
        before,
        world.one("SELECT total_changes()") + &states(&world)
    );
    assert_eq!(world.one("SELECT count(*) FROM audit_event"), "1");
}

#[test]
fn another_request_under_a_known_id_is_refused_and_the_first_stands() {
    let world = World::in_phase("loading");
    world.intake(&[line("R1", DAY, MARIO, "CIT", "ORD")]);
    let second = world.intake(&[line("R1", DAY, MARIO, "CIT", "DISP")]);
    let reason = second.requests[0].reason.as_deref().unwrap_or_default();
    assert!(reason.starts_with("request_id_taken"), "{reason}");
    assert_eq!(second.refused, 1);
    assert_eq!(
        world.one("SELECT level FROM delayed_activation"),
        "ordinary"
    );
}

#[test]
fn a_bad_file_is_refused_whole_with_line_and_column() {
    let world = World::in_phase("loading");
    let good = line("R1", DAY, MARIO, "CIT", "ORD");
    for (lines, expected) in [
        (
            vec![good.clone(), line("", DAY, MARIO, "CIT", "ORD")],
            ":3:1: request_id is empty",
        ),
        (
            vec![good.clone(), line("R2", "soon", MARIO, "CIT", "ORD")],
            ":3:2: accepted_at is no date",
        ),
        (
            vec![good.clone(), "R2;2013-11".to_owned()],
            ":3:2: has 2 fields, the header has 13",
        ),
    ] {
        let error = world
            .try_intake(&world.file(&lines))
            .expect_err("a bad file");
        assert!(error.to_string().contains(expected), "{error}");
        assert_eq!(error.exit().code(), 2);
        assert_eq!(world.one("SELECT count(*) FROM delayed_activation"), "0");
    }
    let path = world.folder.path().join("other.csv");
    for (text, expected) in [
        ("", ":1: holds no header"),
        ("request_id;pin\n", ":1:2: there is no column of this name"),
        (
            "request_id;surname\n",
            ":1: the columns accepted_at are missing",
        ),
        (
            "request_id;request_id\n",
            ":1:2: the column request_id stands there twice",
        ),
    ] {
        std::fs::write(&path, text).expect("a file");
        let error = world.try_intake(&path).expect_err("a bad file");
        assert!(error.to_string().contains(expected), "{error}");
    }
    std::fs::write(&path, [HEADER.as_bytes(), b"\nR1;\xff\n"].concat()).expect("a file");
    let error = world.try_intake(&path).expect_err("a bad file");
    assert!(
        error.to_string().contains(":2: is not valid UTF-8"),
        "{error}"
    );
}

#[test]
fn a_later_request_for_the_same_profile_takes_the_place_of_an_earlier_one_in_whatever_order_they_come()
 {
    let earlier = line("EARLIER", "2013-11-04T10:00", MARIO, "CIT", "DISP");
    let later = line("LATER", "2013-11-05T10:00", MARIO, "CIT", "ORD");
    let other = line("OTHER", "2013-11-03T10:00", MARIO, "CDL", "ORD");
    for lines in [[&earlier, &later, &other], [&later, &earlier, &other]] {
        let world = World::in_phase("loading");
        world.intake(&lines.map(Clone::clone));
        assert_eq!(
            world.one("SELECT group_concat(request_id || ' ' || state, ', ' ORDER BY accepted_at) FROM delayed_activation"),
            "OTHER accepted, EARLIER superseded, LATER accepted"
        );
    }
}

#[test]
fn nothing_takes_effect_before_the_run_is_finished() {
    for phase in ["loading", "verified", "cut_over"] {
        let world = World::in_phase(phase);
        world.intake(&[line("R1", DAY, MARIO, "CIT", "ORD")]);
        let drained = world.activate();
        assert!(drained.not_yet.is_some(), "{phase}");
        assert_eq!(drained.exit().code(), 0);
        assert_eq!(states(&world), "R1 accepted", "{phase}");
        world.execute(
            "UPDATE run SET phase = 'finished'; UPDATE model_state SET model = 'multiprofile', run_id = 1",
        );
        assert_eq!(world.activate().activated, 1, "{phase}");
    }
    let world = World::in_phase("aborted");
    world.intake(&[line("R1", DAY, MARIO, "CIT", "ORD")]);
    assert_eq!(
        world.activate().not_yet.as_deref(),
        Some("no run was cut over yet")
    );
}

#[test]
fn nothing_takes_effect_before_its_day_or_without_both_halves() {
    let world = World::finished();
    let zone = TimeZone::get("Europe/Rome").expect("a zone");
    let today = Timestamp::now().to_zoned(zone).saturating_sub(1.minute());
    let now = today.strftime("%Y-%m-%dT%H:%M").to_string();
    let half = line("R2", DAY, LAURA, "CIT", "ORD").replace(";2;", ";1;");
    world.intake(&[line("R1", &now, MARIO, "CIT", "ORD"), half]);
    let drained = world.activate();
    assert_eq!(
        (
            drained.activated,
            drained.waiting.for_their_day,
            drained.waiting.for_halves
        ),
        (0, 1, 1)
    );
    assert_eq!(states(&world), "R1 accepted, R2 accepted");
}

#[test]
fn two_drains_at_once_let_each_request_take_effect_once() {
    let world = World::finished();
    for (from, code) in [(0, MARIO), (500, LAURA)] {
        let ids = from..from + 450;
        let lines: Vec<_> = ids
            .map(|n| {
                let at = format!("2013-11-04T10:{:02}:{:02}", n / 60 % 60, n % 60);
                line(&format!("R{n}"), &at, code, "CDL", "ORD").replacen(
                    "CDL;;",
                    &format!("CDL;E{n};"),
                    1,
                )
            })
            .collect();
        assert_eq!(world.intake(&lines).refused, 0);
    }
    let activated: u64 = std::thread::scope(|scope| {
        let drains: Vec<_> = (0..2)
            .map(|_| scope.spawn(|| drain(&world.target)))
            .collect();
        drains
            .into_iter()
            .map(|drain| drain.join().expect("a drain").expect("a drain").activated)
            .sum()
    });
    assert_eq!(activated, 900);
    assert_eq!(world.one("SELECT count(*) FROM pin"), "900");
    assert_eq!(world.one("SELECT count(*) FROM profile_grant"), "900");
    assert_eq!(
        world.one("SELECT count(*) FROM pin WHERE status = 'active'"),
        "2"
    );
    assert_eq!(
        world.one("SELECT count(DISTINCT pin_id) FROM delayed_activation WHERE state = 'done'"),
        "900"
    );
    ledger_tells_what_the_tables_hold(&world);
    assert_eq!(world.activate().activated, 0);
}

fn ledger_tells_what_the_tables_hold(world: &World) {
    let mut sum = Tally::default();
    let mut rows = world
        .db
        .prepare("SELECT tally FROM digest_ledger")
        .expect("a ledger");
    let tallies = rows
        .query_map([], |row| row.get::<_, String>(0))
        .expect("a ledger");
    for tally in tallies {
        let tally: Tally = serde_json::from_str(&tally.expect("a row")).expect("a tally");
        sum.merge(&tally);
    }
    let (active, retired) = (PinStatus::Active, PinStatus::Retired);
    assert_eq!(sum.persons, 2);
    assert_eq!(sum.pins, BTreeMap::from([(active, 2), (retired, 898)]));
    assert_eq!(sum.grants.values().sum::<i64>(), 900);
    assert_eq!(sum.sources["activation"].pins, 900);
}

#[test]
fn what_the_database_refuses_is_set_aside_after_five_tries_and_starves_nobody() {
    let world = World::finished();
    world.execute(
        "CREATE TRIGGER poison BEFORE INSERT ON pin WHEN NEW.legacy_id = 'R1'
         BEGIN SELECT RAISE(ABORT, 'poison'); END",
    );
    world.intake(&[
        line("R0", "2013-11-04T09:00", MARIO, "CIT", "ORD"),
        line("R1", DAY, MARIO, "CIT", "ORD"),
        line("R2", DAY, LAURA, "CIT", "ORD"),
    ]);
    assert_eq!(states(&world), "R0 superseded, R1 accepted, R2 accepted");
    let first = world.activate();
    assert_eq!(
        (first.activated, first.failed.len(), first.exit().code()),
        (1, 1, 3)
    );
    assert!(first.failed[0].tried_again);
    assert_eq!(
        world.one("SELECT count(*) FROM person"),
        "1",
        "nothing of it stays"
    );
    for _ in 0..3 {
        assert!(world.activate().failed[0].tried_again);
    }
    assert!(!world.activate().failed[0].tried_again);
    assert_eq!(world.activate().failed.len(), 0);
    assert_eq!(
        states(&world),
        "R0 done, R1 failed, R2 done",
        "what gave its place to it comes back"
    );
    let reason = "SELECT reason FROM delayed_activation WHERE request_id = 'R1'";
    assert!(world.one(reason).starts_with("set_aside: "));
}

#[test]
fn a_diverted_pin_waits_in_the_queue_like_a_request_and_enters_it_once() {
    let world = World::in_phase("loading");
    let credential = hash(7);
    let mut fields = [""; FIELDS];
    for (field, text) in [
        (Field::FiscalCode, MARIO),
        (Field::Surname, "Rossi"),
        (Field::GivenName, "Mario"),
        (Field::Profile, "cit"),
        (Field::Status, "A"),
        (Field::Level, "DISP"),
        (Field::Credential, credential.as_str()),
        (Field::CredentialScheme, "SHA256"),
        (Field::IssuedOn, "2013-11-04"),
    ] {
        fields[field.index()] = text;
    }
    let pin = |status: &'static str| {
        let mut fields = fields;
        fields[Field::Status.index()] = status;
        let raw = RawRecord {
            source: SourceIndex(0),
            number: 3,
            shape: Shape::Row,
            invalid: 0,
            clean: false,
            fields,
        };
        let at = "2013-11-04T01:00:00Z".parse().expect("a time");
        let seq = if status == "A" { 3 } else { 4 };
        evaluate_diverted(&DivertedPin { seq, at, raw }, &grounds())
    };
    let mut target = Target::open(&world.target, Intent::MustExist).expect("the target");
    let lease = target
        .acquire(1, "host:1", Duration::from_secs(60))
        .expect("the lease");
    let tx = target.begin(&lease).expect("a transaction");
    assert!(tx.queue_diverted(&pin("A")).expect("queued"));
    assert!(!tx.queue_diverted(&pin("A")).expect("known"));
    assert!(tx.queue_diverted(&pin("R")).expect("queued"));
    tx.commit(CommitPoint::Divert).expect("committed");
    assert_eq!(
        states(&world),
        format!(
            "divert:inps:3 {}, divert:inps:4 refused",
            RequestState::Accepted
        )
    );
    world.execute(
        "UPDATE run SET phase = 'finished'; UPDATE model_state SET model = 'multiprofile', run_id = 1",
    );
    assert_eq!(world.activate().activated, 1);
    assert_eq!(
        world.one("SELECT source || ' ' || legacy_id FROM pin"),
        "activation divert:inps:3"
    );
}
