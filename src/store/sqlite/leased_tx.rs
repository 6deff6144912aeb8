//! A transaction that is known to be the lease holder's.

use std::fmt;

use rusqlite::{Connection, OptionalExtension as _, params};
use serde_json::Value;

pub use super::event::AuditEntry;
use super::{
    connection,
    connection::{Durability, NOW},
    event, lease, run,
    target::Target,
};
use crate::{
    domain::digest::Digest,
    failpoint,
    store::{CommitPoint, Lease, RunPhase, StoreError},
};

/// Everything a run writes, it writes through this. Dropped without [`LeasedTx::commit`], it leaves nothing.
pub struct LeasedTx<'t> {
    pub(super) connection: &'t Connection,
    lease: &'t Lease,
    open: bool,
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
        let failed = StoreError::sqlite;
        let action = "begin a transaction";
        let connection = &self.connection;
        let durability = durability(connection, lease.run_id).map_err(failed(action))?;
        connection::set_durable(connection, durability)?;
        connection
            .execute_batch("BEGIN IMMEDIATE")
            .map_err(failed(action))?;
        let tx = LeasedTx {
            connection,
            lease,
            open: true,
        };
        tx.check_epoch()?;
        Ok(tx)
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
    pub fn commit(mut self, point: CommitPoint) -> Result<(), StoreError> {
        let lease = self.lease;
        lease::renew(self.connection, lease.run_id, lease.epoch, lease.duration)?;
        failpoint::reached(point.before());
        self.connection
            .execute_batch("COMMIT")
            .map_err(StoreError::sqlite("commit"))?;
        self.open = false;
        failpoint::reached(point.after());
        Ok(())
    }

    /// Passes the run to its next phase, if it is in `from`.
    ///
    /// # Errors
    ///
    /// When it is in another phase, or no such step exists.
    pub fn set_phase(&self, from: RunPhase, to: RunPhase) -> Result<(), StoreError> {
        let run_id = self.run_id();
        let failed = StoreError::sqlite;
        let action = "change the run's phase";
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
        let finished = if to.is_over() { NOW } else { "finished_at" };
        self.connection
            .execute(
                &format!("UPDATE run SET phase = ?1, finished_at = {finished} WHERE run_id = ?2"),
                params![to.as_str(), run_id],
            )
            .map_err(failed(action))?;
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
        let name: Option<String> = self
            .connection
            .query_row("SELECT phase FROM run WHERE run_id = ?1", [run_id], |row| {
                row.get(0)
            })
            .optional()
            .map_err(StoreError::sqlite("read the run's phase"))?;
        run::phase(&name.ok_or(StoreError::NoRun { run_id })?)
    }

    /// Logs something that happened to the run; `detail` holds no personal data.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub fn event(&self, name: &str, detail: &Value) -> Result<(), StoreError> {
        event::append(self.connection, self.run_id(), name, detail)
    }

    /// Adds to the audit log; `detail` holds no personal data.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub fn audit(&self, entry: &AuditEntry<'_>) -> Result<(), StoreError> {
        event::audit(self.connection, entry)
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
        let updated = self
            .connection
            .execute(
                "UPDATE run_source SET fingerprint = ?3, records = ?4 WHERE run_id = ?1 AND source = ?2",
                params![self.run_id(), name, fingerprint.to_string(), records],
            )
            .map_err(StoreError::sqlite("keep a source's fingerprint"))?;
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
        self.connection
            .execute(
                &format!("INSERT INTO run_step (run_id, step, done_at) VALUES (?1, ?2, {NOW})"),
                params![self.run_id(), name],
            )
            .map_err(StoreError::sqlite("mark a step"))?;
        Ok(())
    }

    fn check_epoch(&self) -> Result<(), StoreError> {
        let epoch: Option<i64> = self
            .connection
            .prepare_cached("SELECT epoch FROM runner_lease WHERE run_id = ?1")
            .and_then(|mut statement| {
                statement
                    .query_row([self.run_id()], |row| row.get(0))
                    .optional()
            })
            .map_err(StoreError::sqlite("check the runner lease"))?;
        if epoch == Some(self.lease.epoch) {
            Ok(())
        } else {
            Err(StoreError::LeaseLost {
                run_id: self.run_id(),
            })
        }
    }
}

impl Drop for LeasedTx<'_> {
    fn drop(&mut self) {
        if self.open
            && !self.connection.is_autocommit()
            && let Err(error) = self.connection.execute_batch("ROLLBACK")
        {
            // What is not committed goes with the connection at the latest.
            tracing::warn!(run_id = self.lease.run_id, %error, "rollback.failed");
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

/// Bulk while this run loads a fresh target, and never else.
fn durability(connection: &Connection, run_id: i64) -> rusqlite::Result<Durability> {
    let bulk: Option<bool> = connection
        .prepare_cached(
            "SELECT target_fresh AND phase IN ('loading', 'loaded', 'aborting') FROM run WHERE run_id = ?1",
        )?
        .query_row([run_id], |row| row.get(0))
        .optional()?;
    Ok(if bulk == Some(true) {
        Durability::Bulk
    } else {
        Durability::Commit
    })
}
