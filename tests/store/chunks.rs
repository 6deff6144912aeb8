use std::borrow::Cow;

use pinferry::{
    domain::quarantine::{QuarantineRow, Reason},
    store::{ChunkBuilder, ChunkRows, CommitPoint, Done, StoreError},
};

use crate::support::{commit_chunk, cursor, loading, on_each_engine, quarantined, step};

#[test]
fn a_chunk_commits_rows_cursor_and_counts_together() {
    on_each_engine(|place| {
        let mut target = place.open();
        let lease = loading(&mut target);
        commit_chunk(&mut target, &lease, 0).unwrap();
        commit_chunk(&mut target, &lease, 10).unwrap();
        let partitions = target.partitions(lease.run_id()).unwrap();
        assert_eq!(partitions[0].cursor, cursor(20));
        assert_eq!(partitions[0].position, 20);
        assert_eq!(partitions[0].tally.quarantined(), 20);
        let (_, all) = quarantined(lease.run_id(), 0, 20);
        assert_eq!(target.tally(lease.run_id()).unwrap(), all);
        assert_eq!(place.count("quarantine"), 20);
    });
}

#[test]
fn a_dropped_chunk_leaves_nothing() {
    on_each_engine(|place| {
        let mut target = place.open();
        let lease = loading(&mut target);
        let (rows, tally) = quarantined(lease.run_id(), 0, 10);
        let tx = target.begin(&lease).unwrap();
        tx.advance(&step(&cursor(0), &cursor(10), 10, Done::NotYet))
            .unwrap();
        tx.insert(&rows).unwrap();
        tx.add_tally(0, &tally).unwrap();
        drop(tx);
        assert_eq!(place.count("quarantine"), 0);
        let partitions = target.partitions(lease.run_id()).unwrap();
        assert_eq!(partitions[0].cursor, cursor(0));
        assert_eq!(partitions[0].tally.quarantined(), 0);
    });
}

#[test]
fn a_row_the_database_refuses_takes_its_whole_chunk_along() {
    on_each_engine(|place| {
        let mut target = place.open();
        let lease = loading(&mut target);
        commit_chunk(&mut target, &lease, 0).unwrap();
        let mut builder = ChunkBuilder::reuse(lease.run_id(), ChunkRows::default());
        for (number, payload) in [(10, "{}"), (11, "no JSON")] {
            builder.push_quarantine(&QuarantineRow {
                source: "inps",
                legacy_id: Cow::Owned(number.to_string()),
                copy: 0,
                reason: Reason::StatusUnknown,
                detail: Cow::Borrowed(""),
                payload: payload.to_owned(),
            });
        }
        let rows = builder.finish();
        let tx = target.begin(&lease).unwrap();
        tx.advance(&step(&cursor(10), &cursor(20), 20, Done::NotYet))
            .unwrap();
        let error = tx.insert(&rows).unwrap_err();
        assert!(error.hint().is_some() || error.refuses_row(), "{error:?}");
        drop(tx);
        assert_eq!(place.count("quarantine"), 10);
        let partitions = target.partitions(lease.run_id()).unwrap();
        assert_eq!(partitions[0].cursor, cursor(10));
    });
}

#[test]
fn a_chunk_that_was_committed_before_is_refused() {
    on_each_engine(|place| {
        let mut target = place.open();
        let lease = loading(&mut target);
        commit_chunk(&mut target, &lease, 0).unwrap();
        let error = commit_chunk(&mut target, &lease, 0).unwrap_err();
        assert!(
            matches!(error, StoreError::CursorMoved { partition_no: 0 }),
            "{error:?}"
        );
        assert_eq!(place.count("quarantine"), 10);
    });
}

#[test]
fn a_cursor_that_would_not_advance_is_refused() {
    on_each_engine(|place| {
        let mut target = place.open();
        let lease = loading(&mut target);
        commit_chunk(&mut target, &lease, 0).unwrap();
        let tx = target.begin(&lease).unwrap();
        for to in [cursor(10), cursor(3)] {
            let error = tx
                .advance(&step(&cursor(10), &to, 20, Done::NotYet))
                .unwrap_err();
            assert!(matches!(error, StoreError::CursorStuck { .. }), "{error:?}");
        }
    });
}

#[test]
fn a_partition_that_is_done_takes_no_more() {
    on_each_engine(|place| {
        let mut target = place.open();
        let lease = loading(&mut target);
        let tx = target.begin(&lease).unwrap();
        tx.advance(&step(&cursor(0), &cursor(0), 0, Done::Done))
            .unwrap();
        tx.commit(CommitPoint::Chunk).unwrap();
        assert!(target.partitions(lease.run_id()).unwrap()[0].done);
        let error = commit_chunk(&mut target, &lease, 0).unwrap_err();
        assert!(matches!(error, StoreError::CursorMoved { .. }), "{error:?}");
    });
}

#[test]
fn ids_are_reserved_once() {
    on_each_engine(|place| {
        let mut target = place.open();
        let lease = loading(&mut target);
        let tx = target.begin(&lease).unwrap();
        assert_eq!(tx.reserve_ids(1_000).unwrap(), 1);
        let error = tx.reserve_ids(1_001).unwrap_err();
        assert!(matches!(error, StoreError::IdsReserved { .. }), "{error:?}");
    });
}
