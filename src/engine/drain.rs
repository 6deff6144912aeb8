//! What a run does to the queue and for it: new PINs that the lock diverted become delayed activations, and what was
//! taken away from people is taken from what a later run brings them.

use jiff::Timestamp;
use serde_json::json;

use super::{
    activate::again::{self, TakenAgain},
    error::RunError,
    job::Job,
};
use crate::{
    domain::{
        activation::{
            diverted::{DivertedPin, evaluate_diverted},
            grounds::Grounds,
        },
        raw_record::SourceIndex,
        rules::Rules,
    },
    source::lock::Locks,
    store::{AuditEntry, CommitPoint, Lease, LeasedTx, StoreError, Target},
};

/// Diverted PINs that are dealt with in one transaction.
const PINS_A_ROUND: u32 = 1_000;

/// Takes away from those whom this later run brought something what was taken away from them before.
pub(super) fn take_away_again(
    job: &Job<'_>,
    rules: &Rules,
    tx: &LeasedTx<'_>,
) -> Result<(), StoreError> {
    let grounds = Grounds::new(rules.clone(), job.settings.activation.schedule.clone());
    let again = again::take_away_again(&tx.queue(), tx.run_id(), &grounds)?;
    if again == TakenAgain::default() {
        return Ok(());
    }
    let detail = json!({ "people": again.people, "refused": again.refused });
    tx.event("taken_away.again", &detail)?;
    if again.done.is_empty() {
        return Ok(());
    }
    let done = again.done.iter();
    let done: Vec<_> = done
        .map(|id| json!({ "request_id": id, "pin_id": null }))
        .collect();
    tx.audit(&AuditEntry {
        actor: job.holder,
        action: "activation",
        reason: "",
        detail: &json!({ "run_id": tx.run_id(), "done": done }),
    })
}

/// Takes every diverted PIN into the queue and marks it processed in the legacy. A process killed between
/// the two takes it again, and the queue knows it already.
pub(super) fn drain_diverted(
    job: &Job<'_>,
    rules: &Rules,
    target: &mut Target,
    lease: &Lease,
    locks: &Locks,
) -> Result<(), RunError> {
    let schedule = job.settings.activation.schedule.clone();
    let grounds = Grounds::new(rules.clone(), schedule);
    for (source, index) in job.settings.sources.iter().zip(0..) {
        let Some(locked) = locks.of(&source.rules.name) else {
            continue;
        };
        // Each round marks what it took, and a sealed legacy gets no more.
        loop {
            let pins = locked.diverted(PINS_A_ROUND)?;
            if pins.is_empty() {
                break;
            }
            let tx = target.begin(lease)?;
            for pin in &pins {
                let at: Timestamp = pin.at.parse().map_err(RunError::DivertedAt)?;
                let diverted = DivertedPin {
                    seq: pin.seq,
                    at,
                    raw: pin.row.record(SourceIndex(index), 0),
                };
                tx.queue_diverted(&evaluate_diverted(&diverted, &grounds))?;
            }
            let detail = json!({ "source": source.rules.name, "pins": pins.len() });
            tx.event("diverted.queued", &detail)?;
            tx.commit(CommitPoint::Divert)?;
            let seqs: Vec<_> = pins.iter().map(|pin| pin.seq).collect();
            locked.mark_diverted_processed(&seqs)?;
        }
    }
    Ok(())
}
