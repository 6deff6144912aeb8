//! The steps after the bulk load.

use std::collections::BTreeSet;

use super::{
    IndexStep, StoreError,
    database::{Database, values},
    leased_tx::LeasedTx,
    sqlite,
    target::Target,
};
use crate::failpoint;

impl Target {
    /// The steps a run has done, by name.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub fn steps_done(&self, run_id: i64) -> Result<BTreeSet<String>, StoreError> {
        let rows = self.database.rows(
            "read the steps done",
            "SELECT step FROM run_step WHERE run_id = ?1",
            values![run_id],
        )?;
        rows.iter().map(|row| row.get(0)).collect()
    }
}

impl LeasedTx<'_> {
    /// Does one step of [`super::INDEX_STEPS`] and marks it. An index that a target in use has already is kept.
    ///
    /// # Errors
    ///
    /// When rows contradict the index or a foreign key, the step was done before, or the database fails.
    pub fn build_index(&self, step: &IndexStep) -> Result<(), StoreError> {
        failpoint::reached("index.build");
        match &*self.database {
            Database::Sqlite(connection) => sqlite::index::build(connection, step)?,
        }
        self.mark_step(step.name)?;
        failpoint::reached("index.built");
        Ok(())
    }

    /// Takes the indexes away again that a fresh target is loaded without.
    pub(super) fn drop_indexes(&self) -> Result<(), StoreError> {
        match &*self.database {
            Database::Sqlite(connection) => sqlite::index::drop_all(connection),
        }
    }
}
