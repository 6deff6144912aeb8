use std::borrow::Cow;

use jiff::civil::date;
use pinferry::{
    domain::{
        digest::RowHash,
        fiscal_code::FiscalCode,
        rows::{FiscalCodeRow, PersonRow, PersonRows, PinRef, PinRow},
        status::{Disposition, LegacyStatus, Level, PinStatus},
        tally::Tally,
    },
    store::{
        Account, ChunkBuilder, ChunkRows, CommitPoint, Done, Lease, LeasedTx, RunPhase, Target,
    },
};

use crate::support::{cursor, loading, on_each_engine, set_phase, step};

/// A person with one usable PIN and one that gave way to it.
fn person(run_id: i64, status: PinStatus) -> (ChunkRows, Tally) {
    let survivor = PinRef {
        source: "inps",
        legacy_id: "1",
    };
    let pin = |legacy_id, status, disposition, superseded_by| PinRow {
        status,
        disposition,
        level: Level::Ordinary,
        credential: Some("00ff"),
        credential_scheme: Some(Cow::Borrowed("SHA256")),
        credential_salt: None,
        halves_delivered: 2,
        issued_on: date(2010, 1, 2),
        expires_on: None,
        last_used_on: Some(date(2013, 3, 4)),
        office: Some("0042"),
        channel: None,
        source: "inps",
        legacy_id,
        legacy_profile: "CIT",
        legacy_entity: Cow::Borrowed(""),
        legacy_status: LegacyStatus::Active,
        superseded_by,
    };
    let rows = PersonRows {
        fiscal_code: code(),
        person: PersonRow {
            surname: "ROSSI",
            given_name: Some("MARIO"),
            birth_date: None,
            email: None,
            phone: None,
        },
        codes: vec![FiscalCodeRow {
            fiscal_code: Cow::Owned(code().as_str().to_owned()),
            current: true,
        }],
        pins: vec![
            pin("1", status, Disposition::Survivor, None),
            pin(
                "2",
                PinStatus::Retired,
                Disposition::Retired,
                Some(survivor),
            ),
        ],
        grants: Vec::new(),
        delegations: Vec::new(),
        findings: Vec::new(),
    };
    let mut builder = ChunkBuilder::new(run_id);
    builder.push_person(1, &rows).unwrap();
    let mut tally = Tally::default();
    tally.add_person(&rows, &mut RowHash::default());
    (builder.finish(), tally)
}

fn code() -> FiscalCode {
    "RSSMRA80A01H501U".parse().unwrap()
}

fn load(target: &mut Target, lease: &Lease) {
    let (rows, tally) = person(lease.run_id(), PinStatus::Active);
    let tx = target.begin(lease).unwrap();
    tx.advance(&step(&cursor(0), &cursor(2), 2, Done::Done))
        .unwrap();
    tx.insert(&rows).unwrap();
    tx.add_tally(0, &tally).unwrap();
    tx.commit(CommitPoint::Chunk).unwrap();
    set_phase(target, lease, RunPhase::Loading, RunPhase::Loaded);
    for step in target.index_steps() {
        let tx = target.begin(lease).unwrap();
        tx.build_index(step).unwrap();
        tx.commit(CommitPoint::Index).unwrap();
    }
    set_phase(target, lease, RunPhase::Loaded, RunPhase::Indexed);
}

#[test]
fn a_person_judged_again_takes_the_place_and_the_ids_of_what_stood_there() {
    on_each_engine(|place| {
        let mut target = place.open();
        let lease = loading(&mut target);
        load(&mut target, &lease);
        let (_, old) = person(lease.run_id(), PinStatus::Active);
        let (rows, new) = person(lease.run_id(), PinStatus::Suspended);
        let mut difference = new.clone();
        difference.subtract(&old);
        let replace = |tx: &LeasedTx<'_>| {
            let first = tx.first_pin_ids(&[code()]).unwrap();
            assert_eq!(first, [(code(), 1)].into());
            tx.take_out(&[code()], &[("inps", "1"), ("inps", "2")])
                .unwrap();
            tx.put_in(&rows, Account::Partition(0), &difference)
                .unwrap();
        };
        let tx = target.begin(&lease).unwrap();
        replace(&tx);
        drop(tx);
        assert_eq!(place.count("pin WHERE status = 'active'"), 1);
        assert_eq!(target.tally(lease.run_id()).unwrap(), old);
        let tx = target.begin(&lease).unwrap();
        replace(&tx);
        tx.commit(CommitPoint::Replace).unwrap();
        assert_eq!(place.count("pin WHERE person_id = 1"), 2);
        assert_eq!(place.count("pin WHERE status = 'suspended'"), 1);
        assert_eq!(place.count("pin WHERE superseded_by = 1"), 1);
        assert_eq!(target.tally(lease.run_id()).unwrap(), new);
    });
}

#[test]
fn after_the_load_a_row_that_points_to_nothing_is_refused() {
    on_each_engine(|place| {
        let mut target = place.open();
        let lease = loading(&mut target);
        load(&mut target, &lease);
        let (rows, difference) = person(77, PinStatus::Active);
        let tx = target.begin(&lease).unwrap();
        // Run 77 does not exist.
        tx.take_out(&[code()], &[]).unwrap();
        let outcome = tx.put_in(&rows, Account::Partition(0), &difference);
        assert!(outcome.is_err());
        drop(tx);
        assert_eq!(place.count("pin"), 2);
    });
}

#[test]
fn two_usable_pins_of_one_person_fail_their_index() {
    on_each_engine(|place| {
        let mut target = place.open();
        let lease = loading(&mut target);
        let (rows, _) = person(lease.run_id(), PinStatus::Active);
        let tx = target.begin(&lease).unwrap();
        tx.insert(&rows).unwrap();
        tx.commit(CommitPoint::Chunk).unwrap();
        place.sql("UPDATE pin SET status = 'active', superseded_by = NULL");
        set_phase(&mut target, &lease, RunPhase::Loading, RunPhase::Loaded);
        let step = target
            .index_steps()
            .iter()
            .find(|step| step.name == "index.pin_one_live")
            .unwrap();
        assert!(target.begin(&lease).unwrap().build_index(step).is_err());
        assert!(target.steps_done(lease.run_id()).unwrap().is_empty());
    });
}
