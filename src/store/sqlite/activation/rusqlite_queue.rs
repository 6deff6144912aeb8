//! Diverted PINs enter the queue in a transaction of the runner.

use rusqlite::{Connection, OptionalExtension as _, params, types::Value};

use super::{
    queue::{HALVES, row},
    sql,
};
use crate::{
    domain::activation::submission::Submission,
    store::{LeasedTx, StoreError},
};

impl LeasedTx<'_> {
    /// Takes a diverted PIN into the queue, once; says whether it was new.
    ///
    /// # Errors
    /// As [`enqueue`].
    pub fn queue_diverted(&self, submission: &Submission) -> Result<bool, StoreError> {
        enqueue(self.connection, submission)
    }
}

/// Takes a diverted PIN into the queue, once; says whether it was new. The caller holds the transaction.
///
/// # Errors
/// When the database fails, or the queue holds another request with this id.
pub fn enqueue(connection: &Connection, submission: &Submission) -> Result<bool, StoreError> {
    let action = "queue a diverted PIN";
    let row = row(submission);
    let halves = Value::from(i64::from(row.halves_delivered));
    let mut values = row.texts.map(|text| text.map_or(Value::Null, Value::from));
    values[HALVES] = halves;
    let inserted = connection
        .prepare_cached(sql::INSERT)
        .and_then(|mut statement| statement.execute(rusqlite::params_from_iter(values)))
        .map_err(StoreError::sqlite(action))?;
    if inserted == 1 {
        for statement in [sql::SUPERSEDED_BY_LATER, sql::SUPERSEDE_EARLIER] {
            connection
                .prepare_cached(statement)
                .and_then(|mut statement| statement.execute(params![submission.request_id]))
                .map_err(StoreError::sqlite(action))?;
        }
        return Ok(true);
    }
    let payload: Option<String> = connection
        .query_row(sql::KNOWN, params![submission.request_id], |row| row.get(3))
        .optional()
        .map_err(StoreError::sqlite(action))?;
    if payload.as_deref() == Some(submission.payload.as_str()) {
        Ok(false)
    } else {
        Err(StoreError::Damaged {
            what: format!("another request under the id {}", submission.request_id),
        })
    }
}
