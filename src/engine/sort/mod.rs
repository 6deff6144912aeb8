//! External sort of whole records: sorted runs in memory as far as the budget goes, in spill files beyond.
//!
//! The order is total and does not depend on the order of reading: key, then record id, then content.

mod buffer;
mod entry;
mod merge;
mod run;
mod spill;
mod store;

pub(super) use buffer::RunBuffer;
pub(super) use entry::{Entry, Key};
pub(super) use merge::Merge;
pub(super) use run::Run;
pub(super) use spill::SpillFile;
pub(super) use store::RunStore;
