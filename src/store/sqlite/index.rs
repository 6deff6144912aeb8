//! The steps after the bulk load.

use std::collections::BTreeSet;

use super::{leased_tx::LeasedTx, target::Target};
use crate::{
    failpoint,
    store::{INDEX_STEPS, IndexStep, StoreError, step::StepWork},
};

/// Rows of each index that are sampled for statistics.
const SAMPLE_ROWS: i64 = 1_000;

impl Target {
    /// The steps a run has done, by name.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub fn steps_done(&self, run_id: i64) -> Result<BTreeSet<String>, StoreError> {
        self.connection
            .prepare_cached("SELECT step FROM run_step WHERE run_id = ?1")
            .and_then(|mut statement| {
                statement
                    .query_map([run_id], |row| row.get(0))?
                    .collect::<rusqlite::Result<_>>()
            })
            .map_err(StoreError::sqlite("read the steps done"))
    }
}

impl LeasedTx<'_> {
    /// Does one step of [`INDEX_STEPS`] and marks it. An index that a target in use has already is kept.
    ///
    /// # Errors
    ///
    /// When rows contradict the index or a foreign key, the step was done before, or the database fails.
    pub fn build_index(&self, step: &IndexStep) -> Result<(), StoreError> {
        failpoint::reached("index.build");
        match step.work {
            StepWork::Index { index, sql } => {
                if !self.has_index(index)? {
                    self.execute(sql, "build an index")?;
                }
            }
            StepWork::ForeignKeys => self.check_foreign_keys()?,
            StepWork::Statistics => {
                self.connection
                    .pragma_update(None, "analysis_limit", SAMPLE_ROWS)
                    .map_err(StoreError::sqlite("gather statistics"))?;
                self.execute("ANALYZE", "gather statistics")?;
            }
        }
        self.mark_step(step.name)?;
        failpoint::reached("index.built");
        Ok(())
    }

    /// Takes the indexes away again that a fresh target is loaded without.
    pub(super) fn drop_indexes(&self) -> Result<(), StoreError> {
        for step in INDEX_STEPS {
            if let StepWork::Index { index, .. } = step.work {
                self.execute(&format!("DROP INDEX IF EXISTS {index}"), "drop an index")?;
            }
        }
        Ok(())
    }

    fn has_index(&self, index: &str) -> Result<bool, StoreError> {
        self.connection
            .query_row(
                "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'index' AND name = ?1)",
                [index],
                |row| row.get(0),
            )
            .map_err(StoreError::sqlite("look for an index"))
    }

    fn check_foreign_keys(&self) -> Result<(), StoreError> {
        let failed = StoreError::sqlite;
        let action = "check the foreign keys";
        let mut statement = self
            .connection
            .prepare("SELECT DISTINCT \"table\" FROM pragma_foreign_key_check LIMIT 10")
            .map_err(failed(action))?;
        let tables = statement
            .query_map([], |row| row.get(0))
            .and_then(Iterator::collect::<rusqlite::Result<Vec<String>>>)
            .map_err(failed(action))?;
        if tables.is_empty() {
            Ok(())
        } else {
            Err(StoreError::ForeignKeys {
                tables: tables.join(", "),
            })
        }
    }

    pub(super) fn execute(&self, sql: &str, action: &'static str) -> Result<(), StoreError> {
        self.connection
            .execute_batch(sql)
            .map_err(StoreError::sqlite(action))
    }
}
