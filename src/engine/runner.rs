//! One process at work on one run, from whatever phase it is in to the end.

use std::{mem, path::Path};

use serde_json::json;

use super::{
    begin::refuse_other_source,
    drain,
    error::RunError,
    extract::{ExtractError, Extracted, extract},
    gate::Gate,
    hooks::{self, Answer},
    index,
    job::Job,
    load::{self, Progressed},
    locking,
    progress::Phase,
    replay::{self, Replayed},
    run::{RunEnd, RunOptions, RunUntil},
    verify::{self, Verification, VerifyError, VerifyRequest},
};
use crate::{
    config::settings::Hook,
    domain::{rules::Rules, tally::Tally},
    source::lock::{Locks, engage_all},
    store::{AuditEntry, CommitPoint, Lease, RunPhase, RunRow, StoreError, Target},
};

/// How often a person may change under the lock while verification runs before the rest is left to the
/// drain after cut-over.
const MOST_VERIFICATIONS: usize = 3;

/// One process at work on one run.
pub(super) struct Runner<'a> {
    pub(super) job: &'a Job<'a>,
    pub(super) options: &'a RunOptions,
    pub(super) run_id: i64,
    pub(super) rules: &'a Rules,
    pub(super) target: Target,
    pub(super) lease: Lease,
    pub(super) locks: Locks,
    pub(super) gate: Gate,
    pub(super) verifications: usize,
    /// Whether the hook before cut-over was asked.
    pub(super) was_asked: bool,
}

impl Runner<'_> {
    /// From phase to phase. Every turn either ends or leaves the phase; the bound is a guard.
    pub(super) fn advance(&mut self) -> Result<RunEnd, RunError> {
        for _ in 0..4 * RunPhase::ALL.len() {
            let run = self.target.run(self.run_id)?;
            // Once the point of no return is behind, what is left takes a moment, and ends the lock.
            let requested = if matches!(run.phase, RunPhase::CutOver | RunPhase::Finished) {
                self.job.stop.signal()
            } else if let Some(reason) = self.job.stop.requested() {
                Some(reason)
            } else {
                (self.gate).pass(self.job, &self.target, self.run_id, 0)?
            };
            if let Some(reason) = requested {
                return Ok(RunEnd::Stopped(reason));
            }
            let end = match run.phase {
                RunPhase::Created => self.lock()?,
                RunPhase::Locked | RunPhase::Loading => self.load(&run)?,
                RunPhase::Loaded => self.index(&run)?,
                RunPhase::Indexed | RunPhase::VerificationFailed => self.verify(&run)?,
                // What another process verified may have been changed since.
                RunPhase::Verified if self.verifications == 0 => self.verify(&run)?,
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
        match hooks::ask(self.job, Hook::BeforeLock, self.run_id, RunPhase::Created)? {
            Answer::Yes => {}
            Answer::Stopped(reason) => return Ok(Some(RunEnd::Stopped(reason))),
        }
        self.job.progress.begin(Phase::Lock, None);
        let request = locking::request(self.job.settings, &self.target.run(self.run_id)?);
        self.locks = engage_all(
            &self.job.settings.sources,
            &self.job.settings.lock,
            &request,
        )?;
        self.unlock_what_was_aborted()?;
        for source in self.locks.nothing_to_lock() {
            self.job
                .progress
                .note(&format!("source {source}: an extract, nothing to lock"));
        }
        for warning in locking::warnings(self.job.settings)? {
            self.job.progress.note(&warning);
        }
        let tx = self.target.begin(&self.lease)?;
        let locked: Vec<_> = self.locks.iter().map(|locked| locked.source()).collect();
        tx.event("lock.engaged", &json!({ "sources": locked }))?;
        tx.set_phase(RunPhase::Created, RunPhase::Locked)?;
        tx.commit(CommitPoint::Phase)?;
        Ok(None)
    }

    /// A legacy knows nothing of the lease: whoever was stopped while it waited for the table may lock it for a run
    /// that others have aborted meanwhile.
    fn unlock_what_was_aborted(&mut self) -> Result<(), RunError> {
        let error = match self.target.begin(&self.lease).map(drop) {
            Err(error @ StoreError::LeaseLost { .. }) => error,
            begun => return Ok(begun?),
        };
        let run = self.target.run(self.run_id)?;
        if let RunPhase::Aborting | RunPhase::Aborted = run.phase {
            locking::clear(self.job.settings, &run)?;
        }
        Err(error.into())
    }

    /// Finds the locks of this run and that their guards stand.
    fn hold_locks(&mut self) -> Result<(), RunError> {
        self.locks = locking::held(self.job.settings, &self.target.run(self.run_id)?)?;
        Ok(())
    }

    /// The same; a run that has read nothing yet may lock again what was opened meanwhile.
    fn hold_or_renew_locks(&mut self, run: &RunRow) -> Result<(), RunError> {
        match self.hold_locks() {
            Err(RunError::LockGone { .. } | RunError::LockReplaced { .. })
                if run.phase == RunPhase::Locked =>
            {
                let settings = self.job.settings;
                let request = locking::request(settings, run);
                self.locks = engage_all(&settings.sources, &settings.lock, &request)?;
                self.unlock_what_was_aborted()?;
                let tx = self.target.begin(&self.lease)?;
                let locked: Vec<_> = self.locks.iter().map(|locked| locked.source()).collect();
                tx.event("lock.renewed", &json!({ "sources": locked }))?;
                tx.commit(CommitPoint::Phase)?;
                Ok(())
            }
            held => held,
        }
    }

    fn load(&mut self, run: &RunRow) -> Result<Option<RunEnd>, RunError> {
        self.hold_or_renew_locks(run)?;
        let extracted = extract(
            &self.job.settings.sources,
            self.rules,
            &self.job.settings.lock.allow_columns,
            &self.job.settings.run,
            self.job.progress,
            self.job.stop,
        );
        let extracted = match extracted {
            Err(ExtractError::Stopped(reason)) => {
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
            (&extracted, &self.gate),
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
            if let Some(plan) = &self.options.plan {
                refuse_other_source(plan, &source.name, found)?;
            }
        }
        Ok(())
    }

    fn index(&mut self, run: &RunRow) -> Result<Option<RunEnd>, RunError> {
        if let Some(end) = self.too_many_quarantined()? {
            return Ok(Some(end));
        }
        match index::build(self.job, run, &mut self.target, &self.lease, &self.gate)? {
            Progressed::Until(reason) => Ok(Some(RunEnd::Stopped(reason))),
            Progressed::ToTheEnd => self.pass(RunPhase::Loaded, RunPhase::Indexed),
        }
    }

    /// Judges captured people again, then reads everything back.
    fn verify(&mut self, run: &RunRow) -> Result<Option<RunEnd>, RunError> {
        self.hold_locks()?;
        match self.replay(run, replay::ROUNDS_BEFORE_CUT_OVER)? {
            Replayed::Stopped(reason) => return Ok(Some(RunEnd::Stopped(reason))),
            Replayed::All | Replayed::SoFar => {}
        }
        let found = match read_back(self.job, self.rules, run, (&self.locks, None)) {
            Err(RunError::Verify(VerifyError::Stopped(reason))) => {
                return Ok(Some(RunEnd::Stopped(reason)));
            }
            found => found?,
        };
        self.verifications += 1;
        let verdict = if found.passed() {
            RunPhase::Verified
        } else {
            RunPhase::VerificationFailed
        };
        let tx = self.target.begin(&self.lease)?;
        tx.event("verify.done", &json!({ "verdict": verdict.as_str() }))?;
        if run.phase != verdict {
            tx.set_phase(run.phase, verdict)?;
        }
        let overrule = self.options.overrule.as_ref();
        if let (RunPhase::VerificationFailed, Some(overrule)) = (verdict, overrule) {
            let codes: Vec<_> = found.mismatches.iter().map(|found| found.code).collect();
            tx.audit(&AuditEntry {
                actor: &overrule.by,
                action: "verify.overrule",
                reason: &overrule.reason,
                detail: &json!({ "run_id": run.run_id, "mismatches": codes }),
            })?;
            tx.set_phase(RunPhase::VerificationFailed, RunPhase::Verified)?;
        }
        tx.commit(CommitPoint::Verdict)?;
        if found.passed() || overrule.is_some() {
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
        if !mem::replace(&mut self.was_asked, true) {
            // Whatever happened while it was asked is seen by looking again.
            return match hooks::ask(self.job, Hook::BeforeCutOver, self.run_id, run.phase)? {
                Answer::Yes => Ok(None),
                Answer::Stopped(reason) => Ok(Some(RunEnd::Stopped(reason))),
            };
        }
        self.job.progress.begin(Phase::CutOver, None);
        let digest = self.target.tally(run.run_id)?.digests.rows;
        let tx = self.target.begin(&self.lease)?;
        if tx.is_paused()? {
            return Ok(None);
        }
        if !run.target_fresh {
            tx.renew_catalogue(&self.rules.catalogue)?;
        }
        tx.cut_over(digest)?;
        if !run.target_fresh {
            drain::take_away_again(self.job, self.rules, &tx)?;
        }
        tx.commit(CommitPoint::CutOver)?;
        Ok(None)
    }

    /// Seals the legacy databases and drains what they still hold.
    fn seal(&mut self, run: &RunRow) -> Result<Option<RunEnd>, RunError> {
        self.job.progress.begin(Phase::Seal, None);
        self.locks = locking::claimed(self.job.settings, run)?;
        self.note_damage()?;
        let gone = locking::lock_again(self.job.settings, run, &self.locks)?;
        if !gone.is_empty() {
            self.locks = locking::claimed(self.job.settings, run)?;
        }
        for source in &gone {
            self.job.progress.note(&format!(
                "source {source}: somebody removed its lock after the last verification; it was locked again and \
                 sealed, what was written to it meanwhile stays there: compare with `pinferry verify`"
            ));
        }
        let damaged = self.locks.seal()?;
        for (source, what) in &damaged {
            self.job.progress.note(&format!(
                "source {source}: its guards were damaged when it was sealed ({}); writes may have slipped in \
                 since the last verification, compare with `pinferry verify`",
                what.join(", ")
            ));
        }
        match self.replay(run, replay::MOST_ROUNDS)? {
            Replayed::All => {}
            Replayed::Stopped(reason) => return Ok(Some(RunEnd::Stopped(reason))),
            Replayed::SoFar => {
                let rounds = replay::MOST_ROUNDS;
                return Err(RunError::CapturesWithoutEnd { rounds });
            }
        }
        drain::drain_diverted(
            self.job,
            self.rules,
            &mut self.target,
            &self.lease,
            &self.locks,
        )?;
        hooks::tell(self.job, Hook::AfterCutOver, self.run_id, run.phase);
        let tx = self.target.begin(&self.lease)?;
        tx.event(
            "legacy.sealed",
            &json!({ "damaged_guards": damaged, "locked_again": gone }),
        )?;
        tx.set_phase(RunPhase::CutOver, RunPhase::Finished)?;
        tx.commit(CommitPoint::Finish)?;
        Ok(None)
    }

    /// Keeps what is wrong with the locks: once the legacy is sealed nobody can see it any more.
    fn note_damage(&mut self) -> Result<(), RunError> {
        let gone: Vec<_> = locking::missing(self.job.settings, &self.locks).collect();
        let damaged = self.locks.damage()?;
        if gone.is_empty() && damaged.is_empty() {
            return Ok(());
        }
        let tx = self.target.begin(&self.lease)?;
        tx.event(
            "lock.damaged",
            &json!({ "damaged_guards": damaged, "gone": gone }),
        )?;
        tx.commit(CommitPoint::Phase)?;
        Ok(())
    }

    fn replay(&mut self, run: &RunRow, rounds: usize) -> Result<Replayed, RunError> {
        replay::replay(
            self.job,
            self.rules,
            run,
            &mut self.target,
            &self.lease,
            &self.locks,
            rounds,
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

pub(super) fn read_back(
    job: &Job<'_>,
    rules: &Rules,
    run: &RunRow,
    (locks, verdicts): (&Locks, Option<&Path>),
) -> Result<Verification, RunError> {
    Ok(verify::verify(&VerifyRequest {
        settings: job.settings,
        rules,
        target: &job.settings.target,
        run_id: run.run_id,
        unsettled: &|| replay::unsettled(job, rules, locks),
        verdicts,
        progress: job.progress,
        stop: job.stop,
    })?)
}

/// The share of records that are quarantined.
fn quarantine_ratio(tally: &Tally) -> f64 {
    tally.quarantined() as f64 / tally.records().max(1) as f64
}
