//! The runner lease: the right of one process to work on a run.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use crossbeam_channel::Sender;

/// Proof that this process took the lease; that it still has it is checked in every transaction.
#[derive(Debug)]
pub struct Lease {
    pub(super) run_id: i64,
    pub(super) epoch: i64,
    pub(super) holder: String,
    pub(super) duration: Duration,
}

impl Lease {
    /// The run.
    #[must_use]
    pub fn run_id(&self) -> i64 {
        self.run_id
    }

    /// The fencing token: one more at every acquisition.
    #[must_use]
    pub fn epoch(&self) -> i64 {
        self.epoch
    }

    /// How the holder calls itself.
    #[must_use]
    pub fn holder(&self) -> &str {
        &self.holder
    }
}

/// Renews a lease from a thread of its own until it is dropped.
#[derive(Debug)]
pub struct Heartbeat {
    pub(super) lost: Arc<AtomicBool>,
    pub(super) stop: Option<Sender<()>>,
    pub(super) thread: Option<JoinHandle<()>>,
}

impl Heartbeat {
    /// Whether another process was seen to have taken over. The next transaction will say so too.
    #[must_use]
    pub fn lost(&self) -> bool {
        self.lost.load(Ordering::Relaxed)
    }
}

impl Drop for Heartbeat {
    fn drop(&mut self) {
        // Closing the channel wakes the thread.
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panicked heartbeat has nothing left to settle: the lease runs out.
            drop(thread.join());
        }
    }
}
