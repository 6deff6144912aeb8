//! Whether tables, views, indexes and triggers are the ones this program ships.

use std::collections::BTreeMap;

use rusqlite::Connection;
use sqlx::migrate::Migrator;

use super::error::ReadBackError;
use crate::store::{sqlite::steps::INDEX_STEPS, step::StepWork};

static MIGRATOR: Migrator = sqlx::migrate!("migrations/sqlite");

/// Names of the tables, views, indexes and triggers that are missing, changed, or (triggers, and indexes
/// that make something unique) not ours.
///
/// # Errors
/// When the schema cannot be read.
pub fn schema_differences(connection: &Connection) -> Result<Vec<String>, ReadBackError> {
    let shipped = shipped().and_then(|shipped| objects(&shipped));
    let shipped = shipped.map_err(ReadBackError::read)?;
    let found = objects(connection).map_err(ReadBackError::read)?;
    let mut differences = Vec::new();
    for (name, sql) in &shipped {
        match found.get(name) {
            None => differences.push(format!("{name} is missing")),
            Some(other) if other != sql => differences.push(format!("{name} was changed")),
            Some(_) => {}
        }
    }
    for name in found.keys().filter(|name| !shipped.contains_key(*name)) {
        if name.starts_with("trigger") || name.starts_with("view") {
            differences.push(format!("{name} is not pinferry's"));
        }
    }
    Ok(differences)
}

fn shipped() -> rusqlite::Result<Connection> {
    let connection = Connection::open_in_memory()?;
    for migration in MIGRATOR.iter() {
        connection.execute_batch(migration.sql.as_str())?;
    }
    for step in INDEX_STEPS {
        if let StepWork::Index { sql, .. } = step.work {
            connection.execute_batch(sql)?;
        }
    }
    Ok(connection)
}

/// Statement of each object by its kind and name; SQLite's own and the migrations' book-keeping left out.
fn objects(connection: &Connection) -> rusqlite::Result<BTreeMap<String, String>> {
    connection
        .prepare(
            "SELECT type || ' ' || name, sql FROM sqlite_schema
             WHERE sql IS NOT NULL AND name NOT LIKE '\\_sqlx\\_%' ESCAPE '\\'
                 AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
        )?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}
