//! Reading sources, and saying what is wrong with them.

mod csv;
mod csv_refused;
mod extract;
mod fingerprint;
mod postgres;
mod postgres_refused;
mod postgres_sample;
#[path = "../postgres/server.rs"]
#[allow(
    dead_code,
    reason = "shared by test programs that use different parts of it"
)]
mod server;
mod sqlite;
