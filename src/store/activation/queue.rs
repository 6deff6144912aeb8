//! Taking requests into the queue.

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::json;

use super::{receipt, sql, supersede, tx::ActivationTx};
use crate::{
    domain::{
        activation::{
            kind::Requester,
            submission::{RequestState, Submission, Verdict, reason_of},
        },
        status::Level,
    },
    store::{
        LeasedTx, StoreError,
        database::{Database, Row, damaged, values},
    },
};

const ACTION: &str = "take a request into the queue";

/// What became of a request that was handed to the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It is new.
    New(Known),
    /// The queue had it already; nothing was changed.
    Again(Known),
    /// The queue holds another request with its id; nothing was changed.
    IdTaken,
}

/// A request as the queue holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Where it is on its way.
    pub state: RequestState,
    /// Why, where it did not take its way.
    pub reason: String,
    /// The earliest moment at which it may take effect.
    pub not_before: Timestamp,
}

impl ActivationTx<'_> {
    /// Takes a request into the queue, once; a later request takes the place of an earlier one for the same
    /// person, profile and entity.
    ///
    /// # Errors
    /// When the database fails.
    pub fn take_in(&self, submission: &Submission) -> Result<Taken, StoreError> {
        take_in(&self.database, submission)
    }

    /// What the queue knows of these requests.
    ///
    /// # Errors
    /// When the database fails.
    pub fn known_of(&self, request_ids: &[&str]) -> Result<HashMap<String, Known>, StoreError> {
        let ids = request_ids.iter().map(|id| json!({ "id": id }));
        let ids = serde_json::Value::from_iter(ids).to_string();
        let sql = format!(
            "SELECT state, reason, not_before, request_id FROM delayed_activation
             WHERE request_id IN (SELECT listed.id FROM {})",
            self.database.listed("?1", &[("id", "TEXT")])
        );
        let rows = self.database.rows(ACTION, &sql, values![&ids])?;
        rows.iter()
            .map(|row| Ok((row.get(3)?, known(row)?)))
            .collect()
    }
}

impl ActivationTx<'_> {
    /// The number of the last request in the queue: what is taken in after it has higher ones.
    ///
    /// # Errors
    /// When the database fails.
    pub fn last_request(&self) -> Result<i64, StoreError> {
        let sql = "SELECT coalesce(max(activation_id), 0) FROM delayed_activation";
        self.database.value(ACTION, sql, &[])
    }

    /// The number of the last receipt that was taken in.
    ///
    /// # Errors
    /// When the database fails.
    pub fn last_receipt(&self) -> Result<i64, StoreError> {
        let sql = "SELECT coalesce(max(receipt_id), 0) FROM delivery_receipt";
        self.database.value(ACTION, sql, &[])
    }
}

impl LeasedTx<'_> {
    /// Takes a diverted PIN into the queue, once; says whether it was new.
    ///
    /// # Errors
    /// When the database fails, or the queue holds another request with this id.
    pub fn queue_diverted(&self, submission: &Submission) -> Result<bool, StoreError> {
        match take_in(&self.database, submission)? {
            Taken::New(_) => Ok(true),
            Taken::Again(_) => Ok(false),
            Taken::IdTaken => Err(StoreError::Damaged {
                what: format!("another request under the id {}", submission.request_id),
            }),
        }
    }
}

/// Whoever takes requests in does so in turn: what one supersedes the next has to see, and numbers have no gaps.
/// Those who drain the queue do not wait, and are waited for only where they hold the very person's request.
fn take_in(database: &Database, submission: &Submission) -> Result<Taken, StoreError> {
    database.in_turn(ACTION, "delayed_activation")?;
    if receipt::is_known(database, &submission.request_id)? {
        return Ok(Taken::IdTaken);
    }
    let is_new = insert(database, submission)?;
    if is_new {
        if let Verdict::Accepted(request) = &submission.verdict
            && !submission.kind.takes_away()
        {
            supersede::take_place(database, request)?;
        }
        receipt::count_waiting(database, &submission.request_id)?;
    }
    let row = database
        .row(ACTION, sql::KNOWN, values![&submission.request_id])?
        .ok_or_else(|| damaged("no request where one was just queued"))?;
    let known = known(&row)?;
    Ok(if is_new {
        Taken::New(known)
    } else if submission.is_known_by(&row.get::<String>(3)?) {
        Taken::Again(known)
    } else {
        Taken::IdTaken
    })
}

fn known(row: &Row) -> Result<Known, StoreError> {
    let mut columns = row.columns();
    Ok(Known {
        state: columns.word(RequestState::by_name)?,
        reason: columns.next()?,
        not_before: columns.next()?,
    })
}

fn insert(database: &Database, submission: &Submission) -> Result<bool, StoreError> {
    let documents = serde_json::Value::from(submission.documents.clone()).to_string();
    let (id, origin) = (&submission.request_id, submission.origin.as_str());
    let kind = submission.kind.as_str();
    let (accepted_at, not_before) = (submission.accepted_at, submission.not_before);
    let numbered = |sql: &str| {
        sql.replace(
            "{next}",
            &database.next_number("delayed_activation", "activation_id"),
        )
    };
    let inserted = match &submission.verdict {
        Verdict::Accepted(request) => {
            let (identity, pin) = (&request.identity, request.pin());
            let credential = pin.map(|pin| &pin.credential);
            let guardian = request.guardian.as_ref().map(|code| code.as_str());
            database.execute(
                ACTION,
                &numbered(sql::INSERT_ACCEPTED),
                values![
                    id,
                    origin,
                    request.fiscal_code.as_str(),
                    &identity.surname,
                    &identity.given_name,
                    identity.birth_date,
                    &request.profile,
                    &request.entity,
                    request.level().map_or("", Level::as_str),
                    credential.map(|credential| credential.hash.as_str()),
                    credential.map(|credential| credential.scheme.as_str()),
                    credential.and_then(|credential| credential.salt.as_deref()),
                    pin.map(|pin| pin.issued_on),
                    pin.and_then(|pin| pin.expires_on),
                    pin.map_or(2, |pin| pin.halves_delivered),
                    &request.office,
                    pin.and_then(|pin| pin.channel.as_deref()),
                    &identity.email,
                    &identity.phone,
                    guardian,
                    &documents,
                    &submission.payload,
                    accepted_at,
                    not_before,
                    kind,
                    &request.competent_office,
                    request.requester.map(Requester::as_str),
                    &request.mandate
                ],
            )?
        }
        Verdict::Refused {
            applicant,
            refusal,
            detail,
        } => database.execute(
            ACTION,
            &numbered(sql::INSERT_REFUSED),
            values![
                id,
                origin,
                &reason_of(*refusal, detail),
                &applicant.fiscal_code,
                &applicant.surname,
                &applicant.given_name,
                &applicant.profile,
                "",
                &applicant.office,
                &documents,
                &submission.payload,
                accepted_at,
                not_before,
                kind
            ],
        )?,
    };
    Ok(inserted == 1)
}
