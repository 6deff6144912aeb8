//! What pinferry answers for after cut-over: the ledger of the digest and the audit log.

use super::tx::ActivationTx;
use crate::{
    domain::tally::Tally,
    store::{AuditEntry, StoreError, event, replace::enter_in_ledger},
};

impl ActivationTx<'_> {
    /// Notes the difference a change makes to the tally.
    ///
    /// # Errors
    /// When the database fails.
    pub fn ledger(&self, cause: &str, difference: &Tally) -> Result<(), StoreError> {
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
        reason: &str,
        detail: &serde_json::Value,
    ) -> Result<(), StoreError> {
        let entry = AuditEntry {
            actor,
            action,
            reason,
            detail,
        };
        event::audit(&self.database, &entry)
    }
}
