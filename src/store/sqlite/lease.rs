//! Acquiring, renewing and releasing the runner lease. The clock is the database's.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};

use super::{
    connection,
    connection::{Durability, NOW},
    event,
    target::Target,
};
use crate::{
    failpoint,
    store::{Holder, Lease, StoreError},
};

impl Target {
    /// Takes the lease of a run: nobody has it, the holder's has run out, or the holder is known to be gone.
    /// `holder` is a [`Holder::stored`].
    ///
    /// # Errors
    ///
    /// [`StoreError::HeldBy`] while somebody has it; otherwise when the database fails.
    pub fn acquire(
        &mut self,
        run_id: i64,
        holder: &str,
        duration: Duration,
    ) -> Result<Lease, StoreError> {
        let failed = StoreError::sqlite;
        let action = "take the runner lease";
        // A glance first: who is refused need not wait for the holder's transaction to end.
        refuse_held(&self.connection, run_id)?;
        connection::set_durable(&self.connection, Durability::Commit)?;
        failpoint::reached("lease.acquire");
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(failed(action))?;
        refuse_held(&transaction, run_id)?;
        let epoch: i64 = transaction
            .query_row(
                "INSERT INTO runner_lease (run_id, epoch)
                 SELECT run_id, 1 FROM run WHERE run_id = ?1
                 ON CONFLICT (run_id) DO UPDATE SET epoch = epoch + 1
                 RETURNING epoch",
                [run_id],
                |row| row.get(0),
            )
            .optional()
            .map_err(failed(action))?
            .ok_or(StoreError::NoRun { run_id })?;
        transaction
            .execute(
                &format!(
                    "INSERT INTO runner_heartbeat (run_id, epoch, holder, beat_at, expires_at)
                     VALUES (?1, ?2, ?3, {NOW}, strftime('%Y-%m-%dT%H:%M:%fZ', 'now', ?4))
                     ON CONFLICT (run_id) DO UPDATE SET epoch = excluded.epoch, holder = excluded.holder,
                         beat_at = excluded.beat_at, expires_at = excluded.expires_at"
                ),
                params![run_id, epoch, holder, later(duration)],
            )
            .map_err(failed(action))?;
        let detail = serde_json::json!({ "holder": holder, "epoch": epoch });
        event::append(&transaction, run_id, "lease.acquired", &detail)?;
        transaction.commit().map_err(failed(action))?;
        failpoint::reached("lease.acquired");
        Ok(Lease {
            run_id,
            epoch,
            holder: holder.to_owned(),
            duration,
        })
    }

    /// Renews the lease.
    ///
    /// # Errors
    ///
    /// [`StoreError::LeaseLost`] when another process took over.
    pub fn beat(&self, lease: &Lease) -> Result<(), StoreError> {
        renew(&self.connection, lease.run_id, lease.epoch, lease.duration)
    }

    /// Gives the lease back.
    ///
    /// # Errors
    ///
    /// [`StoreError::LeaseLost`] when another process took over.
    #[expect(clippy::needless_pass_by_value, reason = "a released lease is spent")]
    pub fn release(&self, lease: Lease) -> Result<(), StoreError> {
        failpoint::reached("lease.release");
        renew(&self.connection, lease.run_id, lease.epoch, Duration::ZERO)?;
        failpoint::reached("lease.released");
        Ok(())
    }
}

/// Moves the end of the lease, if it is still the one of this epoch.
pub(super) fn renew(
    connection: &Connection,
    run_id: i64,
    epoch: i64,
    duration: Duration,
) -> Result<(), StoreError> {
    let renewed = connection
        .prepare_cached(&format!(
            "UPDATE runner_heartbeat
             SET beat_at = {NOW}, expires_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now', ?3)
             WHERE run_id = ?1 AND epoch = ?2"
        ))
        .and_then(|mut statement| statement.execute(params![run_id, epoch, later(duration)]))
        .map_err(StoreError::sqlite("renew the runner lease"))?;
    if renewed == 1 {
        Ok(())
    } else {
        Err(StoreError::LeaseLost { run_id })
    }
}

/// Refuses while the lease of somebody lasts who is not known to be gone.
fn refuse_held(connection: &Connection, run_id: i64) -> Result<(), StoreError> {
    let held: Option<(String, String)> = connection
        .query_row(
            &format!(
                "SELECT holder, expires_at FROM runner_heartbeat WHERE run_id = ?1 AND expires_at > {NOW}"
            ),
            [run_id],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()
        .map_err(StoreError::sqlite("look at the runner lease"))?;
    match held {
        Some((holder, expires_at)) if !Holder::this_process().knows_gone(&holder) => {
            Err(StoreError::HeldBy {
                run_id,
                holder: Holder::shown(&holder).to_owned(),
                expires_at,
            })
        }
        Some(_) | None => Ok(()),
    }
}

/// SQLite's spelling of a span of time from now.
fn later(duration: Duration) -> String {
    format!("+{:.3} seconds", duration.as_secs_f64())
}
