//! The target, on every engine: what it refuses, what a lease fences off, what a transaction leaves behind.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot set itself up has failed"
)]

mod abort;
mod chunks;
mod control;
mod guards;
mod index;
mod lease;
mod open;
mod reader;
mod replace;
mod run;
#[allow(
    dead_code,
    reason = "shared by test programs that use different parts of it"
)]
#[path = "../postgres/server.rs"]
mod server;
mod support;
