//! Ids and partitions: where each worker stands.

use rusqlite::{Row, params};

use super::{
    leased_tx::LeasedTx,
    run::{json, parse},
    target::Target,
};
use crate::{
    domain::tally::Tally,
    store::{NewPartition, PartitionRow, StoreError},
};

const CHUNK: &str = "commit a chunk";

/// How far a chunk takes its partition.
#[derive(Clone, Copy, Debug)]
pub struct Step<'a> {
    /// The partition.
    pub partition_no: u32,
    /// Where its cursor must stand.
    pub from: &'a [u8],
    /// Where it goes.
    pub to: &'a [u8],
    /// Records before the first that is not committed then.
    pub position: u64,
    /// Whether the partition is done then.
    pub done: Done,
}

/// Whether a partition is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// More chunks follow.
    NotYet,
    /// This was the last.
    Done,
}

impl Target {
    /// The partitions of a run, in order.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub fn partitions(&self, run_id: i64) -> Result<Vec<PartitionRow>, StoreError> {
        let failed = StoreError::sqlite;
        let action = "read the partitions";
        let mut statement = self
            .connection
            .prepare_cached(
                "SELECT partition_no, key_from, key_to, first_position, position, cursor, done, tally
                 FROM run_partition WHERE run_id = ?1 ORDER BY partition_no",
            )
            .map_err(failed(action))?;
        let rows = statement
            .query_map([run_id], partition)
            .map_err(failed(action))?;
        let mut partitions = Vec::new();
        for row in rows {
            let (mut row, tally) = row.map_err(failed(action))?;
            row.tally = parse(&tally, "run_partition.tally")?;
            partitions.push(row);
        }
        Ok(partitions)
    }

    /// What all partitions have committed together.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub fn tally(&self, run_id: i64) -> Result<Tally, StoreError> {
        let mut total = Tally::default();
        for partition in self.partitions(run_id)? {
            total.merge(&partition.tally);
        }
        Ok(total)
    }
}

impl LeasedTx<'_> {
    /// Reserves `count` ids for the run, above all that are in use, and gives the first. Asked again, it
    /// gives the same.
    ///
    /// # Errors
    ///
    /// When another number was reserved before, or the database fails.
    pub fn reserve_ids(&self, count: u64) -> Result<i64, StoreError> {
        let failed = StoreError::sqlite;
        let action = "reserve ids";
        let asked = i64::try_from(count).unwrap_or(i64::MAX);
        let before: (Option<i64>, Option<i64>) = self
            .connection
            .query_row(
                "SELECT id_base, id_end FROM run WHERE run_id = ?1",
                [self.run_id()],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .map_err(failed(action))?;
        if let (Some(base), Some(end)) = before {
            let reserved = end - base;
            return if reserved == asked {
                Ok(base)
            } else {
                Err(StoreError::IdsReserved { reserved, asked })
            };
        }
        self.connection
            .query_row(
                "UPDATE run SET id_base = ids.base, id_end = ids.base + ?2
                 FROM (SELECT max(
                     coalesce((SELECT max(person_id) FROM person), 0),
                     coalesce((SELECT max(pin_id) FROM pin), 0),
                     coalesce((SELECT max(id_end) FROM run), 0)) + 1 AS base) AS ids
                 WHERE run_id = ?1
                 RETURNING id_base",
                params![self.run_id(), asked],
                |row| row.get(0),
            )
            .map_err(failed(action))
    }

    /// Lays the partitions out.
    ///
    /// # Errors
    ///
    /// When they were before, or the database fails.
    pub fn create_partitions(&self, partitions: &[NewPartition]) -> Result<(), StoreError> {
        let failed = StoreError::sqlite;
        let action = "lay out the partitions";
        let tally = json(&Tally::default())?;
        for partition in partitions {
            self.connection
                .execute(
                    "INSERT INTO run_partition (run_id, partition_no, key_from, key_to, first_position,
                         position, cursor, done, tally)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?5, x'', 0, ?6)",
                    params![
                        self.run_id(),
                        partition.no,
                        partition.key_from,
                        partition.key_to,
                        partition.first_position,
                        tally
                    ],
                )
                .map_err(failed(action))?;
        }
        Ok(())
    }

    /// Moves a partition's cursor; the first statement of a chunk.
    ///
    /// # Errors
    ///
    /// [`StoreError::CursorMoved`] unless exactly one row stood at `from` and was not done: then the chunk
    /// is somebody else's, or committed already. [`StoreError::CursorStuck`] when it would not advance.
    pub fn advance(&self, step: &Step<'_>) -> Result<(), StoreError> {
        let partition_no = step.partition_no;
        // The chunk that finds nothing left may only say so.
        if step.to < step.from || (step.to == step.from && step.done == Done::NotYet) {
            return Err(StoreError::CursorStuck { partition_no });
        }
        let moved = self
            .connection
            .prepare_cached(
                "UPDATE run_partition SET cursor = ?4, position = ?5, done = ?6
                 WHERE run_id = ?1 AND partition_no = ?2 AND cursor = ?3 AND done = 0 AND position <= ?5",
            )
            .and_then(|mut statement| {
                statement.execute(params![
                    self.run_id(),
                    partition_no,
                    step.from,
                    step.to,
                    step.position,
                    step.done == Done::Done
                ])
            })
            .map_err(StoreError::sqlite(CHUNK))?;
        if moved == 1 {
            Ok(())
        } else {
            Err(StoreError::CursorMoved { partition_no })
        }
    }

    /// Adds to what a partition has committed.
    ///
    /// # Errors
    ///
    /// When there is no such partition, or the database fails.
    pub fn add_tally(&self, partition_no: u32, difference: &Tally) -> Result<(), StoreError> {
        let failed = StoreError::sqlite;
        let text: String = self
            .connection
            .prepare_cached(
                "SELECT tally FROM run_partition WHERE run_id = ?1 AND partition_no = ?2",
            )
            .and_then(|mut statement| {
                statement.query_row(params![self.run_id(), partition_no], |row| row.get(0))
            })
            .map_err(failed(CHUNK))?;
        let mut tally: Tally = parse(&text, "run_partition.tally")?;
        tally.merge(difference);
        let text = json(&tally)?;
        self.connection
            .prepare_cached(
                "UPDATE run_partition SET tally = ?3 WHERE run_id = ?1 AND partition_no = ?2",
            )
            .and_then(|mut statement| statement.execute(params![self.run_id(), partition_no, text]))
            .map_err(failed(CHUNK))?;
        Ok(())
    }
}

fn partition(row: &Row<'_>) -> rusqlite::Result<(PartitionRow, String)> {
    let partition = PartitionRow {
        no: row.get(0)?,
        key_from: row.get(1)?,
        key_to: row.get(2)?,
        first_position: row.get(3)?,
        position: row.get(4)?,
        cursor: row.get(5)?,
        done: row.get(6)?,
        tally: Tally::default(),
    };
    Ok((partition, row.get(7)?))
}
