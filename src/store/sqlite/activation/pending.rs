//! Migrated PINs that wait for their delivery.

use super::{failed, tx::ActivationTx};
use crate::{
    domain::{activation::pending::Delivered, status::Level},
    store::StoreError,
};

/// Marks in `run_step` that the delivered pending PINs of a run were activated.
const STEP: &str = "activation.pending";

/// A place among the PINs; begins before the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PendingCursor(pub i64);

impl ActivationTx<'_> {
    /// Whether the delivered pending PINs of the run were activated already.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn pending_done(&mut self, run_id: i64) -> Result<bool, StoreError> {
        sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM run_step WHERE run_id = ?1 AND step = ?2)")
            .bind(run_id)
            .bind(STEP)
            .fetch_one(self.connection())
            .await
            .map_err(failed("read what is done"))
    }

    /// Marks them as activated.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn mark_pending_done(&mut self, run_id: i64) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO run_step (run_id, step, done_at)
             VALUES (?1, ?2, strftime('%Y-%m-%dT%H:%M:%fZ', 'now')) ON CONFLICT DO NOTHING",
        )
        .bind(run_id)
        .bind(STEP)
        .execute(self.connection())
        .await
        .map(|_| ())
        .map_err(failed("mark what is done"))
    }

    /// The next pending PINs with both halves delivered: their ids and whose they are.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delivered_pending(
        &mut self,
        after: PendingCursor,
        limit: u32,
    ) -> Result<Vec<(PendingCursor, i64)>, StoreError> {
        let rows: Vec<(i64, i64)> = sqlx::query_as(
            "SELECT pin_id, person_id FROM pin
             WHERE status = 'pending' AND halves_delivered = 2 AND pin_id > ?1
             ORDER BY pin_id LIMIT ?2",
        )
        .bind(after.0)
        .bind(limit)
        .fetch_all(self.connection())
        .await
        .map_err(failed("look for pending PINs"))?;
        Ok(rows
            .into_iter()
            .map(|(pin_id, person_id)| (PendingCursor(pin_id), person_id))
            .collect())
    }

    /// The person's PINs that came as pending and were delivered.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delivered_of(&mut self, person_id: i64) -> Result<Vec<Delivered>, StoreError> {
        let rows: Vec<(String, String, String)> = sqlx::query_as(
            "SELECT legacy_profile, legacy_entity, level FROM pin
             WHERE person_id = ?1 AND legacy_status = 'pending' AND halves_delivered = 2",
        )
        .bind(person_id)
        .fetch_all(self.connection())
        .await
        .map_err(failed("look for pending PINs"))?;
        rows.into_iter()
            .map(|(profile, entity, level)| {
                let level = Level::by_name(&level).ok_or_else(|| StoreError::Damaged {
                    what: "a PIN of unknown level".to_owned(),
                })?;
                Ok(Delivered {
                    profile,
                    entity,
                    level,
                })
            })
            .collect()
    }
}
