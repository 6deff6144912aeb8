use pinferry::store::{CommitPoint, RunPhase, StoreError, Target};

use crate::support::{Place, commit_chunk, loading, on_each_engine, set_phase};

fn index_names(place: &Place) -> i64 {
    place.count(place.pick(
        "sqlite_schema WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN ('pin', 'fiscal_code', 'finding')",
        "pg_indexes WHERE tablename IN ('pin', 'fiscal_code', 'finding')",
    ))
}

#[test]
fn every_step_is_done_once_and_remembered() {
    on_each_engine(|place| {
        let mut target = place.open();
        let lease = loading(&mut target);
        commit_chunk(&mut target, &lease, 0).unwrap();
        set_phase(&mut target, &lease, RunPhase::Loading, RunPhase::Loaded);
        for (done, step) in target.index_steps().iter().enumerate() {
            assert_eq!(target.steps_done(lease.run_id()).unwrap().len(), done);
            // Dropped before its commit, a step leaves neither index nor mark.
            let tx = target.begin(&lease).unwrap();
            tx.build_index(step).unwrap();
            drop(tx);
            assert_eq!(target.steps_done(lease.run_id()).unwrap().len(), done);
            let tx = target.begin(&lease).unwrap();
            tx.build_index(step).unwrap();
            tx.commit(CommitPoint::Index).unwrap();
            let tx = target.begin(&lease).unwrap();
            let error = tx.build_index(step).unwrap_err();
            assert!(error.refuses_row(), "{error:?}");
            drop(tx);
            // The next process finds what this one committed.
            target = place.open();
        }
        assert_eq!(index_names(&place), place.pick(7, 9));
    });
}

#[test]
fn a_foreign_key_to_nothing_fails_its_step() {
    on_each_engine(|place| {
        let mut target = place.open();
        let lease = loading(&mut target);
        place.sql(&format!(
        "{} INSERT INTO fiscal_code (fiscal_code, person_id, current) VALUES ('00000000000', 99, {})",
        place.pick("PRAGMA foreign_keys = OFF;", ""),
        place.pick("1", "true")
    ));
        set_phase(&mut target, &lease, RunPhase::Loading, RunPhase::Loaded);
        let step = place.pick("foreign_keys", "foreign_key.fiscal_code_person");
        if place.pick(false, true) {
            for step in target.index_steps().iter().filter(|step| step.stage < 2) {
                do_step(&mut target, &lease, step.name).unwrap();
            }
        }
        let error = do_step(&mut target, &lease, step).unwrap_err();
        let named = matches!(&error, StoreError::ForeignKeys { tables } if tables == "fiscal_code");
        assert!(named || error.refuses_row(), "{error:?}");
        let done = target.steps_done(lease.run_id()).unwrap();
        assert!(!done.contains(step));
    });
}

fn do_step(
    target: &mut Target,
    lease: &pinferry::store::Lease,
    name: &str,
) -> Result<(), StoreError> {
    let step = target
        .index_steps()
        .iter()
        .find(|step| step.name == name)
        .unwrap();
    let tx = target.begin(lease)?;
    tx.build_index(step)?;
    tx.commit(CommitPoint::Index)
}

#[test]
fn the_server_leaves_tables_alone_while_they_are_filled_and_no_longer() {
    let place = Place::on_server();
    let left_alone = || place.count("pg_class WHERE reloptions @> ARRAY['autovacuum_enabled=off']");
    let mut target = place.open();
    let lease = loading(&mut target);
    let pause = |target: &mut Target| {
        let tx = target.begin(&lease).unwrap();
        tx.pause_vacuum().unwrap();
        tx.commit(CommitPoint::Layout).unwrap();
    };
    pause(&mut target);
    assert_eq!(left_alone(), 7);
    set_phase(&mut target, &lease, RunPhase::Loading, RunPhase::Loaded);
    for step in target.index_steps() {
        do_step(&mut target, &lease, step.name).unwrap();
    }
    assert_eq!(left_alone(), 0);
    pause(&mut target);
    set_phase(&mut target, &lease, RunPhase::Loaded, RunPhase::Aborting);
    let tx = target.begin(&lease).unwrap();
    tx.finish_abort().unwrap();
    tx.commit(CommitPoint::Aborted).unwrap();
    assert_eq!(left_alone(), 0, "after an abort");
}
