//! What the service manager is told that started the process, where it wants to know (`NOTIFY_SOCKET`).

use std::{
    thread::{self, JoinHandle},
    time::Duration,
};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use sd_notify::NotifyState;

/// A command that a service manager watches: it is ready at once, gives signs of life as often as they are wanted
/// (`WATCHDOG_USEC`), and is stopping when this is dropped.
#[derive(Debug)]
pub struct Service {
    stop: Option<Sender<()>>,
    watchdog: Option<JoinHandle<()>>,
}

impl Service {
    /// Says that the command is ready.
    #[must_use]
    pub fn ready() -> Self {
        tell(&[NotifyState::Ready]);
        let (stop, stopped) = bounded(0);
        let watchdog = sd_notify::watchdog_enabled().and_then(|limit| {
            let thread = thread::Builder::new().name("watchdog".to_owned());
            // Without it the manager ends the process, and says why.
            thread.spawn(move || watch(limit / 3, &stopped)).ok()
        });
        Self {
            stop: Some(stop),
            watchdog,
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(watchdog) = self.watchdog.take() {
            drop(watchdog.join());
        }
        stopping();
    }
}

/// Gives signs of life until the other end of the channel is dropped.
fn watch(period: Duration, stopped: &Receiver<()>) {
    while stopped.recv_timeout(period) == Err(RecvTimeoutError::Timeout) {
        tell(&[NotifyState::Watchdog]);
    }
}

/// Says what is being done.
pub(super) fn status(what: &str) {
    tell(&[NotifyState::Status(what)]);
}

/// Says that the process is about to end.
pub(super) fn stopping() {
    tell(&[NotifyState::Stopping]);
}

fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        // Whoever does not listen keeps nobody from working.
        tracing::debug!(%error, "service.notify");
    }
}
