//! The whole maintenance job, started or resumed by the same call.

use std::path::Path;

use super::{
    abort,
    begin::{Task, create, look_before_writing, refuse_drift, task},
    error::RunError,
    extract::ExtractError,
    gate::Gate,
    hooks,
    job::Job,
    live, locking,
    patience::Patience,
    plan_file::PlanFile,
    runner::{Runner, read_back},
    stop::{AtClose, StopReason},
    take_back::{TakenBack, take_back},
    verify::Verification,
};
use crate::{
    domain::tally::Tally,
    exit::Exit,
    source::lock::Locks,
    store::{Intent, RunRow, StoreError, Target, TargetStanding, standing},
};

/// What the caller of a run may ask for.
#[derive(Clone, Debug, Default)]
pub struct RunOptions {
    /// The plan to be carried out, and nothing else.
    pub plan: Option<PlanFile>,
    /// How far to go.
    pub until: RunUntil,
    /// Who answers for going on although verification fails.
    pub overrule: Option<Overrule>,
    /// What to do while another process works on the run.
    pub if_held: IfHeld,
    /// What becomes of it when its window closes before cut-over.
    pub at_close: AtClose,
}

/// What a call does while another process holds the lease.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IfHeld {
    /// It ends, saying who.
    #[default]
    Refuse,
    /// It waits until that process is done or dead, and takes over what is left.
    Wait,
}

/// A failed verification overruled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overrule {
    /// By whom.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// How far a run goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RunUntil {
    /// To the end.
    #[default]
    Finished,
    /// Until everything is verified, but before cut-over.
    Verified,
}

/// How a call of `run` ended.
#[derive(Debug)]
pub struct RunOutcome {
    /// The run as it stands.
    pub run: RunRow,
    /// What it has committed.
    pub tally: Tally,
    /// Why it ended.
    pub end: RunEnd,
}

/// Why a call of `run` ended.
#[derive(Debug)]
pub enum RunEnd {
    /// It is done.
    Finished,
    /// It was done before.
    WasFinished,
    /// Verified, and held before cut-over as asked.
    Held,
    /// A signal came, or the window closes; what was begun is settled.
    Stopped(StopReason),
    /// The window closes, and the legacy is open again.
    TakenBack(Box<TakenBack>),
    /// Too large a share of the records is quarantined; stopped before cut-over, lock kept.
    TooManyQuarantined {
        /// The share.
        ratio: f64,
        /// The limit.
        limit: f64,
    },
    /// Verification found something; stopped before cut-over, lock kept.
    VerificationFailed(Box<Verification>),
}

impl RunOutcome {
    /// How the program ends with it.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match &self.end {
            RunEnd::Finished | RunEnd::WasFinished if self.tally.quarantined() > 0 => {
                Exit::DoneWithQuarantine
            }
            RunEnd::Finished | RunEnd::WasFinished => Exit::Done,
            RunEnd::Held => Exit::Stopped,
            RunEnd::Stopped(reason) => reason.exit(),
            RunEnd::TakenBack(taken_back) => taken_back.exit(),
            RunEnd::TooManyQuarantined { .. } => Exit::Failed,
            RunEnd::VerificationFailed(_) => Exit::VerificationFailed,
        }
    }
}

/// Starts or resumes the run and takes it as far as it goes, or back when its window closes, if that was asked for.
///
/// # Errors
/// Anything that failed on the way. What was committed stays, the lock too, and the same call goes on.
pub fn run(job: &Job<'_>, options: &RunOptions) -> Result<RunOutcome, RunError> {
    let ended = there_or_back(job, options);
    hooks::tell_stopped(job, &ended);
    ended
}

/// Outside its window: takes back what an interrupted run has left, if that was asked for.
///
/// # Errors
/// As [`take_back`].
pub fn outside(job: &Job<'_>) -> Result<Option<RunOutcome>, RunError> {
    let Some(taken_back) = take_back(job)? else {
        return Ok(None);
    };
    let ended = back(job, taken_back);
    hooks::tell_stopped(job, &ended);
    ended.map(Some)
}

fn there_or_back(job: &Job<'_>, options: &RunOptions) -> Result<RunOutcome, RunError> {
    if options.at_close == AtClose::KeepLock {
        return forward(job, options);
    }
    let ended = match forward(job, options) {
        // It stopped half way back, and goes that way to its end before another run begins.
        Err(RunError::Aborting { run_id }) => match take_back(job)? {
            Some(half) if !half.is_whole() || job.stop.requested().is_some() => {
                return back(job, half);
            }
            Some(_) | None => {
                let done = "was half way back to an open legacy, and is aborted now";
                job.progress.note(&format!("run {run_id} {done}"));
                forward(job, options)
            }
        },
        ended => ended,
    };
    let closes = match &ended {
        Ok(outcome) => matches!(outcome.end, RunEnd::Stopped(StopReason::WindowCloses)),
        Err(RunError::Extract(ExtractError::Stopped(StopReason::WindowCloses))) => true,
        Err(_) => false,
    };
    match closes.then(|| take_back(job)).transpose()?.flatten() {
        Some(taken_back) => back(job, taken_back),
        None => ended,
    }
}

fn back(job: &Job<'_>, taken_back: TakenBack) -> Result<RunOutcome, RunError> {
    let target = Target::open(&job.settings.target, Intent::MustExist)?;
    let run_id = taken_back.aborted.run.run_id;
    outcome(&target, run_id, RunEnd::TakenBack(Box::new(taken_back)))
}

/// When a server goes away, it is waited for, and the work goes on from what is committed, as in the next process.
fn forward(job: &Job<'_>, options: &RunOptions) -> Result<RunOutcome, RunError> {
    let mut patience = Patience::default();
    loop {
        match attempt(job, options, &mut patience) {
            Ok(outcome) => return Ok(outcome),
            Err(error) => patience.wait(job, options.if_held, error)?,
        }
    }
}

fn attempt(
    job: &Job<'_>,
    options: &RunOptions,
    patience: &mut Patience,
) -> Result<RunOutcome, RunError> {
    if let Some(plan) = &options.plan {
        refuse_drift(job, plan)?;
    }
    let new = standing(&job.settings.target)? != TargetStanding::Current;
    if new {
        look_before_writing(job, options)?;
    }
    let mut target = Target::open(&job.settings.target, Intent::CreateIfMissing)?;
    let run = match task(job, options, &target)? {
        Task::Report(run) => return outcome(&target, run.run_id, RunEnd::WasFinished),
        Task::Resume(run) => {
            refuse_what_was_aborted(job, &target, patience.gave_up(Some(run.run_id)))?;
            run
        }
        Task::Begin { in_use } => {
            refuse_what_was_aborted(job, &target, patience.gave_up(None))?;
            if !new {
                look_before_writing(job, options)?;
            }
            create(job, options, &mut target, in_use)?
        }
    };
    let lease = target.acquire(run.run_id, job.holder, job.settings.run.lease)?;
    patience.begin(run.run_id);
    let loaded = target.tally(run.run_id)?.records().unsigned_abs();
    (job.stop).note_taking_back(abort::takes(loaded, run.target_fresh));
    let heartbeat = target.heartbeat(&lease)?;
    let rules = live::rules(job.settings, &target, &run)?;
    let mut runner = Runner {
        job,
        options,
        run_id: run.run_id,
        rules: &rules,
        target,
        lease,
        locks: Locks::default(),
        gate: Gate::new(),
        verifications: 0,
        was_asked: false,
    };
    let end = runner.advance();
    drop(heartbeat);
    let Runner { target, lease, .. } = runner;
    let released = target.release(lease);
    // What ended the work says more than a lease that could not be given back.
    let end = end?;
    released?;
    outcome(&target, run.run_id, end)
}

/// A process whose run others have aborted meanwhile begins no other, and takes back a lock that it may have made
/// too late.
fn refuse_what_was_aborted(
    job: &Job<'_>,
    target: &Target,
    gave_up: Option<i64>,
) -> Result<(), RunError> {
    let Some(run_id) = gave_up else {
        return Ok(());
    };
    locking::clear(job.settings, &target.run(run_id)?)?;
    Err(StoreError::LeaseLost { run_id }.into())
}

pub(super) fn outcome(target: &Target, run_id: i64, end: RunEnd) -> Result<RunOutcome, RunError> {
    Ok(RunOutcome {
        run: target.run(run_id)?,
        tally: target.tally(run_id)?,
        end,
    })
}

/// A run that was verified without being taken further.
#[derive(Debug)]
pub struct RunVerified {
    /// The run.
    pub run: RunRow,
    /// What was found.
    pub found: Verification,
}

/// Verifies the run of this configuration as it stands, or else the newest one, and changes nothing. It is held to
/// `verdicts` too, where there are some.
///
/// # Errors
/// There is no run, or verification cannot be carried out.
pub fn verify(job: &Job<'_>, verdicts: Option<&Path>) -> Result<RunVerified, RunError> {
    let target = Target::open(&job.settings.target, Intent::MustExist)?;
    let runs = target.runs()?;
    let run = (live::finished(job.settings, &runs).or(runs.first()))
        .ok_or(RunError::NoRun)?
        .clone();
    let rules = live::rules(job.settings, &target, &run)?;
    let locks = locking::claimed(job.settings, &run)?;
    let found = read_back(job, &rules, &run, (&locks, verdicts))?;
    Ok(RunVerified { run, found })
}
