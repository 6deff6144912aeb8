//! `status`: is the lock held, where does the run stand, what to type next.

use std::{path::PathBuf, thread, time::Duration};

use clap::Args;
use jiff::Timestamp;

use super::{Context, failure::Failure};
use crate::{
    engine::{
        metrics_file,
        state::{LockLook, State, look},
    },
    exit::Exit,
    store::RunPhase,
    ui::{live::LiveState, metrics, state, terminal::Format},
};

/// How often `--watch` looks.
const EVERY: Duration = Duration::from_secs(2);

/// How many looks in a row may fail before `--watch` gives up: a minute.
const MISSED_MAX: u32 = 30;

/// Say whether the lock is held, where the run stands, and what to type next
#[derive(Debug, Args)]
pub(super) struct Status {
    /// Look again every two seconds until the run is over
    #[arg(long)]
    watch: bool,
    /// Write it as metrics too, for the node exporter's textfile collector: counts and states, readable by all
    #[arg(long, value_name = "FILE")]
    metrics: Option<PathBuf>,
}

impl Status {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let settings = context.settings(Vec::new())?;
        let look = || -> Result<State, Failure> {
            let state = look(&settings)?;
            if let Some(file) = &self.metrics {
                metrics_file::save(&metrics::text(&state, Timestamp::now()), file)?;
            }
            Ok(state)
        };
        let state = look()?;
        let state = match context.terminal.format() {
            Format::Json if self.watch => watch(state, &look, &mut |state| {
                context.terminal.json(state).map_err(Failure::from)
            })?,
            Format::Json => {
                context.terminal.json(&state)?;
                state
            }
            Format::Table if self.watch => {
                if context.terminal.is_quiet() {
                    return Err(Failure::new(
                        Exit::Usage,
                        "-q shows nothing while all is well, and --watch is there to be looked at",
                        Some("leave one of them out".to_owned()),
                    ));
                }
                let mut live = LiveState::new(context.terminal.clone());
                let state = watch(state, &look, &mut |state| Ok(live.show(state)?))?;
                live.end(&state)?;
                state
            }
            Format::Table => {
                context.terminal.text(&state::text(&state))?;
                state
            }
        };
        Ok(exit_of(&state))
    }
}

/// Looks again and again, and shows it, until the run is over; the last look. A database that is restarted is looked
/// at again for a while.
fn watch(
    mut state: State,
    look: &dyn Fn() -> Result<State, Failure>,
    show: &mut dyn FnMut(&State) -> Result<(), Failure>,
) -> Result<State, Failure> {
    let mut missed = 0;
    loop {
        show(&state)?;
        if state.run_phase.is_some_and(RunPhase::is_over) {
            return Ok(state);
        }
        thread::sleep(EVERY);
        match look() {
            Ok(next) => (state, missed) = (next, 0),
            Err(failure) if missed == MISSED_MAX => return Err(failure),
            Err(_missed) => missed += 1,
        }
    }
}

/// A lock that cannot be read is no success.
fn exit_of(state: &State) -> Exit {
    let unknown = |lock: &LockLook| match lock {
        LockLook::Known(_) => false,
        LockLook::Unknown { .. } => true,
    };
    if state.locks.iter().any(unknown) {
        Exit::Failed
    } else {
        Exit::Done
    }
}
