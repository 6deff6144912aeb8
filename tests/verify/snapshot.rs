//! Everything is read as it stood at one moment, or not at all.

use std::ops::ControlFlow;

use pinferry::{
    engine::verify::VerifyError,
    exit::Exit,
    store::read_back::{ReadBack, ReadBackError, read_people, read_run},
};

use crate::{engine::Engine, fixture::migrated};

fn people(target: &ReadBack) -> usize {
    let mut people = 0;
    let all = i64::MIN..=i64::MAX;
    read_people(target, &all, &mut |_| {
        people += 1;
        ControlFlow::Continue(())
    })
    .unwrap();
    people
}

#[test]
fn connections_opened_later_see_what_the_first_one_sees() {
    let place = migrated(Engine::Postgres);
    let target = ReadBack::open(&place.settings.target).unwrap();
    let before = people(&target);
    assert!(before > 10);
    place.raw().must("DELETE FROM person");
    let beside = target.snapshot().open().unwrap();
    assert_eq!((people(&beside), people(&target)), (before, before));
    let snapshot = target.snapshot().clone();
    drop(target);
    // The others of a snapshot keep it as long as they live themselves.
    assert_eq!(people(&beside), before);
    assert!(matches!(snapshot.open(), Err(ReadBackError::Open { .. })));
}

#[test]
fn a_connection_that_is_lost_is_said_and_nothing_is_concluded() {
    let place = migrated(Engine::Postgres);
    let target = ReadBack::open(&place.settings.target).unwrap();
    place.raw().batch(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
             WHERE application_name = 'pinferry verify' AND datname = current_database()",
    );
    let error = VerifyError::from(read_run(&target, 1).unwrap_err());
    assert!(
        matches!(error, VerifyError::ReadBack(ReadBackError::Lost { .. })),
        "{error:?}"
    );
    assert_eq!(error.exit(), Exit::Failed);
    assert!(error.hint().unwrap().contains("pinferry verify"));
}
