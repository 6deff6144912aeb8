//! Where the newest run stands.

use std::collections::BTreeMap;

use sqlx::{Row as _, sqlite::SqliteRow};

use super::{Reader, failed};
use crate::{
    domain::{digest::Digest, tally::Tally},
    store::{
        RunPhase, StoreError,
        sqlite::run::{parse, phase},
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
    pub async fn newest_run(&mut self) -> Result<Option<RunState>, StoreError> {
        const ACTION: &str = "read the run";
        let row = sqlx::query(
            "SELECT run_id, phase, as_of, created_at, cut_over_at, finished_at FROM run
             ORDER BY run_id DESC LIMIT 1",
        )
        .fetch_optional(&mut self.connection)
        .await
        .map_err(failed(ACTION))?;
        let Some(row) = row else {
            return Ok(None);
        };
        let run_id = row.try_get(0).map_err(failed(ACTION))?;
        let name: String = row.try_get(1).map_err(failed(ACTION))?;
        Ok(Some(RunState {
            run_id,
            phase: phase(&name)?,
            as_of: row.try_get(2).map_err(failed(ACTION))?,
            created_at: row.try_get(3).map_err(failed(ACTION))?,
            cut_over_at: row.try_get(4).map_err(failed(ACTION))?,
            finished_at: row.try_get(5).map_err(failed(ACTION))?,
            sources: self.sources(run_id).await?,
            tally: self.tally(run_id).await?,
            runner: self.runner(run_id).await?,
        }))
    }

    async fn sources(&mut self, run_id: i64) -> Result<Vec<SourceState>, StoreError> {
        const ACTION: &str = "read the run's sources";
        let rows = sqlx::query(
            "SELECT source, fingerprint, records FROM run_source WHERE run_id = ?1 ORDER BY precedence",
        )
        .bind(run_id)
        .fetch_all(&mut self.connection)
        .await
        .map_err(failed(ACTION))?;
        let mut sources = Vec::new();
        for row in rows {
            let fingerprint: Option<String> = row.try_get(1).map_err(failed(ACTION))?;
            let records: Option<i64> = row.try_get(2).map_err(failed(ACTION))?;
            sources.push(SourceState {
                name: row.try_get(0).map_err(failed(ACTION))?,
                fingerprint: fingerprint.map(|text| digest(&text)).transpose()?,
                records: records.and_then(|records| u64::try_from(records).ok()),
            });
        }
        Ok(sources)
    }

    async fn tally(&mut self, run_id: i64) -> Result<Tally, StoreError> {
        const ACTION: &str = "read the partitions";
        let rows = sqlx::query("SELECT tally FROM run_partition WHERE run_id = ?1")
            .bind(run_id)
            .fetch_all(&mut self.connection)
            .await
            .map_err(failed(ACTION))?;
        let mut total = Tally::default();
        for row in rows {
            let text: String = row.try_get(0).map_err(failed(ACTION))?;
            total.merge(&parse(&text, "run_partition.tally")?);
        }
        Ok(total)
    }

    async fn runner(&mut self, run_id: i64) -> Result<Option<Runner>, StoreError> {
        const ACTION: &str = "read who works on the run";
        let row = sqlx::query(
            "SELECT holder, expires_at, expires_at > strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
             FROM runner_heartbeat WHERE run_id = ?1",
        )
        .bind(run_id)
        .fetch_optional(&mut self.connection)
        .await
        .map_err(failed(ACTION))?;
        let runner = |row: SqliteRow| {
            Ok(Runner {
                holder: row.try_get(0)?,
                expires_at: row.try_get(1)?,
                living: row.try_get(2)?,
            })
        };
        row.map(runner).transpose().map_err(failed(ACTION))
    }

    /// Delayed activations by state.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn queue(&mut self) -> Result<BTreeMap<String, i64>, StoreError> {
        const ACTION: &str = "count the queue of requests";
        let rows = sqlx::query("SELECT state, count(*) FROM delayed_activation GROUP BY state")
            .fetch_all(&mut self.connection)
            .await
            .map_err(failed(ACTION))?;
        let counts = rows
            .iter()
            .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)));
        counts.collect::<Result<_, _>>().map_err(failed(ACTION))
    }
}

fn digest(text: &str) -> Result<Digest, StoreError> {
    text.parse().map_err(|_| StoreError::Damaged {
        what: format!("the fingerprint `{text}`"),
    })
}
