//! SIGINT, SIGTERM and SIGHUP ask the work to stop at the next settled chunk, for which it has so long.

use std::{future, io, process, thread, time::Duration};

use tokio::{
    runtime::Builder,
    signal::unix::{Signal, SignalKind, signal},
    time::{Instant, sleep_until},
};

use super::{service, terminal::Terminal};
use crate::{
    domain::span::span,
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

/// Claims the signals for the rest of the process's life. Work that has not settled so long after the first one is
/// waiting for a server that answers no more, or is long; it is ended as by a second Ctrl-C.
///
/// # Errors
/// The system refused.
pub fn watch(stop: StopFlag, terminal: Terminal, patience: Duration) -> Result<(), SignalError> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let entered = runtime.enter();
    let claimed = Claimed {
        interrupt: signal(SignalKind::interrupt())?,
        terminate: signal(SignalKind::terminate())?,
        hang_up: signal(SignalKind::hangup())?,
        patience,
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
    patience: Duration,
}

impl Claimed {
    async fn heed(mut self, stop: &StopFlag, terminal: &Terminal) {
        let mut end = None;
        loop {
            let reason = tokio::select! {
                () = at(end) => end_now(stop, terminal, &format!("not settled within {}, and ended", span(self.patience.as_secs_f64()))),
                _ = self.interrupt.recv() => StopReason::Interrupted,
                _ = self.terminate.recv() => StopReason::Terminated,
                _ = self.hang_up.recv() => StopReason::Terminated,
            };
            let within = format!(
                "stopping at the next settled chunk, within {}",
                span(self.patience.as_secs_f64())
            );
            match (stop.signal(), reason) {
                (None, StopReason::Interrupted) => {
                    terminal.say(&format!("{within}; Ctrl-C again ends at once"));
                }
                (None, _) => terminal.say(&within),
                (Some(_), StopReason::Interrupted) => end_now(stop, terminal, "ended at once"),
                (Some(_), _) => {}
            }
            service::stopping();
            stop.request(reason);
            end.get_or_insert_with(|| Instant::now() + self.patience);
        }
    }
}

/// That moment, if it ever comes.
async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => future::pending().await,
    }
}

#[expect(
    clippy::exit,
    reason = "whoever asked twice, or waited long enough, means now; what is not committed does not exist"
)]
fn end_now(stop: &StopFlag, terminal: &Terminal, how: &str) -> ! {
    terminal.say(&format!(
        "{how}: what was not committed is undone, and a lock that was engaged is still held"
    ));
    terminal.next("the same command again goes on; `pinferry status` says what stands");
    terminal.release();
    let exit = stop.signal().unwrap_or(StopReason::Interrupted).exit();
    process::exit(i32::from(exit.code()))
}
