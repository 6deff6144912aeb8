//! The whole maintenance job, from whatever phase the run is in to the end.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde_json::json;

use super::{
    drain,
    error::RunError,
    extract::{Extracted, extract},
    job::Job,
    load::{self, Progressed},
    locking,
    plan_file::{PlanFile, differing_keys},
    progress::Phase,
    replay::{self, Replayed},
    stop::StopReason,
    verify::{self, Verification, VerifyRequest},
};
use crate::{
    domain::{rules::Rules, tally::Tally},
    source::{
        self,
        lock::{Locks, engage_all},
    },
    store::{
        CommitPoint, INDEX_STEPS, Intent, Lease, NewRun, NewSource, RunPhase, RunRow, Target,
        TargetStanding, standing,
    },
};

/// How often a person may change under the lock while verification runs before the rest is left to the
/// drain after cut-over.
const MOST_VERIFICATIONS: usize = 3;

/// What the caller of a run may ask for.
#[derive(Clone, Debug, Default)]
pub struct RunOptions {
    /// The plan to be carried out, and nothing else.
    pub plan: Option<PlanFile>,
    /// How far to go.
    pub until: RunUntil,
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
    /// A signal came; what was begun is settled.
    Stopped(StopReason),
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

/// Starts or resumes the run and takes it as far as it goes.
///
/// # Errors
/// Anything that failed on the way. What was committed stays, the lock too, and the same call goes on.
pub fn run(job: &Job<'_>, options: &RunOptions) -> Result<RunOutcome, RunError> {
    if let Some(plan) = &options.plan {
        refuse_drift(job, plan)?;
    }
    let mut target = open(job)?;
    let run = match target.current_run()? {
        Some(run) if run.phase == RunPhase::Finished => return finished(job, &target, run),
        Some(run) if run.phase == RunPhase::Aborting => {
            return Err(RunError::Aborting { run_id: run.run_id });
        }
        Some(run) if run.phase != RunPhase::Aborted => resume(job, options, run)?,
        Some(_) | None => create(job, options, &mut target)?,
    };
    let lease = target.acquire(run.run_id, job.holder, job.settings.run.lease)?;
    let heartbeat = target.heartbeat(&lease)?;
    let rules = job.settings.rules(run.as_of);
    let mut runner = Runner {
        job,
        options,
        run_id: run.run_id,
        rules: &rules,
        target,
        lease,
        locks: Locks::default(),
        verifications: 0,
    };
    let end = runner.advance()?;
    drop(heartbeat);
    let Runner { target, lease, .. } = runner;
    target.release(lease)?;
    outcome(&target, run.run_id, end)
}

/// Opens the target; a new one is made only when every source can be read as configured.
fn open(job: &Job<'_>) -> Result<Target, RunError> {
    let settings = &job.settings.target;
    if standing(settings)? != TargetStanding::Current {
        check_sources(job)?;
    }
    Ok(Target::open(settings, Intent::CreateIfMissing)?)
}

fn check_sources(job: &Job<'_>) -> Result<(), RunError> {
    let mut mistakes = Vec::new();
    for source in &job.settings.sources {
        mistakes.extend(source::check(source).err().into_iter().flatten());
    }
    if mistakes.is_empty() {
        Ok(())
    } else {
        Err(RunError::Sources(mistakes))
    }
}

fn outcome(target: &Target, run_id: i64, end: RunEnd) -> Result<RunOutcome, RunError> {
    Ok(RunOutcome {
        run: target.run(run_id)?,
        tally: target.tally(run_id)?,
        end,
    })
}

/// A finished run is reported and nothing changes.
fn finished(job: &Job<'_>, target: &Target, run: RunRow) -> Result<RunOutcome, RunError> {
    let keys = drift(&run.fixed, &job.settings.fixed(as_of(job, &run)));
    if keys.is_empty() {
        outcome(target, run.run_id, RunEnd::WasFinished)
    } else {
        Err(RunError::Live {
            run_id: run.run_id,
            keys,
        })
    }
}

fn resume(job: &Job<'_>, options: &RunOptions, run: RunRow) -> Result<RunRow, RunError> {
    let mut keys = drift(&run.fixed, &job.settings.fixed(as_of(job, &run)));
    if let Some(plan) = &options.plan {
        keys.extend(drift(&run.fixed, &plan.fixed));
        keys.sort_unstable();
        keys.dedup();
    }
    if keys.is_empty() {
        Ok(run)
    } else {
        Err(RunError::ConfigurationDrifted {
            run_id: run.run_id,
            keys,
        })
    }
}

/// The configured date of judgement, or else the one the run began with.
fn as_of(job: &Job<'_>, run: &RunRow) -> Date {
    job.settings.as_of.unwrap_or(run.as_of)
}

fn create(job: &Job<'_>, options: &RunOptions, target: &mut Target) -> Result<RunRow, RunError> {
    check_sources(job)?;
    let as_of = match (&options.plan, job.settings.as_of) {
        (Some(plan), _) => plan.as_of,
        (None, Some(as_of)) => as_of,
        (None, None) => target.today()?,
    };
    let sources: Vec<_> = (job.settings.sources.iter())
        .map(|source| NewSource {
            name: source.rules.name.clone(),
            location: source.location.shown(),
        })
        .collect();
    Ok(target.create_run(&NewRun {
        as_of,
        fixed: &job.settings.fixed(as_of),
        sources: &sources,
        catalogue: &job.settings.catalogue,
    })?)
}

/// Keys whose values differ, or that only one side has.
fn drift(was: &BTreeMap<String, String>, is: &BTreeMap<String, String>) -> Vec<String> {
    differing_keys(was, is).map(ToOwned::to_owned).collect()
}

/// Before anything is written: is everything as it was planned?
fn refuse_drift(job: &Job<'_>, plan: &PlanFile) -> Result<(), RunError> {
    let keys = plan.fixed_drift(&job.settings.fixed(plan.as_of));
    if keys.is_empty() {
        Ok(())
    } else {
        Err(RunError::PlanDrifted { keys })
    }
}

/// One process at work on one run.
struct Runner<'a> {
    job: &'a Job<'a>,
    options: &'a RunOptions,
    run_id: i64,
    rules: &'a Rules,
    target: Target,
    lease: Lease,
    locks: Locks,
    verifications: usize,
}

impl Runner<'_> {
    /// From phase to phase. Every turn either ends or leaves the phase; the bound is a guard.
    fn advance(&mut self) -> Result<RunEnd, RunError> {
        for _ in 0..4 * RunPhase::ALL.len() {
            if let Some(reason) = self.job.stop.requested() {
                return Ok(RunEnd::Stopped(reason));
            }
            let run = self.target.run(self.run_id)?;
            let end = match run.phase {
                RunPhase::Created => self.lock()?,
                RunPhase::Locked | RunPhase::Loading => self.load(&run)?,
                RunPhase::Loaded => self.index()?,
                RunPhase::Indexed | RunPhase::VerificationFailed => self.verify(&run)?,
                RunPhase::Verified => self.cut_over(&run)?,
                RunPhase::CutOver => self.seal(&run)?,
                RunPhase::Finished => Some(RunEnd::Finished),
                RunPhase::Aborting | RunPhase::Aborted => {
                    return Err(RunError::Aborting {
                        run_id: self.run_id,
                    });
                }
            };
            if let Some(end) = end {
                return Ok(end);
            }
        }
        unreachable!("a run passes through each phase a bounded number of times")
    }

    /// Takes the management lock in the run's name, or finds it taken.
    fn lock(&mut self) -> Result<Option<RunEnd>, RunError> {
        self.job.progress.begin(Phase::Lock, None);
        let request = locking::request(self.job.settings, &self.target.run(self.run_id)?);
        self.locks = engage_all(
            &self.job.settings.sources,
            &self.job.settings.lock,
            &request,
        )?;
        for source in self.locks.nothing_to_lock() {
            self.job
                .progress
                .note(&format!("source {source}: an extract, nothing to lock"));
        }
        let tx = self.target.begin(&self.lease)?;
        let locked: Vec<_> = self.locks.iter().map(|locked| locked.source()).collect();
        tx.event("lock.engaged", &json!({ "sources": locked }))?;
        tx.set_phase(RunPhase::Created, RunPhase::Locked)?;
        tx.commit(CommitPoint::Phase)?;
        Ok(None)
    }

    /// Finds the locks of this run and that their guards stand.
    fn hold_locks(&mut self) -> Result<(), RunError> {
        self.locks = locking::held(self.job.settings, &self.target.run(self.run_id)?)?;
        Ok(())
    }

    fn load(&mut self, run: &RunRow) -> Result<Option<RunEnd>, RunError> {
        self.hold_locks()?;
        let extracted = extract(
            &self.job.settings.sources,
            self.rules,
            &self.job.settings.lock.allow_columns,
            &self.job.settings.run,
            self.job.progress,
            self.job.stop,
        );
        let extracted = match extracted {
            Err(super::extract::ExtractError::Stopped(reason)) => {
                return Ok(Some(RunEnd::Stopped(reason)));
            }
            extracted => extracted?,
        };
        self.refuse_changed_sources(run, &extracted)?;
        if run.phase == RunPhase::Locked {
            load::lay_out(
                self.job,
                self.rules,
                &mut self.target,
                &self.lease,
                &extracted,
            )?;
        }
        let run = self.target.run(self.run_id)?;
        let progressed = load::load(
            self.job,
            self.rules,
            &run,
            &mut self.target,
            &self.lease,
            &extracted,
        )?;
        match progressed {
            Progressed::Until(reason) => Ok(Some(RunEnd::Stopped(reason))),
            Progressed::ToTheEnd => self.pass(RunPhase::Loading, RunPhase::Loaded),
        }
    }

    fn refuse_changed_sources(&self, run: &RunRow, extracted: &Extracted) -> Result<(), RunError> {
        for (source, (_, summary)) in run.sources.iter().zip(&extracted.sources) {
            let found = summary.fingerprint;
            if let Some(recorded) = source.fingerprint
                && recorded != found
            {
                return Err(RunError::SourceChanged {
                    run_id: run.run_id,
                    name: source.name.clone(),
                    recorded,
                    found,
                });
            }
            let planned = self.options.plan.as_ref();
            if let Some(&planned) = planned.and_then(|plan| plan.fingerprints.get(&source.name))
                && planned != found
            {
                return Err(RunError::PlanSourceDrifted {
                    name: source.name.clone(),
                    planned,
                    found,
                });
            }
        }
        Ok(())
    }

    fn index(&mut self) -> Result<Option<RunEnd>, RunError> {
        if let Some(end) = self.too_many_quarantined()? {
            return Ok(Some(end));
        }
        let done = self.target.steps_done(self.run_id)?;
        self.job
            .progress
            .begin(Phase::Index, Some(INDEX_STEPS.len() as u64));
        for step in &INDEX_STEPS {
            if let Some(reason) = self.job.stop.requested() {
                return Ok(Some(RunEnd::Stopped(reason)));
            }
            if !done.contains(step.name) {
                let tx = self.target.begin(&self.lease)?;
                tx.build_index(step)?;
                tx.commit(CommitPoint::Index)?;
            }
            self.job.progress.advance(1);
        }
        self.pass(RunPhase::Loaded, RunPhase::Indexed)
    }

    /// Judges captured people again, then reads everything back.
    fn verify(&mut self, run: &RunRow) -> Result<Option<RunEnd>, RunError> {
        self.hold_locks()?;
        if let Replayed::Stopped(reason) = self.replay(run)? {
            return Ok(Some(RunEnd::Stopped(reason)));
        }
        let found = read_back(self.job, self.rules, run, &self.locks)?;
        self.verifications += 1;
        let verdict = if found.passed() {
            RunPhase::Verified
        } else {
            RunPhase::VerificationFailed
        };
        if run.phase != verdict {
            let tx = self.target.begin(&self.lease)?;
            tx.event("verify.done", &json!({ "verdict": verdict.as_str() }))?;
            tx.set_phase(run.phase, verdict)?;
            tx.commit(CommitPoint::Verdict)?;
        }
        if found.passed() {
            Ok(None)
        } else {
            Ok(Some(RunEnd::VerificationFailed(Box::new(found))))
        }
    }

    fn cut_over(&mut self, run: &RunRow) -> Result<Option<RunEnd>, RunError> {
        self.hold_locks()?;
        if self.verifications < MOST_VERIFICATIONS && replay::is_due(&self.locks)? {
            return self.pass(RunPhase::Verified, RunPhase::Indexed);
        }
        if let Some(end) = self.too_many_quarantined()? {
            return Ok(Some(end));
        }
        if self.options.until == RunUntil::Verified {
            return Ok(Some(RunEnd::Held));
        }
        self.job.progress.begin(Phase::CutOver, None);
        let digest = self.target.tally(run.run_id)?.digests.rows;
        let tx = self.target.begin(&self.lease)?;
        tx.cut_over(digest)?;
        tx.commit(CommitPoint::CutOver)?;
        Ok(None)
    }

    /// Seals the legacy databases and drains what they still hold.
    fn seal(&mut self, run: &RunRow) -> Result<Option<RunEnd>, RunError> {
        self.job.progress.begin(Phase::Seal, None);
        self.locks = locking::claimed(self.job.settings, run)?;
        let damaged = self.locks.seal()?;
        for (source, what) in &damaged {
            self.job.progress.note(&format!(
                "source {source}: its guards were damaged when it was sealed ({}); writes may have slipped in \
                 since the last verification, compare with `pinferry verify`",
                what.join(", ")
            ));
        }
        if let Replayed::Stopped(reason) = self.replay(run)? {
            return Ok(Some(RunEnd::Stopped(reason)));
        }
        drain::drain_diverted(
            self.job,
            self.rules,
            &mut self.target,
            &self.lease,
            &self.locks,
        )?;
        let tx = self.target.begin(&self.lease)?;
        tx.event("legacy.sealed", &json!({ "damaged_guards": damaged }))?;
        tx.set_phase(RunPhase::CutOver, RunPhase::Finished)?;
        tx.commit(CommitPoint::Finish)?;
        Ok(None)
    }

    fn replay(&mut self, run: &RunRow) -> Result<Replayed, RunError> {
        replay::replay(
            self.job,
            self.rules,
            run,
            &mut self.target,
            &self.lease,
            &self.locks,
        )
    }

    fn pass(&mut self, from: RunPhase, to: RunPhase) -> Result<Option<RunEnd>, RunError> {
        let tx = self.target.begin(&self.lease)?;
        tx.set_phase(from, to)?;
        tx.commit(CommitPoint::Phase)?;
        Ok(None)
    }

    fn too_many_quarantined(&self) -> Result<Option<RunEnd>, RunError> {
        let tally = self.target.tally(self.run_id)?;
        let ratio = quarantine_ratio(&tally);
        let limit = self.job.settings.run.max_quarantine_ratio;
        Ok((ratio > limit).then_some(RunEnd::TooManyQuarantined { ratio, limit }))
    }
}

/// A run that was verified without being taken further.
#[derive(Debug)]
pub struct RunVerified {
    /// The run.
    pub run: RunRow,
    /// What was found.
    pub found: Verification,
}

/// Verifies the newest run as it stands, and changes nothing.
///
/// # Errors
/// There is no run, or verification cannot be carried out.
pub fn verify(job: &Job<'_>) -> Result<RunVerified, RunError> {
    let target = Target::open(&job.settings.target, Intent::MustExist)?;
    let run = target.current_run()?.ok_or(RunError::NoRun)?;
    let rules = job.settings.rules(run.as_of);
    let locks = locking::claimed(job.settings, &run)?;
    let found = read_back(job, &rules, &run, &locks)?;
    Ok(RunVerified { run, found })
}

fn read_back(
    job: &Job<'_>,
    rules: &Rules,
    run: &RunRow,
    locks: &Locks,
) -> Result<Verification, RunError> {
    Ok(verify::verify(&VerifyRequest {
        settings: job.settings,
        rules,
        target: &job.settings.target,
        run_id: run.run_id,
        unsettled: &replay::unsettled(job, rules, locks)?,
        progress: job.progress,
        stop: job.stop,
    })?)
}

/// The share of records that are quarantined.
#[must_use]
pub fn quarantine_ratio(tally: &Tally) -> f64 {
    tally.quarantined() as f64 / tally.records().max(1) as f64
}
