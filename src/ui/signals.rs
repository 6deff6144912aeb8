//! SIGINT, SIGTERM and SIGHUP ask the work to stop at the next settled chunk.

use std::{io, process, thread};

use tokio::{
    runtime::Builder,
    signal::unix::{Signal, SignalKind, signal},
};

use super::terminal::Terminal;
use crate::{
    engine::stop::{StopFlag, StopReason},
    exit::Exit,
};

/// The signals could not be claimed.
#[derive(Debug, thiserror::Error)]
#[error("signals cannot be handled")]
pub struct SignalError(#[from] io::Error);

impl SignalError {
    /// Failed: nothing was begun.
    #[must_use]
    pub fn exit(&self) -> Exit {
        Exit::Failed
    }

    /// Nothing to type.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        None
    }
}

/// Claims the signals for the rest of the process's life.
///
/// # Errors
/// The system refused.
pub fn watch(stop: StopFlag, terminal: Terminal) -> Result<(), SignalError> {
    let runtime = Builder::new_current_thread().enable_io().build()?;
    let entered = runtime.enter();
    let claimed = Claimed {
        interrupt: signal(SignalKind::interrupt())?,
        terminate: signal(SignalKind::terminate())?,
        hang_up: signal(SignalKind::hangup())?,
    };
    drop(entered);
    thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || runtime.block_on(claimed.heed(&stop, &terminal)))?;
    Ok(())
}

struct Claimed {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
}

impl Claimed {
    async fn heed(mut self, stop: &StopFlag, terminal: &Terminal) {
        loop {
            let reason = tokio::select! {
                _ = self.interrupt.recv() => StopReason::Interrupted,
                _ = self.terminate.recv() => StopReason::Terminated,
                _ = self.hang_up.recv() => StopReason::Terminated,
            };
            match (stop.requested(), reason) {
                (None, StopReason::Interrupted) => {
                    terminal.say("stopping at the next settled chunk; Ctrl-C again ends at once");
                }
                (None, StopReason::Terminated) => {
                    terminal.say("stopping at the next settled chunk");
                }
                (Some(_), StopReason::Interrupted) => end_at_once(terminal),
                (Some(_), StopReason::Terminated) => {}
            }
            stop.request(reason);
        }
    }
}

#[expect(
    clippy::exit,
    reason = "the second Ctrl-C means now; what is not committed does not exist"
)]
fn end_at_once(terminal: &Terminal) {
    terminal.say("ended at once: what was not committed is undone, and a lock that was engaged is still held");
    terminal.next("the same command again goes on; `pinferry status` says what stands");
    process::exit(i32::from(Exit::Interrupted.code()))
}
