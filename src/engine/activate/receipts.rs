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
        receipt::{ReceiptState, halves_after},
        refusal::Failure,
        standing::{PinName, Standing},
    },
    store::{
        StoreError,
        activation::{PersonEffect, ReceiptCursor, SentHalf, SentPin, Settled},
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
        plan.delivered = self.tx.delivered_of(&person_ids)?;
        let mut marks = Vec::new();
        let mut effects: HashMap<i64, Effect> = HashMap::new();
        for half in halves {
            let Some(sent) = pins.get_mut(&half.pin) else {
                if !self.tx.is_quarantined(&half.pin)? {
                    let why = Failure::PinUnknown;
                    marks.push((half.receipt_id, ReceiptState::Failed, why.as_str()));
                    let failed = (half.request_id.clone(), why);
                    plan.settled.failed.push(failed);
                }
                continue;
            };
            let Some(standing) = plan.people.standings.remove(&sent.person_id) else {
                // Somebody else changes him just now; the next drain counts it.
                continue;
            };
            marks.push((half.receipt_id, ReceiptState::Done, ""));
            plan.settled.receipts.push(half.request_id.clone());
            let person_id = sent.person_id;
            let standing = match self.delivered_half(half, sent, &standing, &mut plan.delivered) {
                None => standing,
                Some(effect) => {
                    plan.people
                        .pin_ids
                        .insert(sent.pin.name.clone(), sent.pin_id);
                    if let (Some(later), Some(id)) = (&sent.pin.superseded_by, sent.successor) {
                        plan.people.pin_ids.insert(later.clone(), id);
                    }
                    if is_activated(&effect, &sent.pin.name) {
                        plan.settled.pending.push(sent.pin_id);
                    }
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
        delivered: &mut HashMap<i64, Vec<Delivered>>,
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
        let halves = halves_after(before.halves_delivered, half.half, &sent.counted);
        sent.counted.push(half.half);
        if halves == before.halves_delivered && halves < 2 {
            return None;
        }
        let mut after = before.clone();
        after.halves_delivered = halves;
        let counted = Change {
            before: Some(before),
            after: after.clone(),
        };
        sent.pin = after.clone();
        let effect = Effect::of_pin(standing, counted);
        if halves < 2 {
            return Some(effect);
        }
        let this = Delivered {
            profile: after.legacy_profile.clone(),
            entity: after.legacy_entity.clone(),
            level: after.level,
        };
        let standing = Standing::after_pending(Some(standing.clone()), &effect);
        let more = if after.status == PinStatus::Pending {
            let all = delivered.entry(sent.person_id).or_default();
            all.push(this);
            pending::activate(&standing, all, self.today, &self.ages)
        } else if after.status == PinStatus::Retired {
            pending::grant_late(&standing, &[this], self.today, &self.ages)
        } else {
            None
        };
        Some(match more {
            Some(more) => effect.then(more),
            None => effect,
        })
    }
}

fn is_activated(effect: &Effect, name: &PinName) -> bool {
    let mut pins = effect.pins.iter().map(|change| &change.after);
    pins.any(|pin| pin.name == *name && pin.status == PinStatus::Active)
}
