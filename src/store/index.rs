//! The steps after the bulk load.

use std::collections::BTreeSet;

use super::{
    IndexStep, StoreError,
    database::{Database, values},
    leased_tx::LeasedTx,
    postgres, sqlite,
    step::StepWork,
    target::Target,
};
use crate::{config::settings::TargetSettings, failpoint};

/// Every step of such a target, in order.
#[must_use]
pub fn index_steps(target: &TargetSettings) -> &'static [IndexStep] {
    match target {
        TargetSettings::Sqlite(_) => sqlite::steps::INDEX_STEPS,
        TargetSettings::Postgres(_) => postgres::steps::INDEX_STEPS,
    }
}

impl Target {
    /// Every step of this target, in order.
    #[must_use]
    pub fn index_steps(&self) -> &'static [IndexStep] {
        index_steps(self.settings())
    }

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
    /// Does one step of [`index_steps`] and marks it. An index that a target in use has already is kept.
    ///
    /// # Errors
    ///
    /// When rows contradict the index or a foreign key, the step was done before, or the database fails.
    pub fn build_index(&self, step: &IndexStep) -> Result<(), StoreError> {
        failpoint::reached("index.build");
        match &*self.database {
            Database::Sqlite(connection) => sqlite::index::build(connection, step)?,
            Database::Postgres(_) => postgres::index::build(&self.database, step)?,
        }
        if let StepWork::Statistics(Some(table)) = step.work
            && self.target_was_fresh()?
        {
            postgres::vacuum::resume(&self.database, table)?;
        }
        self.mark_step(step.name)?;
        failpoint::reached("index.built");
        Ok(())
    }

    /// Keeps the server from looking after the tables of a fresh target until their last step is done.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub fn pause_vacuum(&self) -> Result<(), StoreError> {
        match &*self.database {
            Database::Postgres(_) if self.target_was_fresh()? => {
                postgres::vacuum::pause(&self.database)
            }
            Database::Postgres(_) | Database::Sqlite(_) => Ok(()),
        }
    }

    /// Takes the indexes away again that a fresh target is loaded without.
    pub(super) fn drop_indexes(&self) -> Result<(), StoreError> {
        match &*self.database {
            Database::Sqlite(connection) => sqlite::index::drop_all(connection),
            Database::Postgres(_) => postgres::index::drop_all(&self.database),
        }
    }
}
