//! Whose database it is, and its version.

use std::cmp::Ordering;

use sqlx::migrate::Migrator;

use super::{LOADING, connect, grants};
use crate::{
    config::postgres::PostgresSettings,
    failpoint, postgres,
    store::{Intent, StoreError, TargetStanding, database::Database},
};

static MIGRATOR: Migrator = sqlx::migrate!("migrations/postgres");

const ACTION: &str = "read the schema";

/// What a database is before it is used.
enum Standing {
    Empty,
    Older(i64),
    Current,
}

/// Looks at the database without changing it.
pub(in crate::store) fn standing(
    settings: &PostgresSettings,
) -> Result<TargetStanding, StoreError> {
    let database = Database::Postgres(connect(settings, "look", &LOADING)?);
    Ok(match inspect(&database, settings.shown())? {
        Standing::Empty => {
            grants::may_create(&database, settings.shown())?;
            TargetStanding::Empty
        }
        Standing::Older(_) => TargetStanding::Older,
        Standing::Current => {
            grants::may_write(&database, settings.shown())?;
            TargetStanding::Current
        }
    })
}

/// Connects, and brings the schema to this program's version.
pub(in crate::store) fn open(
    settings: &PostgresSettings,
    intent: Intent,
) -> Result<Database, StoreError> {
    let database = Database::Postgres(connect(settings, "run", &LOADING)?);
    match inspect(&database, settings.shown())? {
        Standing::Empty if intent == Intent::MustExist => {
            return Err(StoreError::Unused {
                place: settings.shown().to_owned(),
            });
        }
        Standing::Empty => {
            grants::may_create(&database, settings.shown())?;
            migrate(settings)?;
        }
        Standing::Older(_) => migrate(settings)?,
        Standing::Current => {}
    }
    Ok(database)
}

/// Connects to a database of this version.
pub(in crate::store) fn open_to_read(settings: &PostgresSettings) -> Result<Database, StoreError> {
    let database = Database::Postgres(connect(settings, "look", &LOADING)?);
    let place = settings.shown().to_owned();
    match inspect(&database, &place)? {
        Standing::Current => {
            database.batch(ACTION, "SET default_transaction_read_only = on")?;
            Ok(database)
        }
        Standing::Older(found) => Err(StoreError::Older {
            place,
            found,
            known: known_version(),
        }),
        Standing::Empty => Err(StoreError::Unused { place }),
    }
}

fn inspect(database: &Database, place: &str) -> Result<Standing, StoreError> {
    let mark: Option<String> = database.value(
        ACTION,
        "SELECT obj_description(to_regclass('model_state'), 'pg_class')",
        &[],
    )?;
    if mark.as_deref() != Some("pinferry") {
        let tables: Vec<String> = database
            .rows(
                ACTION,
                // What extensions bring is nobody's data; migrations that were begun and left are ours.
                "SELECT relname FROM pg_class
                 WHERE relnamespace = CAST(current_schema() AS regnamespace) AND relkind IN ('r', 'p', 'v', 'm', 'f')
                     AND relname <> '_sqlx_migrations'
                     AND NOT EXISTS (SELECT 1 FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'e')
                 ORDER BY relname",
                &[],
            )?
            .iter()
            .map(|row| row.get(0))
            .collect::<Result<_, _>>()?;
        return match tables.as_slice() {
            [] => Ok(Standing::Empty),
            tables => Err(StoreError::Foreign {
                place: place.to_owned(),
                tables: crate::store::error::some_tables(tables),
            }),
        };
    }
    let version: Option<i64> = database.value(
        ACTION,
        "SELECT max(version) FROM _sqlx_migrations WHERE success",
        &[],
    )?;
    let (found, known) = (version.unwrap_or(0), known_version());
    match found.cmp(&known) {
        Ordering::Less => Ok(Standing::Older(found)),
        Ordering::Equal => Ok(Standing::Current),
        Ordering::Greater => Err(StoreError::Newer {
            place: place.to_owned(),
            found,
            known,
        }),
    }
}

fn migrate(settings: &PostgresSettings) -> Result<(), StoreError> {
    failpoint::reached("schema.migrate");
    postgres::migrate(settings, &MIGRATOR)
        .map_err(StoreError::postgres("bring the schema to this version"))?;
    failpoint::reached("schema.migrated");
    Ok(())
}

fn known_version() -> i64 {
    let versions = MIGRATOR.iter().map(|migration| migration.version);
    versions.max().unwrap_or(0)
}
