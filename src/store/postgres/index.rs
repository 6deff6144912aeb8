//! Building the indexes and keys of a target that was loaded without them.

use super::{steps::INDEX_STEPS, vacuum};
use crate::store::{
    IndexStep, StoreError,
    database::{Database, values},
    step::StepWork,
};

/// Does one step. What a target in use has already is kept.
pub(in crate::store) fn build(database: &Database, step: &IndexStep) -> Result<(), StoreError> {
    match step.work {
        StepWork::Index { index, .. } if has_relation(database, index)? => Ok(()),
        StepWork::Index { sql, .. } => database.batch("build an index", sql),
        StepWork::Keys(_) if has_keys(database)? => Ok(()),
        StepWork::Keys(sql) => database.batch("add the keys", sql),
        StepWork::Validate { table, key } => database.batch(
            "check a foreign key",
            &format!("ALTER TABLE {table} VALIDATE CONSTRAINT {key}"),
        ),
        StepWork::Statistics(table) => database.batch(
            "gather statistics",
            &format!("ANALYZE {}", table.unwrap_or_default()),
        ),
        StepWork::ForeignKeys => Ok(()),
    }
}

/// Takes away what the steps built: foreign keys, then keys and indexes.
pub(in crate::store) fn drop_all(database: &Database) -> Result<(), StoreError> {
    vacuum::resume_all(database)?;
    let action = "drop an index";
    for step in INDEX_STEPS {
        if let StepWork::Validate { table, key } = step.work {
            let drop = format!("ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {key}");
            database.batch(action, &drop)?;
        }
    }
    for step in INDEX_STEPS {
        if let StepWork::Index { index, .. } = step.work {
            let drop = match index.strip_suffix("_pkey") {
                Some(table) => format!(
                    "ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {index}; DROP INDEX IF EXISTS {index}"
                ),
                None => format!("DROP INDEX IF EXISTS {index}"),
            };
            database.batch(action, &drop)?;
        }
    }
    Ok(())
}

/// Takes away the foreign keys that refer to a table, of those the steps add: a table that one refers to cannot be
/// truncated alone, not even where no row does.
pub(in crate::store) fn drop_keys_to(database: &Database, table: &str) -> Result<(), StoreError> {
    let rows = database.rows(
        "look for the keys",
        "SELECT CAST(relname AS text), CAST(conname AS text)
         FROM pg_constraint JOIN pg_class ON pg_class.oid = conrelid
         WHERE contype = 'f' AND confrelid = to_regclass(?1) AND conrelid = to_regclass(quote_ident(relname))",
        values![table],
    )?;
    for row in rows {
        let (referring, found): (String, String) = (row.get(0)?, row.get(1)?);
        if is_ours(&referring, &found) {
            let drop = format!("ALTER TABLE {referring} DROP CONSTRAINT {found}");
            database.batch("drop a foreign key", &drop)?;
        }
    }
    Ok(())
}

/// The first foreign key of somebody else's that refers to one of these tables: its name, its table, and to which.
pub(in crate::store) fn key_of_others(
    database: &Database,
    tables: &[&str],
) -> Result<Option<(String, String, String)>, StoreError> {
    let rows = database.rows(
        "look for the keys of others",
        "SELECT CAST(conname AS text), CAST(relname AS text), quote_ident(conname),
             CAST(CAST(conrelid AS regclass) AS text), CAST(CAST(confrelid AS regclass) AS text),
             conrelid = coalesce(CAST(to_regclass(quote_ident(relname)) AS oid), 0)
         FROM pg_constraint JOIN pg_class ON pg_class.oid = conrelid
         WHERE contype = 'f' AND conparentid = 0
             AND confrelid IN (SELECT to_regclass(named) FROM unnest(string_to_array(?1, ' ')) AS named)
         ORDER BY 4, 3",
        values![&tables.join(" ")],
    )?;
    for row in rows {
        let (key, table, is_here): (String, String, bool) = (row.get(0)?, row.get(1)?, row.get(5)?);
        if !(is_here && is_ours(&table, &key)) {
            return Ok(Some((row.get(2)?, row.get(3)?, row.get(4)?)));
        }
    }
    Ok(None)
}

/// Whether the steps add this foreign key to this table.
fn is_ours(referring: &str, found: &str) -> bool {
    INDEX_STEPS.iter().any(|step| {
        matches!(step.work, StepWork::Validate { table, key } if table == referring && key == found)
    })
}

fn has_relation(database: &Database, name: &str) -> Result<bool, StoreError> {
    database.value(
        "look for an index",
        "SELECT to_regclass(?1) IS NOT NULL",
        values![name],
    )
}

fn has_keys(database: &Database) -> Result<bool, StoreError> {
    database.value(
        "look for the keys",
        "SELECT EXISTS (SELECT 1 FROM pg_constraint
             WHERE conname = 'pin_pkey' AND conrelid = to_regclass('pin'))",
        &[],
    )
}
