//! What pinferry answers for after cut-over: the ledger of the digest and the audit log.

use std::collections::HashMap;

use serde_json::json;

use super::tx::ActivationTx;
use crate::{
    domain::{
        activation::{
            effect::Effect,
            pending::{self, Delivered},
            refusal::Failure,
            standing::PinName,
        },
        tally::Tally,
    },
    store::{AuditEntry, StoreError, event, replace::enter_in_ledger},
};

/// What became of requests and of migrated pending PINs in one transaction.
#[derive(Clone, Debug, Default)]
pub struct Settled {
    /// Requests that took effect, and the PINs they brought, if they bring any.
    pub done: Vec<(String, Option<i64>)>,
    /// Requests that changed nothing.
    pub failed: Vec<(String, Failure)>,
    /// Pending PINs that became active.
    pub pending: Vec<i64>,
    /// PINs, theirs included, whose delivery let take effect what was granted with them.
    pub granted: Vec<i64>,
    /// Receipts that were counted.
    pub receipts: Vec<String>,
    /// Pending PINs that the database lets nobody activate.
    pub set_aside: Vec<i64>,
    /// The difference all of it makes to the tally.
    pub difference: Tally,
}

impl Settled {
    /// Adds what became of others.
    pub fn add(&mut self, other: Self) {
        self.done.extend(other.done);
        self.failed.extend(other.failed);
        self.pending.extend(other.pending);
        self.granted.extend(other.granted);
        self.receipts.extend(other.receipts);
        self.set_aside.extend(other.set_aside);
        self.difference.merge(&other.difference);
    }

    /// Notes what the delivery of these PINs of a person did. `pin_ids` has their ids.
    pub fn count_delivered(
        &mut self,
        effect: &Effect,
        delivered: &[Delivered],
        pin_ids: &HashMap<PinName, i64>,
    ) {
        let id = |name: &PinName| pin_ids.get(name).copied();
        self.pending.extend(effect.activated().and_then(id));
        (self.granted).extend(pending::given(effect, delivered).filter_map(id));
    }

    fn changed(&self) -> bool {
        let pins = [&self.pending, &self.granted];
        !(self.done.is_empty()
            && pins.iter().all(|pins| pins.is_empty())
            && self.receipts.is_empty())
    }
}

impl ActivationTx<'_> {
    /// Enters all of it in ledger and audit log, one row each. Nothing may be waited for after this: whoever
    /// else writes to the audit log waits until the transaction ends.
    ///
    /// # Errors
    /// When the database fails.
    pub fn account_for(&self, actor: &str, settled: &Settled) -> Result<(), StoreError> {
        if settled.changed() {
            enter_in_ledger(&self.database, "activation", &settled.difference)?;
        }
        if !settled.changed() && settled.failed.is_empty() && settled.set_aside.is_empty() {
            return Ok(());
        }
        let done = settled.done.iter();
        let failed = settled.failed.iter();
        let detail = json!({
            "done": done
                .map(|(id, pin_id)| json!({ "request_id": id, "pin_id": pin_id }))
                .collect::<Vec<_>>(),
            "failed": failed
                .map(|(id, why)| json!({ "request_id": id, "reason": why.as_str() }))
                .collect::<Vec<_>>(),
            "pending_pin_ids": settled.pending,
            "granted_pin_ids": settled.granted,
            "receipts": settled.receipts,
            "set_aside_pin_ids": settled.set_aside,
        });
        self.audit(actor, "activation", &detail)
    }

    /// Enters a difference in the ledger alone.
    ///
    /// # Errors
    /// When the database fails.
    pub fn enter_in_ledger(&self, cause: &str, difference: &Tally) -> Result<(), StoreError> {
        enter_in_ledger(&self.database, cause, difference)
    }

    /// Adds to the audit log.
    ///
    /// # Errors
    /// When the database fails.
    pub fn audit(
        &self,
        actor: &str,
        action: &str,
        detail: &serde_json::Value,
    ) -> Result<(), StoreError> {
        let entry = AuditEntry {
            actor,
            action,
            reason: "",
            detail,
        };
        event::audit(&self.database, &entry)
    }
}
