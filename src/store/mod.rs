//! The target: the multi-profile model, and the run that fills it.
//!
//! What the runner does goes through [`Target`], what other commands ask through [`Reader`], the queue of
//! requests through [`activation`], and what verification reads through [`read_back`]; all of them speak to a
//! `Database`, whichever engine keeps it.

pub mod activation;
pub mod captured;
pub mod chain;
pub mod chunk;
pub mod commit_point;
mod control;
mod cut_over;
mod database;
mod erase;
pub mod error;
mod event;
mod heartbeat;
pub mod holder;
mod index;
mod json;
mod known_codes;
pub mod lease;
mod lease_row;
mod leased_tx;
mod meet;
mod migrations;
mod partition;
pub mod phase;
mod postgres;
pub mod read_back;
pub mod reader;
mod replace;
pub mod run;
mod run_row;
mod sqlite;
mod standing_tally;
pub mod step;
mod tape;
mod target;

pub use captured::CapturedChange;
pub use chunk::{ChunkBuilder, ChunkRows};
pub use commit_point::CommitPoint;
pub use control::{Ask, Asked, Paused, RunControl};
pub use error::StoreError;
pub use event::AuditEntry;
pub use holder::Holder;
pub use index::index_steps;
pub use lease::{Heartbeat, Lease};
pub use leased_tx::LeasedTx;
pub use meet::{Lettered, Met, StandingIds};
pub use migrations::tables_version;
pub use partition::{Done, Step};
pub use phase::RunPhase;
pub use reader::Reader;
pub use replace::Account;
pub use run::{NewPartition, NewRun, NewSource, PartitionRow, RunRow, RunSourceRow};
pub use step::IndexStep;
pub use target::{
    Intent, Reach, ServerLoad, Target, TargetStanding, Toil, reach, rights, server_load, standing,
};
