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
    ui::{metrics, state, terminal::Format},
};

/// How often `--watch` looks.
const EVERY: Duration = Duration::from_secs(2);

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
        let show = || -> Result<State, Failure> {
            let state = look(&settings)?;
            if let Some(file) = &self.metrics {
                metrics_file::save(&metrics::text(&state, Timestamp::now()), file)?;
            }
            match context.terminal.format() {
                Format::Json => context.terminal.json(&state)?,
                Format::Table => context.terminal.text(&state::text(&state))?,
            }
            Ok(state)
        };
        if !self.watch {
            return Ok(exit_of(&show()?));
        }
        loop {
            let state = show()?;
            if state.run_phase.is_some_and(RunPhase::is_over) {
                return Ok(exit_of(&state));
            }
            thread::sleep(EVERY);
            context.terminal.text("")?;
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
