//! Taking a run's rows out again. The run row, its events and the audit log stay.

use super::{
    RunPhase, RunRow, StoreError,
    database::{Database, values},
    leased_tx::LeasedTx,
    postgres::index::key_of_others,
    target::Target,
};
use crate::failpoint;

const ACTION: &str = "take the run's rows out";

/// The tables a run fills, in the order in which they are emptied: what points before what is pointed at.
/// Each with the condition that selects the rows of run `?1`; codes by two, because of a choice of them the server
/// makes no join.
const TABLES: [(&str, &str); 9] = [
    ("finding", "run_id = ?1"),
    ("quarantine", "run_id = ?1"),
    ("delegation", "run_id = ?1"),
    ("profile_grant", "run_id = ?1"),
    // Retired PINs point to those that stay, which may come in another transaction.
    ("pin", "run_id = ?1 AND superseded_by IS NOT NULL"),
    ("pin", "run_id = ?1"),
    (
        "fiscal_code",
        "person_id IN (SELECT person_id FROM person WHERE run_id = ?1)",
    ),
    (
        "fiscal_code",
        "fiscal_code IN (SELECT fiscal_code FROM run_code WHERE run_id = ?1 AND NOT known)",
    ),
    ("person", "run_id = ?1"),
];

impl Target {
    /// That nothing of somebody else's keeps the run's tables from being emptied: it would stop an abort half way.
    ///
    /// # Errors
    ///
    /// [`StoreError::Referred`], or the database fails.
    pub fn may_be_erased(&self, run: &RunRow) -> Result<(), StoreError> {
        match &self.database {
            Database::Postgres(_) if run.target_fresh => {}
            // Row by row nothing goes that is referred to, and a file's tables are emptied so.
            Database::Postgres(_) | Database::Sqlite(_) => return Ok(()),
        }
        match key_of_others(&self.database, &TABLES.map(|(table, _)| table))? {
            None => Ok(()),
            Some((key, table, refers_to)) => Err(StoreError::Referred {
                run_id: run.run_id,
                key,
                table,
                refers_to,
            }),
        }
    }
}

impl LeasedTx<'_> {
    /// Takes up to `limit` rows of the run out and says how many; 0 when none are left. A fresh target
    /// loses a whole table at a time, which costs less than a row at a time.
    ///
    /// # Errors
    ///
    /// When the run is not being aborted, or the database fails.
    pub fn delete_run_rows(&self, limit: u32) -> Result<u64, StoreError> {
        let found = self.phase()?;
        if found != RunPhase::Aborting {
            return Err(StoreError::WrongPhase {
                run_id: self.run_id(),
                found,
                expected: RunPhase::Aborting,
            });
        }
        failpoint::reached("erase.rows");
        let fresh = self.target_was_fresh()?;
        for (table, of_run) in TABLES {
            let deleted = if fresh {
                self.database.empty(ACTION, table)?
            } else {
                self.delete_some(table, of_run, limit)?
            };
            if deleted > 0 {
                return Ok(deleted);
            }
        }
        Ok(0)
    }

    /// Ends an abort whose rows are all taken out: indexes of a fresh target, partitions, steps and the
    /// profiles nobody else uses go too, and the run is `aborted`.
    ///
    /// # Errors
    ///
    /// When rows of the run are left, it is not being aborted, or the database fails.
    pub fn finish_abort(&self) -> Result<(), StoreError> {
        let left = self.rows_left()?;
        if left {
            return Err(StoreError::Damaged {
                what: format!(
                    "rows of run {} that are to be taken out first",
                    self.run_id()
                ),
            });
        }
        if self.target_was_fresh()? {
            self.drop_indexes()?;
        }
        for sql in [
            "DELETE FROM run_step WHERE run_id = ?1",
            "DELETE FROM run_partition WHERE run_id = ?1",
            "DELETE FROM run_code WHERE run_id = ?1",
            "DELETE FROM captured_change WHERE run_id = ?1",
            "DELETE FROM profile_service WHERE profile IN (
                 SELECT profile FROM profile WHERE run_id = ?1
                 EXCEPT SELECT profile FROM profile_grant)",
            "DELETE FROM profile WHERE run_id = ?1 AND profile NOT IN (SELECT profile FROM profile_grant)",
            "DELETE FROM service WHERE ?1 > 0 AND service NOT IN (SELECT service FROM profile_service)",
        ] {
            self.database
                .execute("end the abort", sql, values![self.run_id()])?;
        }
        self.set_phase(RunPhase::Aborting, RunPhase::Aborted)
    }

    fn delete_some(&self, table: &str, of_run: &str, limit: u32) -> Result<u64, StoreError> {
        let key = match table {
            "delegation" => "person_id, guardian_fiscal_code",
            "profile_grant" => "person_id, profile, entity",
            "fiscal_code" => "fiscal_code",
            "person" => "person_id",
            "pin" => "pin_id",
            _ => self.database.row_key(),
        };
        let some = format!(
            "DELETE FROM {table} WHERE ({key}) IN (SELECT {key} FROM {table} WHERE {of_run} LIMIT ?2)"
        );
        self.database
            .execute(ACTION, &some, values![self.run_id(), limit])
    }

    fn rows_left(&self) -> Result<bool, StoreError> {
        for (table, of_run) in TABLES {
            let any = format!("SELECT EXISTS (SELECT 1 FROM {table} WHERE {of_run})");
            if self.database.value(ACTION, &any, values![self.run_id()])? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    pub(super) fn target_was_fresh(&self) -> Result<bool, StoreError> {
        self.database.value(
            ACTION,
            "SELECT target_fresh FROM run WHERE run_id = ?1",
            values![self.run_id()],
        )
    }
}
