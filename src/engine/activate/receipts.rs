//! Halves of migrated PINs that were delivered since: counted, and what waited for them let take effect.

use std::collections::HashMap;

use super::{
    ATTEMPTS_MAX,
    batch::{Batch, Outcome, refusal_of},
};
use crate::domain::status::{LegacyStatus, PinStatus};
use crate::{
    domain::activation::{
        effect::{Change, Effect},
        pending::{self, Delivered},
        receipt::{ReceiptState, Uncounted, halves_after, out_of_use},
        refusal::Failure,
        standing::Standing,
    },
    store::{
        StoreError,
        activation::{AbsentPin, PersonEffect, ReceiptCursor, SentHalf, SentPin, Settled},
    },
};

impl Batch<'_> {
    /// Counts the next halves; nothing when there is none left.
    pub(super) fn receipts(
        &self,
        after: ReceiptCursor,
        limit: u32,
    ) -> Result<Option<(ReceiptCursor, Outcome)>, StoreError> {
        let halves = self.tx.sent_halves(after, limit)?;
        let Some(last) = halves.last() else {
            return Ok(None);
        };
        let cursor = last.receipt_id;
        let mut outcome = Outcome::default();
        if let Ok(settled) = self.apart(|| self.count(&halves))? {
            outcome.settled = settled;
            return Ok(Some((cursor, outcome)));
        }
        for half in &halves {
            match self.apart(|| self.count(std::slice::from_ref(half)))? {
                Ok(settled) => outcome.settled.add(settled),
                Err(refused) => {
                    let why = refusal_of(&refused);
                    let receipt_id = half.receipt_id;
                    let set_aside =
                        (self.tx).count_receipt_attempt(receipt_id, &why, ATTEMPTS_MAX)?;
                    outcome.refuse(&half.request_id, why, set_aside);
                }
            }
        }
        Ok(Some((cursor, outcome)))
    }

    fn count(&self, halves: &[SentHalf]) -> Result<Settled, StoreError> {
        let names: Vec<_> = halves.iter().map(|half| &half.pin).collect();
        let whose = self.tx.sent_pins(&names)?;
        let mut person_ids: Vec<_> = whose.values().map(|sent| sent.person_id).collect();
        person_ids.sort_unstable();
        person_ids.dedup();
        let mut plan = self.plan(&person_ids)?;
        // Read again: until they were held somebody else may have changed them.
        let mut pins = self.tx.sent_pins(&names)?;
        plan.delivered = (self.tx).delivered_of(&person_ids, &mut plan.people.pin_ids)?;
        let mut marks = Vec::new();
        let mut effects: HashMap<i64, Effect> = HashMap::new();
        for half in halves {
            let Some(sent) = pins.get_mut(&half.pin) else {
                let why = Failure::PinUnknown;
                match self.tx.absent_pin(&half.pin)? {
                    // Its source was perhaps not known when it came in.
                    AbsentPin::Quarantined => {
                        marks.push((half.receipt_id, ReceiptState::Waiting, ""));
                    }
                    AbsentPin::OfLaterSource => {
                        marks.push((half.receipt_id, ReceiptState::Waiting, why.as_str()));
                    }
                    AbsentPin::Diverted(request_id) => {
                        self.tx.count_for(half.receipt_id, &request_id)?;
                        plan.settled.receipts.push(half.request_id.clone());
                    }
                    AbsentPin::Unknown => {
                        marks.push((half.receipt_id, ReceiptState::Failed, why.as_str()));
                        let failed = (half.request_id.clone(), why);
                        plan.settled.failed.push(failed);
                    }
                }
                continue;
            };
            let Some(standing) = plan.people.standings.remove(&sent.person_id) else {
                // Somebody else changes him just now; the next drain counts it.
                continue;
            };
            plan.settled.receipts.push(half.request_id.clone());
            let person_id = sent.person_id;
            let uncounted = out_of_use(sent.pin.status)
                .or_else(|| (sent.is_delivered()).then_some(Uncounted::AlreadyDelivered));
            let delivered = plan.delivered.entry(person_id).or_default();
            let effect = match out_of_use(sent.pin.status) {
                Some(_) => None,
                None => self.delivered_half(half, sent, &standing, delivered),
            };
            let reason = match (&effect, uncounted) {
                (None, Some(why)) => why.as_str(),
                (Some(_), _) | (None, None) => "",
            };
            marks.push((half.receipt_id, ReceiptState::Done, reason));
            let standing = match effect {
                None => standing,
                Some(effect) => {
                    plan.people
                        .pin_ids
                        .insert(sent.pin.name.clone(), sent.pin_id);
                    if let (Some(later), Some(id)) = (&sent.pin.superseded_by, sent.successor) {
                        plan.people.pin_ids.insert(later.clone(), id);
                    }
                    let ids = &plan.people.pin_ids;
                    plan.settled.count_delivered(&effect, delivered, ids);
                    let after = Standing::after_pending(Some(standing), &effect);
                    let total = match effects.remove(&person_id) {
                        Some(earlier) => earlier.then(effect),
                        None => effect,
                    };
                    effects.insert(person_id, total);
                    after
                }
            };
            plan.people.standings.insert(person_id, standing);
        }
        let effects = effects.into_iter();
        let effects = effects.map(|(person_id, effect)| PersonEffect { person_id, effect });
        plan.effects.extend(effects);
        plan.effects.sort_unstable_by_key(|one| one.person_id);
        self.tx.mark_receipts(&marks)?;
        self.write(plan)
    }

    /// What the delivery of a half does: to the PIN, and with the second one to what waited for it.
    fn delivered_half(
        &self,
        half: &SentHalf,
        sent: &mut SentPin,
        standing: &Standing,
        delivered: &mut Vec<Delivered>,
    ) -> Option<Effect> {
        let before = standing
            .pin
            .clone()
            .filter(|pin| pin.name == sent.pin.name)
            .unwrap_or_else(|| sent.pin.clone());
        // A PIN that was in use counts as delivered, whatever was noted.
        if before.legacy_status != LegacyStatus::Pending {
            return None;
        }
        let mut after = before.clone();
        after.halves_delivered = halves_after(before.halves_delivered, half.half, &sent.counted);
        sent.counted.push(half.half);
        sent.pin = after.clone();
        let counted = (after != before).then(|| {
            let change = Change {
                before: Some(before),
                after: after.clone(),
            };
            Effect::of_pin(standing, change)
        });
        if after.halves_delivered < 2 {
            return counted;
        }
        if delivered.iter().all(|pin| pin.name != after.name) {
            delivered.push(Delivered {
                name: after.name,
                profile: after.legacy_profile,
                entity: after.legacy_entity,
                level: after.level,
            });
        }
        let more = match after.status {
            PinStatus::Pending | PinStatus::Retired => {
                let standing = Some(standing.clone());
                let standing = match &counted {
                    Some(effect) => Some(Standing::after_pending(standing, effect)),
                    None => standing,
                };
                standing.and_then(|standing| {
                    pending::deliver(&standing, delivered, self.today, &self.ages)
                })
            }
            PinStatus::Active | PinStatus::Suspended | PinStatus::Revoked | PinStatus::Ceased => {
                None
            }
        };
        match (counted, more) {
            (Some(counted), Some(more)) => Some(counted.then(more)),
            (counted, more) => counted.or(more),
        }
    }
}
