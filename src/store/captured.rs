//! What the lock let through, kept to be told: which fields of a record changed, never to what.

use jiff::Timestamp;

use super::{StoreError, database::values, leased_tx::LeasedTx};
use crate::domain::{field::Field, status::LegacyStatus};

/// A change under the lock that was replayed.
#[derive(Clone, Debug)]
pub struct CapturedChange {
    /// Name of the source.
    pub source: String,
    /// The record's id.
    pub legacy_id: String,
    /// When, by the legacy's clock.
    pub at: Timestamp,
    /// Its number there.
    pub seq: i64,
    /// What changed; nothing where a view showed the record only before, or only after.
    pub fields: Vec<Field>,
    /// What the PIN was, where it was shown and its status is known.
    pub before: Option<LegacyStatus>,
    /// What it was afterwards.
    pub after: Option<LegacyStatus>,
}

impl LeasedTx<'_> {
    /// Keeps changes; one that was kept before stays as it is.
    ///
    /// # Errors
    /// When the database fails.
    pub fn keep_captured(&self, changes: &[CapturedChange]) -> Result<(), StoreError> {
        for change in changes {
            let fields: Vec<_> = change.fields.iter().map(|field| field.name()).collect();
            self.database.execute(
                "keep what changed under the lock",
                "INSERT INTO captured_change (source, legacy_id, at, seq, run_id, fields, status_before, status_after)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING",
                values![
                    &change.source,
                    &change.legacy_id,
                    change.at,
                    change.seq,
                    self.run_id(),
                    &fields.join(" "),
                    change.before.map(LegacyStatus::as_str),
                    change.after.map(LegacyStatus::as_str)
                ],
            )?;
        }
        Ok(())
    }
}
