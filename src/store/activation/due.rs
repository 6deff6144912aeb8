//! What is due, and what waits.

use jiff::{Timestamp, civil::Date};

use super::{claim::has_place, people::is_brought, tx::ActivationTx};
use crate::{
    domain::{
        activation::{
            evaluation::EARLIEST,
            kind::{Kind, Requester},
            refusal::Failure,
            request::{Ask, IssuedPin, Request},
            standing::{Credential, Identity},
        },
        status::Level,
    },
    store::{
        StoreError,
        database::{Row, damaged, values},
        phase::IS_BEFORE_CUT_OVER,
    },
};

/// SQL for that a drain met a request `queued`, and nobody has its code yet: whom a run has only loaded is nobody.
pub(in crate::store) fn is_of_nobody() -> String {
    format!(
        "(queued.state = 'accepted' AND queued.reason = 'holder_unknown' AND NOT EXISTS (
             SELECT 1 FROM fiscal_code AS known WHERE known.fiscal_code = queued.fiscal_code AND NOT EXISTS (
                 SELECT 1 FROM run WHERE {IS_BEFORE_CUT_OVER} AND {})))",
        is_brought("known", "run.run_id")
    )
}

/// SQL for that a drain met the request `queued`, and a PIN that it may need is still to come at ?1 with one accepted
/// before it, under whatever code.
pub(in crate::store) fn is_behind() -> String {
    let earlier = format!(
        "earlier.state = 'accepted' AND earlier.kind = 'new_pin'
        AND (earlier.halves_delivered < 2 OR earlier.not_before > ?1 OR earlier.attempts > 0)
        AND EXISTS (SELECT 1 FROM delayed_activation AS place
            WHERE place.fiscal_code = earlier.fiscal_code AND {}
                AND (place.accepted_at, place.activation_id) < (queued.accepted_at, queued.activation_id))",
        has_place("earlier", "place")
    );
    format!(
        "(queued.state = 'accepted' AND queued.reason = 'earlier_request' AND (
            EXISTS (SELECT 1 FROM delayed_activation AS earlier
                WHERE earlier.fiscal_code = queued.fiscal_code AND {earlier})
            OR EXISTS (SELECT 1 FROM fiscal_code AS own
                JOIN fiscal_code AS other ON other.person_id = own.person_id
                JOIN delayed_activation AS earlier ON earlier.fiscal_code = other.fiscal_code
                WHERE own.fiscal_code = queued.fiscal_code AND {earlier})))"
    )
}

/// A place in the order of acceptance; begins before the first request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DueCursor {
    pub(super) accepted_at: Timestamp,
    pub(super) activation_id: i64,
}

impl Default for DueCursor {
    fn default() -> Self {
        Self {
            accepted_at: EARLIEST,
            activation_id: 0,
        }
    }
}

/// A request that is due.
#[derive(Clone, Debug)]
pub struct Due {
    /// Its row.
    pub activation_id: i64,
    /// What it asks for.
    pub request: Request,
}

impl Due {
    /// Its place in the order of acceptance.
    #[must_use]
    pub fn place(&self) -> DueCursor {
        DueCursor {
            accepted_at: self.request.accepted_at,
            activation_id: self.activation_id,
        }
    }
}

/// How many requests wait, and for what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Waiting {
    /// For their day.
    pub for_their_day: i64,
    /// For the second half of the PIN, their day having come.
    pub for_halves: i64,
    /// For somebody to come who has the code.
    pub for_their_holder: i64,
    /// For the PIN of a request accepted before.
    pub for_earlier_requests: i64,
    /// For another try.
    pub for_another_try: i64,
}

impl ActivationTx<'_> {
    /// Counts a try that the database refused; says whether the request is now set aside.
    ///
    /// # Errors
    /// When the database fails.
    pub fn count_attempt(
        &self,
        activation_id: i64,
        why: &str,
        attempts_max: u32,
    ) -> Result<bool, StoreError> {
        let state: String = self.database.value(
            "count a try",
            "UPDATE delayed_activation SET attempts = attempts + 1, reason = ?3 || ': ' || ?2,
                 state = CASE WHEN attempts + 1 >= ?4 THEN 'failed' ELSE 'accepted' END
             WHERE activation_id = ?1 AND state = 'accepted' RETURNING state",
            values![activation_id, why, Failure::SetAside.as_str(), attempts_max],
        )?;
        Ok(state == "failed")
    }

    /// What waits at `now`.
    ///
    /// # Errors
    /// When the database fails.
    pub fn waiting(&self, now: Timestamp) -> Result<Waiting, StoreError> {
        let (is_of_nobody, is_behind) = (is_of_nobody(), is_behind());
        let row = self.database.row(
            "count what waits",
            &format!(
                "SELECT count(*) FILTER (WHERE not_before > ?1),
                     count(*) FILTER (WHERE not_before <= ?1 AND halves_delivered < 2),
                     count(*) FILTER (WHERE {is_of_nobody}),
                     count(*) FILTER (WHERE {is_behind}),
                     count(*) FILTER (WHERE not_before <= ?1 AND halves_delivered = 2 AND NOT {is_of_nobody}
                         AND NOT {is_behind})
                 FROM delayed_activation AS queued WHERE state = 'accepted'"
            ),
            values![now],
        )?;
        let row = row.ok_or_else(|| damaged("a queue that cannot be counted"))?;
        Ok(Waiting {
            for_their_day: row.get(0)?,
            for_halves: row.get(1)?,
            for_their_holder: row.get(2)?,
            for_earlier_requests: row.get(3)?,
            for_another_try: row.get(4)?,
        })
    }
}

pub(super) fn due(row: &Row) -> Result<Due, StoreError> {
    let mut columns = row.columns();
    let activation_id = columns.next()?;
    let (request_id, accepted_at, fiscal_code) =
        (columns.next()?, columns.next()?, columns.next()?);
    let identity = Identity {
        surname: columns.next()?,
        given_name: columns.next()?,
        birth_date: columns.next()?,
        email: columns.next()?,
        phone: columns.next()?,
    };
    let (profile, entity) = (columns.next()?, columns.next()?);
    let level = Level::by_name(&columns.next::<String>()?);
    let credential = credential(columns.next()?, columns.next()?, columns.next()?);
    let (issued_on, expires_on): (Option<Date>, Option<Date>) = (columns.next()?, columns.next()?);
    let (office, channel) = (columns.next()?, columns.next()?);
    let (halves_delivered, guardian) = (columns.next()?, columns.next()?);
    let kind = columns.word(Kind::by_name)?;
    let issued = || {
        Some(IssuedPin {
            level: level?,
            credential: credential?,
            issued_on: issued_on?,
            expires_on,
            channel,
            halves_delivered,
        })
    };
    let whole = || damaged("a request without the PIN or the level of its kind");
    let ask = match kind {
        Kind::NewPin => Ask::NewPin(issued().ok_or_else(whole)?),
        Kind::Replacement => Ask::Replacement(issued().ok_or_else(whole)?),
        Kind::FurtherProfile => Ask::FurtherProfile(level.ok_or_else(whole)?),
        Kind::Revocation => Ask::Revocation,
        Kind::Suspension => Ask::Suspension,
    };
    let competent_office = columns.next()?;
    let requester: Option<String> = columns.next()?;
    let request = Request {
        request_id,
        accepted_at,
        fiscal_code,
        identity,
        profile,
        entity,
        office,
        competent_office,
        requester: requester.as_deref().and_then(Requester::by_name),
        mandate: columns.next()?,
        guardian,
        ask,
    };
    Ok(Due {
        activation_id,
        request,
    })
}

fn credential(
    hash: Option<String>,
    scheme: Option<String>,
    salt: Option<String>,
) -> Option<Credential> {
    Some(Credential {
        hash: hash?,
        scheme: scheme?,
        salt,
    })
}
