//! Verification: reads sources and target again and compares, sharing no judging and no loading code with
//! what it verifies.
//!
//! Two connections, one snapshot. First the sources are read, and beside them what hangs on no person; then two threads
//! read people, range by range. What a record must carry over is compared as sums that do not
//! depend on order; what the judge must have made of a person is worked out a second time, person by person.

mod batch;
mod canary;
mod carried;
mod compare;
mod derivation;
mod error;
mod facts;
mod joined;
mod leftovers;
mod localise;
mod mismatch;
mod people;
mod person;
mod request;
mod row_digests;
mod run_state;
mod sources;
mod target;
mod verdicts;
mod verification;

pub use error::VerifyError;
pub use mismatch::{Mismatch, MismatchCode};
pub use request::{Unsettled, VerifyRequest};
pub use verification::Verification;

use crate::{
    engine::progress::Phase,
    failpoint,
    store::{
        RunPhase,
        read_back::{self, ReadBack, RunState},
    },
};
use mismatch::Mismatches;

/// Verifies a run: reads the sources and the target.
///
/// # Errors
/// When it cannot be carried out. What it finds is no error.
pub fn verify(request: &VerifyRequest<'_>) -> Result<Verification, VerifyError> {
    begin(request)?.finish(request)
}

/// Whether life goes on in the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    BeforeCutOver,
    AfterCutOver,
}

/// A verification that has looked at the run.
#[derive(Debug)]
struct Begun {
    /// Holds the snapshot that everything is read from.
    target: ReadBack,
    run: RunState,
    stage: Stage,
    mismatches: Mismatches,
    /// Without the schema nothing else can be read.
    readable: bool,
}

fn begin(request: &VerifyRequest<'_>) -> Result<Begun, VerifyError> {
    failpoint::reached("verify.begin");
    let target = ReadBack::open(request.target)?;
    let run = read_back::read_run(&target, request.run_id)?;
    let nothing = || VerifyError::NothingToVerify {
        run_id: run.run_id,
        phase: run.phase.clone(),
    };
    let stage = match RunPhase::by_name(&run.phase).ok_or_else(nothing)? {
        RunPhase::Indexed | RunPhase::Verified | RunPhase::VerificationFailed => {
            Stage::BeforeCutOver
        }
        RunPhase::CutOver | RunPhase::Finished => Stage::AfterCutOver,
        RunPhase::Created
        | RunPhase::Locked
        | RunPhase::Loading
        | RunPhase::Loaded
        | RunPhase::Aborting
        | RunPhase::Aborted => return Err(nothing()),
    };
    let mut mismatches = Mismatches::default();
    let differences = read_back::schema_differences(&target)?;
    let readable = differences.is_empty();
    mismatches.add_many(
        MismatchCode::Schema,
        ("schema", "not as pinferry ships it; nothing else was read"),
        differences.len() as u64,
        differences,
    );
    request
        .progress
        .begin(Phase::Verify, Some(records(&run) + run.records_of_all));
    Ok(Begun {
        target,
        run,
        stage,
        mismatches,
        readable,
    })
}

/// Records the run says it has read.
fn records(run: &RunState) -> u64 {
    let all = run.sources.iter().filter_map(|source| source.records);
    all.map(|records| u64::try_from(records).unwrap_or(0)).sum()
}

impl Begun {
    fn finish(self, request: &VerifyRequest<'_>) -> Result<Verification, VerifyError> {
        if !self.readable {
            return Ok(Verification::unreadable(self));
        }
        let read = target::read(request, (self.target.snapshot(), &self.run), self.stage)?;
        failpoint::reached("verify.read");
        let verification = compare::compare(request, self, read)?;
        failpoint::reached("verify.done");
        Ok(verification)
    }
}
