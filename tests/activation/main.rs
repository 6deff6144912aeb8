//! The way of a request from the counter to the active PIN.

mod absent;
mod answers;
mod command;
mod counters;
mod day;
mod drain;
mod effects;
mod evaluated_takings;
mod evaluations;
mod formats;
mod histories;
mod kept;
mod late;
mod limits;
mod merging;
mod order;
mod outlook;
mod poison;
mod races;
mod receipts;
mod revocations;
mod rights;
#[path = "../schemas/mod.rs"]
mod schemas;
#[allow(
    dead_code,
    reason = "shared by test programs that use different parts of it"
)]
#[path = "../postgres/server.rs"]
mod server;
mod together;
mod town;
mod world;
