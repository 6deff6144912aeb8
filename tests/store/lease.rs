use std::{thread::sleep, time::Duration};

use pinferry::{exit::Exit, store::StoreError};

use crate::support::{LONG, commit_chunk, create_run, loading, on_each_engine};

const SHORT: Duration = Duration::from_millis(200);

#[test]
fn a_held_lease_is_refused_naming_the_holder() {
    on_each_engine(|place| {
        let mut target = place.open();
        let lease = loading(&mut target);
        let error = place
            .open()
            .acquire(lease.run_id(), "host:2", LONG)
            .unwrap_err();
        assert!(
            matches!(&error, StoreError::HeldBy { holder, .. } if holder == "host:1"),
            "{error:?}"
        );
        assert_eq!(error.exit(), Exit::Refused);
    });
}

#[test]
fn a_released_lease_is_free_at_once_and_the_epoch_goes_on() {
    on_each_engine(|place| {
        let mut target = place.open();
        let lease = loading(&mut target);
        let (run_id, epoch) = (lease.run_id(), lease.epoch());
        target.release(lease).unwrap();
        let next = place.open().acquire(run_id, "host:2", LONG).unwrap();
        assert_eq!(next.epoch(), epoch + 1);
    });
}

#[test]
fn after_a_takeover_the_old_holder_can_neither_begin_nor_renew_nor_release() {
    on_each_engine(|place| {
        let mut target = place.open();
        let run = create_run(&mut target).unwrap();
        let old = target.acquire(run.run_id, "host:1", SHORT).unwrap();
        sleep(SHORT * 2);
        let new = place.open().acquire(run.run_id, "host:2", LONG).unwrap();
        assert_eq!(new.epoch(), old.epoch() + 1);
        // A server ends the sessions of the old holder; a new one gets no further.
        let error = target.begin(&old).unwrap_err();
        assert_eq!(error.is_lost(), place.pick(false, true), "{error:?}");
        let mut target = place.open();
        let error = target.begin(&old).unwrap_err();
        assert!(matches!(error, StoreError::LeaseLost { .. }), "{error:?}");
        let error = target.beat(&old).unwrap_err();
        assert!(matches!(error, StoreError::LeaseLost { .. }), "{error:?}");
        let error = target.release(old).unwrap_err();
        assert!(matches!(error, StoreError::LeaseLost { .. }), "{error:?}");
        let error = target.acquire(run.run_id, "host:3", LONG).unwrap_err();
        assert!(matches!(error, StoreError::HeldBy { .. }), "{error:?}");
    });
}

#[test]
fn a_stale_holder_leaves_no_row_of_its_chunk() {
    on_each_engine(|place| {
        let mut target = place.open();
        let stale = loading(&mut target);
        commit_chunk(&mut target, &stale, 0).unwrap();
        // As if the lease had run out.
        place.sql("UPDATE runner_heartbeat SET expires_at = '2000-01-01T00:00:00.000Z'");
        let mut other = place.open();
        let lease = other.acquire(stale.run_id(), "host:2", LONG).unwrap();
        let error = commit_chunk(&mut target, &stale, 10).unwrap_err();
        assert_eq!(error.is_lost(), place.pick(false, true), "{error:?}");
        let error = commit_chunk(&mut place.open(), &stale, 10).unwrap_err();
        assert!(matches!(error, StoreError::LeaseLost { .. }), "{error:?}");
        assert_eq!(place.count("quarantine"), 10);
        commit_chunk(&mut other, &lease, 10).unwrap();
        assert_eq!(place.count("quarantine"), 20);
    });
}

#[test]
fn a_commit_renews_the_lease() {
    on_each_engine(|place| {
        let mut target = place.open();
        let lease = loading(&mut target);
        place.sql("UPDATE runner_heartbeat SET expires_at = '2000-01-01T00:00:00.000Z'");
        commit_chunk(&mut target, &lease, 0).unwrap();
        let error = place
            .open()
            .acquire(lease.run_id(), "host:2", LONG)
            .unwrap_err();
        assert!(matches!(error, StoreError::HeldBy { .. }), "{error:?}");
    });
}

#[test]
fn a_heartbeat_keeps_the_lease_of_a_holder_that_computes() {
    on_each_engine(|place| {
        let mut target = place.open();
        let run = create_run(&mut target).unwrap();
        let lease = target
            .acquire(run.run_id, "host:1", Duration::from_millis(800))
            .unwrap();
        let heartbeat = target.heartbeat(&lease).unwrap();
        sleep(Duration::from_millis(1600));
        let error = place
            .open()
            .acquire(run.run_id, "host:2", LONG)
            .unwrap_err();
        assert!(matches!(error, StoreError::HeldBy { .. }), "{error:?}");
        assert!(!heartbeat.lost());
    });
}

#[test]
fn a_heartbeat_sees_a_takeover() {
    on_each_engine(|place| {
        let mut target = place.open();
        let run = create_run(&mut target).unwrap();
        let lease = target.acquire(run.run_id, "host:1", SHORT).unwrap();
        sleep(SHORT * 2);
        let other = place.open().acquire(run.run_id, "host:2", LONG).unwrap();
        let heartbeat = target.heartbeat(&lease).unwrap();
        sleep(SHORT * 2);
        assert!(heartbeat.lost());
        drop(other);
    });
}
