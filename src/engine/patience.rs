//! Going on after a server went away, or when whoever holds the lease is done or dead.

use std::{
    thread,
    time::{Duration, Instant},
};

use super::{error::RunError, extract::ExtractError, job::Job, run::IfHeld};
use crate::domain::span::span;

/// Tries of one command that end without a connection. Restarts of a server are over long before.
const MOST_TRIES: u32 = 12;

const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// How often a waiter asks for a lease that somebody holds.
const TURN: Duration = Duration::from_secs(1);

/// How often one looks at the stop flag while waiting.
const LOOK: Duration = Duration::from_millis(100);

/// The tries of one command.
#[derive(Debug, Default)]
pub(super) struct Patience {
    tries: u32,
    /// Whether the work was under way: a server that was never there is a mistake in its address.
    begun: bool,
    /// The run that was under way.
    run_id: Option<i64>,
    /// Whether it was said that somebody else is waited for.
    announced: bool,
}

impl Patience {
    /// That of work whose target was just there.
    pub(super) fn of_work_under_way() -> Self {
        Self {
            begun: true,
            ..Self::default()
        }
    }

    /// Notes that the work on this run is under way.
    pub(super) fn begin(&mut self, run_id: i64) {
        self.begun = true;
        self.run_id = Some(run_id);
    }

    /// The run that was under way, unless it goes on as this one.
    pub(super) fn gave_up(&self, goes_on: Option<i64>) -> Option<i64> {
        self.run_id.filter(|run_id| goes_on != Some(*run_id))
    }

    /// Waits before the next try, longer each time; or says why there is none.
    ///
    /// # Errors
    /// The error itself, when another try is of no use, or there were enough.
    pub(super) fn wait(
        &mut self,
        job: &Job<'_>,
        if_held: IfHeld,
        error: RunError,
    ) -> Result<(), RunError> {
        if error.is_held() && if_held == IfHeld::Wait {
            // Whoever holds it was found in a target that is there.
            self.begun = true;
            if !self.announced {
                job.progress.note(&format!("{error}; waiting for it"));
                self.announced = true;
            }
            return pause(job, TURN);
        }
        if !self.begun || !error.is_lost() || self.tries == MOST_TRIES {
            return Err(error);
        }
        let longer = Duration::from_secs(1 << self.tries.min(4)).min(LONGEST_PAUSE);
        self.tries += 1;
        job.progress.note(&format!(
            "{error}; what is committed stands, trying again in {} ({} of {MOST_TRIES})",
            span(longer.as_secs_f64()),
            self.tries
        ));
        tracing::warn!(%error, tries = self.tries, "connection.lost");
        pause(job, longer)
    }
}

/// Waits, unless somebody asks to stop.
fn pause(job: &Job<'_>, pause: Duration) -> Result<(), RunError> {
    let until = Instant::now() + pause;
    while Instant::now() < until {
        if let Some(reason) = job.stop.requested() {
            return Err(ExtractError::Stopped(reason).into());
        }
        thread::sleep(LOOK);
    }
    Ok(())
}
