//! The management lock on real SQLite databases, seen by an application with connections of its own.

mod commands;
mod divert;
mod foreseen;
mod holders;
mod permitted;
mod refused;
mod sealed;
mod self_test;
mod source_reading;
mod support;
mod traps;
mod views;
