//! Migrated PINs that wait for their delivery.

use std::collections::HashMap;

use super::{people::ids, tx::ActivationTx};
use crate::{
    domain::{
        activation::{pending::Delivered, standing::PinName},
        status::Level,
    },
    store::{
        StoreError,
        database::{Database, Row, values},
    },
};

/// Marks in `run_step` that the delivered pending PINs of a run were activated.
const STEP: &str = "activation.pending";
const LOOK: &str = "look for pending PINs";

/// Of a `pin`, both halves of which were delivered: it is pending, or retired with a grant that it brought waiting.
const IS_AWAITED: &str = "halves_delivered = 2 AND (status = 'pending' OR status = 'retired'
    AND legacy_status = 'pending' AND EXISTS (
        SELECT 1 FROM profile_grant AS waiting
        WHERE waiting.person_id = pin.person_id AND waiting.profile = pin.legacy_profile
            AND waiting.entity = pin.legacy_entity AND waiting.status = 'pending'))";

/// A place among the PINs; begins before the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PendingCursor(pub i64);

impl ActivationTx<'_> {
    /// Whether the delivered pending PINs of the run were activated already.
    ///
    /// # Errors
    /// When the database fails.
    pub fn pending_done(&self, run_id: i64) -> Result<bool, StoreError> {
        pending_done(&self.database, run_id)
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

    /// The next delivered PINs for which something waits: their ids and whose they are.
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
            &format!("SELECT pin_id, person_id FROM pin WHERE {IS_AWAITED} AND pin_id > ?1 ORDER BY pin_id LIMIT ?2"),
            values![after.0, limit],
        )?;
        rows.iter()
            .map(|row| Ok((PendingCursor(row.get(0)?), row.get(1)?)))
            .collect()
    }

    /// Whether a delivered PIN for which something waits is left, other than these.
    ///
    /// # Errors
    /// When the database fails.
    pub fn is_pending_left(&self, except: &[i64]) -> Result<bool, StoreError> {
        let sql = format!(
            "SELECT EXISTS (SELECT 1 FROM pin WHERE {IS_AWAITED} AND pin_id NOT IN (SELECT listed.id FROM {}))",
            self.database.listed("?1", &[("id", "BIGINT")])
        );
        self.database.value(LOOK, &sql, values![&ids(except)])
    }

    /// These people's PINs that came as pending and were delivered, by person; adds their ids to `pin_ids`.
    ///
    /// # Errors
    /// When the database fails.
    pub fn delivered_of(
        &self,
        person_ids: &[i64],
        pin_ids: &mut HashMap<PinName, i64>,
    ) -> Result<HashMap<i64, Vec<Delivered>>, StoreError> {
        let rows = self.of_people(
            person_ids,
            "SELECT person_id, pin_id, source, legacy_id, legacy_profile, legacy_entity, level FROM pin
             WHERE person_id {of} AND legacy_status = 'pending' AND halves_delivered = 2
                 AND status <> 'revoked' AND status <> 'ceased'
             ORDER BY pin_id",
        )?;
        let mut delivered: HashMap<i64, Vec<Delivered>> = HashMap::new();
        for row in &rows {
            let pin = pin(row)?;
            pin_ids.insert(pin.name.clone(), row.get(1)?);
            delivered.entry(row.get(0)?).or_default().push(pin);
        }
        Ok(delivered)
    }
}

/// Whether the delivered pending PINs of the run were activated already.
pub(in crate::store) fn pending_done(database: &Database, run_id: i64) -> Result<bool, StoreError> {
    database.value(
        "read what is done",
        "SELECT EXISTS (SELECT 1 FROM run_step WHERE run_id = ?1 AND step = ?2)",
        values![run_id, STEP],
    )
}

fn pin(row: &Row) -> Result<Delivered, StoreError> {
    let mut columns = row.columns();
    columns.next::<i64>()?;
    columns.next::<i64>()?;
    Ok(Delivered {
        name: PinName {
            source: columns.next()?,
            legacy_id: columns.next()?,
        },
        profile: columns.next()?,
        entity: columns.next()?,
        level: columns.word(Level::by_name)?,
    })
}
