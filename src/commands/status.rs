//! `status`: is the lock held, where does the run stand, what to type next.

use std::{thread, time::Duration};

use clap::Args;

use super::{Context, failure::Failure};
use crate::{
    engine::state::{LockLook, State, look},
    exit::Exit,
    store::RunPhase,
    ui::{state, terminal::Format},
};

/// How often `--watch` looks.
const EVERY: Duration = Duration::from_secs(2);

/// Say whether the lock is held, where the run stands, and what to type next
#[derive(Debug, Args)]
pub(super) struct Status {
    /// Look again every two seconds until the run is over
    #[arg(long)]
    watch: bool,
}

impl Status {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let settings = context.settings(Vec::new())?;
        let show = || -> Result<State, Failure> {
            let state = look(&settings)?;
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
