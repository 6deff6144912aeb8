//! What engaging a lock would come to.

use super::TestReport;

/// What engaging a lock would come to, as far as can be told without writing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Foreseen {
    /// An extract: nothing to lock.
    Nothing,
    /// It is held already.
    Held,
    /// The guards were tried: on a copy in memory, or in transactions that were undone.
    Tested(TestReport),
    /// No copy could be made; why, in words.
    Unknown(String),
}
