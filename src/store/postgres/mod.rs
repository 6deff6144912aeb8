//! What only PostgreSQL does: opening a database, writing in bulk by binary COPY, building indexes and keys.

mod copy_row;
mod grants;
pub(super) mod index;
pub(super) mod insert;
pub(super) mod rights;
pub(super) mod schema;
pub(super) mod server_load;
pub(super) mod steps;
pub(super) mod vacuum;

use std::time::Duration;

use super::{StoreError, database::Server};
use crate::{
    config::postgres::PostgresSettings,
    postgres::{Limits, Session},
};

/// For everything but building indexes: a statement of the load is over in seconds, and nobody thinks for long within a
/// transaction. Whoever holds a lease is given [`Limits::within`].
pub(super) const LOADING: Limits = Limits {
    connect: Duration::from_secs(15),
    statement: Duration::from_secs(300),
    lock: Duration::from_secs(10),
    idle_in_transaction: Duration::from_secs(30),
    silence: Duration::from_secs(120),
};

/// For building indexes, which takes as long as there are rows. A process that is stopped meanwhile keeps what it
/// holds until the server is done with that step, and no longer.
pub(super) const BUILDING: Limits = Limits {
    statement: Duration::from_secs(12 * 3600),
    ..LOADING
};

/// For whoever only reads, and may show what was read to somebody who turns the pages.
pub(super) const LOOKING: Limits = Limits {
    idle_in_transaction: Duration::from_secs(600),
    ..LOADING
};

/// What the server lists the sessions of a lease's holder under: a takeover ends them.
pub(super) fn purpose(run_id: i64, epoch: i64) -> String {
    format!("{}{epoch}", purposes_of(run_id))
}

/// What the sessions of every holder of a run's lease are listed under.
pub(super) fn purposes_of(run_id: i64) -> String {
    format!("run {run_id} epoch ")
}

/// Connects as `pinferry PURPOSE`.
pub(super) fn connect(
    settings: &PostgresSettings,
    purpose: &str,
    limits: &Limits,
) -> Result<Server, StoreError> {
    Session::connect(settings, purpose, limits)
        .map(Server::new)
        .map_err(StoreError::postgres("open the target"))
}
