//! What is due, and what became of it.

use jiff::Timestamp;
use sqlx::{Row as _, sqlite::SqliteRow};

use super::{failed, queue::time, tx::ActivationTx};
use crate::{
    domain::{
        activation::{
            refusal::Failure,
            request::Request,
            standing::{Credential, Identity},
        },
        status::Level,
    },
    store::StoreError,
};

/// A place in the order of acceptance; begins before the first request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DueCursor {
    accepted_at: String,
    activation_id: i64,
}

/// A request that is due.
#[derive(Clone, Debug)]
pub struct Due {
    /// Its row.
    pub activation_id: i64,
    /// Where to go on after it.
    pub cursor: DueCursor,
    /// What it asks for.
    pub request: Request,
}

/// How many requests wait, and for what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Waiting {
    /// For their day.
    pub for_their_day: i64,
    /// For the second half of the PIN, their day having come.
    pub for_halves: i64,
    /// For another try.
    pub for_another_try: i64,
}

fn damaged(what: &str) -> StoreError {
    StoreError::Damaged {
        what: format!("a delayed activation with {what}"),
    }
}

fn request(row: &SqliteRow) -> Result<Request, StoreError> {
    let action = "read a request";
    let text = |column: &str| row.try_get::<String, _>(column).map_err(failed(action));
    let optional = |column: &str| {
        row.try_get::<Option<String>, _>(column)
            .map_err(failed(action))
    };
    let date = |column: &str| {
        optional(column)?
            .map(|text| text.parse().map_err(|_| damaged("a date that is none")))
            .transpose()
    };
    let code = |text: &str| {
        text.parse()
            .map_err(|_| damaged("a fiscal code that is none"))
    };
    let halves: i64 = row.try_get("halves_delivered").map_err(failed(action))?;
    Ok(Request {
        request_id: text("request_id")?,
        accepted_at: text("accepted_at")?
            .parse()
            .map_err(|_| damaged("a time that is none"))?,
        fiscal_code: code(&text("fiscal_code")?)?,
        identity: Identity {
            surname: text("surname")?,
            given_name: optional("given_name")?,
            birth_date: date("birth_date")?,
            email: optional("email")?,
            phone: optional("phone")?,
        },
        profile: text("profile")?,
        entity: text("entity")?,
        level: Level::by_name(&text("level")?).ok_or_else(|| damaged("an unknown level"))?,
        credential: Credential {
            hash: text("credential")?,
            scheme: text("credential_scheme")?,
            salt: optional("credential_salt")?,
        },
        issued_on: date("issued_on")?.ok_or_else(|| damaged("no date of issue"))?,
        expires_on: date("expires_on")?,
        office: optional("office")?,
        channel: optional("channel")?,
        halves_delivered: u8::try_from(halves).map_err(|_| damaged("too many halves"))?,
        guardian: optional("guardian_fiscal_code")?
            .as_deref()
            .map(code)
            .transpose()?,
    })
}

impl ActivationTx<'_> {
    /// The next requests that are due at `now`, in the order of acceptance.
    ///
    /// # Errors
    /// When the database fails or holds what no request can be.
    pub async fn due(
        &mut self,
        after: &DueCursor,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<Due>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM delayed_activation
             WHERE state = 'accepted' AND halves_delivered = 2 AND not_before <= ?1
                 AND (accepted_at, activation_id) > (?2, ?3)
             ORDER BY accepted_at, activation_id LIMIT ?4",
        )
        .bind(time(now))
        .bind(&after.accepted_at)
        .bind(after.activation_id)
        .bind(limit)
        .fetch_all(self.connection())
        .await
        .map_err(failed("read the queue of requests"))?;
        rows.iter().map(due).collect()
    }

    /// Marks a request as done, unless another drain was first.
    ///
    /// # Errors
    /// When the database fails, or the request does not wait any more.
    pub async fn mark_done(
        &mut self,
        activation_id: i64,
        pin_id: i64,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let updated = sqlx::query(
            "UPDATE delayed_activation SET state = 'done', done_at = ?2, pin_id = ?3
             WHERE activation_id = ?1 AND state = 'accepted'",
        )
        .bind(activation_id)
        .bind(time(now))
        .bind(pin_id)
        .execute(self.connection())
        .await
        .map_err(failed("mark a request as done"))?;
        if updated.rows_affected() == 1 {
            Ok(())
        } else {
            Err(damaged("two drains inside one transaction"))
        }
    }

    /// Marks a request as failed: it was due and changed nothing.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn mark_failed(
        &mut self,
        activation_id: i64,
        failure: Failure,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE delayed_activation SET state = 'failed', reason = ?2
             WHERE activation_id = ?1 AND state = 'accepted'",
        )
        .bind(activation_id)
        .bind(failure.as_str())
        .execute(self.connection())
        .await
        .map(|_| ())
        .map_err(failed("mark a request as failed"))
    }

    /// Counts a try that the database refused; says whether the request is now set aside.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count_attempt(
        &mut self,
        activation_id: i64,
        why: &str,
        attempts_max: u32,
    ) -> Result<bool, StoreError> {
        let state: String = sqlx::query_scalar(
            "UPDATE delayed_activation SET attempts = attempts + 1, reason = ?3 || ': ' || ?2,
                 state = CASE WHEN attempts + 1 >= ?4 THEN 'failed' ELSE 'accepted' END
             WHERE activation_id = ?1 AND state = 'accepted' RETURNING state",
        )
        .bind(activation_id)
        .bind(why)
        .bind(Failure::SetAside.as_str())
        .bind(attempts_max)
        .fetch_one(self.connection())
        .await
        .map_err(failed("count a try"))?;
        Ok(state == "failed")
    }

    /// What waits at `now`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn waiting(&mut self, now: Timestamp) -> Result<Waiting, StoreError> {
        let (for_their_day, for_halves, for_another_try) = sqlx::query_as(
            "SELECT count(*) FILTER (WHERE not_before > ?1),
                 count(*) FILTER (WHERE not_before <= ?1 AND halves_delivered < 2),
                 count(*) FILTER (WHERE not_before <= ?1 AND halves_delivered = 2)
             FROM delayed_activation WHERE state = 'accepted'",
        )
        .bind(time(now))
        .fetch_one(self.connection())
        .await
        .map_err(failed("count what waits"))?;
        Ok(Waiting {
            for_their_day,
            for_halves,
            for_another_try,
        })
    }
}

fn due(row: &SqliteRow) -> Result<Due, StoreError> {
    let action = "read a request";
    let activation_id = row.try_get("activation_id").map_err(failed(action))?;
    Ok(Due {
        activation_id,
        cursor: DueCursor {
            accepted_at: row.try_get("accepted_at").map_err(failed(action))?,
            activation_id,
        },
        request: request(row)?,
    })
}
