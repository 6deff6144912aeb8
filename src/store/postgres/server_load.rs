//! The administrator's own question about how busy the server is.

use sqlx::{Row as _, postgres::PgArguments};

use super::{LOOKING, connect};
use crate::{
    config::postgres::PostgresSettings,
    postgres::Trouble,
    store::{ServerLoad, StoreError, database::Server, error::LoadQuery},
};

const ACTION: &str = "ask run.load_query";

/// Asks it on a connection of its own.
pub(in crate::store) fn ask_once(
    settings: &PostgresSettings,
    query: &str,
) -> Result<ServerLoad, StoreError> {
    ask(&connect(settings, "look", &LOOKING)?, query)
}

/// Asks it; it must give one number.
pub(in crate::store) fn ask(server: &Server, query: &str) -> Result<ServerLoad, StoreError> {
    // As a part of an expression it can be one question only, and gives one value.
    let question = query.trim().trim_end_matches(';');
    let sql = format!("SELECT CAST((\n{question}\n) AS double precision)");
    let rows = match server.with(|session| session.rows(ACTION, &sql, PgArguments::default())) {
        Err(error) => match error.trouble() {
            Trouble::Cancelled | Trouble::LockTimeout => return Ok(ServerLoad::NoAnswer),
            Trouble::Lost => return Err(StoreError::postgres(ACTION)(error)),
            _ => return Err(StoreError::LoadQuery(LoadQuery::Refused(Box::new(error)))),
        },
        Ok(rows) => rows,
    };
    let number = rows
        .first()
        .and_then(|row| row.try_get::<Option<f64>, _>(0).ok());
    match number.flatten() {
        Some(number) if !number.is_nan() => Ok(ServerLoad::Is(number)),
        Some(_) | None => Err(StoreError::LoadQuery(LoadQuery::NoNumber)),
    }
}
