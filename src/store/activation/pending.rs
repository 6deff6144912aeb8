//! Migrated PINs that wait for their delivery.

use std::collections::HashMap;

use super::{people::ids, tx::ActivationTx};
use crate::{
    domain::{activation::pending::Delivered, status::Level},
    store::{
        StoreError,
        database::{Row, values},
    },
};

/// Marks in `run_step` that the delivered pending PINs of a run were activated.
const STEP: &str = "activation.pending";
const LOOK: &str = "look for pending PINs";

/// A place among the PINs; begins before the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PendingCursor(pub i64);

impl ActivationTx<'_> {
    /// Whether the delivered pending PINs of the run were activated already.
    ///
    /// # Errors
    /// When the database fails.
    pub fn pending_done(&self, run_id: i64) -> Result<bool, StoreError> {
        self.database.value(
            "read what is done",
            "SELECT EXISTS (SELECT 1 FROM run_step WHERE run_id = ?1 AND step = ?2)",
            values![run_id, STEP],
        )
    }

    /// Marks them as activated.
    ///
    /// # Errors
    /// When the database fails.
    pub fn mark_pending_done(&self, run_id: i64) -> Result<(), StoreError> {
        self.database.execute(
            "mark what is done",
            "INSERT INTO run_step (run_id, step, done_at) VALUES (?1, ?2, {now}) ON CONFLICT DO NOTHING",
            values![run_id, STEP],
        )?;
        Ok(())
    }

    /// The next pending PINs with both halves delivered: their ids and whose they are.
    ///
    /// # Errors
    /// When the database fails.
    pub fn delivered_pending(
        &self,
        after: PendingCursor,
        limit: u32,
    ) -> Result<Vec<(PendingCursor, i64)>, StoreError> {
        let rows = self.database.rows(
            LOOK,
            "SELECT pin_id, person_id FROM pin
             WHERE status = 'pending' AND halves_delivered = 2 AND pin_id > ?1
             ORDER BY pin_id LIMIT ?2",
            values![after.0, limit],
        )?;
        rows.iter()
            .map(|row| Ok((PendingCursor(row.get(0)?), row.get(1)?)))
            .collect()
    }

    /// Whether a pending PIN with both halves delivered is left, other than these.
    ///
    /// # Errors
    /// When the database fails.
    pub fn is_pending_left(&self, except: &[i64]) -> Result<bool, StoreError> {
        let sql = format!(
            "SELECT EXISTS (SELECT 1 FROM pin WHERE status = 'pending' AND halves_delivered = 2
                 AND pin_id NOT IN (SELECT listed.id FROM {}))",
            self.database.listed("?1", &[("id", "BIGINT")])
        );
        self.database.value(LOOK, &sql, values![&ids(except)])
    }

    /// These people's PINs that came as pending and were delivered, by person.
    ///
    /// # Errors
    /// When the database fails.
    pub fn delivered_of(
        &self,
        person_ids: &[i64],
    ) -> Result<HashMap<i64, Vec<Delivered>>, StoreError> {
        let rows = self.of_people(
            person_ids,
            "SELECT person_id, legacy_profile, legacy_entity, level FROM pin
             WHERE person_id {of} AND legacy_status = 'pending' AND halves_delivered = 2",
        )?;
        let mut delivered: HashMap<i64, Vec<Delivered>> = HashMap::new();
        for row in &rows {
            let of = delivered.entry(row.get(0)?).or_default();
            of.push(pin(row)?);
        }
        Ok(delivered)
    }
}

fn pin(row: &Row) -> Result<Delivered, StoreError> {
    let mut columns = row.columns();
    columns.next::<i64>()?;
    Ok(Delivered {
        profile: columns.next()?,
        entity: columns.next()?,
        level: columns.word(Level::by_name)?,
    })
}
