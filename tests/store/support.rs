//! A target in a folder of its own, and rows to put into it.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    panic::{self, AssertUnwindSafe},
    path::PathBuf,
    time::Duration,
};

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

use crate::server;

/// A lease nobody waits for.
pub(crate) const LONG: Duration = Duration::from_secs(60);

/// A target of a test's own.
pub(crate) struct Place {
    _folder: TempDir,
    /// The file of a SQLite target.
    pub(crate) path: PathBuf,
    server: Option<server::Database>,
}

/// The same test on every engine.
pub(crate) fn on_each_engine(test: impl Fn(Place)) {
    for (name, place) in [
        ("SQLite", Place::new as fn() -> Place),
        ("PostgreSQL", Place::on_server),
    ] {
        let place = place();
        let tested = panic::catch_unwind(AssertUnwindSafe(|| test(place)));
        assert!(tested.is_ok(), "on {name}");
    }
}

impl Place {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out").join("target.db");
        Self {
            _folder: folder,
            path,
            server: None,
        }
    }

    pub(crate) fn on_server() -> Self {
        Self {
            server: Some(server::Database::new()),
            ..Self::new()
        }
    }

    pub(crate) fn settings(&self) -> TargetSettings {
        match &self.server {
            None => TargetSettings::Sqlite(self.path.clone()),
            Some(database) => TargetSettings::Postgres(database.settings()),
        }
    }

    pub(crate) fn open(&self) -> Target {
        Target::open(&self.settings(), Intent::CreateIfMissing).unwrap()
    }

    /// A connection that knows nothing of the store's rules.
    pub(crate) fn raw(&self) -> Connection {
        Connection::open(&self.path).unwrap()
    }

    /// Statements that know nothing of the store's rules.
    pub(crate) fn sql(&self, statements: &str) {
        match &self.server {
            None => self.raw().execute_batch(statements).unwrap(),
            Some(database) => database.batch(statements),
        }
    }

    /// The first column, which must be text, of every row.
    pub(crate) fn texts(&self, query: &str) -> Vec<String> {
        match &self.server {
            None => {
                let raw = self.raw();
                let mut statement = raw.prepare(query).unwrap();
                let rows = statement.query_map([], |row| row.get(0)).unwrap();
                rows.map(Result::unwrap).collect()
            }
            Some(database) => database.text(query).lines().map(str::to_owned).collect(),
        }
    }

    /// SQL for a time as the program spells it.
    pub(crate) fn time(&self, column: &str) -> String {
        match &self.server {
            None => column.to_owned(),
            Some(_) => {
                format!("to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')")
            }
        }
    }

    /// Everything there is in the schema, in order.
    pub(crate) fn schema(&self) -> Vec<String> {
        self.texts(match &self.server {
            None if !self.path.exists() => return Vec::new(),
            None => "SELECT type || ' ' || name FROM sqlite_schema ORDER BY 1",
            Some(_) => {
                "SELECT CAST(relkind AS text) || ' ' || CAST(relname AS text) FROM pg_class WHERE relnamespace = 'public'::regnamespace
                 UNION ALL SELECT 'constraint ' || CAST(conname AS text) FROM pg_constraint
                     WHERE connamespace = 'public'::regnamespace ORDER BY 1"
            }
        })
    }

    /// What the engine calls one of two things.
    pub(crate) fn pick<T>(&self, on_sqlite: T, on_postgres: T) -> T {
        match &self.server {
            None => on_sqlite,
            Some(_) => on_postgres,
        }
    }

    pub(crate) fn count(&self, table: &str) -> i64 {
        let count = self.texts(&format!("SELECT CAST(count(*) AS text) FROM {table}"));
        count[0].parse().unwrap()
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
        codes: &[],
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
