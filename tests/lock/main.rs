//! The management lock on real SQLite databases, seen by an application with connections of its own. What does not
//! depend on the database runs on PostgreSQL as well, see tests/lock_postgres.

mod commands;
mod divert;
mod foreseen;
mod holders;
mod permitted;
mod refused;
#[path = "../schemas/mod.rs"]
mod schemas;
mod sealed;
mod self_test;
mod source_reading;
mod sqlite_divert;
mod sqlite_holders;
mod sqlite_permitted;
mod sqlite_refused;
mod sqlite_sealed;
mod support;
mod traps;
mod views;
mod words;
