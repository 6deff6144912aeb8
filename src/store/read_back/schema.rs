//! Whether tables, views, indexes and triggers are the ones this program ships.

use super::{ReadBack, error::ReadBackError, postgres, sqlite};
use crate::store::database::Database;

/// Names of what is missing, changed, or not ours and able to change or refuse rows, or to hide some.
///
/// # Errors
/// When the schema cannot be read.
pub fn schema_differences(target: &ReadBack) -> Result<Vec<String>, ReadBackError> {
    let [found, shipped] = match &target.database {
        Database::Sqlite(connection) => sqlite::schema::compared(connection)?,
        Database::Postgres(_) => postgres::schema::compared(target)?,
    };
    let mut differences = Vec::new();
    for (name, definition) in &shipped {
        match found.get(name) {
            None => differences.push(format!("{name} is missing")),
            Some(other) if other != definition => differences.push(format!("{name} was changed")),
            Some(_) => {}
        }
    }
    for (name, definition) in &found {
        if !shipped.contains_key(name) && !is_harmless(name, definition) {
            differences.push(format!("{name} is not pinferry's"));
        }
    }
    Ok(differences)
}

/// A table of somebody else's, or an index that only makes reading faster.
fn is_harmless(name: &str, definition: &str) -> bool {
    name.starts_with("table ")
        || name.starts_with("index ") && !definition.starts_with("CREATE UNIQUE ")
}
