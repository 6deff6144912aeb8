//! Requests that give their place to others, and those that come back to it.

use jiff::Timestamp;
use serde_json::json;

use super::{
    claim::DUE_COLUMNS,
    due::{Due, due},
    sql,
    tx::ActivationTx,
};
use crate::{
    domain::activation::{
        kind::Kind, request::Request, standing::Identity, submission::RequestState,
        supersession::Rival,
    },
    store::{
        StoreError,
        database::{Database, Row, values},
    },
};

const ACTION: &str = "compare a request with others";
const BACK: &str = "let requests wait again";

/// The newest request takes the place of those accepted before it that bring nothing more. One that came late, after
/// which a request was accepted that brings as much, takes nobody's place and gives its own to that.
pub(super) fn take_place(database: &Database, request: &Request) -> Result<(), StoreError> {
    let own = Rival {
        kind: request.kind(),
        accepted_at: request.accepted_at,
        identity: request.identity.clone(),
    };
    let rows = database.rows(
        ACTION,
        sql::RIVALS,
        values![
            &request.request_id,
            request.fiscal_code.as_str(),
            &request.profile,
            &request.entity
        ],
    )?;
    let others = rows.iter().map(rival).collect::<Result<Vec<_>, _>>()?;
    let supersede =
        |request: &str, by: &str| database.execute(ACTION, sql::SUPERSEDE, values![request, by]);
    let later = (others.iter())
        .find(|(_, _, other)| other.accepted_at > own.accepted_at && other.brings_as_much_as(&own));
    if let Some((later, ..)) = later {
        supersede(&request.request_id, later)?;
        return Ok(());
    }
    for (earlier, state, other) in &others {
        if *state == RequestState::Accepted
            && other.accepted_at <= own.accepted_at
            && own.brings_as_much_as(other)
        {
            supersede(earlier, &request.request_id)?;
        }
    }
    Ok(())
}

fn rival(row: &Row) -> Result<(String, RequestState, Rival), StoreError> {
    let mut columns = row.columns();
    Ok((
        columns.next()?,
        columns.word(RequestState::by_name)?,
        Rival {
            kind: columns.word(Kind::by_name)?,
            accepted_at: columns.next()?,
            identity: Identity {
                surname: columns.next()?,
                given_name: columns.next()?,
                birth_date: columns.next()?,
                email: None,
                phone: None,
            },
        },
    ))
}

impl ActivationTx<'_> {
    /// Lets requests wait again that gave their place to one of these, which failed; those of them that are due.
    ///
    /// # Errors
    /// When the database fails or holds what no request can be.
    pub fn bring_back(&self, failed: &[i64], now: Timestamp) -> Result<Vec<Due>, StoreError> {
        if failed.is_empty() {
            return Ok(Vec::new());
        }
        let listed = self.database.listed("?1", &[("activation_id", "BIGINT")]);
        let sql = sql::BRING_BACK.replace("{listed}", &listed);
        let rows = self.database.rows(BACK, &sql, values![&numbers(failed)])?;
        let back = rows.iter().map(|row| row.get(0));
        let back: Vec<i64> = back.collect::<Result<_, _>>()?;
        if back.is_empty() {
            return Ok(Vec::new());
        }
        let sql = format!(
            "SELECT {DUE_COLUMNS} FROM delayed_activation AS due
             WHERE {} AND activation_id IN (SELECT listed.activation_id FROM {})",
            self.is_due("due"),
            self.database.listed("?2", &[("activation_id", "BIGINT")]),
        );
        let rows = self
            .database
            .rows(BACK, &sql, values![now, &numbers(&back)])?;
        rows.iter().map(due).collect()
    }
}

fn numbers(ids: &[i64]) -> String {
    let ids = ids.iter().map(|id| json!({ "activation_id": id }));
    serde_json::Value::from_iter(ids).to_string()
}
