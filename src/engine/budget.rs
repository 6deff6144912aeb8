//! Who may use how much of `run.memory`.

use std::num::NonZeroUsize;

use crate::config::settings::RunSettings;

/// Shares of `run.memory`. While reading: run buffers, ids seen, runs kept. While merging: runs kept, read
/// buffers, cases. Neither sum comes to the whole, which leaves room for what threads need for themselves.
#[derive(Clone, Copy, Debug)]
pub(super) struct Budget {
    /// Threads that sort while one reads.
    pub sorters: usize,
    /// Threads that merge and judge.
    pub workers: usize,
    /// Run buffers in use at once: one filled, one per sorter, one on the way.
    pub buffers: usize,
    /// Size of a run buffer.
    pub buffer_bytes: usize,
    /// Sorted runs kept in memory.
    pub kept_bytes: u64,
    /// Ids seen, for the search for duplicates.
    pub seen_bytes: usize,
    /// All read buffers together.
    pub read_bytes: usize,
    /// The records of one case.
    pub case_bytes: usize,
}

/// The least read buffer worth its system calls.
const LEAST_READ_BYTES: usize = 64 << 10;
/// Larger read buffers would only push each other out of the processor's cache.
const MOST_READ_BYTES: usize = 128 << 10;

impl Budget {
    /// Divides `run.memory`.
    pub(super) fn of(run: &RunSettings) -> Self {
        let memory = usize::try_from(run.memory_bytes).unwrap_or(usize::MAX);
        let workers = run.workers.max(1);
        let sorters = (workers - 1).max(1);
        let buffers = sorters + 2;
        Self {
            sorters,
            workers,
            buffers,
            // Offsets within a buffer are 32 bits wide.
            buffer_bytes: (memory / 4 / buffers).clamp(16 << 10, 1 << 30),
            kept_bytes: run.memory_bytes / 2,
            seen_bytes: memory / 16,
            read_bytes: memory / 4,
            case_bytes: (memory / 8 / workers).max(2 << 20),
        }
    }

    /// How many spilled runs may be merged at once by every worker.
    pub(super) fn most_spilled_runs(&self) -> usize {
        self.read_bytes / self.workers / LEAST_READ_BYTES
    }

    /// The read buffer of each spilled run, when every worker merges `runs` of them.
    pub(super) fn reader_bytes(&self, runs: usize) -> usize {
        let readers = NonZeroUsize::new(runs * self.workers).unwrap_or(NonZeroUsize::MIN);
        (self.read_bytes / readers).min(MOST_READ_BYTES)
    }
}
