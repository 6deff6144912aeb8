//! The target: the multi-profile model, and the run that fills it.
//!
//! What the runner does goes through [`Target`], synchronously; what other commands ask goes through
//! the asynchronous readers.

pub mod chain;
pub mod chunk;
pub mod commit_point;
pub mod error;
pub mod holder;
pub mod lease;
pub mod phase;
pub mod run;
pub mod sqlite;
pub mod step;
mod tape;

pub use chunk::{ChunkBuilder, ChunkRows};
pub use commit_point::CommitPoint;
pub use error::StoreError;
pub use holder::Holder;
pub use lease::{Heartbeat, Lease};
pub use phase::RunPhase;
pub use run::{NewPartition, NewRun, NewSource, PartitionRow, RunRow, RunSourceRow};
pub use sqlite::{
    leased_tx::{AuditEntry, LeasedTx},
    partition::{Done, Step},
    reader::Reader,
    replace::{Account, Replacement, StandingPerson, StandingPin},
    target::{Intent, Target, TargetStanding, standing},
};
pub use step::{INDEX_STEPS, IndexStep};
