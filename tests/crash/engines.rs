//! The same input comes to the same digest, whatever keeps the target and however the work is cut.

use crate::{
    finish,
    scenario::{Engine, Scenario},
    uninterrupted_run,
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
