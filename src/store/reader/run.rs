//! Where the newest run stands.

use std::collections::BTreeMap;

use super::Reader;
use crate::{
    domain::{digest::Digest, tally::Tally},
    store::{
        RunControl, RunPhase, StoreError,
        database::{Row, values},
        json::parse,
    },
};

/// Where a run stands, as committed.
#[derive(Clone, Debug)]
pub struct RunState {
    /// The run.
    pub run_id: i64,
    /// Its phase.
    pub phase: RunPhase,
    /// The date of judgement.
    pub as_of: String,
    /// Database time.
    pub created_at: String,
    /// Database time.
    pub cut_over_at: Option<String>,
    /// Database time at which it was finished or aborted.
    pub finished_at: Option<String>,
    /// In order of precedence.
    pub sources: Vec<SourceState>,
    /// What was committed.
    pub tally: Tally,
    /// Who works on it.
    pub runner: Option<Runner>,
    /// What administrators ask of it.
    pub control: RunControl,
}

/// What a run read of a source.
#[derive(Clone, Debug)]
pub struct SourceState {
    /// Its name.
    pub name: String,
    /// Its fingerprint, once it was read.
    pub fingerprint: Option<Digest>,
    /// Its records, once it was read.
    pub records: Option<u64>,
}

/// The process that holds, or held, the lease.
#[derive(Clone, Debug)]
pub struct Runner {
    /// Host and process.
    pub holder: String,
    /// When its lease runs out, or ran out.
    pub expires_at: String,
    /// Whether the lease is still good by the database's clock.
    pub living: bool,
}

impl Reader {
    /// The newest run, where there is one.
    ///
    /// # Errors
    /// When the database fails or holds what this program does not understand.
    pub fn newest_run(&self) -> Result<Option<RunState>, StoreError> {
        let row = self.database.row(
            "read the run",
            "SELECT run_id, phase, as_of, created_at, cut_over_at, finished_at FROM run
             ORDER BY run_id DESC LIMIT 1",
            &[],
        )?;
        let Some(row) = row else {
            return Ok(None);
        };
        let mut columns = row.columns();
        let run_id = columns.next()?;
        Ok(Some(RunState {
            run_id,
            phase: columns.word(RunPhase::by_name)?,
            as_of: columns.next()?,
            created_at: columns.next()?,
            cut_over_at: columns.next()?,
            finished_at: columns.next()?,
            sources: self.sources(run_id)?,
            tally: self.tally(run_id)?,
            runner: self.runner(run_id)?,
            control: self.control(run_id)?,
        }))
    }

    fn sources(&self, run_id: i64) -> Result<Vec<SourceState>, StoreError> {
        let rows = self.database.rows(
            "read the run's sources",
            "SELECT source, fingerprint, records FROM run_source WHERE run_id = ?1 ORDER BY precedence",
            values![run_id],
        )?;
        let source = |row: &Row| {
            Ok(SourceState {
                name: row.get(0)?,
                fingerprint: row.get(1)?,
                records: row.get(2)?,
            })
        };
        rows.iter().map(source).collect()
    }

    /// What a run committed.
    ///
    /// # Errors
    /// When the database fails or holds what this program does not understand.
    pub fn tally(&self, run_id: i64) -> Result<Tally, StoreError> {
        let rows = self.database.rows(
            "read the partitions",
            "SELECT tally FROM run_partition WHERE run_id = ?1",
            values![run_id],
        )?;
        let mut total = Tally::default();
        for row in rows {
            total.merge(&parse(&row.get::<String>(0)?, "run_partition.tally")?);
        }
        Ok(total)
    }

    fn runner(&self, run_id: i64) -> Result<Option<Runner>, StoreError> {
        let row = self.database.row(
            "read who works on the run",
            "SELECT holder, expires_at, expires_at > {now} FROM runner_heartbeat WHERE run_id = ?1",
            values![run_id],
        )?;
        let runner = |row: Row| {
            Ok(Runner {
                holder: row.get(0)?,
                expires_at: row.get(1)?,
                living: row.get(2)?,
            })
        };
        row.map(runner).transpose()
    }

    /// Delayed activations by state.
    ///
    /// # Errors
    /// When the database fails.
    pub fn queue(&self) -> Result<BTreeMap<String, i64>, StoreError> {
        let rows = self.database.rows(
            "count the queue of requests",
            "SELECT state, count(*) FROM delayed_activation GROUP BY state",
            &[],
        )?;
        rows.iter()
            .map(|row| Ok((row.get(0)?, row.get(1)?)))
            .collect()
    }
}
