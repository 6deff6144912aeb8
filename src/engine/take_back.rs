//! The window closes: what is loaded is taken back by the code of `abort`, so that the legacy is open.

use super::{
    abort::{AbortCost, Aborted, Cost, abort, cost},
    error::RunError,
    job::Job,
    patience::Patience,
    run::IfHeld,
};
use crate::{
    exit::Exit,
    store::{StoreError, TargetStanding, standing},
};

/// What was taken back.
#[derive(Debug)]
pub struct TakenBack {
    /// What it cost; nothing where only a lock was left of a run that is aborted already.
    pub cost: Option<AbortCost>,
    /// How it ended.
    pub aborted: Aborted,
}

impl TakenBack {
    /// How the program ends with it: stopped early, unless something is left to do.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self.aborted.stopped {
            Some(reason) => reason.exit(),
            None if self.aborted.kept.is_empty() => Exit::Stopped,
            None => Exit::Failed,
        }
    }

    /// Whether everything is as it was before the run.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.aborted.stopped.is_none() && self.aborted.kept.is_empty()
    }
}

/// Takes the newest run back, if it is under way and not cut over; only signals stop that. What was begun before goes
/// on.
///
/// # Errors
/// Another process is at work on the run, or [`RunError::NotTakenBack`]; the same call goes on.
pub fn take_back(job: &Job<'_>) -> Result<Option<TakenBack>, RunError> {
    let stop = job.stop.signals_only();
    let job = &Job {
        stop: &stop,
        ..*job
    };
    let mut patience = Patience::of_work_under_way();
    loop {
        let error = match attempt(job) {
            Ok(taken_back) => return Ok(taken_back),
            Err(error) if error.is_held() => return Err(error),
            Err(error) => error,
        };
        (patience.wait(job, IfHeld::Refuse, error))
            .map_err(|error| RunError::NotTakenBack(Box::new(error)))?;
    }
}

fn attempt(job: &Job<'_>) -> Result<Option<TakenBack>, RunError> {
    if standing(&job.settings.target)? != TargetStanding::Current {
        return Ok(None);
    }
    let cost = match cost(job) {
        Ok(Cost::Nothing(_)) | Err(RunError::NoRun | RunError::NothingToAbort { .. }) => {
            return Ok(None);
        }
        Err(RunError::Store(StoreError::Missing { .. })) => return Ok(None),
        Ok(Cost::LockLeft(_)) => None,
        Ok(Cost::Of(cost)) => Some(cost),
        Err(error) => return Err(error),
    };
    let aborted = abort(job)?;
    Ok(Some(TakenBack { cost, aborted }))
}
