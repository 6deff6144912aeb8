//! The thread that keeps a lease alive while its holder computes.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use crossbeam_channel::{Receiver, RecvTimeoutError};

use super::{Heartbeat, Lease, StoreError, database::Database, lease_row, target::Target};
use crate::config::settings::TargetSettings;

impl Target {
    /// Renews the lease every quarter of its duration, on a connection and a thread of its own.
    ///
    /// # Errors
    ///
    /// When the connection or the thread cannot be made.
    pub fn heartbeat(&self, lease: &Lease) -> Result<Heartbeat, StoreError> {
        let period = lease.duration / 4;
        let lost = Arc::new(AtomicBool::new(false));
        let (stop, stopped) = crossbeam_channel::bounded(0);
        let beat = Beat {
            database: Self::beside(self.settings(), (lease.run_id, lease.epoch), period)?,
            settings: self.settings().clone(),
            run_id: lease.run_id,
            epoch: lease.epoch,
            duration: lease.duration,
            lost: Arc::clone(&lost),
        };
        let thread = std::thread::Builder::new()
            .name("heartbeat".to_owned())
            .spawn(move || beat.keep(period, &stopped))
            .map_err(|source| StoreError::Thread { source })?;
        Ok(Heartbeat {
            lost,
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

struct Beat {
    database: Database,
    settings: TargetSettings,
    run_id: i64,
    epoch: i64,
    duration: Duration,
    lost: Arc<AtomicBool>,
}

impl Beat {
    /// Beats until the other end of the channel is dropped or the lease is lost.
    fn keep(mut self, period: Duration, stopped: &Receiver<()>) {
        while stopped.recv_timeout(period) == Err(RecvTimeoutError::Timeout) {
            match lease_row::renew(&self.database, self.run_id, self.epoch, self.duration) {
                Ok(()) => {}
                // Somebody is writing. If it is the holder, its transaction renews the lease as it ends, and
                // until then nobody else can take over.
                Err(StoreError::Busy { .. }) => {
                    tracing::debug!(run_id = self.run_id, "heartbeat.busy");
                }
                Err(StoreError::LeaseLost { .. }) => {
                    self.lost.store(true, Ordering::Relaxed);
                    tracing::warn!(run_id = self.run_id, "lease.lost");
                    return;
                }
                Err(error) => {
                    tracing::warn!(run_id = self.run_id, %error, "heartbeat.failed");
                    if error.is_lost() {
                        self.reconnect(period);
                    }
                }
            }
        }
    }

    /// The next beat says whether the lease is still ours.
    fn reconnect(&mut self, period: Duration) {
        match Target::beside(&self.settings, (self.run_id, self.epoch), period) {
            Ok(database) => self.database = database,
            Err(error) => tracing::warn!(run_id = self.run_id, %error, "heartbeat.failed"),
        }
    }
}
