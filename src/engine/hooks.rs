//! Commands of the administrator's own, run at certain points of a run.
//!
//! A hook may run more than once: what follows it may fail or be killed before it is committed, and the next process
//! runs it again.

mod command;

use std::time::{Duration, Instant};

use super::{error::RunError, job::Job, run::RunOutcome, stop::StopReason};
use crate::{
    config::settings::{Hook, HookSettings},
    exit::Exit,
    store::{Reader, RunPhase},
};
use command::{Ended, Started};

pub use command::{Unfit, program};

/// How often one who waits for a hook looks up.
const TURN: Duration = Duration::from_millis(50);

/// What a hook is told.
#[derive(Clone, Copy, Debug)]
struct Told {
    run_id: Option<i64>,
    phase: Option<RunPhase>,
    exit: Option<Exit>,
}

/// How a hook that may say no has answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// Go on.
    Yes,
    /// A signal came first; the hook was ended.
    Stopped(StopReason),
}

/// Asks a hook whether to go on; where none is configured, one does.
///
/// # Errors
/// [`RunError::Vetoed`], also where it cannot be run or is not done in time.
pub(super) fn ask(
    job: &Job<'_>,
    hook: Hook,
    run_id: i64,
    phase: RunPhase,
) -> Result<Answer, RunError> {
    let told = Told {
        run_id: Some(run_id),
        phase: Some(phase),
        exit: None,
    };
    match run(job, hook, told, job.settings.hooks.timeout, Heed::Signals) {
        None | Some(Ok(Ended::Well)) => Ok(Answer::Yes),
        Some(Ok(Ended::Stopped(reason))) => Ok(Answer::Stopped(reason)),
        Some(Ok(ended)) => Err(vetoed(hook, ended.to_string())),
        Some(Err(unfit)) => Err(vetoed(hook, unfit.to_string())),
    }
}

fn vetoed(hook: Hook, why: String) -> RunError {
    RunError::Vetoed { hook, why }
}

/// Tells a hook what has happened; that it fails is only noted.
pub(super) fn tell(job: &Job<'_>, hook: Hook, run_id: i64, phase: RunPhase) {
    let told = Told {
        run_id: Some(run_id),
        phase: Some(phase),
        exit: None,
    };
    let ended = run(job, hook, told, job.settings.hooks.timeout, Heed::Signals);
    note(job, hook, ended);
}

/// Tells the hook for it that a run ended before it was finished.
pub(super) fn tell_stopped(job: &Job<'_>, ended: &Result<RunOutcome, RunError>) {
    if !job.settings.hooks.commands.contains_key(&Hook::OnStop) {
        return;
    }
    let told = match ended {
        Ok(outcome) if outcome.run.phase == RunPhase::Finished => return,
        Err(error) if error.is_held() => return,
        Ok(outcome) => Told {
            run_id: Some(outcome.run.run_id),
            phase: Some(outcome.run.phase),
            exit: Some(outcome.exit()),
        },
        Err(error) => {
            // What is wrong with the target may be why it ended.
            let reader = Reader::open(&job.settings.target).ok();
            let run = reader.and_then(|reader| reader.newest_run().ok().flatten());
            Told {
                run_id: run.as_ref().map(|run| run.run_id),
                phase: run.as_ref().map(|run| run.phase),
                exit: Some(error.exit()),
            }
        }
    };
    // After a signal the process is ended within a lease.
    let timeout = match job.stop.signal() {
        Some(_) => job.settings.hooks.timeout.min(job.settings.run.lease / 2),
        None => job.settings.hooks.timeout,
    };
    let ended = run(job, Hook::OnStop, told, timeout, Heed::Nothing);
    note(job, Hook::OnStop, ended);
}

fn note(job: &Job<'_>, hook: Hook, ended: Option<Result<Ended, Unfit>>) {
    let why = match ended {
        None | Some(Ok(Ended::Well)) => return,
        Some(Ok(ended)) => ended.to_string(),
        Some(Err(unfit)) => unfit.to_string(),
    };
    tracing::warn!(event = "hook.failed", hook = hook.as_str(), why);
    let line = format!("hooks.{hook} {why}; what it was to do may not be done");
    job.progress.note(&line);
}

/// Whether a signal ends a hook.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Heed {
    Signals,
    Nothing,
}

/// Runs a hook to its end, if it is configured.
fn run(
    job: &Job<'_>,
    hook: Hook,
    told: Told,
    timeout: Duration,
    heed: Heed,
) -> Option<Result<Ended, Unfit>> {
    let HookSettings { commands, .. } = &job.settings.hooks;
    let arguments = commands.get(&hook)?;
    let mut context = vec![("PINFERRY_EVENT", hook.as_str().to_owned())];
    context.extend(
        told.run_id
            .map(|run_id| ("PINFERRY_RUN_ID", run_id.to_string())),
    );
    context.extend(
        told.phase
            .map(|phase| ("PINFERRY_PHASE", phase.to_string())),
    );
    context.extend(
        told.exit
            .map(|exit| ("PINFERRY_EXIT", exit.code().to_string())),
    );
    let started = match Started::new(arguments, job.settings.folder(), &context) {
        Err(unfit) => return Some(Err(unfit)),
        Ok(started) => started,
    };
    tracing::info!(event = "hook.started", hook = hook.as_str());
    let deadline = Instant::now() + timeout;
    let stop = || match heed {
        Heed::Signals => job.stop.signal(),
        Heed::Nothing => None,
    };
    let say = |line: &str| job.progress.note(&format!("{hook}: {line}"));
    Some(Ok(started.wait((deadline, timeout), TURN, &stop, &say)))
}
