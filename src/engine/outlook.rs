//! What the next drain would do, and what it would leave: looked at, with nothing changed and nobody claimed.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use crate::{
    domain::activation::{
        kind::Kind,
        schedule::Schedule,
        submission::RequestState,
        waiting::{WaitingRequest, WhyNotYet},
    },
    store::{Reader, StoreError, activation::Readiness, reader::QueueDepth},
};

/// What waits, and for what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Outlook {
    /// Why nothing may take effect yet, or nothing but what takes away.
    pub not_yet: Option<String>,
    /// The same, as it was found.
    #[serde(skip)]
    pub waits_for: Option<Readiness>,
    /// Requests that a drain would let take effect now, or find a reason not to.
    pub due: i64,
    /// Receipts of migrated PINs that it would count.
    pub receipts_due: i64,
    /// Migrated pending PINs that it would make active.
    pub pending_due: i64,
    /// Retired PINs that would give the profile which waited for their delivery.
    pub retired_due: i64,
    /// Receipts that wait for cut-over, or for the request or the record they are of.
    pub receipts_waiting: i64,
    /// Requests that wait, by what they wait for; one may wait for several things.
    pub waiting: BTreeMap<WhyNotYet, i64>,
    /// The first of all requests without effect, by their hour.
    pub requests: Vec<Expected>,
    /// How many more there are.
    pub more: i64,
}

/// A request without effect yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Expected {
    /// The request.
    pub request_id: String,
    /// What it asks for.
    pub kind: Kind,
    /// Where it is on its way.
    pub state: RequestState,
    /// The local date and time, with the offset, from which it may take effect.
    pub due_at: String,
    /// What it waits for; nothing where it is due.
    pub why_not_yet: Vec<WhyNotYet>,
}

/// How late the queue is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct QueueState {
    /// Requests accepted and without effect yet.
    pub waiting: i64,
    /// Of these, those that take something away from nobody who is there yet.
    pub of_nobody: i64,
    /// Those that need the PIN of one accepted before them.
    pub behind: i64,
    /// Those that a drain would take now.
    pub due: i64,
    /// The local date and time since when the oldest of these could have taken effect.
    pub oldest_due: Option<String>,
    /// How long that is ago.
    pub late_secs: Option<i64>,
    /// Requests given up after several tries.
    pub set_aside: i64,
    /// Receipts of migrated PINs that a drain would count now.
    pub receipts_due: i64,
    /// Migrated pending PINs that it would make active.
    pub pending_due: i64,
    /// Retired PINs that would give the profile which waited for their delivery.
    pub retired_due: i64,
    /// Receipts that wait for cut-over, or for the request or the record they are of.
    pub receipts_waiting: i64,
}

/// What the next drain would do, with the first `limit` requests.
///
/// # Errors
/// When the target fails.
pub fn outlook(reader: &Reader, schedule: &Schedule, limit: u32) -> Result<Outlook, StoreError> {
    reader.hold_still()?;
    let now = reader.now()?;
    let readiness = reader.readiness()?;
    let depth = reader.queue_depth(now)?;
    let requests: Vec<_> = (reader.waiting(now, limit)?.iter())
        .map(|request| expected(request, &readiness, now, schedule))
        .collect();
    let due = match &readiness {
        Readiness::Ready { .. } => depth.due,
        Readiness::Merging { .. } => depth.taking_due,
        Readiness::NotCutOver | Readiness::UnderWay { .. } => 0,
    };
    let migrated = Migrated::due(reader, &readiness)?;
    Ok(Outlook {
        not_yet: readiness.run_id().err(),
        due,
        receipts_due: migrated.receipts,
        pending_due: migrated.pending,
        retired_due: migrated.retired,
        receipts_waiting: migrated.receipts_waiting,
        waiting: waiting(&depth, &readiness),
        more: depth.waiting - requests.len() as i64,
        requests,
        waits_for: Some(readiness).filter(|readiness| readiness.run_id().is_err()),
    })
}

/// How many wait, and how late they are.
///
/// # Errors
/// When the target fails.
pub fn queue_state(reader: &Reader, schedule: &Schedule) -> Result<QueueState, StoreError> {
    reader.hold_still()?;
    let now = reader.now()?;
    let depth = reader.queue_depth(now)?;
    // What waited for cut-over is late from then on only.
    let readiness = reader.readiness()?;
    let due = if is_merging(&readiness) {
        depth.taking_due
    } else {
        depth.due
    };
    let migrated = Migrated::due(reader, &readiness)?;
    let since = match readiness {
        Readiness::Ready { run_id } => depth
            .oldest_due
            .max(reader.finished_at(run_id)?.filter(|_| depth.due > 0)),
        Readiness::Merging { .. } => depth.oldest_taking,
        Readiness::NotCutOver | Readiness::UnderWay { .. } => None,
    };
    Ok(QueueState {
        waiting: depth.waiting,
        of_nobody: depth.of_nobody,
        behind: depth.behind,
        due: since.map_or(0, |_| due),
        oldest_due: since.map(|at| schedule.local_time(at)),
        late_secs: since.map(|at| now.duration_since(at).as_secs().max(0)),
        set_aside: depth.set_aside,
        receipts_due: migrated.receipts,
        pending_due: migrated.pending,
        retired_due: migrated.retired,
        receipts_waiting: migrated.receipts_waiting,
    })
}

/// What the next drain does with migrated PINs.
struct Migrated {
    /// Receipts that it counts.
    receipts: i64,
    /// Pending PINs that it makes active.
    pending: i64,
    /// Retired ones that give what was granted with them.
    retired: i64,
    /// Receipts that it leaves.
    receipts_waiting: i64,
}

impl Migrated {
    fn due(reader: &Reader, readiness: &Readiness) -> Result<Self, StoreError> {
        let waiting = reader.receipts_waiting()?;
        let (receipts, pending, retired) = match readiness {
            Readiness::Ready { run_id } => (
                reader.receipts_due()?,
                reader.pending_due(*run_id)?,
                reader.retired_due(*run_id)?,
            ),
            Readiness::Merging { .. } | Readiness::NotCutOver | Readiness::UnderWay { .. } => {
                (0, 0, 0)
            }
        };
        Ok(Self {
            receipts,
            pending,
            retired,
            receipts_waiting: waiting - receipts,
        })
    }
}

fn obstacle(readiness: &Readiness) -> Option<WhyNotYet> {
    match readiness {
        Readiness::Ready { .. } => None,
        Readiness::NotCutOver => Some(WhyNotYet::NotCutOver),
        Readiness::Merging { .. } | Readiness::UnderWay { .. } => Some(WhyNotYet::RunUnderWay),
    }
}

/// Whether what takes away may take effect, and nothing else.
fn is_merging(readiness: &Readiness) -> bool {
    matches!(readiness, Readiness::Merging { .. })
}

fn waiting(depth: &QueueDepth, readiness: &Readiness) -> BTreeMap<WhyNotYet, i64> {
    let held = match is_merging(readiness) {
        true => depth.waiting - depth.taking,
        false => depth.waiting,
    };
    let all = obstacle(readiness).map(|why| (why, held));
    [
        (WhyNotYet::HourNotReached, depth.before_their_hour),
        (WhyNotYet::HalvesOpen, depth.halves_open),
        (WhyNotYet::HolderUnknown, depth.of_nobody),
        (WhyNotYet::EarlierRequest, depth.behind),
    ]
    .into_iter()
    .chain(all)
    .filter(|(_, count)| *count > 0)
    .collect()
}

fn expected(
    request: &WaitingRequest,
    readiness: &Readiness,
    now: Timestamp,
    schedule: &Schedule,
) -> Expected {
    let is_in_the_way = |_: &WhyNotYet| !(request.kind.takes_away() && is_merging(readiness));
    let run = obstacle(readiness).filter(is_in_the_way);
    Expected {
        request_id: request.request_id.clone(),
        kind: request.kind,
        state: RequestState::Accepted,
        due_at: schedule.local_time(request.not_before),
        why_not_yet: request.why(run, now),
    }
}
