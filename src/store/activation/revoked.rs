//! Revocations under the lock, as the events of the runs that replayed them tell.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::tx::ActivationTx;
use crate::{
    domain::activation::revocation::{GrantHash, Revocations},
    store::{
        StoreError,
        database::{damaged, values},
    },
};

/// The event of a run that judged people again whose records changed under the lock. It is one transaction with
/// what they came to.
pub const CAPTURES_REPLAYED: &str = "captures.replayed";

/// A grant whose legacy record was revoked under the lock.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RevokedGrant {
    /// Which; older events name a record instead, of which nothing is known here.
    #[serde(default)]
    pub grant: GrantHash,
    /// When, by the legacy's clock (UTC).
    pub at: String,
}

/// What of such an event is of interest here; the oldest ones tell of no revocation.
#[derive(Deserialize)]
struct Replayed {
    #[serde(default)]
    revoked: Vec<RevokedGrant>,
}

impl ActivationTx<'_> {
    /// What was revoked of anybody under a lock.
    ///
    /// # Errors
    /// When the database fails or holds an event that is none.
    pub fn revocations(&self) -> Result<Revocations, StoreError> {
        let events = self.database.rows(
            "read what was revoked under the lock",
            "SELECT detail FROM run_event WHERE event = ?1 ORDER BY event_id",
            values![CAPTURES_REPLAYED],
        )?;
        let mut revocations = Revocations::default();
        for event in &events {
            let detail: String = event.get(0)?;
            let replayed: Replayed = serde_json::from_str(&detail)
                .map_err(|_| damaged("an event that tells nothing of what was replayed"))?;
            for RevokedGrant { grant, at } in replayed.revoked {
                let at: Timestamp =
                    (at.parse()).map_err(|_| damaged("a revocation without a time"))?;
                revocations.add(grant, at);
            }
        }
        Ok(revocations)
    }
}
