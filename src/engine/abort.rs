//! Back to an open legacy, from any state before cut-over.

use std::time::Duration;

use serde::Serialize;
use serde_json::json;

use super::{
    begin::drift, error::RunError, job::Job, live, locking, progress::Phase, stop::StopReason,
    taken,
};
use crate::{
    config::settings::Settings,
    failpoint,
    source::lock::{self, Leftovers, LockState, NotHandedBack, Owner, Released},
    store::{
        CommitPoint, Intent, Lease, Reader, RunPhase, RunRow, StoreError, Target,
        activation::Readiness,
    },
};

/// Rows taken out in one transaction of a target that was in use.
const ROWS_A_CHUNK: u32 = 50_000;

/// What an abort takes whatever is loaded: to empty whole tables, and to find a moment to release each lock.
const LEAST: Duration = Duration::from_secs(2);

/// Records a second that are surely taken out of a target in use, row by row.
const RECORDS_PER_SECOND: u64 = 5_000;

/// What an abort would take back.
#[derive(Clone, Debug)]
pub struct AbortCost {
    /// The run.
    pub run: RunRow,
    /// Records it has committed, which are taken out of the target.
    pub records: u64,
    /// PINs diverted by the lock, which go back into the legacy.
    pub diverted: u64,
    /// Locks of administrators in the place of the run's own, in words: they go too.
    pub administrators: Vec<String>,
    /// What stays in the queue.
    pub queue: QueueLeft,
    /// About how long it takes.
    pub takes: Duration,
}

/// About how long it takes to take so many records out and to open the legacy.
pub(super) fn takes(records: u64, target_fresh: bool) -> Duration {
    match target_fresh {
        true => LEAST,
        false => LEAST + Duration::from_secs(records / RECORDS_PER_SECOND),
    }
}

/// What the end of a window before cut-over means, as far as that is known before the work begins.
#[derive(Clone, Copy, Debug)]
pub struct Foreseen {
    /// Records that are loaded now.
    pub loaded: u64,
    /// Records in all, where somebody has counted them.
    pub expected: Option<u64>,
    /// About how long an abort would take with all of them loaded.
    pub takes: Duration,
}

/// What would be taken back at the end of a window; nothing where the run is past that. `planned` is how many records
/// the plan counted.
#[must_use]
pub fn foresee(settings: &Settings, planned: Option<u64>) -> Option<Foreseen> {
    let mut foreseen = Foreseen {
        loaded: 0,
        expected: planned,
        takes: LEAST,
    };
    // What is wrong with the target is said by who needs it.
    let Ok(reader) = Reader::open(&settings.target) else {
        return Some(foreseen);
    };
    let (Ok(runs), Ok(Some(newest))) = (reader.runs(), reader.newest_run()) else {
        return Some(foreseen);
    };
    let mut target_fresh = !runs.iter().any(|run| run.phase == RunPhase::Finished);
    if live::finished(settings, &runs).is_some() || newest.phase == RunPhase::CutOver {
        return None;
    }
    if let (false, Some(run)) = (newest.phase.is_over(), runs.first()) {
        target_fresh = run.target_fresh;
        foreseen.loaded = newest.tally.records().unsigned_abs();
        let counted: Option<u64> = newest.sources.iter().map(|source| source.records).sum();
        foreseen.expected = counted.or(planned);
    }
    let most = foreseen.expected.unwrap_or_default().max(foreseen.loaded);
    foreseen.takes = takes(most, target_fresh);
    Some(foreseen)
}

/// Requests of the counters that an abort leaves where they are.
#[derive(Clone, Copy, Debug)]
pub struct QueueLeft {
    /// They wait.
    pub waiting: i64,
    /// Of these, those that take something away.
    pub taking: i64,
    /// Whether they take effect in the model that an earlier run made valid, once this one is out of the way.
    pub has_model: bool,
}

/// How an abort ended.
#[derive(Debug)]
pub struct Aborted {
    /// The run as it stands.
    pub run: RunRow,
    /// Diverted PINs now in the legacy.
    pub handed_back: u64,
    /// Diverted PINs a legacy would not take.
    pub kept: Vec<Kept>,
    /// What could not be removed because somebody was reading, by source, in words.
    pub remains: Vec<(String, Vec<String>)>,
    /// A signal came; the same command goes on.
    pub stopped: Option<StopReason>,
}

impl Aborted {
    fn begun(run: &RunRow) -> Self {
        Self {
            run: run.clone(),
            handed_back: 0,
            kept: Vec::new(),
            remains: Vec::new(),
            stopped: None,
        }
    }

    fn released(&mut self, source: &str, released: Released) {
        self.handed_back += released.handed_back;
        self.remains.push((source.to_owned(), released.remains));
        if let Some(table) = released.kept_in {
            let pins = released.not_handed_back;
            self.kept.push(Kept { table, pins });
        }
    }
}

/// Diverted PINs a legacy would not take, and the table they are kept in.
#[derive(Clone, Debug, Serialize)]
pub struct Kept {
    /// In the legacy.
    pub table: String,
    /// Each with the database's words.
    pub pins: Vec<NotHandedBack>,
}

/// Whether there is anything to abort.
#[derive(Clone, Debug)]
pub enum Cost {
    /// The newest run is aborted already.
    Nothing(RunRow),
    /// It is, and yet the legacy is locked in its name: by a process that had been stopped, or from a backup.
    LockLeft(RunRow),
    /// What an abort would cost.
    Of(AbortCost),
}

/// What an abort would cost now.
///
/// # Errors
/// There is nothing to abort, or target or legacy cannot be read.
pub fn cost(job: &Job<'_>) -> Result<Cost, RunError> {
    let target = open(job)?;
    let run = match target.current_run()? {
        Some(run) if run.phase == RunPhase::Aborted => {
            let left = locking::left(job.settings, &run)?;
            return Ok(match left.is_empty() {
                true => Cost::Nothing(run),
                false => Cost::LockLeft(run),
            });
        }
        Some(_) | None => abortable(job, &target)?,
    };
    target.may_be_erased(&run)?;
    locking::refuse_other_runs(job.settings, Some(&run))?;
    let (mut diverted, mut administrators) = (0, Vec::new());
    for source in &job.settings.sources {
        let status = lock::status(source, &job.settings.lock)?;
        diverted += status.diverted_open;
        if let (LockState::Engaged, Some(owner @ Owner::Administrator(_))) =
            (status.state, status.owner)
        {
            administrators.push(format!("that of {owner} on source {}", status.source));
        }
    }
    let records = target.tally(run.run_id)?.records().unsigned_abs();
    Ok(Cost::Of(AbortCost {
        takes: takes(records, run.target_fresh),
        run,
        records,
        diverted,
        administrators,
        queue: queue_left(job)?,
    }))
}

fn queue_left(job: &Job<'_>) -> Result<QueueLeft, StoreError> {
    let reader = Reader::open(&job.settings.target)?;
    let depth = reader.queue_depth(reader.now()?)?;
    let has_model = match reader.readiness()? {
        Readiness::Ready { .. } | Readiness::Merging { .. } => true,
        Readiness::NotCutOver | Readiness::UnderWay { .. } => false,
    };
    Ok(QueueLeft {
        waiting: depth.waiting,
        taking: depth.taking,
        has_model,
    })
}

/// The target, or who holds the legacy for a run that lives in another one.
fn open(job: &Job<'_>) -> Result<Target, RunError> {
    match Target::open(&job.settings.target, Intent::MustExist) {
        Err(error @ StoreError::Missing { .. }) => {
            locking::refuse_other_runs(job.settings, None)?;
            Err(error.into())
        }
        opened => Ok(opened?),
    }
}

/// Takes the run's rows out of the target, hands diverted PINs back and releases the lock.
///
/// # Errors
/// Anything that failed on the way; the same call goes on from there.
pub fn abort(job: &Job<'_>) -> Result<Aborted, RunError> {
    let mut target = open(job)?;
    if let Some(run) = target
        .current_run()?
        .filter(|run| run.phase == RunPhase::Aborted)
    {
        let mut aborted = Aborted::begun(&run);
        let owner = locking::owner(&run).to_string();
        for locked in locking::left(job.settings, &run)? {
            let source = locked.source().to_owned();
            let keep = taken::keep(job.settings, &source, &owner);
            aborted.released(&source, locked.release(Leftovers::HandBack(&keep))?);
        }
        return Ok(aborted);
    }
    let run = abortable(job, &target)?;
    target.may_be_erased(&run)?;
    locking::refuse_other_runs(job.settings, Some(&run))?;
    let lease = target.acquire(run.run_id, job.holder, job.settings.run.lease)?;
    let heartbeat = target.heartbeat(&lease)?;
    job.progress.begin(Phase::Abort, None);
    if run.phase != RunPhase::Aborting {
        let tx = target.begin(&lease)?;
        tx.set_phase(run.phase, RunPhase::Aborting)?;
        tx.commit(CommitPoint::Phase)?;
    }
    let mut aborted = Aborted::begun(&run);
    aborted.stopped = take_rows_out(job, &mut target, &lease)?;
    if aborted.stopped.is_none() {
        // The rows are gone; what they said must not stay in free pages either.
        target.shrink()?;
        release_locks(job, &run, &mut aborted)?;
        let tx = target.begin(&lease)?;
        tx.event(
            "lock.released",
            &json!({ "handed_back": aborted.handed_back }),
        )?;
        tx.finish_abort()?;
        tx.commit(CommitPoint::Aborted)?;
    }
    drop(heartbeat);
    target.release(lease)?;
    aborted.run = target.run(run.run_id)?;
    Ok(aborted)
}

fn abortable(job: &Job<'_>, target: &Target) -> Result<RunRow, RunError> {
    let Some(run) = target.current_run()? else {
        locking::refuse_other_runs(job.settings, None)?;
        return Err(RunError::NoRun);
    };
    let run_id = run.run_id;
    if run.phase != RunPhase::Aborting && !run.phase.may_become(RunPhase::Aborting) {
        return Err(RunError::NothingToAbort {
            run_id,
            phase: run.phase,
        });
    }
    // Locks are found by the configuration: with other sources they would be left behind.
    let mut keys = drift(&run.fixed, &job.settings.fixed(run.as_of));
    keys.retain(|key| key == "sources" || (key.starts_with("source.") && key.ends_with(".url")));
    if keys.is_empty() {
        Ok(run)
    } else {
        Err(RunError::ConfigurationDrifted { run_id, keys })
    }
}

fn take_rows_out(
    job: &Job<'_>,
    target: &mut Target,
    lease: &Lease,
) -> Result<Option<StopReason>, RunError> {
    // Every turn takes rows out; the run has no more of them than ids of people, PINs and grants.
    loop {
        if let Some(reason) = job.stop.requested() {
            return Ok(Some(reason));
        }
        let tx = target.begin(lease)?;
        let deleted = tx.delete_run_rows(ROWS_A_CHUNK)?;
        if deleted == 0 {
            return Ok(None);
        }
        tx.commit(CommitPoint::Erase)?;
        job.progress.advance(deleted);
    }
}

fn release_locks(job: &Job<'_>, run: &RunRow, aborted: &mut Aborted) -> Result<(), RunError> {
    for source in &job.settings.sources {
        failpoint::reached("abort.release");
        let owner = locking::owner(run);
        let actor = owner.to_string();
        let keep = taken::keep(job.settings, &source.rules.name, &actor);
        let Some(released) = lock::clear(source, &job.settings.lock, &owner, &keep)? else {
            continue;
        };
        aborted.released(&source.rules.name, released);
        failpoint::reached("abort.released");
    }
    Ok(())
}
