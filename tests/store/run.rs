use pinferry::{
    domain::digest::Digest,
    exit::Exit,
    store::{CommitPoint, RunPhase, StoreError},
};

use crate::support::{LONG, create_run, loading, on_each_engine, set_phase};

#[test]
fn a_run_is_read_back_as_it_was_created() {
    on_each_engine(|place| {
        let mut target = place.open();
        assert_eq!(target.current_run().unwrap(), None);
        let run = create_run(&mut target).unwrap();
        assert_eq!(run.phase, RunPhase::Created);
        assert!(run.target_fresh);
        assert_eq!(run.as_of.to_string(), "2013-11-03");
        let names: Vec<_> = run.sources.iter().map(|source| &*source.name).collect();
        assert_eq!(names, ["inps", "anpal"]);
        assert_eq!(target.current_run().unwrap(), Some(run));
    });
}

#[test]
fn a_second_run_is_refused_while_one_is_under_way() {
    on_each_engine(|place| {
        let mut target = place.open();
        let run = create_run(&mut target).unwrap();
        let error = create_run(&mut target).unwrap_err();
        assert!(
            matches!(error, StoreError::RunUnderWay { run_id, phase: RunPhase::Created } if run_id == run.run_id),
            "{error:?}"
        );
        assert_eq!(error.exit(), Exit::Refused);
        assert_eq!(place.count("run"), 1);
    });
}

#[test]
fn a_phase_changes_only_from_where_it_is() {
    on_each_engine(|place| {
        let mut target = place.open();
        let run = create_run(&mut target).unwrap();
        let lease = target.acquire(run.run_id, "host:1", LONG).unwrap();
        let tx = target.begin(&lease).unwrap();
        let error = tx
            .set_phase(RunPhase::Locked, RunPhase::Loading)
            .unwrap_err();
        assert!(matches!(error, StoreError::WrongPhase { .. }), "{error:?}");
        let error = tx
            .set_phase(RunPhase::Created, RunPhase::CutOver)
            .unwrap_err();
        assert!(
            matches!(error, StoreError::NoSuchTransition { .. }),
            "{error:?}"
        );
        drop(tx);
        assert_eq!(target.run(run.run_id).unwrap().phase, RunPhase::Created);
    });
}

#[test]
fn cut_over_asks_for_a_verified_run_and_then_the_model_is_valid() {
    on_each_engine(|place| {
        let mut target = place.open();
        let lease = loading(&mut target);
        let tx = target.begin(&lease).unwrap();
        let error = tx.cut_over(Digest(7)).unwrap_err();
        assert!(matches!(error, StoreError::WrongPhase { .. }), "{error:?}");
        drop(tx);
        assert_eq!(place.count("model_state WHERE model = 'legacy'"), 1);
        let way = [
            RunPhase::Loading,
            RunPhase::Loaded,
            RunPhase::Indexed,
            RunPhase::Verified,
        ];
        for pair in way.windows(2) {
            set_phase(&mut target, &lease, pair[0], pair[1]);
        }
        let tx = target.begin(&lease).unwrap();
        tx.cut_over(Digest(7)).unwrap();
        tx.commit(CommitPoint::CutOver).unwrap();
        let run = target.run(lease.run_id()).unwrap();
        assert_eq!(run.phase, RunPhase::CutOver);
        assert_eq!(run.digest, Some(Digest(7)));
        assert!(run.cut_over_at.is_some());
        assert_eq!(place.count("model_state WHERE model = 'multiprofile'"), 1);
    });
}

#[test]
fn events_form_a_chain() {
    on_each_engine(|place| {
        let mut target = place.open();
        let lease = loading(&mut target);
        let rows = place.texts(&format!(
            "SELECT run_id || '|' || {} || '|' || event || '|' || chain || '|' || detail
         FROM run_event ORDER BY event_id",
            place.time("at")
        ));
        let mut before = String::new();
        for row in &rows {
            let [run_id, at, event, chain, detail] =
                row.splitn(5, '|').collect::<Vec<_>>().try_into().unwrap();
            let link = pinferry::store::chain::link(&before, &[run_id, at, event, detail]);
            assert_eq!(link, chain);
            before = link;
        }
        // Created, lease acquired, two phases.
        assert_eq!(rows.len(), 4);
        drop(lease);
    });
}
