//! How far the newest run came in its phase.

use super::Reader;
use crate::store::{StoreError, database::values};

/// How far a run came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunProgress {
    /// When it passed to its phase (database time); none where it never passed to another.
    pub phase_since: Option<String>,
    /// By partition: records before it and committed, in the whole order.
    pub partitions: Vec<(u64, u64)>,
    /// Steps between the load and verification that are done.
    pub steps_done: i64,
}

impl Reader {
    /// How far this run came.
    ///
    /// # Errors
    /// When the database fails.
    pub fn progress(&self, run_id: i64) -> Result<RunProgress, StoreError> {
        const ACTION: &str = "read how far the run came";
        let since = self.database.row(
            ACTION,
            "SELECT at FROM run_event WHERE run_id = ?1 AND event = 'run.phase' ORDER BY event_id DESC LIMIT 1",
            values![run_id],
        )?;
        let partitions = self.database.rows(
            ACTION,
            "SELECT first_position, position FROM run_partition WHERE run_id = ?1 ORDER BY partition_no",
            values![run_id],
        )?;
        let partitions = partitions.iter();
        let steps_done = self.database.value(
            ACTION,
            "SELECT count(*) FROM run_step WHERE run_id = ?1",
            values![run_id],
        )?;
        Ok(RunProgress {
            phase_since: since.map(|row| row.get(0)).transpose()?,
            partitions: partitions
                .map(|row| Ok((row.get(0)?, row.get(1)?)))
                .collect::<Result<_, StoreError>>()?,
            steps_done,
        })
    }
}
