//! What was taken away: under the lock, as the events of the runs that replayed it tell, and at the counters.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::tx::ActivationTx;
use crate::{
    domain::activation::{
        kind::Kind,
        revocation::{GrantHash, Revocations},
    },
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

/// What was revoked of anybody under a lock, as far as it was read.
#[derive(Debug, Default)]
pub struct Revoked {
    last_event_id: i64,
    revocations: Revocations,
}

impl Revoked {
    /// What was read so far.
    #[must_use]
    pub fn revocations(&self) -> &Revocations {
        &self.revocations
    }
}

impl ActivationTx<'_> {
    /// Reads on: a replay may have been committed meanwhile. Events are numbered in the order in which they are
    /// committed, so none comes before one that was read.
    ///
    /// # Errors
    /// When the database fails or holds an event that is none.
    pub fn read_on(&self, revoked: &mut Revoked) -> Result<(), StoreError> {
        let events = self.database.rows(
            "read what was revoked under the lock",
            "SELECT detail, event_id FROM run_event WHERE event = ?1 AND event_id > ?2 ORDER BY event_id",
            values![CAPTURES_REPLAYED, revoked.last_event_id],
        )?;
        for event in &events {
            let detail: String = event.get(0)?;
            let replayed: Replayed = serde_json::from_str(&detail)
                .map_err(|_| damaged("an event that tells nothing of what was replayed"))?;
            for RevokedGrant { grant, at } in replayed.revoked {
                let at: Timestamp =
                    (at.parse()).map_err(|_| damaged("a revocation without a time"))?;
                revoked.revocations.add(grant, at);
            }
            revoked.last_event_id = event.get(1)?;
        }
        Ok(())
    }
    /// What was taken away at the counters of whoever has one of these codes, or has them as another code.
    ///
    /// # Errors
    /// When the database fails.
    pub fn taken_away_from(&self, codes: &[&str]) -> Result<Revocations, StoreError> {
        let listed = self.database.listed("?1", &[("code", "TEXT")]);
        let sql = format!(
            "SELECT fiscal_code, profile, entity, accepted_at, kind FROM delayed_activation
             WHERE kind IN ('revocation', 'suspension') AND state <> 'refused' AND fiscal_code IN (
                 SELECT listed.code FROM {listed}
                 UNION SELECT other.fiscal_code FROM fiscal_code AS known
                     JOIN fiscal_code AS other ON other.person_id = known.person_id
                     WHERE known.fiscal_code IN (SELECT listed.code FROM {listed}))"
        );
        let codes: Vec<_> = codes.iter().map(|code| json!({ "code": code })).collect();
        let codes = serde_json::Value::from(codes).to_string();
        let rows = self.database.rows(
            "read what was taken away at the counters",
            &sql,
            values![&codes],
        )?;
        let mut taken = Revocations::default();
        for row in &rows {
            let mut columns = row.columns();
            let (code, profile, entity): (String, String, String) =
                (columns.next()?, columns.next()?, columns.next()?);
            let grant = GrantHash::of(&code, &profile, &entity);
            let at = columns.next()?;
            match columns.word(Kind::by_name)? {
                Kind::Revocation => taken.add(grant, at),
                Kind::Suspension => taken.add_suspension(grant, at),
                Kind::NewPin | Kind::FurtherProfile | Kind::Replacement => {}
            }
        }
        Ok(taken)
    }
}
