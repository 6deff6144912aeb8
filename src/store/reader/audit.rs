//! The audit log: read, checked, and added to by commands that hold no lease.

use super::Reader;
use crate::{
    config::settings::TargetSettings,
    failpoint,
    store::{
        AuditEntry, StoreError, Target, chain,
        database::{Row, values},
        event,
    },
};

/// A row of `audit_event`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    /// In order.
    pub audit_id: i64,
    /// When, by the database's clock.
    pub at: String,
    /// Who.
    pub actor: String,
    /// What, by a stable name.
    pub action: String,
    /// Why, in the actor's words.
    pub reason: String,
    /// What it concerned, JSON.
    pub detail: String,
    /// The SHA-256 of the row before and of this one.
    pub chain: String,
}

impl AuditRow {
    /// Whether the row follows the one that carries `before` (empty for the first) and is as it was written.
    #[must_use]
    pub fn follows(&self, before: &str) -> bool {
        self.chain
            == chain::link(
                before,
                &[
                    &self.at,
                    &self.actor,
                    &self.action,
                    &self.reason,
                    &self.detail,
                ],
            )
    }
}

impl Reader {
    /// Up to `limit` rows after the one with id `after` (0 for the first page), in order.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub fn audit(&self, after: i64, limit: u32) -> Result<Vec<AuditRow>, StoreError> {
        self.database
            .rows(
                "read the audit log",
                "SELECT audit_id, at, actor, action, reason, detail, chain FROM audit_event
                 WHERE audit_id > ?1 ORDER BY audit_id LIMIT ?2",
                values![after, limit],
            )?
            .iter()
            .map(audit_row)
            .collect()
    }
}

fn audit_row(row: &Row) -> Result<AuditRow, StoreError> {
    let mut columns = row.columns();
    Ok(AuditRow {
        audit_id: columns.next()?,
        at: columns.next()?,
        actor: columns.next()?,
        action: columns.next()?,
        reason: columns.next()?,
        detail: columns.next()?,
        chain: columns.next()?,
    })
}

/// That an entry may be added.
///
/// # Errors
///
/// When the database cannot be opened, or lets the role add none.
pub fn may_append(target: &TargetSettings) -> Result<(), StoreError> {
    Target::open_to_log(target).map(drop)
}

/// Adds a row to the audit log of an existing target; `detail` holds no personal data.
///
/// # Errors
///
/// When the database cannot be opened, stays busy or fails; nothing is added then.
pub fn append(target: &TargetSettings, entry: &AuditEntry<'_>) -> Result<(), StoreError> {
    let target = Target::open_to_log(target)?;
    let tx = target.write()?;
    event::audit(&tx, entry)?;
    failpoint::reached("audit.commit");
    tx.commit()?;
    failpoint::reached("audit.committed");
    Ok(())
}
