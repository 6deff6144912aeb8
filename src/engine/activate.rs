//! Lets requests that are due take effect, each exactly once.
//!
//! Everything about a request, its effect, its mark, its entry in the ledger and in the audit log, is one
//! transaction that holds the write lock from its first statement and looks for what is due only then. So a
//! process that dies leaves a request either untouched or done, and of two drains at once the second finds
//! nothing left.

use jiff::{Timestamp, civil::Date};
use serde::Serialize;

use crate::{
    domain::activation::{
        effect::{self, Effect},
        evaluation::Grounds,
        pending,
        refusal::Failure,
        standing::MaxAges,
    },
    engine::stop::{StopFlag, StopReason},
    exit::Exit,
    failpoint,
    store::{
        StoreError,
        activation::{
            ActivationStore, ActivationTx, Due, DueCursor, PendingCursor, Readiness, Waiting,
        },
    },
};

/// Items per transaction: other writers wait no longer than these take.
const BATCH: u32 = 200;

/// Tries after which a request that the database refuses is set aside.
pub const ATTEMPTS_MAX: u32 = 5;

/// Batches of one drain; what is left is for the next.
const BATCHES_MAX: u32 = 100_000;

/// What a drain did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Drained {
    /// Why nothing may take effect yet.
    pub not_yet: Option<String>,
    /// Migrated pending PINs that became active.
    pub pending_activated: u64,
    /// Requests that took effect.
    pub activated: u64,
    /// Requests that were due and changed nothing.
    pub failed: Vec<Failed>,
    /// What still waits.
    pub waiting: Waiting,
    /// The signal that ended the drain early.
    #[serde(skip)]
    pub stopped: Option<StopReason>,
}

/// A request that was due and changed nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failed {
    /// The request; empty for a migrated pending PIN.
    pub request_id: String,
    /// Why.
    pub reason: String,
    /// Whether it will be tried again.
    pub tried_again: bool,
}

impl Drained {
    /// 0 when all that was due took effect or nothing may yet, 3 when something due did not, 130 or 143 after
    /// a signal.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self.stopped {
            Some(StopReason::Interrupted) => Exit::Interrupted,
            Some(StopReason::Terminated) => Exit::Terminated,
            None if self.failed.is_empty() => Exit::Done,
            None => Exit::DoneWithQuarantine,
        }
    }
}

/// What one transaction works with.
struct Moment {
    run_id: i64,
    now: Timestamp,
    today: Date,
    ages: MaxAges,
}

/// Where the next transaction goes on.
#[derive(Clone, Debug)]
enum Place {
    Pending(PendingCursor),
    Requests(DueCursor),
    End,
}

/// One drain.
struct Drain<'d> {
    grounds: &'d Grounds,
    actor: &'d str,
    drained: Drained,
}

/// Lets all that is due take effect: first migrated pending PINs, then requests in the order of acceptance.
/// Before cut-over, and while a run is under way, it does nothing and says so.
///
/// # Errors
/// When the target fails; what was committed stays, and the next drain goes on.
pub fn activate(
    store: &mut ActivationStore,
    grounds: &Grounds,
    actor: &str,
    stop: &StopFlag,
) -> Result<Drained, StoreError> {
    let mut drain = Drain {
        grounds,
        actor,
        drained: Drained::default(),
    };
    let mut place = Place::Pending(PendingCursor::default());
    for _ in 0..BATCHES_MAX {
        drain.drained.stopped = stop.requested();
        if matches!(place, Place::End) || drain.drained.stopped.is_some() {
            break;
        }
        place = drain.batch(store, place)?;
    }
    Ok(drain.drained)
}

impl Drain<'_> {
    fn batch(&mut self, store: &mut ActivationStore, place: Place) -> Result<Place, StoreError> {
        let tx = store.begin()?;
        failpoint::reached("activation.begin");
        let run_id = match tx.readiness()? {
            Readiness::Ready { run_id } => run_id,
            Readiness::NotCutOver => return Ok(self.not_yet("no run was cut over yet".to_owned())),
            Readiness::UnderWay { run_id, phase } => {
                return Ok(self.not_yet(format!("run {run_id} is not finished (phase {phase})")));
            }
        };
        let now = tx.now()?;
        let today = self.grounds.local_date(now);
        let moment = Moment {
            run_id,
            now,
            today,
            ages: tx.max_ages()?,
        };
        let next = match place {
            Place::Pending(cursor) => self.pending(&tx, &moment, cursor)?,
            Place::Requests(cursor) => self.requests(&tx, &moment, cursor)?,
            Place::End => Place::End,
        };
        failpoint::reached("activation.commit");
        tx.commit()?;
        failpoint::reached("activation.committed");
        Ok(next)
    }

    fn not_yet(&mut self, why: String) -> Place {
        tracing::info!(event = "activation.not_yet", why);
        self.drained.not_yet = Some(why);
        Place::End
    }

    fn pending(
        &mut self,
        tx: &ActivationTx<'_>,
        moment: &Moment,
        mut cursor: PendingCursor,
    ) -> Result<Place, StoreError> {
        let requests = Place::Requests(DueCursor::default());
        if tx.pending_done(moment.run_id)? {
            return Ok(requests);
        }
        let found = tx.delivered_pending(cursor, BATCH)?;
        if found.is_empty() {
            tx.mark_pending_done(moment.run_id)?;
            return Ok(requests);
        }
        for (at, person_id) in found {
            cursor = at;
            tx.mark_item()?;
            match self.activate_pending(tx, moment, person_id) {
                Ok(()) => {
                    tx.keep_item()?;
                    self.drained.pending_activated += 1;
                }
                Err(error) if error.is_constraint() => {
                    tx.take_item_back()?;
                    let detail = serde_json::json!({ "pin_id": at.0 });
                    tx.audit(
                        self.actor,
                        "activation.set_aside",
                        &error.to_string(),
                        &detail,
                    )?;
                    self.failed(format!("pin {}", at.0), &error, Again::No);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Place::Pending(cursor))
    }

    fn activate_pending(
        &self,
        tx: &ActivationTx<'_>,
        moment: &Moment,
        person_id: i64,
    ) -> Result<(), StoreError> {
        let standing = tx.standing(person_id)?;
        let delivered = tx.delivered_of(person_id)?;
        let Some(effect) = pending::activate(&standing, &delivered, moment.today, &moment.ages)
        else {
            return Ok(());
        };
        let pin_id = tx.apply(moment.run_id, Some(person_id), &effect)?;
        failpoint::reached("activation.effect");
        self.note(
            tx,
            &format!("pending:{pin_id}"),
            "activation.pending",
            pin_id,
            &effect,
        )
    }

    fn requests(
        &mut self,
        tx: &ActivationTx<'_>,
        moment: &Moment,
        mut cursor: DueCursor,
    ) -> Result<Place, StoreError> {
        let due = tx.due(&cursor, moment.now, BATCH)?;
        if due.is_empty() {
            self.drained.waiting = tx.waiting(moment.now)?;
            return Ok(Place::End);
        }
        for item in due {
            tx.mark_item()?;
            match self.request(tx, moment, &item) {
                Ok(Outcome::Activated) => {
                    tx.keep_item()?;
                    self.drained.activated += 1;
                }
                Ok(Outcome::Failed(failure)) => {
                    tx.keep_item()?;
                    self.failed(item.request.request_id.clone(), &failure, Again::No);
                }
                Err(error) if error.is_constraint() => {
                    tx.take_item_back()?;
                    let why = refusal_of(&error);
                    let set_aside = tx.count_attempt(item.activation_id, &why, ATTEMPTS_MAX)?;
                    let again = if set_aside { Again::No } else { Again::Yes };
                    self.failed(item.request.request_id.clone(), &why, again);
                }
                Err(error) => return Err(error),
            }
            cursor = item.cursor;
        }
        Ok(Place::Requests(cursor))
    }

    fn request(
        &self,
        tx: &ActivationTx<'_>,
        moment: &Moment,
        item: &Due,
    ) -> Result<Outcome, StoreError> {
        let request = &item.request;
        let person_id = tx.person_of(request.fiscal_code.as_str())?;
        let standing = match person_id {
            Some(person_id) => Some(tx.standing(person_id)?),
            None => None,
        };
        let id = &request.request_id;
        match effect::of(request, standing.as_ref(), moment.today, &moment.ages) {
            Err(failure) => {
                tx.mark_failed(item.activation_id, failure)?;
                let detail = serde_json::json!({ "request_id": id });
                tx.audit(self.actor, "activation.failed", failure.as_str(), &detail)?;
                Ok(Outcome::Failed(failure))
            }
            Ok(effect) => {
                let pin_id = tx.apply(moment.run_id, person_id, &effect)?;
                failpoint::reached("activation.effect");
                tx.mark_done(item.activation_id, pin_id, moment.now)?;
                self.note(
                    tx,
                    &format!("activation:{id}"),
                    "activation.done",
                    pin_id,
                    &effect,
                )?;
                Ok(Outcome::Activated)
            }
        }
    }

    /// The entries in the ledger and in the audit log.
    fn note(
        &self,
        tx: &ActivationTx<'_>,
        cause: &str,
        action: &str,
        pin_id: i64,
        effect: &Effect,
    ) -> Result<(), StoreError> {
        tx.ledger(cause, &effect.tally())?;
        let detail = serde_json::json!({ "cause": cause, "pin_id": pin_id });
        tx.audit(self.actor, action, "", &detail)
    }

    fn failed(&mut self, request_id: String, why: &impl ToString, again: Again) {
        let reason = why.to_string();
        tracing::warn!(event = "activation.failed", request = request_id, reason);
        self.drained.failed.push(Failed {
            request_id,
            reason,
            tried_again: again == Again::Yes,
        });
    }
}

/// What became of a request that was due.
enum Outcome {
    Activated,
    Failed(Failure),
}

/// Whether a request will be tried again.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Again {
    Yes,
    No,
}

/// What the database said; SQLite names tables and columns, never values.
fn refusal_of(error: &StoreError) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
}
