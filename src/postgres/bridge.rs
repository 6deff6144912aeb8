//! From threads to futures and back.

use std::{panic, thread, time::Duration};

use tokio::{
    runtime::{Builder, Handle, Runtime},
    time,
};

/// Drives the futures of one connection on the thread that calls.
#[derive(Debug)]
pub(super) struct Bridge {
    /// Taken when the bridge is dropped, and only then.
    runtime: Option<Runtime>,
}

/// Nothing happened within the limit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Late;

impl Bridge {
    pub(super) fn new() -> Result<Self, std::io::Error> {
        let runtime = Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build()?;
        Ok(Self {
            runtime: Some(runtime),
        })
    }

    /// Drives a future to its end, or gives it up after the limit.
    pub(super) fn wait<F>(&self, limit: Duration, future: F) -> Result<F::Output, Late>
    where
        F: Future + Send,
        F::Output: Send,
    {
        self.run(async { time::timeout(limit, future).await.map_err(|_| Late) })
    }

    /// Drives a future that keeps its limits itself.
    pub(super) fn run<F>(&self, future: F) -> F::Output
    where
        F: Future + Send,
        F::Output: Send,
    {
        let runtime = self.runtime.as_ref().expect("there until it is dropped");
        if Handle::try_current().is_err() {
            return runtime.block_on(future);
        }
        // A thread that drives another runtime must not drive a second one.
        thread::scope(|scope| {
            let driven = scope.spawn(|| runtime.block_on(future)).join();
            driven.unwrap_or_else(|panic| panic::resume_unwind(panic))
        })
    }
}

/// Waits for nobody, not even for a host name that is still being looked up.
impl Drop for Bridge {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
