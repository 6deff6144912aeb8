//! A target in a folder of its own, and rows to put into it.

use std::{borrow::Cow, collections::BTreeMap, path::PathBuf, time::Duration};

use jiff::civil::date;
use pinferry::{
    config::settings::TargetSettings,
    domain::{
        catalogue::Catalogue,
        digest::RowHash,
        quarantine::{QuarantineRow, Reason},
        tally::Tally,
    },
    store::{
        ChunkBuilder, ChunkRows, CommitPoint, Done, Intent, Lease, NewPartition, NewRun, NewSource,
        RunPhase, RunRow, Step, StoreError, Target,
    },
};
use rusqlite::Connection;
use tempfile::TempDir;

/// A lease nobody waits for.
pub(crate) const LONG: Duration = Duration::from_secs(60);

pub(crate) struct Place {
    _folder: TempDir,
    pub(crate) path: PathBuf,
}

impl Place {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out").join("target.db");
        Self {
            _folder: folder,
            path,
        }
    }

    pub(crate) fn settings(&self) -> TargetSettings {
        TargetSettings::Sqlite(self.path.clone())
    }

    pub(crate) fn open(&self) -> Target {
        Target::open(&self.settings(), Intent::CreateIfMissing).unwrap()
    }

    /// A connection that knows nothing of the store's rules.
    pub(crate) fn raw(&self) -> Connection {
        Connection::open(&self.path).unwrap()
    }

    pub(crate) fn count(&self, table: &str) -> i64 {
        self.raw()
            .query_row(&format!("SELECT count(*) FROM {table}"), [], |row| {
                row.get(0)
            })
            .unwrap()
    }
}

pub(crate) fn create_run(target: &mut Target) -> Result<RunRow, StoreError> {
    target.create_run(&NewRun {
        as_of: date(2013, 11, 3),
        fixed: &BTreeMap::from([("catalogue".to_owned(), "0a".to_owned())]),
        sources: &[
            NewSource {
                name: "inps".to_owned(),
                location: "csv://inps.csv".to_owned(),
            },
            NewSource {
                name: "anpal".to_owned(),
                location: "csv://anpal.csv".to_owned(),
            },
        ],
        catalogue: &Catalogue::default(),
    })
}

/// A run in phase `loading` with one partition.
pub(crate) fn loading(target: &mut Target) -> Lease {
    let run = create_run(target).unwrap();
    let lease = target.acquire(run.run_id, "host:1", LONG).unwrap();
    set_phase(target, &lease, RunPhase::Created, RunPhase::Locked);
    let tx = target.begin(&lease).unwrap();
    tx.reserve_ids(1_000).unwrap();
    tx.create_partitions(&[NewPartition {
        no: 0,
        key_from: Vec::new(),
        key_to: None,
        first_position: 0,
    }])
    .unwrap();
    tx.set_phase(RunPhase::Locked, RunPhase::Loading).unwrap();
    tx.commit(CommitPoint::Layout).unwrap();
    lease
}

pub(crate) fn set_phase(target: &mut Target, lease: &Lease, from: RunPhase, to: RunPhase) {
    let tx = target.begin(lease).unwrap();
    tx.set_phase(from, to).unwrap();
    tx.commit(CommitPoint::Phase).unwrap();
}

/// Rows for `count` quarantined records with ids from `first`, and their tally.
pub(crate) fn quarantined(run_id: i64, first: u32, count: u32) -> (ChunkRows, Tally) {
    let mut builder = ChunkBuilder::new(run_id);
    let mut tally = Tally::default();
    let mut hash = RowHash::default();
    for number in first..first + count {
        let row = QuarantineRow {
            source: "inps",
            legacy_id: Cow::Owned(format!("{number:08}")),
            copy: 0,
            reason: Reason::StatusUnknown,
            detail: Cow::Borrowed("status"),
            payload: "{}".to_owned(),
        };
        builder.push_quarantine(&row);
        tally.add_quarantined(&row, &mut hash);
    }
    (builder.finish(), tally)
}

/// Commits ten quarantined records that follow the `from`-th.
pub(crate) fn commit_chunk(
    target: &mut Target,
    lease: &Lease,
    from: u32,
) -> Result<(), StoreError> {
    let (rows, tally) = quarantined(lease.run_id(), from, 10);
    let tx = target.begin(lease)?;
    tx.advance(&step(
        &cursor(from),
        &cursor(from + 10),
        from + 10,
        Done::NotYet,
    ))?;
    tx.insert(&rows)?;
    tx.add_tally(0, &tally)?;
    tx.commit(CommitPoint::Chunk)
}

/// The cursor after so many records: empty before the first.
pub(crate) fn cursor(records: u32) -> Vec<u8> {
    if records == 0 {
        Vec::new()
    } else {
        records.to_be_bytes().to_vec()
    }
}

pub(crate) fn step<'a>(from: &'a [u8], to: &'a [u8], position: u32, done: Done) -> Step<'a> {
    Step {
        partition_no: 0,
        from,
        to,
        position: u64::from(position),
        done,
    }
}
