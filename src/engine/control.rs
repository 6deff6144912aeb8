//! What an administrator asks of a run under way from another terminal.

use super::error::RunError;
use crate::{
    config::settings::Settings,
    store::{Ask, Asked, Intent, RunControl, Target},
};

/// What is asked of the run now.
#[derive(Debug)]
pub struct Controlled {
    /// The run.
    pub run_id: i64,
    /// All that is asked of it.
    pub control: RunControl,
    /// Whether it was so before.
    pub was_so: bool,
}

/// Asks it of the newest run, for as long as that is under way and not cut over.
///
/// # Errors
/// There is no such run, or the target fails.
pub fn ask(
    settings: &Settings,
    ask: Ask,
    (actor, reason): (&str, &str),
) -> Result<Controlled, RunError> {
    let mut target = Target::open(&settings.target, Intent::MustExist)?;
    let run_id = target.current_run()?.ok_or(RunError::NoRun)?.run_id;
    let (control, was_so) = match target.ask(run_id, ask, (actor, reason))? {
        Asked::Changed(control) => (control, false),
        Asked::Unchanged(control) => (control, true),
        Asked::TooLate(phase) => return Err(RunError::NotHeldUp { run_id, phase }),
    };
    Ok(Controlled {
        run_id,
        control,
        was_so,
    })
}
