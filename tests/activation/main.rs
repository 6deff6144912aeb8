//! The way of a request from the counter to the active PIN.

mod command;
mod drain;
mod effects;
mod evaluations;
mod world;
