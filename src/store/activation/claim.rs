//! Taking people out of the queue, each for one drain.
//!
//! A person has the drain that holds the row of his first request that is due, by number; a row that another
//! drain holds is left to it. Two codes may lead to one person: whoever has one asks for the requests under the other,
//! and people who stand in the model are held by their own row as well ([`super::people`]). Of a new person
//! the database takes the code once.

use jiff::Timestamp;
use serde_json::json;

use super::{
    due::{Due, DueCursor, due},
    tx::{ActivationTx, Turn},
};
use crate::store::{
    StoreError,
    database::{Row, values},
};

const ACTION: &str = "read the queue of requests";

/// What takes away, of a request under a name.
pub(in crate::store) const TAKES_AWAY: &str = "{name}.kind IN ('revocation', 'suspension')";

/// What [`due`] reads.
pub(super) const DUE_COLUMNS: &str = "due.activation_id, due.request_id, due.accepted_at, due.fiscal_code, due.surname,
    due.given_name, due.birth_date, due.email, due.phone, due.profile, due.entity, due.level, due.credential,
    due.credential_scheme, due.credential_salt, due.issued_on, due.expires_on, due.office, due.channel,
    due.halves_delivered, due.guardian_fiscal_code, due.kind, due.competent_office, due.requester, due.mandate";

/// Whose requests are claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whom<'w> {
    /// All people's.
    Everybody,
    /// Those of people from whom something is to be taken away.
    LosingRights,
    /// Those of people from whom these requests, at least one, are to take something away.
    LosingRightsBy(&'w [String]),
}

/// Requests that are due, of whole people, which no other drain has.
#[derive(Clone, Debug)]
pub struct Claim {
    /// In the order of acceptance; empty when nothing was left to claim.
    pub requests: Vec<Due>,
    /// Where to go on after them.
    pub cursor: DueCursor,
    /// Whether that is after everybody who was held for this claim.
    pub is_whole: bool,
}

/// An accepted request that brings a PIN, which others may need.
#[derive(Clone, Debug)]
pub struct Awaited {
    /// Who has its code, if somebody has.
    pub person_id: Option<i64>,
    /// The request.
    pub due: Due,
    /// Its place in the order of acceptance, or that of one which gave it its own.
    pub place: DueCursor,
}

impl ActivationTx<'_> {
    /// Claims the next `people_max` people of whom something is due at `now`, with all of theirs that is. Of
    /// more than `requests_max` requests the rest comes with the next claim.
    ///
    /// # Errors
    /// When the database fails or holds what no request can be.
    pub fn claim(
        &self,
        after: &DueCursor,
        now: Timestamp,
        whom: Whom<'_>,
        (people_max, requests_max): (u32, u32),
    ) -> Result<Claim, StoreError> {
        let people = self.claim_people(after, now, whom, people_max)?;
        let (Some((_, first)), Some((cursor, _))) = (people.first(), people.last()) else {
            return Ok(Claim {
                requests: Vec::new(),
                cursor: *after,
                is_whole: true,
            });
        };
        let codes: Vec<_> = people.iter().map(|(_, code)| code.as_str()).collect();
        let all = self.claim_requests(&codes, now, requests_max)?;
        if all.len() < requests_max as usize {
            return Ok(Claim {
                requests: all,
                cursor: *cursor,
                is_whole: true,
            });
        }
        // Too many: one person alone, who has his turn again as long as something of his is due.
        let requests = self.claim_requests(&[first], now, requests_max)?;
        let is_all = requests.len() < requests_max as usize;
        Ok(Claim {
            cursor: if is_all { people[0].0 } else { *after },
            requests,
            is_whole: false,
        })
    }

    /// What is due of these people who have more than one code, and was not refused before: whose each request is,
    /// and its place. A code that a later run merges is nobody's yet.
    ///
    /// # Errors
    /// When the database fails.
    pub fn due_under_any_code(
        &self,
        person_ids: &[i64],
        now: Timestamp,
    ) -> Result<Vec<(i64, DueCursor)>, StoreError> {
        let sql = format!(
            "SELECT due.accepted_at, due.activation_id, known.person_id FROM fiscal_code AS known
             JOIN delayed_activation AS due ON due.fiscal_code = known.fiscal_code
             WHERE {} AND due.attempts = 0 AND known.person_id IN (
                 SELECT old.person_id FROM fiscal_code AS old
                 WHERE NOT old.current AND old.person_id IN (SELECT listed.id FROM {})){}",
            self.is_due("due"),
            self.database.listed("?2", &[("id", "BIGINT")]),
            self.is_known("known"),
        );
        let ids = person_ids.iter().map(|id| json!({ "id": id }));
        let ids = serde_json::Value::from_iter(ids).to_string();
        let rows = self.database.rows(ACTION, &sql, values![now, &ids])?;
        rows.iter()
            .map(|row| Ok((row.get(2)?, cursor(row)?)))
            .collect()
    }

    /// What these people, under whatever code, are to have a PIN by, and has no effect yet; once for each place it has.
    ///
    /// # Errors
    /// When the database fails or holds what no request can be.
    pub fn awaited_of(&self, codes: &[&str]) -> Result<Vec<Awaited>, StoreError> {
        let sql = format!(
            "SELECT {DUE_COLUMNS}, known.person_id, place.accepted_at, place.activation_id
             FROM delayed_activation AS due
             JOIN delayed_activation AS place ON place.fiscal_code = due.fiscal_code AND {}
             LEFT JOIN fiscal_code AS known ON known.fiscal_code = due.fiscal_code
             WHERE due.state = 'accepted' AND due.kind = 'new_pin' AND due.fiscal_code IN (
                 SELECT listed.code FROM {listed}
                 UNION SELECT other.fiscal_code FROM fiscal_code AS holder
                     JOIN fiscal_code AS other ON other.person_id = holder.person_id
                     WHERE holder.fiscal_code IN (SELECT listed.code FROM {listed}))
             ORDER BY due.activation_id, place.activation_id",
            has_place("due", "place"),
            listed = self.database.listed("?1", &[("code", "TEXT")]),
        );
        let codes: Vec<_> = codes.iter().map(|code| json!({ "code": code })).collect();
        let codes = serde_json::Value::from(codes).to_string();
        let rows = self.database.rows(ACTION, &sql, values![&codes])?;
        rows.iter()
            .map(|row| {
                Ok(Awaited {
                    person_id: row.get(25)?,
                    due: due(row)?,
                    place: DueCursor {
                        accepted_at: row.get(26)?,
                        activation_id: row.get(27)?,
                    },
                })
            })
            .collect()
    }

    /// What is due, of a request under a name, at the time ?1.
    pub(super) fn is_due(&self, name: &str) -> String {
        let takes_away = match self.turn {
            Turn::All => String::new(),
            Turn::TakingAway => format!(" AND {}", TAKES_AWAY.replace("{name}", name)),
        };
        format!(
            "{name}.state = 'accepted' AND {name}.halves_delivered = 2 AND {name}.not_before <= ?1{takes_away}"
        )
    }

    fn claim_people(
        &self,
        after: &DueCursor,
        now: Timestamp,
        whom: Whom<'_>,
        people_max: u32,
    ) -> Result<Vec<(DueCursor, String)>, StoreError> {
        let losing_rights = |which: &str| {
            format!(
                "AND EXISTS (SELECT 1 FROM delayed_activation AS taking
                 WHERE taking.fiscal_code = due.fiscal_code AND {}
                     AND {} {which})",
                self.is_due("taking"),
                TAKES_AWAY.replace("{name}", "taking")
            )
        };
        let listed;
        let mut values = values![now, after.accepted_at, after.activation_id, people_max].to_vec();
        let of_whom = match whom {
            Whom::Everybody => String::new(),
            Whom::LosingRights => losing_rights(""),
            Whom::LosingRightsBy(request_ids) => {
                let ids = request_ids.iter().map(|id| json!({ "id": id }));
                listed = serde_json::Value::from_iter(ids).to_string();
                values.extend(values![&listed]);
                losing_rights(&format!(
                    "AND taking.request_id IN (SELECT listed.id FROM {})",
                    self.database.listed("?5", &[("id", "TEXT")])
                ))
            }
        };
        // A subquery of its own for each row, which the index on code and number answers at once.
        let sql = format!(
            "SELECT due.accepted_at, due.activation_id, due.fiscal_code FROM delayed_activation AS due
             WHERE {} AND (due.accepted_at, due.activation_id) > (?2, ?3) AND due.activation_id = (
                 SELECT first.activation_id FROM delayed_activation AS first
                 WHERE first.fiscal_code = due.fiscal_code AND {}
                 ORDER BY first.activation_id LIMIT 1) {of_whom}
             ORDER BY due.accepted_at, due.activation_id LIMIT ?4{{claim}}",
            self.is_due("due"),
            self.is_due("first"),
        );
        let rows = self.database.first_rows(ACTION, &sql, &values)?;
        rows.iter().map(person).collect()
    }

    fn claim_requests(
        &self,
        codes: &[&str],
        now: Timestamp,
        requests_max: u32,
    ) -> Result<Vec<Due>, StoreError> {
        let sql = format!(
            "SELECT {DUE_COLUMNS} FROM delayed_activation AS due
             WHERE {} AND fiscal_code IN (
                 SELECT listed.code FROM {listed}
                 UNION SELECT other.fiscal_code FROM fiscal_code AS known
                     JOIN fiscal_code AS other ON other.person_id = known.person_id
                     WHERE known.fiscal_code IN (SELECT listed.code FROM {listed}))
             ORDER BY accepted_at, activation_id LIMIT ?3{{claim}}",
            self.is_due("due"),
            listed = self.database.listed("?2", &[("code", "TEXT")]),
        );
        let codes: Vec<_> = codes.iter().map(|code| json!({ "code": code })).collect();
        let codes = serde_json::Value::from(codes).to_string();
        let rows = self
            .database
            .rows(ACTION, &sql, values![now, &codes, requests_max])?;
        rows.iter().map(due).collect()
    }
}

/// SQL for that a new PIN under a name has its place in the order of acceptance with `place`: it is that one, or that one
/// gave it its own.
pub(super) fn has_place(name: &str, place: &str) -> String {
    format!(
        "({place}.activation_id = {name}.activation_id OR {place}.state = 'superseded'
             AND {place}.kind = 'new_pin' AND {place}.profile = {name}.profile AND {place}.entity = {name}.entity)"
    )
}

fn person(row: &Row) -> Result<(DueCursor, String), StoreError> {
    Ok((cursor(row)?, row.get(2)?))
}

fn cursor(row: &Row) -> Result<DueCursor, StoreError> {
    Ok(DueCursor {
        accepted_at: row.get(0)?,
        activation_id: row.get(1)?,
    })
}
