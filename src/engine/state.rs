//! Where everything stands: locks, run, queue, and what to type next.

use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroU64,
};

use serde::Serialize;

use super::{
    locking,
    outlook::{QueueState, queue_state},
    report::Report,
};
use crate::{
    config::settings::Settings,
    domain::tally::Tally,
    source::lock::{self, LockState, LockStatus, Owner},
    store::{
        Holder, Reader, RunControl, RunPhase, StoreError, index_steps,
        reader::{RunState, Runner},
    },
};

/// The state of the whole job.
#[derive(Clone, Debug, Serialize)]
pub struct State {
    /// The run in the fields every report has; phase `none` before there is one.
    #[serde(flatten)]
    pub report: Report,
    /// The lock of each source, those that are held first.
    pub locks: Vec<LockLook>,
    /// Who works on the run, or worked on it last.
    pub runner: Option<RunnerState>,
    /// What administrators ask of the run under way.
    pub control: Option<ControlState>,
    /// When the run began, was cut over, and ended (UTC).
    pub times: BTreeMap<&'static str, String>,
    /// Records the sources hold, once they were read.
    pub records_expected: Option<u64>,
    /// How far the run came in its phase; nothing once it is over.
    pub progress: Option<ProgressState>,
    /// Requests of the counters by state.
    pub activations: BTreeMap<String, i64>,
    /// What of it waits, and how late it is; nothing where there is no target yet.
    pub queue: Option<QueueState>,
    /// The next command to type.
    pub next: String,
    /// The run's phase, where there is a run.
    #[serde(skip)]
    pub run_phase: Option<RunPhase>,
    /// Sources on whose lock the run rests, and whose lock is not its own, or none.
    #[serde(skip)]
    pub lost: BTreeSet<String>,
}

/// What the lock of a source looks like.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum LockLook {
    /// Like this.
    Known(Box<LockStatus>),
    /// Nobody can tell.
    Unknown {
        /// Name of the source.
        source: String,
        /// Why.
        error: String,
    },
}

/// How far a run came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProgressState {
    /// When it passed to its phase (UTC).
    pub phase_since: String,
    /// What the workers load, each one partition at a time.
    pub partitions: Vec<PartitionState>,
    /// Steps between the load and verification: indexes, keys, statistics.
    pub steps: usize,
    /// Of these, the ones done.
    pub steps_done: i64,
}

/// How far a partition is loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct PartitionState {
    /// Its records.
    pub records: u64,
    /// Of these, the ones committed.
    pub committed: u64,
}

/// A process that holds or held the lease.
#[derive(Clone, Debug, Serialize)]
pub struct RunnerState {
    /// Host and process.
    pub holder: String,
    /// When its lease runs out or ran out (UTC).
    pub expires_at: String,
    /// Whether the lease is still good.
    pub living: bool,
    /// Whether the process is known to have ended all the same: nobody need wait for its lease.
    pub gone: bool,
}

/// A run that is paused or throttled.
#[derive(Clone, Debug, Serialize)]
pub struct ControlState {
    /// Since when it is paused (UTC).
    pub paused_at: Option<String>,
    /// By whom.
    pub paused_by: Option<String>,
    /// It writes no faster than that.
    pub records_per_second: Option<NonZeroU64>,
}

impl ControlState {
    fn of(control: &RunControl) -> Option<Self> {
        let paused = control.paused.as_ref();
        (*control != RunControl::default()).then(|| Self {
            paused_at: paused.map(|paused| paused.at.clone()),
            paused_by: paused.map(|paused| paused.by.clone()),
            records_per_second: control.records_per_second,
        })
    }
}

/// Looks everywhere; changes nothing.
///
/// # Errors
/// The target is there and cannot be read.
pub fn look(settings: &Settings) -> Result<State, StoreError> {
    let mut is_finished = false;
    let mut owners = Vec::new();
    let (run, progress, activations, queue) = match Reader::open(&settings.target) {
        Ok(reader) => {
            let runs = reader.runs()?;
            owners.extend(runs.iter().map(locking::owner));
            is_finished = runs.iter().any(|run| {
                let sources = run.sources.iter().map(|source| source.name.as_str());
                run.phase == RunPhase::Finished && is_of(settings, sources)
            });
            let run = reader.newest_run()?;
            let under_way = run.as_ref().filter(|run| !run.phase.is_over());
            let progress = under_way.map(|run| progress(settings, &reader, run));
            let progress = progress.transpose()?;
            let activations = reader.queue()?;
            let queue = queue_state(&reader, &settings.activation.schedule)?;
            (run, progress, activations, Some(queue))
        }
        Err(error) if error.is_absent() => (None, None, BTreeMap::new(), None),
        Err(error) => return Err(error),
    };
    let locks = locks(settings);
    let lost = run
        .as_ref()
        .map(|run| lost(run, &locks))
        .unwrap_or_default();
    let next = match &run {
        Some(run)
            if !is_of(
                settings,
                run.sources.iter().map(|source| source.name.as_str()),
            ) =>
        {
            let at_rest = next_beside(run, is_finished, queue.as_ref());
            at_rest.unwrap_or_else(|| begin(&locks, &owners))
        }
        Some(run) => match wanting(run, &lost, &locks) {
            Some(what) => what.to_owned(),
            None => next(run, &locks, &owners, queue.as_ref()),
        },
        None => begin(&locks, &owners),
    };
    Ok(State {
        report: report(run.as_ref()),
        locks,
        runner: run.as_ref().and_then(|run| run.runner.as_ref()).map(runner),
        control: (run.as_ref()).and_then(|run| ControlState::of(&run.control)),
        times: run.as_ref().map(times).unwrap_or_default(),
        records_expected: run.as_ref().and_then(expected),
        progress,
        activations,
        queue,
        next,
        run_phase: run.map(|run| run.phase),
        lost,
    })
}

/// Whether these are the configured sources.
fn is_of<'s>(settings: &Settings, sources: impl Iterator<Item = &'s str>) -> bool {
    sources.eq(settings
        .sources
        .iter()
        .map(|source| source.rules.name.as_str()))
}

/// What to type with a configuration that is not that of the newest run; `is_finished` where its own run is. Nothing
/// where its own is yet to begin.
fn next_beside(run: &RunState, is_finished: bool, queue: Option<&QueueState>) -> Option<String> {
    if !run.phase.is_over() {
        let sources: Vec<_> = run
            .sources
            .iter()
            .map(|source| source.name.as_str())
            .collect();
        return Some(format!(
            "run {} is that of another configuration, with the sources {}: `pinferry status` with that one says what \
             it needs",
            run.run_id,
            sources.join(", ")
        ));
    }
    is_finished.then(|| finished(queue).to_owned())
}

/// What to type after cut-over.
fn finished(queue: Option<&QueueState>) -> &'static str {
    if waits_for_a_drain(queue) {
        "`pinferry activate`"
    } else {
        "`pinferry verify`"
    }
}

/// What to type where nothing is under way.
const BEGIN: &str = "`pinferry plan`, then `pinferry run`";

fn begin(locks: &[LockLook], owners: &[Owner]) -> String {
    let why_not = unreadable(locks).or_else(|| foreign(locks, owners));
    why_not.unwrap_or_else(|| BEGIN.to_owned())
}

/// What to type where nobody can read a lock.
fn unreadable(locks: &[LockLook]) -> Option<String> {
    let is_unknown = |lock: &LockLook| matches!(lock, LockLook::Unknown { .. });
    let any = locks.iter().any(is_unknown);
    any.then(|| "`pinferry doctor`, until the lock can be read".to_owned())
}

/// What to type where a run holds a lock that is not in this target.
fn foreign(locks: &[LockLook], owners: &[Owner]) -> Option<String> {
    let holdings = locks.iter().filter_map(|lock| match lock {
        LockLook::Known(status) => status.holding(),
        LockLook::Unknown { .. } => None,
    });
    let mut foreign = holdings.filter(|holding| match &holding.owner {
        Owner::Run(_) => !owners.contains(&holding.owner),
        Owner::Administrator(_) => false,
    });
    let holding = foreign.next()?;
    Some(format!(
        "source {:?} is {} by {}, which is not in this target: {}",
        holding.source_name,
        holding.state,
        holding.owner,
        holding.hint()
    ))
}

/// Whether a run in this phase rests on its lock.
fn needs_lock(phase: RunPhase) -> bool {
    match phase {
        RunPhase::Locked
        | RunPhase::Loading
        | RunPhase::Loaded
        | RunPhase::Indexed
        | RunPhase::Verified
        | RunPhase::VerificationFailed => true,
        RunPhase::Created
        | RunPhase::CutOver
        | RunPhase::Finished
        | RunPhase::Aborting
        | RunPhase::Aborted => false,
    }
}

/// The locks of what can be locked, as far as they are known.
fn lockable(locks: &[LockLook]) -> impl Iterator<Item = &LockStatus> {
    locks.iter().filter_map(|lock| match lock {
        LockLook::Known(status) if status.lockable => Some(status.as_ref()),
        LockLook::Known(_) | LockLook::Unknown { .. } => None,
    })
}

/// The sources on whose lock the run rests, and whose lock is no longer its own.
fn lost(run: &RunState, locks: &[LockLook]) -> BTreeSet<String> {
    let owner = locking::owner_of(run.run_id, &run.created_at);
    lockable(locks)
        .filter(|_| needs_lock(run.phase))
        .filter(|status| !status.is_held() || status.owner.as_ref() != Some(&owner))
        .map(|status| status.source.clone())
        .collect()
}

/// What to type where a lock that should hold does not, or is no longer the run's own.
fn wanting(run: &RunState, lost: &BTreeSet<String>, locks: &[LockLook]) -> Option<&'static str> {
    if !needs_lock(run.phase) {
        return None;
    }
    let damaged =
        lockable(locks).any(|status| status.is_damaged() || status.state == LockState::Broken);
    match (damaged, !lost.is_empty()) {
        (false, false) => None,
        // Nothing was read under the lock yet.
        (false, true) if run.phase == RunPhase::Locked => {
            Some("the lock is gone: find out who did that; `pinferry run` locks again and goes on")
        }
        (false, true) | (true, _) => Some(
            "the lock is gone or damaged, or no longer the run's own: find out who did that, then `pinferry abort`",
        ),
    }
}

fn locks(settings: &Settings) -> Vec<LockLook> {
    let sources = settings.sources.iter();
    let mut locks: Vec<LockLook> = sources
        .map(|source| match lock::status(source, &settings.lock) {
            Ok(status) => LockLook::Known(Box::new(status)),
            Err(error) => LockLook::Unknown {
                source: source.rules.name.clone(),
                error: error.to_string(),
            },
        })
        .collect();
    locks.sort_by_key(|lock| match lock {
        LockLook::Known(status) if status.is_held() => 0,
        LockLook::Unknown { .. } => 1,
        LockLook::Known(status) if status.lockable => 2,
        LockLook::Known(_) => 3,
    });
    locks
}

fn report(run: Option<&RunState>) -> Report {
    let Some(run) = run else {
        return Report::new(None, "none", &Tally::default(), &[]);
    };
    let sources = run.sources.iter();
    let fingerprints: Vec<_> = sources
        .map(|source| (source.name.clone(), source.fingerprint))
        .collect();
    Report::new(
        Some(run.run_id),
        run.phase.as_str(),
        &run.tally,
        &fingerprints,
    )
}

fn runner(runner: &Runner) -> RunnerState {
    RunnerState {
        holder: Holder::shown(&runner.holder).to_owned(),
        expires_at: runner.expires_at.clone(),
        living: runner.living,
        gone: is_gone(runner),
    }
}

/// Whether a process whose lease is still good is known to have ended.
fn is_gone(runner: &Runner) -> bool {
    runner.living && Holder::this_process().knows_gone(&runner.holder)
}

fn times(run: &RunState) -> BTreeMap<&'static str, String> {
    let times = [
        ("created_at", Some(&run.created_at)),
        ("cut_over_at", run.cut_over_at.as_ref()),
        ("finished_at", run.finished_at.as_ref()),
    ];
    let known = times
        .into_iter()
        .filter_map(|(key, at)| Some((key, at?.clone())));
    known.collect()
}

fn progress(
    settings: &Settings,
    reader: &Reader,
    run: &RunState,
) -> Result<ProgressState, StoreError> {
    let progress = reader.progress(run.run_id)?;
    // A partition ends where the next one begins.
    let begins = progress.partitions.iter().map(|(first, _)| *first);
    let ends = begins.skip(1).chain(expected(run));
    let partitions = progress.partitions.iter().zip(ends);
    Ok(ProgressState {
        phase_since: progress
            .phase_since
            .unwrap_or_else(|| run.created_at.clone()),
        partitions: partitions
            .map(|((first, position), end)| PartitionState {
                records: end.saturating_sub(*first),
                committed: position.saturating_sub(*first),
            })
            .collect(),
        steps: index_steps(&settings.target).len(),
        steps_done: progress.steps_done,
    })
}

/// Records of all sources, once every one of them was read.
fn expected(run: &RunState) -> Option<u64> {
    run.sources.iter().map(|source| source.records).sum()
}

fn waits_for_a_drain(queue: Option<&QueueState>) -> bool {
    queue.is_some_and(|queue| {
        queue.waiting > queue.of_nobody
            || queue.receipts_due + queue.pending_due + queue.retired_due > 0
    })
}

fn next(
    run: &RunState,
    locks: &[LockLook],
    owners: &[Owner],
    queue: Option<&QueueState>,
) -> String {
    let runner = run.runner.as_ref();
    let is_worked_on = runner.is_some_and(|runner| runner.living && !is_gone(runner));
    match (&run.control.paused, is_worked_on) {
        (Some(_), true) => return "`pinferry resume` lets it go on".to_owned(),
        (Some(_), false) => {
            return "`pinferry resume`, then `pinferry run`; `pinferry abort` takes it back"
                .to_owned();
        }
        (None, _) => {}
    }
    if is_worked_on && !run.phase.is_over() {
        return "somebody works on it: `pinferry status --watch`".to_owned();
    }
    let why_not = match run.phase {
        RunPhase::Finished => None,
        RunPhase::Aborting => unreadable(locks),
        RunPhase::Created
        | RunPhase::Locked
        | RunPhase::Loading
        | RunPhase::Loaded
        | RunPhase::Indexed
        | RunPhase::Verified
        | RunPhase::VerificationFailed
        | RunPhase::CutOver
        | RunPhase::Aborted => unreadable(locks).or_else(|| foreign(locks, owners)),
    };
    if let Some(why_not) = why_not {
        return why_not;
    }
    let what = match run.phase {
        RunPhase::Created
        | RunPhase::Locked
        | RunPhase::Loading
        | RunPhase::Loaded
        | RunPhase::Indexed
        | RunPhase::Verified => "`pinferry run` goes on, `pinferry abort` takes it back",
        RunPhase::VerificationFailed => {
            "`pinferry run` verifies again, `pinferry abort` takes it back"
        }
        RunPhase::CutOver => "`pinferry run` finishes it",
        RunPhase::Aborting => "`pinferry abort` goes on taking it back",
        RunPhase::Aborted => BEGIN,
        RunPhase::Finished => finished(queue),
    };
    what.to_owned()
}
