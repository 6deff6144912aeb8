//! The target in a SQLite file.

pub mod activation;
mod connection;
mod cut_over;
mod erase;
mod event;
mod heartbeat;
mod index;
mod insert;
mod lease;
pub mod leased_tx;
pub mod partition;
pub mod reader;
pub mod replace;
mod run;
mod schema;
mod standing_tally;
pub mod target;
pub mod verify;
