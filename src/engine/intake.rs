//! Takes a file of requests into the queue, each line with its decision.

use std::{thread, time::Duration};

use jiff::Timestamp;
use serde::Serialize;

use super::activate;
use crate::{
    domain::activation::{
        evaluation::{Entry, RECEIPT, evaluate},
        grounds::Grounds,
        kind::Kind,
        refusal::RequestMistake,
        submission::RequestState,
    },
    exit::Exit,
    failpoint,
    source::requests::{RequestFile, RequestsError},
    store::{
        RunPhase, StoreError,
        activation::{ActivationStore, Known, Readiness, Taken},
    },
};

/// Requests per transaction.
const BATCH: usize = 500;

/// Before each try to take rights away. Another drain that has somebody lets go of him with the end of its batch.
const PAUSES_MS: [u64; 5] = [0, 100, 400, 1000, 2000];

/// Intake failed. Requests of earlier batches stay in the queue, and the same file completes it.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// The file cannot be used; nothing of it was taken.
    #[error(transparent)]
    Requests(#[from] RequestsError),
    /// The target failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The target failed once all requests were taken.
    #[error(
        "the requests are taken, but what takes rights away could not take effect at once, or not all of it"
    )]
    Unsettled {
        /// The decisions, as far as they are known.
        intake: Box<Intake>,
        /// Why.
        source: StoreError,
    },
}

impl IntakeError {
    /// How the program ends because of it.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::Requests(error) => error.exit(),
            Self::Store(error) => error.exit(),
            Self::Unsettled { .. } => Exit::Failed,
        }
    }

    /// What to type next.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Requests(error) => error.hint(),
            Self::Store(error) => error.hint(),
            Self::Unsettled { .. } => Some(
                "the next `pinferry activate` tries again; until it ends with 0 or 3 the revocations and suspensions \
                 that the answers call accepted are not in force"
                    .to_owned(),
            ),
        }
    }

    /// The decisions, where the requests are taken all the same.
    #[must_use]
    pub fn taken(&self) -> Option<&Intake> {
        match self {
            Self::Unsettled { intake, .. } => Some(intake),
            Self::Requests(_) | Self::Store(_) => None,
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
    /// What it asks for, or that it is a receipt.
    pub kind: &'static str,
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
    /// Lines whose request was due and changed nothing.
    pub failed: usize,
    /// Revocations and suspensions that wait until a run is cut over and finished.
    pub late: usize,
    /// Revocations and suspensions that could have taken effect and did not: the next drain tries them again.
    pub held_up: usize,
    /// The run that is cut over and yet to be finished, where that is what they wait for.
    #[serde(skip)]
    pub unfinished_run: Option<i64>,
}

impl Intake {
    /// 0 when all were accepted, 3 when some were refused, failed, or take rights away and could not at once.
    #[must_use]
    pub fn exit(&self) -> Exit {
        if self.refused + self.failed + self.late + self.held_up == 0 {
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
    let now = patiently(|| now(store))?;
    let mut submissions = Vec::new();
    for line in requests.lines() {
        let submission = evaluate(&line.fields, grounds, now)
            .map_err(|unusable| line.wrong(unusable.column, unusable.problem))?;
        submissions.push((line.number, submission));
    }
    let mut answers = Vec::with_capacity(submissions.len());
    for batch in submissions.chunks(BATCH) {
        answers.extend(patiently(|| take_batch(store, batch, grounds, actor))?);
    }
    // Nobody shall wait for what takes rights away, where the model is the valid one.
    match take_away(store, &mut answers, grounds, actor) {
        Ok(waits_for) => Ok(Intake::of(answers, waits_for)),
        Err(source) => {
            // What took effect before it failed; where nobody can tell, they are taken at least.
            if let Err(error) = patiently(|| answer_again(store, &mut answers, grounds)) {
                tracing::warn!(event = "intake.unanswered", %error);
            }
            let intake = Box::new(Intake::of(answers, None));
            Err(IntakeError::Unsettled { intake, source })
        }
    }
}

impl Intake {
    /// Counts decisions, `waits_for` being what all that takes rights away waits for.
    fn of(answers: Vec<Answer>, waits_for: Option<Readiness>) -> Self {
        let waiting = answers.iter().filter(|one| waits_to_take_away(one)).count();
        let unfinished_run = match &waits_for {
            Some(Readiness::UnderWay {
                run_id,
                phase: RunPhase::CutOver,
            }) => Some(*run_id),
            _another => None,
        };
        let is_late = waits_for.is_some() && unfinished_run.is_none();
        let mut intake = Self {
            late: if is_late { waiting } else { 0 },
            held_up: if is_late { 0 } else { waiting },
            unfinished_run,
            ..Self::default()
        };
        for answer in answers {
            match answer.state {
                RequestState::Refused => intake.refused += 1,
                RequestState::Failed => intake.failed += 1,
                RequestState::Accepted | RequestState::Superseded | RequestState::Done => {
                    intake.accepted += 1;
                }
            }
            intake.requests.push(answer);
        }
        intake
    }
}

/// Lets what takes rights away take effect, again while another drain has somebody, and answers with what came of it;
/// says what all of it waits for.
fn take_away(
    store: &mut ActivationStore,
    answers: &mut [Answer],
    grounds: &Grounds,
    actor: &str,
) -> Result<Option<Readiness>, StoreError> {
    let mut waits_for = None;
    for pause_ms in PAUSES_MS {
        // What has a reason waits for its holder, or the database refuses it: that is tried once, as by any drain.
        let waiting: Vec<_> = (answers.iter())
            .filter(|answer| waits_to_take_away(answer) && answer.reason.is_none())
            .map(|answer| answer.request_id.clone())
            .collect();
        if waiting.is_empty() {
            break;
        }
        thread::sleep(Duration::from_millis(pause_ms));
        // The first time with all that waits of earlier files.
        let again = (pause_ms > 0).then_some(waiting.as_slice());
        let drained = activate::take_away(store, again, grounds, actor)?;
        patiently(|| answer_again(store, answers, grounds))?;
        waits_for = drained.waits_for;
        if waits_for.is_some() {
            break;
        }
    }
    patiently(|| answer_again(store, answers, grounds))?;
    Ok(waits_for)
}

/// Whether the answer is of a request that takes rights away and waits.
fn waits_to_take_away(answer: &Answer) -> bool {
    let kind = Kind::by_name(answer.kind);
    kind.is_some_and(Kind::takes_away) && answer.state == RequestState::Accepted
}

/// Answers with what became of the requests by the end: a later line of the file, or a drain, may have settled them.
fn answer_again(
    store: &mut ActivationStore,
    answers: &mut [Answer],
    grounds: &Grounds,
) -> Result<(), StoreError> {
    let tx = store.begin()?;
    for answers in answers.chunks_mut(BATCH) {
        let waiting = answers
            .iter()
            .filter(|one| one.state == RequestState::Accepted);
        let ids: Vec<_> = waiting.map(|answer| answer.request_id.as_str()).collect();
        let mut known = tx.known_of(&ids)?;
        for answer in answers {
            if answer.state == RequestState::Accepted
                && let Some(known) = known.remove(&answer.request_id)
            {
                answer.set(known, grounds);
            }
        }
    }
    Ok(())
}

/// Does a transaction again that got in the way of others, of drains above all; a bounded number of times.
fn patiently<T>(mut work: impl FnMut() -> Result<T, StoreError>) -> Result<T, StoreError> {
    for pause_ms in PAUSES_MS {
        match work() {
            Err(error) if error.is_conflict() => thread::sleep(Duration::from_millis(pause_ms)),
            settled => return settled,
        }
    }
    work()
}

fn now(store: &mut ActivationStore) -> Result<Timestamp, StoreError> {
    let tx = store.begin()?;
    tx.now()
}

fn take_batch(
    store: &mut ActivationStore,
    batch: &[(u64, Entry)],
    grounds: &Grounds,
    actor: &str,
) -> Result<Vec<Answer>, StoreError> {
    let tx = store.begin()?;
    let mut answers = Vec::with_capacity(batch.len());
    let mut new = 0_usize;
    for (line, entry) in batch {
        let taken = match entry {
            Entry::Request(submission) => Some(tx.take_in(submission)?),
            Entry::Receipt(receipt) => Some(tx.take_receipt(receipt)?),
            Entry::EarlyReceipt(_) => None,
        };
        new += usize::from(matches!(taken, Some(Taken::New(_))));
        answers.push(answer(*line, entry, taken, grounds));
    }
    if new > 0 {
        let detail = serde_json::json!({
            "requests": new, "last_request": tx.last_request()?, "last_receipt": tx.last_receipt()?,
        });
        tx.audit(actor, "intake", &detail)?;
    }
    failpoint::reached("intake.commit");
    tx.commit()?;
    failpoint::reached("intake.committed");
    tracing::info!(event = "intake.batch", requests = batch.len(), new);
    Ok(answers)
}

fn answer(line: u64, entry: &Entry, taken: Option<Taken>, grounds: &Grounds) -> Answer {
    let refused = |mistake: RequestMistake, detail| Known {
        state: RequestState::Refused,
        reason: format!("{mistake}: {detail}"),
        not_before: Timestamp::UNIX_EPOCH,
    };
    let (known, again) = match taken {
        Some(Taken::New(known)) => (known, false),
        Some(Taken::Again(known)) => (stands(known, entry), true),
        Some(Taken::IdTaken) => {
            let detail = "another request came under this id; a new one needs its own";
            (refused(RequestMistake::RequestIdTaken, detail), false)
        }
        None => {
            let detail = "accepted_at lies in the future; hand it in again then";
            (refused(RequestMistake::AcceptedInFuture, detail), false)
        }
    };
    let (request_id, kind) = match entry {
        Entry::Request(submission) => (&submission.request_id, submission.kind.as_str()),
        Entry::Receipt(receipt) => (&receipt.request_id, RECEIPT),
        Entry::EarlyReceipt(request_id) => (request_id, RECEIPT),
    };
    let mut answer = Answer {
        line,
        request_id: request_id.clone(),
        kind,
        state: known.state,
        known: again,
        not_before: None,
        reason: None,
    };
    answer.set(known, grounds);
    answer
}

/// What is known of a request that came again; of one that was refused and would not be any more, or for another
/// reason, that this changes nothing.
fn stands(mut known: Known, entry: &Entry) -> Known {
    let is_refused = known.state == RequestState::Refused;
    if let (true, Entry::Request(submission)) = (is_refused, entry)
        && submission.is_refused_otherwise(&known.reason)
    {
        known.reason +=
            "; that was decided when it first came: what is mended comes under a new request_id";
    }
    known
}

impl Answer {
    /// What became of the request.
    fn set(&mut self, known: Known, grounds: &Grounds) {
        let waits = known.state == RequestState::Accepted && self.kind != RECEIPT;
        self.state = known.state;
        self.not_before = waits.then(|| grounds.local_time(known.not_before));
        self.reason = Some(known.reason).filter(|reason| !reason.is_empty());
    }
}
