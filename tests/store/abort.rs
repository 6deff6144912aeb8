use pinferry::store::{CommitPoint, RunPhase, StoreError, Target};

use crate::support::{LONG, Place, commit_chunk, create_run, loading, on_each_engine, set_phase};

#[test]
fn an_abort_goes_on_where_it_was_killed_and_leaves_only_the_record_of_the_run() {
    on_each_engine(|place| {
        let mut target = place.open();
        let schema = place.schema();
        let lease = loading(&mut target);
        commit_chunk(&mut target, &lease, 0).unwrap();
        set_phase(&mut target, &lease, RunPhase::Loading, RunPhase::Loaded);
        for step in &target.index_steps()[..3] {
            let tx = target.begin(&lease).unwrap();
            tx.build_index(step).unwrap();
            tx.commit(CommitPoint::Index).unwrap();
        }
        set_phase(&mut target, &lease, RunPhase::Loaded, RunPhase::Aborting);
        let tx = target.begin(&lease).unwrap();
        let error = tx.finish_abort().unwrap_err();
        assert!(matches!(error, StoreError::Damaged { .. }), "{error:?}");
        drop(tx);
        // Killed before its commit, a step has done nothing.
        let tx = target.begin(&lease).unwrap();
        assert_eq!(tx.delete_run_rows(100).unwrap(), 10);
        drop(tx);
        assert_eq!(place.count("quarantine"), 10);
        let mut target = place.open();
        for expected in [10, 0] {
            let tx = target.begin(&lease).unwrap();
            assert_eq!(tx.delete_run_rows(100).unwrap(), expected);
            tx.commit(CommitPoint::Erase).unwrap();
        }
        let tx = target.begin(&lease).unwrap();
        tx.finish_abort().unwrap();
        tx.commit(CommitPoint::Aborted).unwrap();
        let run = target.run(lease.run_id()).unwrap();
        assert_eq!(run.phase, RunPhase::Aborted);
        assert!(run.finished_at.is_some());
        assert_eq!(place.count("quarantine"), 0);
        assert_eq!(place.count("run_partition"), 0);
        assert!(place.count("run_event") > 0);
        assert_eq!(place.schema(), schema);
        target.release(lease).unwrap();
        // And the next run finds the target fresh.
        assert!(create_run(&mut target).unwrap().target_fresh);
    });
}

#[test]
fn rows_are_taken_out_only_of_a_run_that_is_being_aborted() {
    on_each_engine(|place| {
        let mut target = place.open();
        let lease = loading(&mut target);
        commit_chunk(&mut target, &lease, 0).unwrap();
        let tx = target.begin(&lease).unwrap();
        let error = tx.delete_run_rows(100).unwrap_err();
        assert!(matches!(error, StoreError::WrongPhase { .. }), "{error:?}");
        drop(tx);
        assert_eq!(place.count("quarantine"), 10);
    });
}

#[test]
fn rows_of_another_run_stay_in_a_target_that_was_in_use() {
    on_each_engine(|place| {
        let mut target = place.open();
        let first = loading(&mut target);
        commit_chunk(&mut target, &first, 0).unwrap();
        target.release(first).unwrap();
        place.sql("UPDATE run SET phase = 'finished'");
        let run = create_run(&mut target).unwrap();
        assert!(!run.target_fresh);
        let lease = target.acquire(run.run_id, "host:1", LONG).unwrap();
        place.sql(&format!(
            "UPDATE quarantine SET run_id = {} WHERE legacy_id >= '00000005';
             UPDATE run SET phase = 'aborting' WHERE run_id = {0}",
            run.run_id
        ));
        for expected in [3, 2, 0] {
            let tx = target.begin(&lease).unwrap();
            assert_eq!(tx.delete_run_rows(3).unwrap(), expected);
            tx.commit(CommitPoint::Erase).unwrap();
        }
        assert_eq!(place.count("quarantine"), 5);
    });
}

#[test]
fn pins_that_point_to_each_other_are_taken_out_though_not_all_in_one_transaction() {
    on_each_engine(|place| {
        let mut target = place.open();
        let lease = loading(&mut target);
        set_phase(&mut target, &lease, RunPhase::Loading, RunPhase::Loaded);
        for step in target.index_steps() {
            let tx = target.begin(&lease).unwrap();
            tx.build_index(step).unwrap();
            tx.commit(CommitPoint::Index).unwrap();
        }
        place.sql("INSERT INTO person (person_id, surname, run_id) VALUES (1, 'ROSSI', 1), (2, 'BIANCHI', 1)");
        // Those that stay are before and after those that point to them.
        let pins = [(1, 1, 1), (2, 1, 1), (3, 1, 1), (4, 2, 5), (5, 2, 5)].map(|(pin, person, stays)| {
            let (status, disposition, superseded_by) = match pin == stays {
                true => ("active", "survivor", "NULL".to_owned()),
                false => ("retired", "retired", stays.to_string()),
            };
            format!(
                "({pin}, {person}, '{status}', '{disposition}', 'ordinary', 'x', 2, '2013-01-01', 'inps', '{pin}', 'CIT', '',
                     'active', {superseded_by}, 1)"
            )
        });
        place.sql(&format!(
            "INSERT INTO pin (pin_id, person_id, status, disposition, level, credential, halves_delivered, issued_on,
                 source, legacy_id, legacy_profile, legacy_entity, legacy_status, superseded_by, run_id)
             VALUES {}",
            pins.join(", ")
        ));
        place.sql("UPDATE run SET target_fresh = false, phase = 'aborting'");
        let mut left = 0..20;
        while left.next().is_some() {
            let tx = target.begin(&lease).unwrap();
            let taken = tx.delete_run_rows(1).unwrap();
            tx.commit(CommitPoint::Erase).unwrap();
            if taken == 0 {
                break;
            }
        }
        assert_eq!((place.count("pin"), place.count("person")), (0, 0));
    });
}

#[test]
fn an_abort_takes_rows_out_of_no_table_but_the_run_s_own() {
    let place = Place::on_server();
    let mut target = place.open();
    let lease = loading(&mut target);
    commit_chunk(&mut target, &lease, 0).unwrap();
    set_phase(&mut target, &lease, RunPhase::Loading, RunPhase::Loaded);
    for step in target.index_steps() {
        let tx = target.begin(&lease).unwrap();
        tx.build_index(step).unwrap();
        tx.commit(CommitPoint::Index).unwrap();
    }
    // What somebody lets refer to a PIN is theirs: the abort stops until they have taken it away.
    place.sql("CREATE TABLE note (pin_id BIGINT REFERENCES pin); INSERT INTO note VALUES (NULL)");
    set_phase(&mut target, &lease, RunPhase::Loaded, RunPhase::Aborting);
    let erase = |target: &mut Target| {
        let tx = target.begin(&lease)?;
        let rows = tx.delete_run_rows(100)?;
        tx.commit(CommitPoint::Erase)?;
        Ok::<_, StoreError>(rows)
    };
    assert_eq!(erase(&mut target).unwrap(), 10);
    erase(&mut target).unwrap_err();
    assert_eq!(place.count("note"), 1);
    place.sql("DROP TABLE note");
    assert_eq!(erase(&mut target).unwrap(), 0);
}
