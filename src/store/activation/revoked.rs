//! Revocations under the lock, as the events of the runs that replayed them tell.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::tx::ActivationTx;
use crate::{
    domain::activation::revocation::Revocation,
    store::{
        StoreError,
        database::{damaged, values},
    },
};

/// The event of a run that judged people again whose records changed under the lock. It is one transaction with
/// what they came to.
pub const CAPTURES_REPLAYED: &str = "captures.replayed";

const ACTION: &str = "read what was revoked under the lock";

/// A legacy record that was revoked under the lock.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RevokedRecord {
    /// Its source.
    pub source: String,
    /// Its id there.
    pub id: String,
    /// When, by the legacy's clock (UTC).
    pub at: String,
}

/// What of such an event is of interest here; older ones tell of no records.
#[derive(Deserialize)]
struct Replayed {
    #[serde(default)]
    revoked: Vec<RevokedRecord>,
}

impl ActivationTx<'_> {
    /// What was revoked of these people under the lock, by person.
    pub(super) fn revocations(
        &self,
        person_ids: &[i64],
    ) -> Result<HashMap<i64, Vec<Revocation>>, StoreError> {
        let revoked = self.revoked()?;
        let mut revocations: HashMap<i64, Vec<Revocation>> = HashMap::new();
        if revoked.is_empty() {
            return Ok(revocations);
        }
        let pins = self.of_people(
            person_ids,
            "SELECT person_id, source, legacy_id, legacy_profile, legacy_entity FROM pin WHERE person_id {of}",
        )?;
        for pin in &pins {
            if let Some(at) = revoked.get(&(pin.get(1)?, pin.get(2)?)) {
                let of_person = revocations.entry(pin.get(0)?).or_default();
                of_person.push(Revocation {
                    profile: pin.get(3)?,
                    entity: pin.get(4)?,
                    at: *at,
                });
            }
        }
        Ok(revocations)
    }

    /// Source and id of every record that was revoked under a lock, and when that was last.
    fn revoked(&self) -> Result<HashMap<(String, String), Timestamp>, StoreError> {
        let events = self.database.rows(
            ACTION,
            "SELECT detail FROM run_event WHERE event = ?1 ORDER BY event_id",
            values![CAPTURES_REPLAYED],
        )?;
        let mut revoked = HashMap::new();
        for event in &events {
            let detail: String = event.get(0)?;
            let replayed: Replayed = serde_json::from_str(&detail)
                .map_err(|_| damaged("an event that tells nothing of what was replayed"))?;
            for RevokedRecord { source, id, at } in replayed.revoked {
                let at: Timestamp =
                    (at.parse()).map_err(|_| damaged("a revocation without a time"))?;
                let last = revoked.entry((source, id)).or_insert(at);
                *last = at.max(*last);
            }
        }
        Ok(revoked)
    }
}
