//! Verification finds any single value changed behind its back, and nothing where nothing was changed.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by panicking"
)]

mod after_cut_over;
mod engine;
mod fixture;
mod indexes;
#[path = "../sample/judged.rs"]
mod judged;
mod raw;
mod schema;
#[path = "../postgres/server.rs"]
#[allow(
    dead_code,
    reason = "shared by test programs that use different parts of it"
)]
mod server;
mod snapshot;
mod sources_changed;
mod together;
mod values;
mod verdicts;
