//! What was taken away: under the lock, as the events of the runs that replayed it tell, or the audit log where the
//! lock went without; and at the counters.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    claim::{DUE_COLUMNS, TAKES_AWAY},
    due::{Due, due},
    tx::ActivationTx,
};
use crate::{
    domain::activation::{
        kind::Kind,
        refusal::Failure,
        request::Request,
        revocation::{GrantHash, Revocations},
        standing::Identity,
    },
    store::{
        StoreError,
        database::{Row, damaged, values},
    },
};

const COUNTERS: &str = "read what was taken away at the counters";

/// The event of a run that judged people again whose records changed under the lock. It is one transaction with
/// what they came to.
pub const CAPTURES_REPLAYED: &str = "captures.replayed";

/// The entry in the audit log for a lock that went before anybody replayed what it had captured.
pub const CAPTURES_KEPT: &str = "captures.kept";

/// A grant whose legacy record was revoked or suspended under the lock.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TakenGrant {
    /// Which; older events name a record instead, of which nothing is known here.
    #[serde(default)]
    pub grant: GrantHash,
    /// When, by the legacy's clock (UTC).
    pub at: String,
}

/// What captures tell was taken away, as such an event and such an entry have it; the oldest ones tell of nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TakenUnderLock {
    /// By a revocation.
    #[serde(default)]
    pub revoked: Vec<TakenGrant>,
    /// By a suspension.
    #[serde(default)]
    pub suspended: Vec<TakenGrant>,
}

impl TakenUnderLock {
    /// Whether nothing was.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.revoked.is_empty() && self.suspended.is_empty()
    }
}

/// What was revoked of anybody under a lock, as far as it was read.
#[derive(Debug, Default)]
pub struct Revoked {
    last_event_id: i64,
    last_audit_id: i64,
    revocations: Revocations,
}

impl Revoked {
    /// What was read so far.
    #[must_use]
    pub fn revocations(&self) -> &Revocations {
        &self.revocations
    }

    fn add(&mut self, detail: &str) -> Result<(), StoreError> {
        let taken: TakenUnderLock = serde_json::from_str(detail)
            .map_err(|_| damaged("an event that tells nothing of what was taken away"))?;
        let at = |taken: &TakenGrant| -> Result<Timestamp, StoreError> {
            let at = taken.at.parse();
            at.map_err(|_| damaged("a revocation without a time"))
        };
        for (grants, why) in [
            (taken.revoked, Failure::Revoked),
            (taken.suspended, Failure::Suspended),
        ] {
            for taken in grants {
                let at = at(&taken)?;
                self.revocations.add(taken.grant, at, why);
            }
        }
        Ok(())
    }
}

/// What was taken away at the counter, or is to be.
#[derive(Clone, Debug)]
pub struct TakenBefore {
    /// The request.
    pub due: Due,
    /// Whether it failed because the person had not the profile.
    pub lacked_grant: bool,
}

impl TakenBefore {
    /// What was taken away under a lock, said as a request.
    #[must_use]
    pub const fn under_lock(request: Request) -> Self {
        let due = Due {
            activation_id: 0,
            request,
        };
        Self {
            due,
            lacked_grant: false,
        }
    }
}

impl ActivationTx<'_> {
    /// Reads on: more may have been committed meanwhile. Events and entries are numbered in the order in which they are
    /// committed, so none comes before one that was read.
    ///
    /// # Errors
    /// When the database fails or holds an event that is none.
    pub fn read_on(&self, revoked: &mut Revoked) -> Result<(), StoreError> {
        const ACTION: &str = "read what was taken away under the lock";
        let events = self.database.rows(
            ACTION,
            "SELECT detail, event_id FROM run_event WHERE event = ?1 AND event_id > ?2 ORDER BY event_id",
            values![CAPTURES_REPLAYED, revoked.last_event_id],
        )?;
        for event in &events {
            revoked.add(&event.get::<String>(0)?)?;
            revoked.last_event_id = event.get(1)?;
        }
        let entries = self.database.rows(
            ACTION,
            "SELECT detail, audit_id FROM audit_event WHERE action = ?1 AND audit_id > ?2 ORDER BY audit_id",
            values![CAPTURES_KEPT, revoked.last_audit_id],
        )?;
        for entry in &entries {
            revoked.add(&entry.get::<String>(0)?)?;
            revoked.last_audit_id = entry.get(1)?;
        }
        Ok(())
    }

    /// What was taken away under the locks of other sources than those of this run: of its own the records themselves say
    /// what is left.
    ///
    /// # Errors
    /// When the database fails or holds an event that is none.
    pub fn taken_of_other_sources(&self, run_id: i64) -> Result<Revoked, StoreError> {
        const ACTION: &str = "read what was taken away under the locks of other sources";
        let mut revoked = Revoked::default();
        let events = self.database.rows(
            ACTION,
            "SELECT detail FROM run_event WHERE event = ?1 AND NOT EXISTS (
                 SELECT 1 FROM run_source AS own JOIN run_source AS other ON other.source = own.source
                 WHERE own.run_id = ?2 AND other.run_id = run_event.run_id)
             ORDER BY event_id",
            values![CAPTURES_REPLAYED, run_id],
        )?;
        let entries = self.database.rows(
            ACTION,
            &format!(
                "SELECT detail FROM audit_event WHERE action = ?1 AND {} NOT IN (
                     SELECT source FROM run_source WHERE run_id = ?2)
                 ORDER BY audit_id",
                self.database.json_text("detail", "source")
            ),
            values![CAPTURES_KEPT, run_id],
        )?;
        for row in events.iter().chain(&entries) {
            revoked.add(&row.get::<String>(0)?)?;
        }
        Ok(revoked)
    }

    /// The profiles, with their entities, that this run brought the next `people` after one, by person.
    ///
    /// # Errors
    /// When the database fails.
    pub fn brought_by(
        &self,
        run_id: i64,
        after: i64,
        people: u32,
    ) -> Result<BTreeMap<i64, Vec<(String, String)>>, StoreError> {
        let rows = self.database.rows(
            "look for what a run brought",
            "SELECT person_id, profile, entity FROM profile_grant
             WHERE run_id = ?1 AND status <> 'ended' AND person_id IN (
                 SELECT DISTINCT person_id FROM profile_grant
                 WHERE run_id = ?1 AND status <> 'ended' AND person_id > ?2
                 ORDER BY person_id LIMIT ?3)",
            values![run_id, after, people],
        )?;
        let mut brought: BTreeMap<i64, Vec<(String, String)>> = BTreeMap::new();
        for row in &rows {
            let grant = (row.get(1)?, row.get(2)?);
            brought.entry(row.get(0)?).or_default().push(grant);
        }
        Ok(brought)
    }

    /// What was taken away at the counters, or is to be, of people whom this run brought something, in the order of
    /// acceptance; whose it is, and what.
    ///
    /// # Errors
    /// When the database fails or holds what no request can be.
    pub fn taken_from_people_of(&self, run_id: i64) -> Result<Vec<(i64, TakenBefore)>, StoreError> {
        let sql = format!(
            "SELECT {DUE_COLUMNS}, known.person_id, due.state = 'failed' AND due.reason = ?3
             FROM delayed_activation AS due
             JOIN fiscal_code AS known ON known.fiscal_code = due.fiscal_code
             WHERE {} AND due.state <> 'refused' AND NOT (due.state = 'failed' AND due.reason = ?2) AND EXISTS (
                 SELECT 1 FROM pin WHERE pin.person_id = known.person_id AND pin.run_id = ?1)
             ORDER BY due.accepted_at, due.activation_id",
            TAKES_AWAY.replace("{name}", "due")
        );
        let rows = self.database.rows(
            COUNTERS,
            &sql,
            values![
                run_id,
                Failure::IdentityConflict.as_str(),
                Failure::GrantMissing.as_str()
            ],
        )?;
        rows.iter()
            .map(|row| Ok((row.get(25)?, taken(row)?)))
            .collect()
    }

    /// What was taken away at the counters of whoever has one of these codes, or has them as another code.
    ///
    /// # Errors
    /// When the database fails.
    pub fn taken_away_from(&self, codes: &[&str]) -> Result<Revocations, StoreError> {
        let listed = self.database.listed("?1", &[("code", "TEXT")]);
        let sql = format!(
            "SELECT fiscal_code, profile, entity, accepted_at, kind, surname, given_name FROM delayed_activation
             WHERE kind IN ('revocation', 'suspension') AND state <> 'refused'
                 AND NOT (state = 'failed' AND reason = ?2) AND fiscal_code IN (
                 SELECT listed.code FROM {listed}
                 UNION SELECT other.fiscal_code FROM fiscal_code AS known
                     JOIN fiscal_code AS other ON other.person_id = known.person_id
                     WHERE known.fiscal_code IN (SELECT listed.code FROM {listed}))"
        );
        let codes: Vec<_> = codes.iter().map(|code| json!({ "code": code })).collect();
        let codes = serde_json::Value::from(codes).to_string();
        let rows = self.database.rows(
            COUNTERS,
            &sql,
            values![&codes, Failure::IdentityConflict.as_str()],
        )?;
        let mut taken = Revocations::default();
        for row in &rows {
            let mut columns = row.columns();
            let (code, profile, entity): (String, String, String) =
                (columns.next()?, columns.next()?, columns.next()?);
            let grant = GrantHash::of(&code, &profile, &entity);
            let at = columns.next()?;
            let why = match columns.word(Kind::by_name)? {
                Kind::Revocation => Failure::Revoked,
                Kind::Suspension => Failure::Suspended,
                Kind::NewPin | Kind::FurtherProfile | Kind::Replacement => continue,
            };
            let told = Identity {
                surname: columns.next()?,
                given_name: columns.next()?,
                birth_date: None,
                email: None,
                phone: None,
            };
            taken.add_told(grant, at, why, told);
        }
        Ok(taken)
    }
}

fn taken(row: &Row) -> Result<TakenBefore, StoreError> {
    Ok(TakenBefore {
        due: due(row)?,
        lacked_grant: row.get(26)?,
    })
}
