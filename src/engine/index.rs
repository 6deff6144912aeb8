//! Building indexes and keys, by as many hands as the target takes.

use std::{
    collections::{BTreeSet, VecDeque},
    iter,
    sync::{Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use super::{error::RunError, gate::Gate, job::Job, load::Progressed, progress::Phase};
use crate::store::{CommitPoint, IndexStep, Lease, RunRow, Target, Toil};

/// What is taken for the longest step, for each record, until one is done: no step is begun that the end of the window
/// would find half done.
const STEP_OF_A_RECORD: Duration = Duration::from_nanos(3_000);

/// Does the steps that are not done yet, stage by stage, in the time that they take.
pub(super) fn build(
    job: &Job<'_>,
    run: &RunRow,
    target: &mut Target,
    lease: &Lease,
    gate: &Gate,
) -> Result<Progressed, RunError> {
    target.turn_to(lease, Toil::Index)?;
    let progressed = by_stages(job, run, target, lease, gate)?;
    target.turn_to(lease, Toil::Load)?;
    Ok(progressed)
}

fn by_stages(
    job: &Job<'_>,
    run: &RunRow,
    target: &mut Target,
    lease: &Lease,
    gate: &Gate,
) -> Result<Progressed, RunError> {
    let steps = target.index_steps();
    let done = target.steps_done(run.run_id)?;
    job.progress.begin(Phase::Index, Some(steps.len() as u64));
    job.progress.advance(done.len() as u64);
    if done.len() < steps.len() {
        let records = target.tally(run.run_id)?.records();
        let records = u32::try_from(records).unwrap_or(u32::MAX);
        job.stop.note_step(STEP_OF_A_RECORD.saturating_mul(records));
    }
    let mut crew = target.crew(lease, job.settings.run.workers, Toil::Index)?;
    let stages: BTreeSet<u8> = steps.iter().map(|step| step.stage).collect();
    for stage in stages {
        let in_stage = |step: &&IndexStep| step.stage == stage && !done.contains(step.name);
        let todo = Mutex::new(steps.iter().filter(in_stage).collect());
        let toil = |hand: &mut Target| work(job, hand, lease, gate, &todo);
        thread::scope(|scope| {
            let hands = iter::once(&mut *target).chain(&mut crew);
            let hands: Vec<_> = hands.map(|hand| scope.spawn(|| toil(hand))).collect();
            let ends = hands.into_iter().map(|hand| {
                let end = hand.join();
                end.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            });
            ends.collect::<Result<Vec<()>, RunError>>()
        })?;
        if let Some(reason) = job.stop.requested() {
            return Ok(Progressed::Until(reason));
        }
    }
    Ok(Progressed::ToTheEnd)
}

/// Takes steps off the list until it is empty or somebody asks to stop.
fn work(
    job: &Job<'_>,
    hand: &mut Target,
    lease: &Lease,
    gate: &Gate,
    todo: &Mutex<VecDeque<&IndexStep>>,
) -> Result<(), RunError> {
    while job.stop.requested().is_none() {
        if gate.pass(job, hand, lease.run_id(), 0)?.is_some() {
            return Ok(());
        }
        let next = todo
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop_front();
        let Some(step) = next else {
            return Ok(());
        };
        let begun = Instant::now();
        let tx = hand.begin(lease)?;
        tx.build_index(step)?;
        tx.commit(CommitPoint::Index)?;
        job.stop.note_step(begun.elapsed());
        job.progress.advance(1);
    }
    Ok(())
}
