//! Ids and partitions: where each worker stands.

use super::{
    NewPartition, PartitionRow, StoreError,
    database::{Row, values},
    json::{json, parse},
    leased_tx::LeasedTx,
    target::Target,
};
use crate::domain::tally::Tally;

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
        self.database
            .rows(
                "read the partitions",
                "SELECT partition_no, key_from, key_to, first_position, position, cursor, done, tally
                 FROM run_partition WHERE run_id = ?1 ORDER BY partition_no",
                values![run_id],
            )?
            .iter()
            .map(partition)
            .collect()
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
        let action = "reserve ids";
        let asked = i64::try_from(count).unwrap_or(i64::MAX);
        let run_id = self.run_id();
        let before = self
            .database
            .row(
                action,
                "SELECT id_base, id_end FROM run WHERE run_id = ?1",
                values![run_id],
            )?
            .ok_or(StoreError::NoRun { run_id })?;
        if let (Some(base), Some(end)) =
            (before.get::<Option<i64>>(0)?, before.get::<Option<i64>>(1)?)
        {
            let reserved = end - base;
            return if reserved == asked {
                Ok(base)
            } else {
                Err(StoreError::IdsReserved { reserved, asked })
            };
        }
        self.database.value(
            action,
            "UPDATE run SET id_base = ids.base, id_end = ids.base + ?2
             FROM (SELECT coalesce(max(taken.id), 0) + 1 AS base FROM (
                 SELECT max(person_id) AS id FROM person
                 UNION ALL SELECT max(pin_id) FROM pin
                 UNION ALL SELECT max(id_end) FROM run) AS taken) AS ids
             WHERE run_id = ?1
             RETURNING id_base",
            values![run_id, asked],
        )
    }

    /// Lays the partitions out.
    ///
    /// # Errors
    ///
    /// When they were before, or the database fails.
    pub fn create_partitions(&self, partitions: &[NewPartition]) -> Result<(), StoreError> {
        let tally = json(&Tally::default())?;
        for partition in partitions {
            self.database.execute(
                "lay out the partitions",
                "INSERT INTO run_partition (run_id, partition_no, key_from, key_to, first_position,
                     position, cursor, done, tally)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6, ?7, ?8)",
                values![
                    self.run_id(),
                    partition.no,
                    &partition.key_from,
                    &partition.key_to,
                    partition.first_position,
                    &[][..],
                    false,
                    &tally
                ],
            )?;
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
        let moved = self.database.execute(
            CHUNK,
            "UPDATE run_partition SET cursor = ?4, position = ?5, done = ?6
             WHERE run_id = ?1 AND partition_no = ?2 AND cursor = ?3 AND NOT done AND position <= ?5",
            values![
                self.run_id(),
                partition_no,
                step.from,
                step.to,
                step.position,
                step.done == Done::Done
            ],
        )?;
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
        let text: String = self.database.value(
            CHUNK,
            "SELECT tally FROM run_partition WHERE run_id = ?1 AND partition_no = ?2",
            values![self.run_id(), partition_no],
        )?;
        let mut tally: Tally = parse(&text, "run_partition.tally")?;
        tally.merge(difference);
        self.database.execute(
            CHUNK,
            "UPDATE run_partition SET tally = ?3 WHERE run_id = ?1 AND partition_no = ?2",
            values![self.run_id(), partition_no, &json(&tally)?],
        )?;
        Ok(())
    }
}

fn partition(row: &Row) -> Result<PartitionRow, StoreError> {
    let mut columns = row.columns();
    Ok(PartitionRow {
        no: columns.next()?,
        key_from: columns.next()?,
        key_to: columns.next()?,
        first_position: columns.next()?,
        position: columns.next()?,
        cursor: columns.next()?,
        done: columns.next()?,
        tally: parse(&columns.next::<String>()?, "run_partition.tally")?,
    })
}
