//! The sample data, migrated into a target as far as verification, and copies of it to be spoilt.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    sync::OnceLock,
    time::Duration,
};

use pinferry::{
    config::{
        Inputs,
        settings::{Settings, TargetSettings},
    },
    domain::{digest::RowHash, raw_record::SourceIndex, rules::Rules, tally::Tally},
    engine::{
        progress::Unwatched,
        stop::StopFlag,
        verify::{Verification, VerifyError, VerifyRequest, verify},
    },
    sample, source,
    store::{
        ChunkBuilder, CommitPoint, Done, Intent, Lease, NewPartition, NewRun, NewSource, RunPhase,
        Step, Target,
    },
};
use rusqlite::Connection;
use serde_json::json;
use tempfile::TempDir;

use crate::{engine::Engine, judged, raw::Raw, server::Database};

const LONG: Duration = Duration::from_secs(60);

/// A folder with sources and a target.
pub(crate) struct Place {
    folder: TempDir,
    /// Where the target is on a server.
    database: Option<Database>,
    pub(crate) settings: Settings,
    pub(crate) rules: Rules,
}

/// The migrated sample data: migrated once, copied for every test.
pub(crate) fn migrated(engine: Engine) -> Place {
    static SQLITE: OnceLock<Place> = OnceLock::new();
    static POSTGRES: OnceLock<Place> = OnceLock::new();
    let once = match engine {
        Engine::Sqlite => &SQLITE,
        Engine::Postgres => &POSTGRES,
    };
    once.get_or_init(|| migrated_alone(engine)).copy()
}

/// The same, migrated anew from sources that no other test reads.
pub(crate) fn migrated_alone(engine: Engine) -> Place {
    let place = Place::laid_out(engine);
    place.migrate();
    place
}

impl Place {
    fn laid_out(engine: Engine) -> Self {
        let folder = TempDir::new().unwrap();
        sample::lay_out(folder.path()).unwrap();
        let mut settings = Settings::load(&Inputs {
            file: folder.path().join("pinferry.toml"),
            environment: BTreeMap::new(),
            flags: Vec::new(),
        })
        .unwrap();
        let rules = settings.rules(settings.as_of.unwrap());
        let database = (engine == Engine::Postgres).then(Database::new);
        if let Some(database) = &database {
            settings.target = TargetSettings::Postgres(database.settings());
        }
        Self {
            folder,
            database,
            settings,
            rules,
        }
    }

    /// The same target in a place of its own; the sources stay where they are.
    fn copy(&self) -> Self {
        let folder = TempDir::new().unwrap();
        let mut settings = self.settings.clone();
        let copy = |database: &Database| Database::with(&format!("TEMPLATE {}", database.name));
        let database = self.database.as_ref().map(copy);
        settings.target = match &database {
            Some(database) => TargetSettings::Postgres(database.settings()),
            None => {
                let path = folder.path().join("multiprofile.db");
                fs::copy(self.path(), &path).unwrap();
                TargetSettings::Sqlite(path)
            }
        };
        Self {
            folder,
            database,
            settings,
            rules: self.rules.clone(),
        }
    }

    /// The same with a table as it was migrated. Copying a file is quick; of databases there are only so many a
    /// second.
    pub(crate) fn restored(self, table: &str) -> Self {
        match self.raw() {
            Raw::Sqlite(_) => migrated(Engine::Sqlite),
            mut raw @ Raw::Postgres(_) => {
                raw.must(&format!("DELETE FROM {table}"));
                raw.must(&format!("INSERT INTO {table} SELECT * FROM kept.{table}"));
                self
            }
        }
    }

    pub(crate) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    fn path(&self) -> &std::path::Path {
        let TargetSettings::Sqlite(path) = &self.settings.target else {
            panic!("a target in a file");
        };
        path
    }

    /// A connection that knows nothing of the store's rules, and no constraint.
    pub(crate) fn raw(&self) -> Raw {
        if let Some(database) = &self.database {
            return Raw::Postgres(database.session());
        }
        let connection = Connection::open(self.path()).unwrap();
        for pragma in ["foreign_keys = OFF", "ignore_check_constraints = ON"] {
            connection
                .execute_batch(&format!("PRAGMA {pragma}"))
                .unwrap();
        }
        Raw::Sqlite(connection)
    }

    pub(crate) fn verify(&self) -> Result<Verification, VerifyError> {
        self.verify_against(None)
    }

    /// The same, held to what a dry run said.
    pub(crate) fn verify_against(
        &self,
        verdicts: Option<&Path>,
    ) -> Result<Verification, VerifyError> {
        verify(&VerifyRequest {
            settings: &self.settings,
            rules: &self.rules,
            target: &self.settings.target,
            run_id: 1,
            unsettled: &|| Ok(BTreeSet::new()),
            verdicts,
            progress: &Unwatched,
            stop: &StopFlag::default(),
        })
    }

    /// From nothing to a run that only needs verification.
    fn migrate(&self) {
        let mut target = Target::open(&self.settings.target, Intent::CreateIfMissing).unwrap();
        let sources: Vec<_> = (self.settings.sources.iter())
            .map(|source| NewSource {
                name: source.rules.name.clone(),
                location: source.location.shown(),
            })
            .collect();
        let run = target
            .create_run(&NewRun {
                as_of: self.rules.as_of,
                fixed: &self.settings.fixed(self.rules.as_of),
                sources: &sources,
                catalogue: &self.settings.catalogue,
                codes: &[],
            })
            .unwrap();
        let lease = target.acquire(run.run_id, "host:1", LONG).unwrap();
        pass(&mut target, &lease, RunPhase::Created, RunPhase::Locked);
        self.load(&mut target, &lease);
        pass(&mut target, &lease, RunPhase::Loading, RunPhase::Loaded);
        for step in target.index_steps() {
            let tx = target.begin(&lease).unwrap();
            tx.build_index(step).unwrap();
            tx.commit(CommitPoint::Index).unwrap();
        }
        pass(&mut target, &lease, RunPhase::Loaded, RunPhase::Indexed);
        target.release(lease).unwrap();
        drop(target);
        match self.raw() {
            Raw::Sqlite(connection) => connection
                .execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")
                .unwrap(),
            mut raw @ Raw::Postgres(_) => raw.batch(
                "CREATE SCHEMA kept; DO $$ DECLARE name text; BEGIN
                     FOR name IN SELECT relname FROM pg_class
                         WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' LOOP
                         EXECUTE format('CREATE TABLE kept.%I AS TABLE public.%I', name, name);
                     END LOOP;
                 END $$",
            ),
        }
    }

    /// One partition for the people, one for the quarantine.
    fn load(&self, target: &mut Target, lease: &Lease) {
        let records = judged::records(&self.settings.sources);
        let id_base = self.lay_out_partitions(target, lease, records.len() as u64);
        let mut hash = RowHash::default();
        let (mut people, mut rest) = (ChunkBuilder::new(1), ChunkBuilder::new(1));
        let (mut of_people, mut of_rest) = (Tally::default(), Tally::default());
        let mut next_id = id_base;
        judged::judge(
            &records,
            &self.rules,
            |person| {
                people.push_person(next_id, person).unwrap();
                of_people.add_person(person, &mut hash);
                next_id += i64::try_from(person.pins.len()).unwrap();
            },
            |row| {
                rest.push_quarantine(row);
                of_rest.add_quarantined(row, &mut RowHash::default());
            },
        );
        let tx = target.begin(lease).unwrap();
        for (partition_no, rows, tally, to, position) in [
            (
                0,
                people.finish(),
                &of_people,
                b"m".as_slice(),
                of_people.records(),
            ),
            (
                1,
                rest.finish(),
                &of_rest,
                b"z".as_slice(),
                tally_end(&of_people, &of_rest),
            ),
        ] {
            tx.advance(&Step {
                partition_no,
                from: b"",
                to,
                position: u64::try_from(position).unwrap(),
                done: Done::Done,
            })
            .unwrap();
            tx.insert(&rows).unwrap();
            tx.add_tally(partition_no, tally).unwrap();
        }
        // The second partition begins where the first one ends.
        tx.commit(CommitPoint::Chunk).unwrap();
        self.raw().must(&format!(
            "UPDATE run_partition SET first_position = {} WHERE partition_no = 1",
            of_people.records()
        ));
    }

    fn lay_out_partitions(&self, target: &mut Target, lease: &Lease, records: u64) -> i64 {
        let tx = target.begin(lease).unwrap();
        for (index, settings) in (0..).zip(&self.settings.sources) {
            let excluded = settings.changing_fields(&self.settings.lock.allow_columns);
            let summary = source::read(settings, SourceIndex(index), &excluded, &mut |_| {
                std::ops::ControlFlow::Continue(())
            })
            .unwrap();
            tx.set_source(&settings.rules.name, summary.fingerprint, summary.records)
                .unwrap();
        }
        let id_base = tx.reserve_ids(records).unwrap();
        let partition = |no, key_from: &[u8], key_to: Option<&[u8]>| NewPartition {
            no,
            key_from: key_from.to_vec(),
            key_to: key_to.map(<[u8]>::to_vec),
            first_position: 0,
        };
        tx.create_partitions(&[partition(0, b"", Some(b"n")), partition(1, b"n", None)])
            .unwrap();
        tx.event("load.laid_out", &json!({})).unwrap();
        tx.audit(&pinferry::store::AuditEntry {
            actor: "tester",
            action: "fixture",
            reason: "something to chain",
            detail: &json!({}),
        })
        .unwrap();
        tx.set_phase(RunPhase::Locked, RunPhase::Loading).unwrap();
        tx.commit(CommitPoint::Layout).unwrap();
        id_base
    }
}

fn tally_end(one: &Tally, two: &Tally) -> i64 {
    one.records() + two.records()
}

pub(crate) fn pass(target: &mut Target, lease: &Lease, from: RunPhase, to: RunPhase) {
    let tx = target.begin(lease).unwrap();
    tx.set_phase(from, to).unwrap();
    tx.commit(CommitPoint::Phase).unwrap();
}
