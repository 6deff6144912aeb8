use std::{thread, time::Duration};

use pinferry::store::{Ask, Asked, RunPhase};

use crate::support::{LONG, create_run, on_each_engine};

const BY: (&str, &str) = ("anna", "a test");

/// The phases a run passes through on its way to cut-over.
const WAY: [RunPhase; 6] = [
    RunPhase::Created,
    RunPhase::Locked,
    RunPhase::Loading,
    RunPhase::Loaded,
    RunPhase::Indexed,
    RunPhase::Verified,
];

#[test]
fn whoever_pauses_while_the_run_cuts_over_is_too_late_or_holds_it_up() {
    on_each_engine(|place| {
        let mut target = place.open();
        let run = create_run(&mut target).unwrap();
        let lease = target.acquire(run.run_id, "host:1", LONG).unwrap();
        for step in WAY.windows(2) {
            let tx = target.begin(&lease).unwrap();
            tx.set_phase(step[0], step[1]).unwrap();
            tx.commit(pinferry::store::CommitPoint::Phase).unwrap();
        }
        let mut other = place.open();
        let paused = other.ask(run.run_id, Ask::Pause, BY).unwrap();
        assert!(matches!(&paused, Asked::Changed(control) if control.paused.is_some()));
        assert!(target.begin(&lease).unwrap().is_paused().unwrap());
        other.ask(run.run_id, Ask::Resume, BY).unwrap();
        let tx = target.begin(&lease).unwrap();
        assert!(!tx.is_paused().unwrap());
        let asked = thread::scope(|scope| {
            let asked = scope.spawn(|| other.ask(run.run_id, Ask::Pause, BY).unwrap());
            thread::sleep(Duration::from_millis(300));
            assert!(!asked.is_finished(), "it waits for the cut-over");
            tx.cut_over(pinferry::domain::digest::Digest::default())
                .unwrap();
            tx.commit(pinferry::store::CommitPoint::CutOver).unwrap();
            asked.join().unwrap()
        });
        assert_eq!(asked, Asked::TooLate(RunPhase::CutOver));
    });
}
