//! Autovacuum, which has nothing to do in a table that is being filled: it would only read it, and make the next
//! index or key wait until the server calls it off.

use super::steps::INDEX_STEPS;
use crate::store::{StoreError, database::Database, step::StepWork};

/// Keeps it from the tables of the load, until each has its [`resume`].
pub(in crate::store) fn pause(database: &Database) -> Result<(), StoreError> {
    for table in loaded_tables() {
        let pause = format!("ALTER TABLE {table} SET (autovacuum_enabled = off)");
        database.batch("keep autovacuum from a table", &pause)?;
    }
    Ok(())
}

/// Lets it in again.
pub(in crate::store) fn resume(database: &Database, table: &str) -> Result<(), StoreError> {
    let resume = format!("ALTER TABLE {table} RESET (autovacuum_enabled)");
    database.batch("let autovacuum in again", &resume)
}

/// Lets it in everywhere.
pub(super) fn resume_all(database: &Database) -> Result<(), StoreError> {
    loaded_tables().try_for_each(|table| resume(database, table))
}

/// Those whose statistics are gathered in the end.
fn loaded_tables() -> impl Iterator<Item = &'static str> {
    INDEX_STEPS.iter().filter_map(|step| match step.work {
        StepWork::Statistics(table) => table,
        StepWork::Index { .. }
        | StepWork::Keys(_)
        | StepWork::Validate { .. }
        | StepWork::ForeignKeys => None,
    })
}
