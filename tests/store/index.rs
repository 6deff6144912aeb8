use pinferry::store::{CommitPoint, RunPhase, StoreError, Target};

use crate::support::{Place, commit_chunk, loading, set_phase};

fn index_names(place: &Place) -> i64 {
    place.count("sqlite_schema WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN ('pin', 'fiscal_code', 'finding')")
}

#[test]
fn every_step_is_done_once_and_remembered() {
    let place = Place::new();
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
        assert!(matches!(error, StoreError::Sqlite { .. }), "{error:?}");
        drop(tx);
        // The next process finds what this one committed.
        target = place.open();
    }
    assert_eq!(index_names(&place), 7);
}

#[test]
fn a_foreign_key_to_nothing_fails_its_step() {
    let place = Place::new();
    let mut target = place.open();
    let lease = loading(&mut target);
    place
        .raw()
        .execute_batch(
            "PRAGMA foreign_keys = OFF;
             INSERT INTO fiscal_code (fiscal_code, person_id, current) VALUES ('00000000000', 99, 1)",
        )
        .unwrap();
    set_phase(&mut target, &lease, RunPhase::Loading, RunPhase::Loaded);
    let error = do_step(&mut target, &lease, "foreign_keys").unwrap_err();
    assert!(
        matches!(&error, StoreError::ForeignKeys { tables } if tables == "fiscal_code"),
        "{error:?}"
    );
    assert!(target.steps_done(lease.run_id()).unwrap().is_empty());
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
    target.begin(lease)?.build_index(step)
}
