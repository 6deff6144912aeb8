//! Acquiring, renewing and releasing the runner lease. The clock is the database's.

use std::time::Duration;

use super::{
    Holder, Lease, StoreError,
    database::{Database, values},
    event,
    target::{Target, Toil},
};
use crate::failpoint;

const ACTION: &str = "take the runner lease";

impl Target {
    /// Takes the lease of a run: nobody has it, the holder's has run out, or the holder is known to be gone.
    /// `holder` is a [`Holder::stored`].
    ///
    /// # Errors
    ///
    /// [`StoreError::HeldBy`] while somebody has it, [`StoreError::Lingering`] while a transaction of somebody who had
    /// it has not ended; otherwise when the database fails.
    pub fn acquire(
        &mut self,
        run_id: i64,
        holder: &str,
        duration: Duration,
    ) -> Result<Lease, StoreError> {
        // A glance first: who is refused need not wait for the holder's transaction to end.
        refuse_held(&self.database, run_id)?;
        failpoint::reached("lease.acquire");
        self.database.end_holders(run_id)?;
        let lease = match self.take(run_id, holder, duration) {
            Err(StoreError::Busy { .. }) => {
                let sessions = self.database.sessions_of_a_holder()?;
                return Err(StoreError::Lingering { run_id, sessions });
            }
            taken => taken?,
        };
        failpoint::reached("lease.acquired");
        self.database.list_as(&lease)?;
        self.turn_to(&lease, Toil::Load)?;
        Ok(lease)
    }

    fn take(&mut self, run_id: i64, holder: &str, duration: Duration) -> Result<Lease, StoreError> {
        let tx = self.write()?;
        tx.one_at_a_time(ACTION, "runner_heartbeat")?;
        refuse_held(&tx, run_id)?;
        let epoch: i64 = match tx.row(
            ACTION,
            "INSERT INTO runner_lease (run_id, epoch)
             SELECT run_id, 1 FROM run WHERE run_id = ?1
             ON CONFLICT (run_id) DO UPDATE SET epoch = runner_lease.epoch + 1
             RETURNING epoch",
            values![run_id],
        )? {
            Some(row) => row.get(0)?,
            None => return Err(StoreError::NoRun { run_id }),
        };
        tx.execute(
            ACTION,
            &format!(
                "INSERT INTO runner_heartbeat (run_id, epoch, holder, beat_at, expires_at)
                 VALUES (?1, ?2, ?3, {{now}}, {})
                 ON CONFLICT (run_id) DO UPDATE SET epoch = excluded.epoch, holder = excluded.holder,
                     beat_at = excluded.beat_at, expires_at = excluded.expires_at",
                tx.ahead("?4")
            ),
            values![run_id, epoch, holder, milliseconds(duration)],
        )?;
        let detail = serde_json::json!({ "holder": holder, "epoch": epoch });
        event::append(&tx, run_id, "lease.acquired", &detail)?;
        tx.commit()?;
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
        renew(&self.database, lease.run_id, lease.epoch, lease.duration)
    }

    /// Gives the lease back.
    ///
    /// # Errors
    ///
    /// [`StoreError::LeaseLost`] when another process took over.
    #[expect(clippy::needless_pass_by_value, reason = "a released lease is spent")]
    pub fn release(&self, lease: Lease) -> Result<(), StoreError> {
        failpoint::reached("lease.release");
        renew(&self.database, lease.run_id, lease.epoch, Duration::ZERO)?;
        failpoint::reached("lease.released");
        Ok(())
    }
}

/// Moves the end of the lease, if it is still the one of this epoch.
pub(super) fn renew(
    database: &Database,
    run_id: i64,
    epoch: i64,
    duration: Duration,
) -> Result<(), StoreError> {
    let renewed = database.execute(
        "renew the runner lease",
        &format!(
            "UPDATE runner_heartbeat SET beat_at = {{now}}, expires_at = {}
             WHERE run_id = ?1 AND epoch = ?2",
            database.ahead("?3")
        ),
        values![run_id, epoch, milliseconds(duration)],
    )?;
    if renewed == 1 {
        Ok(())
    } else {
        Err(StoreError::LeaseLost { run_id })
    }
}

/// Refuses while the lease of somebody lasts who is not known to be gone.
fn refuse_held(database: &Database, run_id: i64) -> Result<(), StoreError> {
    let held = database.row(
        "look at the runner lease",
        "SELECT holder, expires_at FROM runner_heartbeat WHERE run_id = ?1 AND expires_at > {now}",
        values![run_id],
    )?;
    let Some(held) = held else {
        return Ok(());
    };
    let holder: String = held.get(0)?;
    if Holder::this_process().knows_gone(&holder) {
        return Ok(());
    }
    Err(StoreError::HeldBy {
        run_id,
        holder: Holder::shown(&holder).to_owned(),
        expires_at: held.get(1)?,
    })
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
