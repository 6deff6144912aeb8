//! A request from outside to stop at the next settled chunk.

use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering},
};

/// Why the work was asked to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopReason {
    /// SIGINT.
    Interrupted,
    /// SIGTERM.
    Terminated,
}

/// Shared between the signal handler and the engine.
#[derive(Clone, Debug, Default)]
pub struct StopFlag(Arc<AtomicU8>);

impl StopFlag {
    /// Asks the engine to stop; the first reason stands.
    pub fn request(&self, reason: StopReason) {
        let value = match reason {
            StopReason::Interrupted => 1,
            StopReason::Terminated => 2,
        };
        // A later signal does not change the reason.
        let _ = self
            .0
            .compare_exchange(0, value, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// The reason, once there is one.
    #[must_use]
    pub fn requested(&self) -> Option<StopReason> {
        match self.0.load(Ordering::Relaxed) {
            0 => None,
            1 => Some(StopReason::Interrupted),
            _ => Some(StopReason::Terminated),
        }
    }
}
