//! People as they stand in the model.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use serde_json::json;

use super::tx::{ActivationTx, Seen};
use crate::{
    domain::{
        activation::{
            grounds::Grounds,
            kind::Kind,
            standing::{
                ACTIVATION_SOURCE, Asked, ByRequest, Credential, Grant, Identity, MaxAges, Pin,
                PinName, Standing,
            },
        },
        status::{Disposition, GrantStatus, LegacyStatus, Level, PinStatus},
    },
    store::{
        StoreError,
        database::{Row, damaged, values},
    },
};

const ACTION: &str = "read people";

/// People whom nobody else changes until the transaction ends.
#[derive(Debug, Default)]
pub struct People {
    /// By id.
    pub standings: HashMap<i64, Standing>,
    /// The ids of the PINs that the standings name.
    pub pin_ids: HashMap<PinName, i64>,
}

impl ActivationTx<'_> {
    /// The days a PIN lasts unused, by profile, as the target's catalogue has it.
    ///
    /// # Errors
    /// When the database fails.
    pub fn max_ages(&self) -> Result<MaxAges, StoreError> {
        self.database
            .rows(
                "read the catalogue",
                "SELECT profile, max_age_days FROM profile",
                &[],
            )?
            .iter()
            .map(|row| Ok((row.get::<String>(0)?, row.get::<u32>(1)?)))
            .collect()
    }

    /// The people these codes lead to, old codes included.
    ///
    /// # Errors
    /// When the database fails.
    pub fn people_of(&self, codes: &[&str]) -> Result<HashMap<String, i64>, StoreError> {
        let codes: Vec<_> = codes.iter().map(|code| json!({ "code": code })).collect();
        let sql = format!(
            "SELECT fiscal_code, person_id FROM fiscal_code WHERE fiscal_code IN (SELECT listed.code FROM {}){}",
            self.database.listed("?1", &[("code", "TEXT")]),
            self.is_known("fiscal_code")
        );
        let codes = serde_json::Value::from(codes).to_string();
        let rows = self
            .database
            .rows("look for people", &sql, values![&codes])?;
        rows.iter()
            .map(|row| Ok((row.get(0)?, row.get(1)?)))
            .collect()
    }

    /// SQL for that neither a row of `fiscal_code` under a name nor its person is a part of what a later run merges.
    pub(super) fn is_known(&self, name: &str) -> String {
        match self.seen {
            Seen::All | Seen::OfRun(_) => String::new(),
            Seen::WithoutRun(run_id) => {
                format!(" AND NOT {}", is_brought(name, &run_id.to_string()))
            }
        }
    }

    /// Every code that leads to these people, old ones included, by person.
    ///
    /// # Errors
    /// When the database fails.
    pub fn codes_of(&self, person_ids: &[i64]) -> Result<HashMap<i64, Vec<String>>, StoreError> {
        let rows = self.of_people(
            person_ids,
            "SELECT person_id, fiscal_code FROM fiscal_code WHERE person_id {of}",
        )?;
        let mut codes: HashMap<i64, Vec<String>> = HashMap::new();
        for row in &rows {
            codes.entry(row.get(0)?).or_default().push(row.get(1)?);
        }
        Ok(codes)
    }

    /// These people as they stand, but for those somebody else is changing. What an effect may change of
    /// them is theirs until the transaction ends, so that no revocation is overwritten that came meanwhile.
    ///
    /// # Errors
    /// When the database fails or holds what no person can be.
    pub fn standings(&self, person_ids: &[i64]) -> Result<People, StoreError> {
        self.held(person_ids, "{claim}")
    }

    /// All of these people as they stand, whoever changes one of them just now being waited for.
    ///
    /// # Errors
    /// When the database fails or holds what no person can be.
    pub fn standings_of_all(&self, person_ids: &[i64]) -> Result<People, StoreError> {
        self.held(person_ids, "{hold}")
    }

    fn held(&self, person_ids: &[i64], hold: &str) -> Result<People, StoreError> {
        let held = self.of_people(
            person_ids,
            &format!(
                "SELECT person_id FROM person WHERE person_id {{of}} ORDER BY person_id{hold}"
            ),
        )?;
        let held: Vec<i64> = held
            .iter()
            .map(|row| row.get(0))
            .collect::<Result<_, _>>()?;
        let mut people = People::default();
        if held.is_empty() {
            return Ok(people);
        }
        let identities = self.of_people(
            &held,
            "SELECT person.person_id, fiscal_code.fiscal_code, person.surname, person.given_name,
                 person.birth_date, person.email, person.phone
             FROM person JOIN fiscal_code ON fiscal_code.person_id = person.person_id AND fiscal_code.current
             WHERE person.person_id {of}",
        )?;
        for row in &identities {
            people.standings.insert(row.get(0)?, standing(row)?);
        }
        if people.standings.len() < held.len() {
            return Err(damaged("a person without a code"));
        }
        self.add_pins(&held, &mut people)?;
        self.add_requested_pins(&held, &mut people)?;
        let grants = self.of_people(
            &held,
            &format!(
                "SELECT person_id, profile, entity, status, level, valid_from, evidence FROM profile_grant
                 WHERE person_id {{of}}{} ORDER BY person_id, profile, entity{{hold}}",
                self.is_seen("profile_grant")
            ),
        )?;
        for row in &grants {
            people.of(row)?.grants.push(grant(row)?);
        }
        let guardians = self.of_people(
            &held,
            "SELECT person_id, guardian_fiscal_code FROM delegation WHERE person_id {of}",
        )?;
        for row in &guardians {
            people.of(row)?.guardians.push(row.get(1)?);
        }
        Ok(people)
    }

    fn add_pins(&self, held: &[i64], people: &mut People) -> Result<(), StoreError> {
        let pins = self.of_people(
            held,
            &format!(
                "SELECT person_id, pin_id, source, legacy_id, status, disposition, level, credential,
                     credential_scheme, credential_salt, halves_delivered, issued_on, expires_on, last_used_on,
                     office, channel, legacy_profile, legacy_entity, legacy_status
                 FROM pin WHERE person_id {{of}}
                     AND (status = 'active' OR status = 'suspended' OR status = 'pending'){}
                 ORDER BY pin_id{{hold}}",
                self.is_seen("pin")
            ),
        )?;
        for row in &pins {
            let pin = pin(row)?;
            people.pin_ids.insert(pin.name.clone(), row.get(1)?);
            people.of(row)?.pin = Some(pin);
        }
        Ok(())
    }

    fn add_requested_pins(&self, held: &[i64], people: &mut People) -> Result<(), StoreError> {
        let requests = self.of_people(
            held,
            &format!(
                "SELECT pin.person_id, pin.pin_id, delayed_activation.accepted_at, pin.legacy_id,
                     delayed_activation.level, delayed_activation.kind
                 FROM pin JOIN delayed_activation ON delayed_activation.request_id = pin.legacy_id
                 WHERE pin.person_id {{of}} AND pin.source = '{ACTIVATION_SOURCE}'
                 ORDER BY delayed_activation.accepted_at, delayed_activation.activation_id"
            ),
        )?;
        for row in &requests {
            let mut columns = row.columns();
            columns.next::<i64>()?;
            let pin_id = columns.next()?;
            let pin = ByRequest {
                accepted_at: columns.next()?,
                name: PinName {
                    source: ACTIVATION_SOURCE.to_owned(),
                    legacy_id: columns.next()?,
                },
                level: columns.word(Level::by_name)?,
                kind: columns.word(Kind::by_name)?,
            };
            people.pin_ids.insert(pin.name.clone(), pin_id);
            people.of(row)?.by_request.push(pin);
        }
        Ok(())
    }

    /// Adds when the requests were accepted, and the migrated PINs issued, by which these people came to their PINs
    /// and grants.
    ///
    /// # Errors
    /// When the database fails or holds what no PIN can be.
    pub fn add_accepted(&self, people: &mut People, grounds: &Grounds) -> Result<(), StoreError> {
        let held: Vec<_> = people.standings.keys().copied().collect();
        self.add_issued(&held, people, grounds)?;
        let begin = format!("{ACTIVATION_SOURCE}:");
        let rows = self.of_people(
            &held,
            &format!(
                "SELECT given.person_id, request.request_id, request.accepted_at, request.kind
                 FROM (SELECT person_id, legacy_id AS request_id FROM pin
                         WHERE person_id {{of}} AND source = '{ACTIVATION_SOURCE}'
                     UNION SELECT person_id, substr(evidence, {}) FROM profile_grant
                         WHERE person_id {{of}} AND evidence LIKE '{begin}%') AS given
                 JOIN delayed_activation AS request ON request.request_id = given.request_id",
                begin.len() + 1
            ),
        )?;
        for row in &rows {
            let (id, at): (String, Timestamp) = (row.get(1)?, row.get(2)?);
            let kind: String = row.get(3)?;
            if kind != Kind::Replacement.as_str() {
                people.of(row)?.accepted.insert(id, at);
            }
        }
        self.add_replacements(&held, people)?;
        self.add_retired(&held, people)?;
        let rows = self.of_people(
            &held,
            "SELECT known.person_id, request.profile, request.entity, request.level, request.accepted_at
             FROM fiscal_code AS known
             JOIN delayed_activation AS request ON request.fiscal_code = known.fiscal_code
             WHERE known.person_id {of} AND request.state = 'done'
                 AND request.kind IN ('new_pin', 'further_profile')",
        )?;
        for row in &rows {
            let mut columns = row.columns();
            columns.next::<i64>()?;
            people.of(row)?.asked.push(Asked {
                profile: columns.next()?,
                entity: columns.next()?,
                level: columns.word(Level::by_name)?,
                accepted_at: columns.next()?,
            });
        }
        Ok(())
    }

    fn add_retired(&self, held: &[i64], people: &mut People) -> Result<(), StoreError> {
        let rows = self.of_people(
            held,
            &format!(
                "SELECT pin.person_id, pin.pin_id, pin.source, pin.legacy_id, pin.status, pin.disposition,
                     pin.level, pin.credential, pin.credential_scheme, pin.credential_salt,
                     pin.halves_delivered, pin.issued_on, pin.expires_on, pin.last_used_on, pin.office,
                     pin.channel, pin.legacy_profile, pin.legacy_entity, pin.legacy_status,
                     later.source, later.legacy_id
                 FROM pin JOIN pin AS later ON later.pin_id = pin.superseded_by
                 WHERE pin.person_id {{of}} AND pin.status = 'retired' AND pin.credential IS NOT NULL{}
                 ORDER BY pin.pin_id DESC",
                self.is_seen("pin")
            ),
        )?;
        for row in &rows {
            let mut retired = pin(row)?;
            retired.superseded_by = Some(PinName {
                source: row.get(19)?,
                legacy_id: row.get(20)?,
            });
            people.pin_ids.insert(retired.name.clone(), row.get(1)?);
            people.of(row)?.retired.push(retired);
        }
        Ok(())
    }

    /// What a migrated PIN was issued for was asked for on that day; a day after its run had begun is a mistake.
    fn add_issued(
        &self,
        held: &[i64],
        people: &mut People,
        grounds: &Grounds,
    ) -> Result<(), StoreError> {
        let rows = self.of_people(
            held,
            &format!(
                "SELECT pin.person_id, pin.source, pin.legacy_id, pin.issued_on, run.created_at,
                     pin.legacy_profile, pin.legacy_entity, pin.level, pin.legacy_status,
                     pin.halves_delivered
                 FROM pin JOIN run ON run.run_id = pin.run_id
                 WHERE pin.person_id {{of}} AND pin.source <> '{ACTIVATION_SOURCE}'{}",
                self.is_seen("pin")
            ),
        )?;
        for row in &rows {
            let mut columns = row.columns();
            columns.next::<i64>()?;
            let name = PinName {
                source: columns.next()?,
                legacy_id: columns.next()?,
            };
            let at = grounds.begins(columns.next()?);
            if at > columns.next()? {
                continue;
            }
            let asked = Asked {
                profile: columns.next()?,
                entity: columns.next()?,
                level: columns.word(Level::by_name)?,
                accepted_at: at,
            };
            let delivered = (columns.word(LegacyStatus::by_name)?, columns.next()?);
            people.of(row)?.add_issued(name, delivered, asked);
        }
        Ok(())
    }

    /// A PIN that replaced another goes back to where that one came from. One that came in late points to it as well, and
    /// what a later run brought. The legacy may have issued the one that it replaced after it was asked for.
    fn add_replacements(&self, held: &[i64], people: &mut People) -> Result<(), StoreError> {
        let rows = self.of_people(
            held,
            &format!(
                "SELECT pin.person_id, pin.legacy_id, request.accepted_at, replaced.source, replaced.legacy_id
                 FROM pin JOIN pin AS replaced ON replaced.superseded_by = pin.pin_id
                 JOIN delayed_activation AS request ON request.request_id = pin.legacy_id
                 LEFT JOIN delayed_activation AS earlier ON earlier.request_id = replaced.legacy_id
                     AND replaced.source = '{ACTIVATION_SOURCE}'
                 WHERE pin.person_id {{of}} AND pin.source = '{ACTIVATION_SOURCE}' AND request.kind = 'replacement'
                     AND CASE WHEN replaced.source = '{ACTIVATION_SOURCE}' THEN earlier.done_at <= request.done_at
                         ELSE replaced.run_id <= pin.run_id END
                 ORDER BY pin.pin_id"
            ),
        )?;
        let mut replaced: BTreeMap<(i64, String, Timestamp), Vec<PinName>> = BTreeMap::new();
        for row in &rows {
            let of = (row.get(0)?, row.get(1)?, row.get(2)?);
            replaced.entry(of).or_default().push(PinName {
                source: row.get(3)?,
                legacy_id: row.get(4)?,
            });
        }
        // Each round settles at least the first of every chain that is not settled yet.
        for _ in 0..replaced.len() {
            for ((person_id, id, accepted_at), pins) in &replaced {
                let Some(standing) = people.standings.get_mut(person_id) else {
                    continue;
                };
                let came: Option<Vec<_>> = pins.iter().map(|pin| standing.came(pin)).collect();
                if let Some(came) = came.and_then(|came| came.into_iter().min()) {
                    let at = came.min(*accepted_at);
                    standing.accepted.insert(id.clone(), at);
                }
            }
        }
        Ok(())
    }

    /// The rows of a query about these people, `{of}` being where it asks for them.
    pub(super) fn of_people(&self, person_ids: &[i64], sql: &str) -> Result<Vec<Row>, StoreError> {
        let of = format!(
            "IN (SELECT listed.id FROM {})",
            self.database.listed("?1", &[("id", "BIGINT")])
        );
        self.database
            .rows(ACTION, &sql.replace("{of}", &of), values![&ids(person_ids)])
    }
}

/// SQL for that a row of `fiscal_code` under a name, or its person, came with a run.
pub(super) fn is_brought(name: &str, run_id: &str) -> String {
    format!(
        "(EXISTS (SELECT 1 FROM person WHERE person.person_id = {name}.person_id AND person.run_id = {run_id})
             OR EXISTS (SELECT 1 FROM run_code WHERE run_code.run_id = {run_id} AND NOT run_code.known
                 AND run_code.fiscal_code = {name}.fiscal_code))"
    )
}

/// Ids as a parameter to list.
pub(super) fn ids(ids: &[i64]) -> String {
    let ids: Vec<_> = ids.iter().map(|id| json!({ "id": id })).collect();
    serde_json::Value::from(ids).to_string()
}

impl People {
    /// Whom a row is about, by its first column.
    fn of(&mut self, row: &Row) -> Result<&mut Standing, StoreError> {
        self.standings
            .get_mut(&row.get(0)?)
            .ok_or_else(|| damaged("a row of nobody"))
    }
}

fn standing(row: &Row) -> Result<Standing, StoreError> {
    let mut columns = row.columns();
    columns.next::<i64>()?;
    Ok(Standing {
        fiscal_code: columns.next()?,
        identity: Identity {
            surname: columns.next()?,
            given_name: columns.next()?,
            birth_date: columns.next()?,
            email: columns.next()?,
            phone: columns.next()?,
        },
        pin: None,
        by_request: Vec::new(),
        retired: Vec::new(),
        accepted: BTreeMap::new(),
        issued: HashMap::new(),
        asked: Vec::new(),
        grants: Vec::new(),
        guardians: Vec::new(),
    })
}

pub(super) fn pin(row: &Row) -> Result<Pin, StoreError> {
    let mut columns = row.columns();
    columns.next::<i64>()?;
    columns.next::<i64>()?;
    Ok(Pin {
        name: PinName {
            source: columns.next()?,
            legacy_id: columns.next()?,
        },
        status: columns.word(PinStatus::by_name)?,
        disposition: columns.word(Disposition::by_name)?,
        level: columns.word(Level::by_name)?,
        credential: {
            let hash: Option<String> = columns.next()?;
            let scheme: Option<String> = columns.next()?;
            let salt = columns.next()?;
            hash.map(|hash| Credential {
                hash,
                scheme: scheme.unwrap_or_default(),
                salt,
            })
        },
        halves_delivered: columns.next()?,
        issued_on: columns.next()?,
        expires_on: columns.next()?,
        last_used_on: columns.next()?,
        office: columns.next()?,
        channel: columns.next()?,
        legacy_profile: columns.next()?,
        legacy_entity: columns.next()?,
        legacy_status: columns.word(LegacyStatus::by_name)?,
        superseded_by: None,
    })
}

fn grant(row: &Row) -> Result<Grant, StoreError> {
    let mut columns = row.columns();
    columns.next::<i64>()?;
    Ok(Grant {
        profile: columns.next()?,
        entity: columns.next()?,
        status: columns.word(GrantStatus::by_name)?,
        level: columns.word(Level::by_name)?,
        valid_from: columns.next()?,
        evidence: columns.next()?,
    })
}
