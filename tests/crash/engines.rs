//! The same input comes to the same digest, whatever keeps the target and however the work is cut.

use crate::{
    ABORT, ACTIVATE, INTAKE, RUN, finish,
    scenario::{Engine, Scenario},
    twice_killed, uninterrupted_run,
};

#[test]
fn any_engine_any_number_of_workers_and_any_chunk_size_come_to_the_same_digest() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        for (workers, chunk_records) in [("1", "100000"), ("3", "1"), ("5", "77")] {
            let scenario = Scenario::on(engine);
            let cut = ["--workers", workers, "--chunk-records", chunk_records];
            scenario.expect(&[&["run"], &cut[..]].concat(), &[3]);
            finish(&scenario);
            assert_eq!(scenario.digest(), uninterrupted_run(), "{engine:?} {cut:?}");
        }
    }
}

#[test]
fn requests_accepted_before_an_abort_wait_for_the_next_run_and_are_served_after_it() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        for step in ["erase.committed", "aborted.commit"] {
            let scenario = Scenario::on(engine);
            scenario.expect(&["run", "--hold"], &[5]);
            scenario.expect(INTAKE, &[0, 3]);
            let accepted = scenario.count("delayed_activation WHERE state = 'accepted'");
            let all = scenario.count("delayed_activation");
            assert!(0 < accepted && accepted < all, "{accepted} of {all}");
            assert!(twice_killed(&scenario, ABORT, step), "{engine:?} {step}");
            assert_eq!(
                scenario.count("delayed_activation"),
                all,
                "{engine:?} {step}"
            );
            for command in [RUN, ACTIVATE] {
                scenario.expect(command, &[0, 3]);
            }
            let waiting = scenario.count("delayed_activation WHERE state = 'accepted'");
            assert_eq!(waiting, 0, "{engine:?} {step}");
            let done = scenario.count("delayed_activation WHERE state = 'done'");
            assert_eq!(done, accepted, "{engine:?} {step}");
            finish(&scenario);
            assert_eq!(scenario.digest(), uninterrupted_run(), "{engine:?} {step}");
        }
    }
}
