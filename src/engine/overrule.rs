//! Overruling a failed verification, by name and reason.

use serde_json::json;

use super::{error::RunError, job::Job};
use crate::store::{AuditEntry, CommitPoint, Intent, RunPhase, RunRow, Target};

/// Passes a run whose verification failed on to where cut-over may follow, and writes down who answers for it.
///
/// # Errors
/// The last verification did not fail, somebody else works on the run, or the target fails.
pub fn overrule(job: &Job<'_>, actor: &str, reason: &str) -> Result<RunRow, RunError> {
    let mut target = Target::open(&job.settings.target, Intent::MustExist)?;
    let run = target.current_run()?.ok_or(RunError::NoRun)?;
    if run.phase != RunPhase::VerificationFailed {
        return Err(RunError::NothingToOverrule {
            run_id: run.run_id,
            phase: run.phase,
        });
    }
    let lease = target.acquire(run.run_id, job.holder, job.settings.run.lease)?;
    let tx = target.begin(&lease)?;
    tx.audit(&AuditEntry {
        actor,
        action: "verify.overrule",
        reason,
        detail: &json!({ "run_id": run.run_id }),
    })?;
    tx.set_phase(RunPhase::VerificationFailed, RunPhase::Verified)?;
    tx.commit(CommitPoint::Verdict)?;
    target.release(lease)?;
    Ok(target.run(run.run_id)?)
}
