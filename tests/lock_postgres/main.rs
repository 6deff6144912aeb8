//! The management lock in PostgreSQL: the suite of tests/lock as far as it does not depend on the database, and what
//! only a server can do to a lock.

mod cascades;
#[path = "../lock/divert.rs"]
mod divert;
mod diverted;
mod foreseen;
mod guards;
#[path = "../lock/holders.rs"]
mod holders;
mod isolation;
mod keys;
mod moves;
#[path = "../lock/permitted.rs"]
mod permitted;
mod readers;
#[path = "../lock/refused.rs"]
mod refused;
mod rights;
#[path = "../lock/sealed.rs"]
mod sealed;
mod search_path;
mod self_test;
#[allow(
    dead_code,
    reason = "shared by test programs that use different parts of it"
)]
#[path = "../postgres/server.rs"]
mod server;
#[path = "../lock/source_reading.rs"]
mod source_reading;
mod spelling;
mod support;
mod views;
#[path = "../lock/words.rs"]
mod words;
mod writers;
