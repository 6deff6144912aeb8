//! Lets requests that are due take effect, each exactly once.
//!
//! People are claimed by the batch, each with all that is due of him. Everything about a batch, effects, marks, its
//! entries in the ledger and in the audit log, is one transaction: a process that dies leaves a request either
//! untouched or done. Any number of drains share the queue, each leaving the others' people to them; they wait
//! for each other only where they write the audit log, which is last.

mod batch;

use std::{thread, time::Duration};

use serde::Serialize;

use crate::{
    domain::activation::evaluation::Grounds,
    engine::stop::{StopFlag, StopReason},
    exit::Exit,
    failpoint,
    store::{
        StoreError,
        activation::{ActivationStore, ActivationTx, DueCursor, PendingCursor, Readiness, Waiting},
    },
};
use batch::{Batch, Outcome};

/// People per transaction.
const PEOPLE: u32 = 1_000;

/// Requests per transaction, where people have many each.
const REQUESTS: u32 = 10_000;

/// Tries after which a request that the database refuses is set aside.
pub const ATTEMPTS_MAX: u32 = 5;

/// Batches of one drain; what is left is for the next.
const BATCHES_MAX: u32 = 100_000;

/// Tries of one batch that gets in another transaction's way.
const TRIES_MAX: u32 = 6;

/// The pause before the first try again; each further one is twice as long.
const PAUSE: Duration = Duration::from_millis(50);

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

/// Where the next transaction goes on.
#[derive(Clone, Copy, Debug)]
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
    /// Pending PINs that the database lets nobody activate.
    set_aside: Vec<i64>,
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
        set_aside: Vec::new(),
    };
    let mut place = Place::Pending(PendingCursor::default());
    for _ in 0..BATCHES_MAX {
        drain.drained.stopped = stop.requested();
        if matches!(place, Place::End) || drain.drained.stopped.is_some() {
            break;
        }
        place = drain.step(store, place)?;
    }
    Ok(drain.drained)
}

impl Drain<'_> {
    /// One batch; again, where it got in another transaction's way, which undoes all of it.
    fn step(&mut self, store: &mut ActivationStore, place: Place) -> Result<Place, StoreError> {
        let mut pause = PAUSE;
        for _ in 1..TRIES_MAX {
            match self.batch(store, place) {
                Err(error) if error.is_conflict() => {
                    tracing::info!(event = "activation.conflict", %error);
                    thread::sleep(pause);
                    pause *= 2;
                }
                settled => return settled,
            }
        }
        self.batch(store, place)
    }

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
        let batch = Batch::begin(&tx, run_id, self.grounds)?;
        let (next, outcome) = match place {
            Place::Pending(cursor) => self.pending(&batch, cursor)?,
            Place::Requests(cursor) => self.requests(&batch, &tx, cursor)?,
            Place::End => (Place::End, Outcome::default()),
        };
        failpoint::reached("activation.effect");
        tx.account_for(self.actor, &outcome.settled)?;
        failpoint::reached("activation.commit");
        tx.commit()?;
        failpoint::reached("activation.committed");
        self.add(outcome);
        Ok(next)
    }

    fn not_yet(&mut self, why: String) -> Place {
        tracing::info!(event = "activation.not_yet", why);
        self.drained.not_yet = Some(why);
        Place::End
    }

    fn pending(
        &self,
        batch: &Batch<'_>,
        cursor: PendingCursor,
    ) -> Result<(Place, Outcome), StoreError> {
        let requests = Place::Requests(DueCursor::default());
        if batch.pending_is_done() {
            return Ok((requests, Outcome::default()));
        }
        match batch.pending(cursor, PEOPLE)? {
            Some((cursor, outcome)) => Ok((Place::Pending(cursor), outcome)),
            None => {
                batch.end_pending(&self.set_aside)?;
                Ok((requests, Outcome::default()))
            }
        }
    }

    fn requests(
        &mut self,
        batch: &Batch<'_>,
        tx: &ActivationTx<'_>,
        cursor: DueCursor,
    ) -> Result<(Place, Outcome), StoreError> {
        let claim = tx.claim(&cursor, batch.now, (PEOPLE, REQUESTS))?;
        failpoint::reached("activation.claimed");
        if claim.requests.is_empty() {
            self.drained.waiting = tx.waiting(batch.now)?;
            return Ok((Place::End, Outcome::default()));
        }
        let outcome = batch.requests(&claim.requests)?;
        Ok((Place::Requests(claim.cursor), outcome))
    }

    /// Counts what is committed.
    fn add(&mut self, outcome: Outcome) {
        let settled = outcome.settled;
        self.drained.activated += settled.done.len() as u64;
        self.drained.pending_activated += settled.pending.len() as u64;
        self.set_aside.extend(settled.set_aside);
        let failed = settled.failed.into_iter().map(|(request_id, why)| Failed {
            request_id,
            reason: why.to_string(),
            tried_again: false,
        });
        for failed in failed.chain(outcome.refused) {
            let Failed {
                request_id, reason, ..
            } = &failed;
            tracing::warn!(event = "activation.failed", request = request_id, reason);
            self.drained.failed.push(failed);
        }
    }
}
