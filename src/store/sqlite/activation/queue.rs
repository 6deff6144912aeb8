//! Taking requests into the queue.

use jiff::Timestamp;

use super::{failed, sql, tx::ActivationTx};
use crate::{
    domain::activation::submission::{RequestState, Submission, Verdict},
    store::StoreError,
};

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

/// Time as the tables hold it.
pub(super) fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// The reason as the table holds it: the code, and the detail behind it.
pub(super) fn reason_of(submission: &Submission) -> String {
    match &submission.verdict {
        Verdict::Accepted(_) => String::new(),
        Verdict::Refused {
            refusal, detail, ..
        } => format!("{}: {detail}", refusal.as_str()),
    }
}

/// The columns of a new row, in the order of [`sql::INSERT`].
pub(super) struct Row {
    pub(super) texts: [Option<String>; 26],
    pub(super) halves_delivered: u8,
}

/// Position of `halves_delivered`, the one column that is a number.
pub(super) const HALVES: usize = 16;

pub(super) fn row(submission: &Submission) -> Row {
    let mut row = Row {
        texts: [const { None }; 26],
        halves_delivered: 0,
    };
    let mut set = |at: usize, text: Option<String>| row.texts[at] = text;
    set(0, Some(submission.request_id.clone()));
    set(1, Some(submission.origin.to_string()));
    set(3, Some(reason_of(submission)));
    set(
        22,
        Some(serde_json::Value::from(submission.documents.clone()).to_string()),
    );
    set(23, Some(submission.payload.clone()));
    set(24, Some(time(submission.accepted_at)));
    set(25, Some(time(submission.not_before)));
    match &submission.verdict {
        Verdict::Accepted(request) => {
            let date = |date: jiff::civil::Date| date.to_string();
            let identity = &request.identity;
            set(2, Some(RequestState::Accepted.to_string()));
            set(4, Some(request.fiscal_code.as_str().to_owned()));
            set(5, Some(identity.surname.clone()));
            set(6, identity.given_name.clone());
            set(7, identity.birth_date.map(date));
            set(8, Some(request.profile.clone()));
            set(9, Some(request.entity.clone()));
            set(10, Some(request.level.to_string()));
            set(11, Some(request.credential.hash.clone()));
            set(12, Some(request.credential.scheme.clone()));
            set(13, request.credential.salt.clone());
            set(14, Some(date(request.issued_on)));
            set(15, request.expires_on.map(date));
            set(17, request.office.clone());
            set(18, request.channel.clone());
            set(19, identity.email.clone());
            set(20, identity.phone.clone());
            set(21, request.guardian.map(|code| code.as_str().to_owned()));
            row.halves_delivered = request.halves_delivered;
        }
        Verdict::Refused { applicant, .. } => {
            set(2, Some(RequestState::Refused.to_string()));
            set(4, Some(applicant.fiscal_code.clone()));
            set(5, Some(applicant.surname.clone()));
            set(6, applicant.given_name.clone());
            set(8, Some(applicant.profile.clone()));
            set(9, Some(applicant.entity.clone()));
            set(10, Some(String::new()));
            set(17, applicant.office.clone());
        }
    }
    row
}

/// Reads what the queue knows of a request: state, reason, not_before, payload.
pub(super) fn known(
    columns: (String, String, String, String),
) -> Result<(Known, String), StoreError> {
    let (state, reason, not_before, payload) = columns;
    let damaged = |what: &str| StoreError::Damaged {
        what: format!("a delayed activation with {what}"),
    };
    let known = Known {
        state: RequestState::by_name(&state).ok_or_else(|| damaged("an unknown state"))?,
        reason,
        not_before: not_before
            .parse()
            .map_err(|_| damaged("a time that is none"))?,
    };
    Ok((known, payload))
}

impl ActivationTx<'_> {
    /// Takes a request into the queue, once; a later request takes the place of an earlier one for the same
    /// person, profile and entity.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn take_in(&mut self, submission: &Submission) -> Result<Taken, StoreError> {
        let action = "take a request into the queue";
        let row = row(submission);
        let mut insert = sqlx::query(sql::INSERT);
        for (at, text) in row.texts.into_iter().enumerate() {
            insert = if at == HALVES {
                insert.bind(i64::from(row.halves_delivered))
            } else {
                insert.bind(text)
            };
        }
        let inserted = insert
            .execute(self.connection())
            .await
            .map_err(failed(action))?;
        let is_new = inserted.rows_affected() == 1;
        if is_new {
            for statement in [sql::SUPERSEDED_BY_LATER, sql::SUPERSEDE_EARLIER] {
                sqlx::query(statement)
                    .bind(&submission.request_id)
                    .execute(self.connection())
                    .await
                    .map_err(failed(action))?;
            }
        }
        let columns = sqlx::query_as(sql::KNOWN)
            .bind(&submission.request_id)
            .fetch_one(self.connection())
            .await
            .map_err(failed(action))?;
        let (known, payload) = known(columns)?;
        Ok(if is_new {
            Taken::New(known)
        } else if payload == submission.payload {
            Taken::Again(known)
        } else {
            Taken::IdTaken
        })
    }
}
