//! Building the indexes of a target that was loaded without them.

use rusqlite::Connection;

use crate::store::{IndexStep, StoreError, sqlite::steps::INDEX_STEPS, step::StepWork};

/// Rows of each index that are sampled for statistics.
const SAMPLE_ROWS: i64 = 1_000;

/// Does one step.
pub(in crate::store) fn build(connection: &Connection, step: &IndexStep) -> Result<(), StoreError> {
    match step.work {
        StepWork::Index { index, sql } if !has_index(connection, index)? => {
            execute(connection, sql, "build an index")
        }
        StepWork::Index { .. } => Ok(()),
        StepWork::ForeignKeys => check_foreign_keys(connection),
        StepWork::Keys(_) | StepWork::Validate { .. } => Ok(()),
        StepWork::Statistics(_) => {
            connection
                .pragma_update(None, "analysis_limit", SAMPLE_ROWS)
                .map_err(StoreError::sqlite("gather statistics"))?;
            execute(connection, "ANALYZE", "gather statistics")
        }
    }
}

/// Takes away what the steps built.
pub(in crate::store) fn drop_all(connection: &Connection) -> Result<(), StoreError> {
    for step in INDEX_STEPS {
        if let StepWork::Index { index, .. } = step.work {
            let drop = format!("DROP INDEX IF EXISTS {index}");
            execute(connection, &drop, "drop an index")?;
        }
    }
    Ok(())
}

fn has_index(connection: &Connection, index: &str) -> Result<bool, StoreError> {
    connection
        .query_row(
            "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'index' AND name = ?1)",
            [index],
            |row| row.get(0),
        )
        .map_err(StoreError::sqlite("look for an index"))
}

fn check_foreign_keys(connection: &Connection) -> Result<(), StoreError> {
    let failed = StoreError::sqlite;
    let action = "check the foreign keys";
    let mut statement = connection
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

fn execute(connection: &Connection, sql: &str, action: &'static str) -> Result<(), StoreError> {
    connection
        .execute_batch(sql)
        .map_err(StoreError::sqlite(action))
}
