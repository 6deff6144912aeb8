//! Reading back from PostgreSQL, by binary COPY.

pub(super) mod codes;
mod copied;
pub(super) mod leftovers;
pub(super) mod people;
mod plan;
pub(super) mod schema;
mod value;

use std::time::Duration;

use super::error::ReadBackError;
use crate::{
    config::postgres::PostgresSettings,
    postgres::Limits,
    store::{
        StoreError,
        database::{Database, Server},
        postgres,
    },
};

/// A statement takes as long as there are rows, and the session that holds the snapshot waits for the others.
const VERIFYING: Limits = Limits {
    statement: Duration::ZERO,
    idle_in_transaction: Duration::ZERO,
    ..Limits::READING
};

/// What the server lists the sessions under.
const PURPOSE: &str = "verify";

/// Connects and begins a snapshot; its name.
pub(super) fn open(place: &PostgresSettings) -> Result<(Database, String), ReadBackError> {
    let database = connect(place)?;
    begin(&database, "").map_err(ReadBackError::open)?;
    let exported = database.value("name the snapshot", "SELECT pg_export_snapshot()", &[]);
    Ok((database, exported.map_err(ReadBackError::open)?))
}

/// Connects to a snapshot.
pub(super) fn join(place: &PostgresSettings, exported: &str) -> Result<Database, ReadBackError> {
    let database = connect(place)?;
    let set = format!("; SET TRANSACTION SNAPSHOT '{exported}'");
    begin(&database, &set).map_err(ReadBackError::open)?;
    Ok(database)
}

fn connect(place: &PostgresSettings) -> Result<Database, ReadBackError> {
    postgres::connect(place, PURPOSE, &VERIFYING)
        .map(Database::Postgres)
        .map_err(ReadBackError::open)
}

fn begin(database: &Database, then: &str) -> Result<(), StoreError> {
    let begin = format!("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY{then}");
    database.batch("begin a snapshot", &begin)
}

/// The session behind a database that is known to be on PostgreSQL.
fn server(database: &Database) -> Result<&Server, StoreError> {
    match database {
        Database::Postgres(server) => Ok(server),
        Database::Sqlite(_) => Err(crate::store::database::damaged("no server")),
    }
}
