use pinferry::store::{
    AuditEntry, CommitPoint, StoreError,
    sqlite::reader::{Reader, audit},
};

use crate::support::{Place, commit_chunk, loading};

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

#[test]
fn a_target_that_is_not_there_is_not_created_by_asking() {
    let place = Place::new();
    let error = block_on(Reader::open(&place.settings())).unwrap_err();
    assert!(matches!(error, StoreError::Missing { .. }), "{error:?}");
    assert!(!place.path.exists());
}

#[test]
fn status_is_read_while_a_chunk_is_being_written() {
    let place = Place::new();
    let mut target = place.open();
    let lease = loading(&mut target);
    commit_chunk(&mut target, &lease, 0).unwrap();
    let tx = target.begin(&lease).unwrap();
    let status = block_on(async {
        let mut reader = Reader::open(&place.settings()).await.unwrap();
        reader.newest_run().await.unwrap().unwrap()
    });
    drop(tx);
    assert_eq!(status.run_id, lease.run_id());
    assert_eq!(status.tally, target.tally(lease.run_id()).unwrap());
    let runner = status.runner.unwrap();
    assert_eq!(runner.holder, "host:1");
    assert!(runner.living);
}

#[test]
fn the_audit_log_is_one_chain_whoever_writes_it() {
    let place = Place::new();
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
    let rows = block_on(async {
        audit::append(&place.settings(), &entry).await.unwrap();
        let tx = target.begin(&lease).unwrap();
        tx.audit(&entry).unwrap();
        tx.commit(CommitPoint::Phase).unwrap();
        let mut reader = Reader::open(&place.settings()).await.unwrap();
        let rows = reader.audit(0, 10).await.unwrap();
        assert_eq!(reader.audit(rows[0].audit_id, 10).await.unwrap(), rows[1..]);
        rows
    });
    assert_eq!(rows.len(), 3);
    assert!(rows[0].follows(""));
    assert!(rows[1].follows(&rows[0].chain));
    assert!(rows[2].follows(&rows[1].chain));
    let mut changed = rows[0].clone();
    changed.reason = "no reason".to_owned();
    assert!(!changed.follows(""));
    assert!(!rows[1].follows(""));
}
