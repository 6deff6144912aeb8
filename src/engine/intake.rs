//! Takes a file of requests into the queue, each line with its decision.

use jiff::Timestamp;
use serde::Serialize;

use crate::{
    domain::activation::{
        evaluation::evaluate,
        grounds::Grounds,
        kind::Kind,
        refusal::RequestMistake,
        submission::{RequestState, Submission},
    },
    exit::Exit,
    failpoint,
    source::requests::{RequestFile, RequestsError},
    store::{
        StoreError,
        activation::{ActivationStore, Known, Taken},
    },
};

/// Requests per transaction.
const BATCH: usize = 500;

/// Intake failed. Requests of earlier batches stay in the queue, and the same file completes it.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// The file cannot be used; nothing of it was taken.
    #[error(transparent)]
    Requests(#[from] RequestsError),
    /// The target failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl IntakeError {
    /// How the program ends because of it.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::Requests(error) => error.exit(),
            Self::Store(error) => error.exit(),
        }
    }

    /// What to type next.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Requests(error) => error.hint(),
            Self::Store(error) => error.hint(),
        }
    }
}

/// The decision on one line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// The line, from 1.
    pub line: u64,
    /// The request.
    pub request_id: String,
    /// What it asks for.
    pub kind: Kind,
    /// Where it is on its way.
    pub state: RequestState,
    /// Whether the queue had it already.
    pub known: bool,
    /// The local date and time, with the offset, from which it may take effect, where it waits for that.
    pub not_before: Option<String>,
    /// Why it was refused, superseded or failed.
    pub reason: Option<String>,
}

/// Decisions on all lines of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Intake {
    /// In the order of the file.
    pub requests: Vec<Answer>,
    /// Lines whose request is or was accepted.
    pub accepted: usize,
    /// Lines whose request is refused.
    pub refused: usize,
}

impl Intake {
    /// 0 when all were accepted, 3 when some were refused.
    #[must_use]
    pub fn exit(&self) -> Exit {
        if self.refused == 0 {
            Exit::Done
        } else {
            Exit::DoneWithQuarantine
        }
    }
}

/// Evaluates every line of `requests` and takes it into the queue, accepted or refused. A request the queue knows
/// already changes nothing.
///
/// # Errors
/// [`IntakeError`]; a file that cannot be used is refused whole.
pub fn intake(
    store: &mut ActivationStore,
    requests: &RequestFile,
    grounds: &Grounds,
    actor: &str,
) -> Result<Intake, IntakeError> {
    let now = now(store)?;
    let mut submissions = Vec::new();
    for line in requests.lines() {
        let submission = evaluate(&line.fields, grounds, now)
            .map_err(|unusable| line.wrong(unusable.column, unusable.problem))?;
        submissions.push((line.number, submission));
    }
    let mut intake = Intake::default();
    for batch in submissions.chunks(BATCH) {
        for answer in take_batch(store, batch, grounds, actor)? {
            match answer.state {
                RequestState::Refused => intake.refused += 1,
                RequestState::Accepted
                | RequestState::Superseded
                | RequestState::Done
                | RequestState::Failed
                | RequestState::Returned => intake.accepted += 1,
            }
            intake.requests.push(answer);
        }
    }
    Ok(intake)
}

fn now(store: &mut ActivationStore) -> Result<Timestamp, StoreError> {
    let tx = store.begin()?;
    tx.now()
}

fn take_batch(
    store: &mut ActivationStore,
    batch: &[(u64, Submission)],
    grounds: &Grounds,
    actor: &str,
) -> Result<Vec<Answer>, StoreError> {
    let tx = store.begin()?;
    let mut answers = Vec::with_capacity(batch.len());
    let mut new = 0_usize;
    for (line, submission) in batch {
        let taken = tx.take_in(submission)?;
        new += usize::from(matches!(taken, Taken::New(_)));
        answers.push(answer(*line, submission, taken, grounds));
    }
    if new > 0 {
        let detail = serde_json::json!({ "requests": new });
        tx.audit(actor, "intake", &detail)?;
    }
    failpoint::reached("intake.commit");
    tx.commit()?;
    failpoint::reached("intake.committed");
    tracing::info!(event = "intake.batch", requests = batch.len(), new);
    Ok(answers)
}

fn answer(line: u64, submission: &Submission, taken: Taken, grounds: &Grounds) -> Answer {
    let (known, again) = match taken {
        Taken::New(known) => (known, false),
        Taken::Again(known) => (known, true),
        Taken::IdTaken => {
            let mistake = RequestMistake::RequestIdTaken;
            let reason =
                format!("{mistake}: another request came under this id; a new one needs its own");
            let not_before = submission.not_before;
            (
                Known {
                    state: RequestState::Refused,
                    reason,
                    not_before,
                },
                false,
            )
        }
    };
    let waits = known.state == RequestState::Accepted;
    Answer {
        line,
        request_id: submission.request_id.clone(),
        kind: submission.kind,
        state: known.state,
        known: again,
        not_before: waits.then(|| grounds.local_time(known.not_before)),
        reason: Some(known.reason).filter(|reason| !reason.is_empty()),
    }
}
