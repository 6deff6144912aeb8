//! Lets requests that are due take effect, each exactly once.
//!
//! People are claimed by the batch, each with all that is due of him. Everything about a batch, effects, marks, its
//! entries in the ledger and in the audit log, is one transaction: a process that dies leaves a request either
//! untouched or done. Any number of drains share the queue, each leaving the others' people to them; they wait
//! for each other only where they write the audit log, which is last. One drain has as many hands as the target
//! takes, which claim one after the other, so that none meets again what another just failed at.

pub(super) mod again;
mod batch;
mod receipts;

use std::{
    mem,
    sync::{Mutex, PoisonError},
    thread,
    time::Duration,
};

use serde::Serialize;

use crate::{
    domain::activation::grounds::Grounds,
    engine::stop::{StopFlag, StopReason},
    exit::Exit,
    failpoint,
    store::{
        StoreError,
        activation::{
            ActivationStore, ActivationTx, Claim, DueCursor, PendingCursor, Readiness,
            ReceiptCursor, Revoked, Waiting, Whom,
        },
    },
};
use batch::{Batch, Outcome, Scope};

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
    /// Why nothing may take effect yet, or nothing but what takes away.
    pub not_yet: Option<String>,
    /// The same, as it was found.
    #[serde(skip)]
    pub waits_for: Option<Readiness>,
    /// Migrated pending PINs that became active.
    pub pending_activated: u64,
    /// Migrated retired PINs that gave the profile which waited for their delivery.
    pub retired_delivered: u64,
    /// Receipts of migrated PINs that were counted, or answered with why nothing counts.
    pub receipts: u64,
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
            Some(reason) => reason.exit(),
            None if self.failed.is_empty() => Exit::Done,
            None => Exit::DoneWithQuarantine,
        }
    }
}

/// Where a hand's next transaction goes on.
#[derive(Clone, Copy, Debug)]
enum Place {
    Pending(PendingCursor),
    Receipts(ReceiptCursor),
    /// Where the hands are together, or, for what this hand has left behind, before that.
    Requests(Option<DueCursor>),
    End,
}

/// What the hands of a drain have in common.
struct Drain<'d> {
    grounds: &'d Grounds,
    actor: &'d str,
    stop: &'d StopFlag,
    whom: Whom<'d>,
    /// All requests up to here were claimed, by some hand.
    claimed: Mutex<DueCursor>,
}

/// One hand of a drain.
struct Hand<'d> {
    drain: &'d Drain<'d>,
    drained: Drained,
    /// After which place this batch was claimed.
    claimed_after: Option<DueCursor>,
    /// After which place it left requests be whose person somebody else just then changed.
    left_after: Option<DueCursor>,
    /// Pending PINs that the database lets nobody activate.
    set_aside: Vec<i64>,
    /// What its batches read; after one that failed, the next reads all of it again.
    revoked: Revoked,
}

/// Lets all that is due take effect, by several hands at once: migrated pending PINs, which are the first hand's and
/// anybody's of whom a request is due, then requests in the order of acceptance. Before cut-over, and until that run is
/// finished, it does nothing and says so; while a later run is under way only what takes away takes effect.
///
/// # Errors
/// When the target fails; what was committed stays, and the next drain goes on.
pub fn activate(
    first: &mut ActivationStore,
    others: &mut [ActivationStore],
    grounds: &Grounds,
    actor: &str,
    stop: &StopFlag,
) -> Result<Drained, StoreError> {
    let drain = Drain {
        grounds,
        actor,
        stop,
        whom: Whom::Everybody,
        claimed: Mutex::default(),
    };
    let mut hand = drain.hand();
    thread::scope(|scope| {
        let others: Vec<_> = (others.iter_mut())
            .map(|store| {
                let mut hand = drain.hand();
                scope.spawn(move || hand.work(store, Place::Requests(None)).map(|()| hand))
            })
            .collect();
        let mut worked = hand.work(first, Place::Pending(PendingCursor::default()));
        for other in others {
            let other = other.join();
            let other = other.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            worked = worked.and_then(|()| other.map(|other| hand.join(other)));
        }
        worked
    })?;
    if let Some(after) = hand.left_after {
        // One person may have requests under two codes, and two hands may have met them at once.
        hand.work(first, Place::Requests(Some(after)))?;
    }
    if hand.drained.not_yet.is_none() && hand.drained.stopped.is_none() {
        hand.step(first, Place::End)?;
    }
    Ok(hand.drained)
}

/// Lets revocations and suspensions take effect at once, with all that is due of the people they are about; what
/// another drain has is left to it. Where `request_ids` says so only these are meant. Before cut-over, and until that
/// run is finished, they wait; while a later run is under way they take effect alone.
///
/// # Errors
/// When the target fails; the next drain goes on.
pub fn take_away(
    store: &mut ActivationStore,
    request_ids: Option<&[String]>,
    grounds: &Grounds,
    actor: &str,
) -> Result<Drained, StoreError> {
    let drain = Drain {
        grounds,
        actor,
        stop: &StopFlag::default(),
        whom: request_ids.map_or(Whom::LosingRights, Whom::LosingRightsBy),
        claimed: Mutex::default(),
    };
    let mut hand = drain.hand();
    hand.work(store, Place::Requests(None))?;
    Ok(hand.drained)
}

impl Drain<'_> {
    fn hand(&self) -> Hand<'_> {
        Hand {
            drain: self,
            drained: Drained::default(),
            claimed_after: None,
            left_after: None,
            set_aside: Vec::new(),
            revoked: Revoked::default(),
        }
    }
}

impl Hand<'_> {
    /// Counts what another hand did as this one's.
    fn join(&mut self, other: Self) {
        self.left_after = self.left_after.into_iter().chain(other.left_after).min();
        let (drained, other) = (&mut self.drained, other.drained);
        drained.not_yet = drained.not_yet.take().or(other.not_yet);
        drained.waits_for = drained.waits_for.take().or(other.waits_for);
        drained.stopped = drained.stopped.or(other.stopped);
        drained.pending_activated += other.pending_activated;
        drained.retired_delivered += other.retired_delivered;
        drained.receipts += other.receipts;
        drained.activated += other.activated;
        drained.failed.extend(other.failed);
    }

    fn work(&mut self, store: &mut ActivationStore, mut place: Place) -> Result<(), StoreError> {
        for _ in 0..BATCHES_MAX {
            self.drained.stopped = self.drain.stop.requested();
            if matches!(place, Place::End) || self.drained.stopped.is_some() {
                break;
            }
            place = self.step(store, place)?;
        }
        Ok(())
    }

    /// One batch; again, where it got in another transaction's way, which undoes all of it.
    fn step(&mut self, store: &mut ActivationStore, mut place: Place) -> Result<Place, StoreError> {
        let mut pause = PAUSE;
        for _ in 1..TRIES_MAX {
            match self.batch(store, place) {
                Err(error) if error.is_conflict() => {
                    tracing::info!(event = "activation.conflict", %error);
                    // The other hands go on from behind it.
                    if let (Place::Requests(from), Some(after)) =
                        (&mut place, self.claimed_after.take())
                    {
                        *from = Some(after);
                    }
                    thread::sleep(pause);
                    pause *= 2;
                }
                settled => return settled,
            }
        }
        self.batch(store, place)
    }

    fn batch(&mut self, store: &mut ActivationStore, place: Place) -> Result<Place, StoreError> {
        self.claimed_after = None;
        let mut tx = store.begin()?;
        failpoint::reached("activation.begin");
        let readiness = tx.readiness()?;
        let (run_id, scope) = match &readiness {
            Readiness::Ready { run_id } => (*run_id, Scope::All),
            Readiness::Merging { valid, .. } => (*valid, Scope::TakingAway),
            Readiness::NotCutOver | Readiness::UnderWay { .. } => {
                self.not_yet(readiness);
                return Ok(Place::End);
            }
        };
        let revoked = mem::take(&mut self.revoked);
        let batch = Batch::begin(&tx, run_id, self.drain.grounds, scope, revoked)?;
        let (next, outcome) = match place {
            Place::Pending(_) | Place::Receipts(_) if scope == Scope::TakingAway => {
                (Place::Requests(None), Outcome::default())
            }
            Place::Pending(cursor) => self.pending(&batch, cursor)?,
            Place::Receipts(cursor) => match batch.receipts(cursor, PEOPLE)? {
                Some((cursor, outcome)) => (Place::Receipts(cursor), outcome),
                None => (Place::Requests(None), Outcome::default()),
            },
            Place::Requests(left_behind) => self.requests(&batch, &tx, left_behind)?,
            Place::End => {
                self.drained.waiting = tx.waiting(batch.now)?;
                if scope == Scope::TakingAway {
                    self.not_yet(readiness);
                }
                return Ok(Place::End);
            }
        };
        failpoint::reached("activation.effect");
        tx.account_for(self.drain.actor, &outcome.settled)?;
        let left = self.claimed_after.filter(|_| batch.left_some());
        self.revoked = batch.into_revoked();
        failpoint::reached("activation.commit");
        tx.commit()?;
        failpoint::reached("activation.committed");
        self.left_after = self.left_after.into_iter().chain(left).min();
        self.add(outcome);
        Ok(next)
    }

    fn not_yet(&mut self, readiness: Readiness) {
        self.drained.not_yet = readiness.run_id().err();
        let why = self.drained.not_yet.as_deref();
        tracing::info!(event = "activation.not_yet", why);
        self.drained.waits_for = Some(readiness);
    }

    fn pending(
        &self,
        batch: &Batch<'_>,
        cursor: PendingCursor,
    ) -> Result<(Place, Outcome), StoreError> {
        let receipts = Place::Receipts(ReceiptCursor::default());
        if batch.pending_is_done() {
            return Ok((receipts, Outcome::default()));
        }
        match batch.pending(cursor, PEOPLE)? {
            Some((cursor, outcome)) => Ok((Place::Pending(cursor), outcome)),
            None => {
                batch.end_pending(&self.set_aside)?;
                Ok((receipts, Outcome::default()))
            }
        }
    }

    fn requests(
        &mut self,
        batch: &Batch<'_>,
        tx: &ActivationTx<'_>,
        left_behind: Option<DueCursor>,
    ) -> Result<(Place, Outcome), StoreError> {
        let (claim, next) = self.claim(batch, tx, left_behind)?;
        failpoint::reached("activation.claimed");
        if claim.requests.is_empty() {
            return Ok((next, Outcome::default()));
        }
        Ok((next, batch.requests(claim.requests)?))
    }

    /// Claims what comes next, and where to go on after it: with the other hands, unless they passed by what this
    /// one has yet to do.
    fn claim(
        &mut self,
        batch: &Batch<'_>,
        tx: &ActivationTx<'_>,
        left_behind: Option<DueCursor>,
    ) -> Result<(Claim, Place), StoreError> {
        let claimed = self.drain.claimed.lock();
        let mut claimed = claimed.unwrap_or_else(PoisonError::into_inner);
        let after = left_behind.unwrap_or(*claimed);
        self.claimed_after = Some(after);
        let claim = tx.claim(&after, batch.now, self.drain.whom, (PEOPLE, REQUESTS))?;
        let next = if claim.requests.is_empty() {
            left_behind.map_or(Place::End, |_| Place::Requests(None))
        } else if claim.is_whole && claim.cursor >= *claimed {
            *claimed = claim.cursor;
            Place::Requests(None)
        } else {
            Place::Requests(Some(claim.cursor))
        };
        Ok((claim, next))
    }

    /// Counts what is committed.
    fn add(&mut self, outcome: Outcome) {
        let settled = outcome.settled;
        self.drained.activated += settled.done.len() as u64;
        self.drained.pending_activated += settled.pending.len() as u64;
        let retired = settled.granted.iter();
        let retired = retired.filter(|pin_id| !settled.pending.contains(pin_id));
        self.drained.retired_delivered += retired.count() as u64;
        self.drained.receipts += settled.receipts.len() as u64;
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
