//! Tables, views, indexes and triggers of a SQLite database.

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::failed;
use crate::store::{
    migrations, read_back::error::ReadBackError, sqlite::steps::INDEX_STEPS, step::StepWork,
};

/// What stands in the target, and what should.
pub(in crate::store::read_back) fn compared(
    connection: &Connection,
) -> Result<[BTreeMap<String, String>; 2], ReadBackError> {
    let shipped = shipped().and_then(|shipped| objects(&shipped));
    Ok([
        objects(connection).map_err(failed)?,
        shipped.map_err(failed)?,
    ])
}

fn shipped() -> rusqlite::Result<Connection> {
    let connection = Connection::open_in_memory()?;
    for migration in migrations::SQLITE.iter() {
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
