//! Tables and what belongs to them in a PostgreSQL database.
//!
//! What should stand there is made on the same server, as temporary tables in a transaction that is rolled back, and
//! both are spelt by the server: the words for one and the same constraint, index or view are not those of
//! another version, so that a list kept with the program would be wrong on the next.

use std::collections::BTreeMap;

use super::connect;
use crate::{
    config::settings::TargetSettings,
    store::{
        StoreError,
        database::Database,
        migrations,
        postgres::steps::INDEX_STEPS,
        read_back::{ReadBack, error::ReadBackError},
        step::StepWork,
    },
};

const ACTION: &str = "compare the schema";

/// What stands in the target, and what should.
pub(in crate::store::read_back) fn compared(
    target: &ReadBack,
) -> Result<[BTreeMap<String, String>; 2], ReadBackError> {
    let found = objects(&target.database)?;
    let TargetSettings::Postgres(place) = &target.snapshot.target else {
        return Ok([found.clone(), found]);
    };
    // Ends, with what it made, when it is dropped at the latest.
    let beside = connect(place)?;
    beside.batch(ACTION, "BEGIN; SET LOCAL search_path = pg_temp")?;
    make(&beside)?;
    let shipped = objects(&beside)?;
    beside.batch(ACTION, "ROLLBACK")?;
    Ok([found, shipped])
}

/// Makes everything in the first schema of the search path.
fn make(database: &Database) -> Result<(), StoreError> {
    for migration in migrations::POSTGRES.iter() {
        database.batch(ACTION, migration.sql.as_str())?;
    }
    for step in INDEX_STEPS {
        match step.work {
            StepWork::Index { sql, .. } | StepWork::Keys(sql) => database.batch(ACTION, sql)?,
            StepWork::Validate { table, key } => {
                let validate = format!("ALTER TABLE {table} VALIDATE CONSTRAINT {key}");
                database.batch(ACTION, &validate)?;
            }
            StepWork::ForeignKeys | StepWork::Statistics(_) => {}
        }
    }
    Ok(())
}

/// Name and definition of everything in the schema that `model_state` is in; what extensions bring and the
/// migrations' book-keeping left out. Constraints come with the triggers by which the server enforces them.
const OBJECTS: &str = "WITH tables AS (
        SELECT * FROM pg_class
        WHERE relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = to_regclass('model_state'))
            AND relkind IN ('r', 'p', 'f', 'v', 'm') AND relname <> '_sqlx_migrations'
            AND NOT EXISTS (SELECT 1 FROM pg_depend WHERE classid = CAST('pg_class' AS regclass)
                AND objid = pg_class.oid AND deptype = 'e'))
    SELECT CAST(relname AS text), 'table ' || relname, concat_ws(' ', relkind,
            CASE relpersistence WHEN 'u' THEN 'unlogged' END, relrowsecurity, relforcerowsecurity)
        FROM tables WHERE relkind NOT IN ('v', 'm')
    UNION ALL
    SELECT CAST(relname AS text), 'view ' || relname, concat_ws(' ', relkind, pg_get_viewdef(oid))
        FROM tables WHERE relkind IN ('v', 'm')
    UNION ALL
    SELECT CAST(relname AS text), 'column ' || relname || '.' || attname, concat_ws(' ',
            format_type(atttypid, atttypmod), collname, attnotnull, pg_get_expr(adbin, adrelid),
            attidentity, attgenerated)
        FROM tables JOIN pg_attribute ON attrelid = tables.oid AND attnum > 0 AND NOT attisdropped
        LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
        LEFT JOIN pg_collation ON pg_collation.oid = attcollation
    UNION ALL
    SELECT CAST(relname AS text), 'constraint ' || conname || ' of ' || relname, concat_ws(' ',
            pg_get_constraintdef(pg_constraint.oid), convalidated,
            (SELECT string_agg(CAST(tgenabled AS text), '') FROM pg_trigger
                WHERE tgconstraint = pg_constraint.oid))
        FROM tables JOIN pg_constraint ON conrelid = tables.oid
    UNION ALL
    SELECT CAST(relname AS text), 'index ' || CAST(indexrelid AS regclass), concat_ws(' ',
            pg_get_indexdef(indexrelid, 0, true), indisprimary, indimmediate,
            indisvalid AND indisready AND indislive)
        FROM tables JOIN pg_index ON indrelid = tables.oid
    UNION ALL
    SELECT CAST(relname AS text), 'trigger ' || tgname || ' of ' || relname, concat_ws(' ',
            pg_get_triggerdef(pg_trigger.oid, true), tgenabled)
        FROM tables JOIN pg_trigger ON tgrelid = tables.oid AND NOT tgisinternal
    UNION ALL
    SELECT CAST(relname AS text), 'rule ' || rulename || ' of ' || relname, concat_ws(' ',
            pg_get_ruledef(pg_rewrite.oid, true), ev_enabled)
        FROM tables JOIN pg_rewrite ON ev_class = tables.oid AND rulename <> '_RETURN'
    UNION ALL
    SELECT CAST(relname AS text), 'policy ' || polname || ' of ' || relname, ''
        FROM tables JOIN pg_policy ON polrelid = tables.oid
    UNION ALL
    SELECT CAST(relname AS text), 'child ' || CAST(inhrelid AS regclass) || ' of ' || relname, ''
        FROM tables JOIN pg_inherits ON inhparent = tables.oid";

/// Definition of each object by its kind and name. What belongs to somebody else's table is its own affair.
fn objects(database: &Database) -> Result<BTreeMap<String, String>, StoreError> {
    let mut objects = BTreeMap::new();
    for row in database.rows(ACTION, OBJECTS, &[])? {
        let (table, name, definition): (String, String, String) =
            (row.get(0)?, row.get(1)?, row.get(2)?);
        if is_ours(&table) || name.starts_with("view ") {
            objects.insert(name, definition);
        }
    }
    Ok(objects)
}

/// Whether a migration makes a table, or view, of this name.
fn is_ours(table: &str) -> bool {
    ["TABLE", "VIEW"].iter().any(|kind| {
        let made = format!("CREATE {kind} {table} ");
        migrations::POSTGRES
            .iter()
            .any(|migration| migration.sql.as_str().contains(&made))
    })
}
