use pinferry::store::{
    AuditEntry, CommitPoint,
    reader::{Reader, audit},
};

use crate::support::{commit_chunk, loading, on_each_engine};

#[test]
fn a_target_that_is_not_there_is_not_created_by_asking() {
    on_each_engine(|place| {
        let error = Reader::open(&place.settings()).unwrap_err();
        assert!(error.is_absent(), "{error:?}");
        assert!(place.schema().is_empty());
    });
}

#[test]
fn status_is_read_while_a_chunk_is_being_written() {
    on_each_engine(|place| {
        let mut target = place.open();
        let lease = loading(&mut target);
        commit_chunk(&mut target, &lease, 0).unwrap();
        let tx = target.begin(&lease).unwrap();
        let reader = Reader::open(&place.settings()).unwrap();
        let status = reader.newest_run().unwrap().unwrap();
        drop(tx);
        assert_eq!(status.run_id, lease.run_id());
        assert_eq!(status.tally, target.tally(lease.run_id()).unwrap());
        let runner = status.runner.unwrap();
        assert_eq!(runner.holder, "host:1");
        assert!(runner.living);
    });
}

#[test]
fn the_audit_log_is_one_chain_whoever_writes_it() {
    on_each_engine(|place| {
        let mut target = place.open();
        let lease = loading(&mut target);
        let detail = serde_json::json!({ "source": "inps" });
        let entry = AuditEntry {
            actor: "root",
            action: "lock.break",
            reason: "the runner is gone",
            detail: &detail,
        };
        let tx = target.begin(&lease).unwrap();
        tx.audit(&entry).unwrap();
        tx.commit(CommitPoint::Phase).unwrap();
        audit::append(&place.settings(), &entry).unwrap();
        let tx = target.begin(&lease).unwrap();
        tx.audit(&entry).unwrap();
        tx.commit(CommitPoint::Phase).unwrap();
        let reader = Reader::open(&place.settings()).unwrap();
        let rows = reader.audit(0, 10).unwrap();
        assert_eq!(reader.audit(rows[0].audit_id, 10).unwrap(), rows[1..]);
        assert_eq!(rows.len(), 3);
        assert!(rows[0].follows(""));
        assert!(rows[1].follows(&rows[0].chain));
        assert!(rows[2].follows(&rows[1].chain));
        let mut changed = rows[0].clone();
        changed.reason = "no reason".to_owned();
        assert!(!changed.follows(""));
        assert!(!rows[1].follows(""));
    });
}
