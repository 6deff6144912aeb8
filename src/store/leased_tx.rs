//! A transaction that is known to be the lease holder's.

use std::fmt;

use serde_json::Value;

use super::{
    AuditEntry, ChunkRows, CommitPoint, Lease, RunPhase, StoreError,
    database::{Durability, Transaction, values},
    event, lease_row,
    run_row::phase,
    target::Target,
};
use crate::{domain::digest::Digest, failpoint};

/// Everything a run writes, it writes through this. Dropped without [`LeasedTx::commit`], it leaves nothing.
pub struct LeasedTx<'t> {
    pub(super) database: Transaction<'t>,
    lease: &'t Lease,
}

impl Target {
    /// Begins a transaction; its first statement checks that the lease is still the caller's.
    ///
    /// While a fresh target is loaded, foreign keys wait for their own step and a power failure may take the
    /// newest chunks, whole; every other commit is durable and checks its keys.
    ///
    /// # Errors
    ///
    /// [`StoreError::LeaseLost`] when another process took over; otherwise when the database fails.
    pub fn begin<'t>(&'t mut self, lease: &'t Lease) -> Result<LeasedTx<'t>, StoreError> {
        self.database.promise(self.durability(lease.run_id)?)?;
        let tx = LeasedTx {
            database: self.database.begin()?,
            lease,
        };
        tx.check_epoch()?;
        Ok(tx)
    }

    /// Bulk while this run loads a fresh target, and never else.
    fn durability(&self, run_id: i64) -> Result<Durability, StoreError> {
        let bulk = self.database.row(
            "begin a transaction",
            "SELECT target_fresh AND phase IN ('loading', 'loaded', 'aborting') FROM run WHERE run_id = ?1",
            values![run_id],
        )?;
        Ok(match bulk.map(|row| row.get(0)).transpose()? {
            Some(true) => Durability::Bulk,
            Some(false) | None => Durability::Commit,
        })
    }
}

impl LeasedTx<'_> {
    /// The run this transaction works on.
    #[must_use]
    pub fn run_id(&self) -> i64 {
        self.lease.run_id
    }

    /// Renews the lease and commits; `point` is what the crash tests call this commit.
    ///
    /// # Errors
    ///
    /// When the database fails; nothing is committed then.
    pub fn commit(self, point: CommitPoint) -> Result<(), StoreError> {
        let lease = self.lease;
        lease_row::renew(&self.database, lease.run_id, lease.epoch, lease.duration)?;
        failpoint::reached(point.before());
        self.database.commit()?;
        failpoint::reached(point.after());
        Ok(())
    }

    /// Writes the rows of a chunk.
    ///
    /// # Errors
    ///
    /// When the database refuses a row or fails; the transaction must then be dropped.
    pub fn insert(&self, rows: &ChunkRows) -> Result<(), StoreError> {
        self.database.insert(rows)?;
        failpoint::reached("chunk.rows");
        Ok(())
    }

    /// Passes the run to its next phase, if it is in `from`.
    ///
    /// # Errors
    ///
    /// When it is in another phase, or no such step exists.
    pub fn set_phase(&self, from: RunPhase, to: RunPhase) -> Result<(), StoreError> {
        let run_id = self.run_id();
        if !from.may_become(to) {
            return Err(StoreError::NoSuchTransition { run_id, from, to });
        }
        let found = self.phase()?;
        if found != from {
            return Err(StoreError::WrongPhase {
                run_id,
                found,
                expected: from,
            });
        }
        let finished = if to.is_over() { "{now}" } else { "finished_at" };
        self.database.execute(
            "change the run's phase",
            &format!("UPDATE run SET phase = ?1, finished_at = {finished} WHERE run_id = ?2"),
            values![to.as_str(), run_id],
        )?;
        if to.is_over() {
            self.database.execute(
                "change the run's phase",
                "DELETE FROM run_control WHERE run_id = ?1",
                values![run_id],
            )?;
        }
        self.event(
            "run.phase",
            &serde_json::json!({ "from": from.as_str(), "to": to.as_str() }),
        )
    }

    /// The phase as this transaction sees it.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub fn phase(&self) -> Result<RunPhase, StoreError> {
        let run_id = self.run_id();
        let row = self.database.row(
            "read the run's phase",
            "SELECT phase FROM run WHERE run_id = ?1",
            values![run_id],
        )?;
        phase(&row.ok_or(StoreError::NoRun { run_id })?.get::<String>(0)?)
    }

    /// Logs something that happened to the run; `detail` holds no personal data.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub fn event(&self, name: &str, detail: &Value) -> Result<(), StoreError> {
        event::append(&self.database, self.run_id(), name, detail)
    }

    /// Adds to the audit log; `detail` holds no personal data.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub fn audit(&self, entry: &AuditEntry<'_>) -> Result<(), StoreError> {
        event::audit(&self.database, entry)
    }

    /// Keeps what was read of a source.
    ///
    /// # Errors
    ///
    /// When the run has no such source, or the database fails.
    pub fn set_source(
        &self,
        name: &str,
        fingerprint: Digest,
        records: u64,
    ) -> Result<(), StoreError> {
        let updated = self.database.execute(
            "keep a source's fingerprint",
            "UPDATE run_source SET fingerprint = ?3, records = ?4 WHERE run_id = ?1 AND source = ?2",
            values![self.run_id(), name, &fingerprint.to_string(), records],
        )?;
        if updated == 1 {
            Ok(())
        } else {
            Err(StoreError::Damaged {
                what: format!("no row of run_source for `{name}`"),
            })
        }
    }

    /// Marks a step as done; it is once.
    ///
    /// # Errors
    ///
    /// When it was done before, or the database fails.
    pub fn mark_step(&self, name: &str) -> Result<(), StoreError> {
        self.database.execute(
            "mark a step",
            "INSERT INTO run_step (run_id, step, done_at) VALUES (?1, ?2, {now})",
            values![self.run_id(), name],
        )?;
        Ok(())
    }

    /// On an engine with many writers the epoch is held until the transaction ends.
    fn check_epoch(&self) -> Result<(), StoreError> {
        let run_id = self.run_id();
        let row = self.database.row(
            "check the runner lease",
            "SELECT epoch FROM runner_lease WHERE run_id = ?1{for share}",
            values![run_id],
        )?;
        match row {
            Some(row) if row.get::<i64>(0)? == self.lease.epoch => Ok(()),
            Some(_) | None => Err(StoreError::LeaseLost { run_id }),
        }
    }
}

impl fmt::Debug for LeasedTx<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LeasedTx")
            .field("lease", &self.lease)
            .finish_non_exhaustive()
    }
}
