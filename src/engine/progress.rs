//! What the engine tells whoever watches.

use crate::domain::status::vocabulary;

vocabulary! {
    /// A phase of the work, as a watcher sees it.
    Phase {
        /// Engaging the management lock.
        Lock = "lock",
        /// Reading the sources.
        Extract = "extract",
        /// Sorting, and settling duplicate ids.
        Sort = "sort",
        /// Judging without writing.
        Judge = "judge",
        /// Judging and committing.
        Load = "load",
        /// Building indexes.
        Index = "index",
        /// Judging captured people again.
        Replay = "replay",
        /// Reading everything back.
        Verify = "verify",
        /// Making the multi-profile model the valid one.
        CutOver = "cut_over",
        /// Sealing the legacy databases.
        Seal = "seal",
        /// Going back to an open legacy.
        Abort = "abort",
    }
}

/// Receives progress; called from several threads.
pub trait Progress: Send + Sync {
    /// A phase begins; `total` in its own units where it is known.
    fn begin(&self, phase: Phase, total: Option<u64>);
    /// So many more units of the running phase are done.
    fn advance(&self, units: u64);
    /// A remark worth a line of its own.
    fn note(&self, line: &str);
}

/// Nobody watches.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unwatched;

impl Progress for Unwatched {
    fn begin(&self, _phase: Phase, _total: Option<u64>) {}
    fn advance(&self, _units: u64) {}
    fn note(&self, _line: &str) {}
}
