//! Whose database it is, and its version.

use std::cmp::Ordering;

use super::{LOADING, LOOKING, connect, grants, rights};
use crate::{
    config::postgres::PostgresSettings,
    failpoint, postgres,
    store::{
        Intent, Reach, StoreError, TargetStanding, database::Database, error::some_tables,
        migrations,
    },
};

const ACTION: &str = "read the schema";

/// What a database is before it is used.
enum Standing {
    Empty,
    Older(i64),
    Current,
}

/// What a database is looked at for.
#[derive(Clone, Copy)]
enum Purpose {
    Read,
    /// To serve the queue, which whoever owns the tables may.
    Serve,
    /// To add to the audit log, the same.
    Log,
    Write,
}

/// The kind of a thing, and its name.
type Other = (String, String);

/// Looks at the database without changing it.
pub(in crate::store) fn standing(
    settings: &PostgresSettings,
) -> Result<TargetStanding, StoreError> {
    let database = Database::Postgres(connect(settings, "look", &LOADING)?);
    Ok(
        match inspect(&database, settings.shown(), Purpose::Write)? {
            Standing::Empty => {
                grants::may_create(&database, settings.shown())?;
                TargetStanding::Empty
            }
            Standing::Older(_) => TargetStanding::Older,
            Standing::Current => TargetStanding::Current,
        },
    )
}

/// Connects, and brings the schema to this program's version.
pub(in crate::store) fn open(
    settings: &PostgresSettings,
    intent: Intent,
) -> Result<Database, StoreError> {
    let database = Database::Postgres(connect(settings, "run", &LOADING)?);
    match inspect(&database, settings.shown(), Purpose::Write)? {
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

/// Connects to a database that holds a queue; whoever owns it brings it to this program's version.
pub(in crate::store) fn open_to_serve(settings: &PostgresSettings) -> Result<Database, StoreError> {
    open_for(settings, Purpose::Serve)
}

/// Connects to a database that holds an audit log; whoever owns it brings it to this program's version.
pub(in crate::store) fn open_to_log(settings: &PostgresSettings) -> Result<Database, StoreError> {
    open_for(settings, Purpose::Log)
}

fn open_for(settings: &PostgresSettings, purpose: Purpose) -> Result<Database, StoreError> {
    let database = Database::Postgres(connect(settings, "run", &LOADING)?);
    let place = settings.shown();
    match inspect(&database, place, purpose)? {
        Standing::Current => {}
        Standing::Older(found) => match grants::may_write(&database, place) {
            Err(StoreError::Denied { .. }) => {
                return Err(StoreError::Older {
                    place: place.to_owned(),
                    found,
                    known: known_version(),
                });
            }
            owner => {
                owner?;
                migrate(settings)?;
            }
        },
        Standing::Empty => {
            return Err(StoreError::Unused {
                place: place.to_owned(),
            });
        }
    }
    Ok(database)
}

/// What a role that does not own the tables may do with them.
pub(in crate::store) fn reach(settings: &PostgresSettings) -> Result<Reach, StoreError> {
    let database = Database::Postgres(connect(settings, "look", &LOOKING)?);
    match inspect(&database, settings.shown(), Purpose::Serve) {
        Ok(_) => Ok(Reach::Queue),
        Err(StoreError::Denied { .. }) => {
            inspect(&database, settings.shown(), Purpose::Read).map(|_| Reach::Look)
        }
        Err(error) => Err(error),
    }
}

/// Connects to a database of this version.
pub(in crate::store) fn open_to_read(settings: &PostgresSettings) -> Result<Database, StoreError> {
    let database = Database::Postgres(connect(settings, "look", &LOOKING)?);
    let place = settings.shown().to_owned();
    match inspect(&database, &place, Purpose::Read)? {
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

fn inspect(database: &Database, place: &str, purpose: Purpose) -> Result<Standing, StoreError> {
    if !is_ours(database)? {
        let others = others(database)?;
        if others.is_empty() {
            return Ok(Standing::Empty);
        }
        // Another process may have laid out the tables in between.
        if !is_ours(database)? {
            return Err(StoreError::Foreign {
                place: place.to_owned(),
                tables: shown(others),
            });
        }
    }
    match purpose {
        Purpose::Write => grants::may_write(database, place)?,
        Purpose::Serve => match grants::may_write(database, place) {
            Err(StoreError::Denied { .. }) => rights::may_serve(database, place)?,
            owner => owner?,
        },
        Purpose::Log => match grants::may_write(database, place) {
            Err(StoreError::Denied { .. }) => rights::may_log(database, place)?,
            owner => owner?,
        },
        Purpose::Read => grants::may_read(database, place)?,
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

/// Whether the tables bear the program's mark.
fn is_ours(database: &Database) -> Result<bool, StoreError> {
    let mark: Option<String> = database.value(
        ACTION,
        "SELECT obj_description(to_regclass('model_state'), 'pg_class')",
        &[],
    )?;
    Ok(mark.as_deref() == Some("pinferry"))
}

/// Whatever else is in the schema that could be in the way of a table: tables, sequences and types.
fn others(database: &Database) -> Result<Vec<Other>, StoreError> {
    let mut others: Vec<Other> = database
        .rows(
            ACTION,
            // What extensions bring is nobody's data, and every table brings a type, every type that of its arrays.
            "SELECT CASE relkind WHEN 'S' THEN 'sequence' WHEN 'c' THEN 'type' ELSE 'table' END AS kind,
                 CAST(relname AS text) AS name
             FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
             WHERE nspname = current_schema() AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'c')
                 AND relname <> '_sqlx_migrations'
                 AND NOT EXISTS (SELECT 1 FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'e')
             UNION
             SELECT 'type', CAST(typname AS text) FROM pg_type JOIN pg_namespace ON pg_namespace.oid = typnamespace
             WHERE nspname = current_schema() AND typrelid = 0
                 AND NOT EXISTS (SELECT 1 FROM pg_type AS element WHERE element.typarray = pg_type.oid)
                 AND NOT EXISTS (SELECT 1 FROM pg_depend WHERE objid = pg_type.oid AND deptype = 'e')
             ORDER BY kind, name",
            &[],
        )?
        .iter()
        .map(|row| Ok((row.get(0)?, row.get(1)?)))
        .collect::<Result<_, StoreError>>()?;
    if others.is_empty() && !may_be_begun(database)? {
        others.push(("table".to_owned(), "_sqlx_migrations".to_owned()));
    }
    Ok(others)
}

/// The first of them, in words.
fn shown(others: Vec<Other>) -> String {
    match others.as_slice() {
        [(kind, name)] if kind != "table" => format!("the {kind} {name}"),
        [(kind, name), rest @ ..] if others.iter().any(|(kind, _)| kind != "table") => {
            format!("the {kind} {name} and {} more", rest.len())
        }
        _ => some_tables(&others.into_iter().map(|(_, name)| name).collect::<Vec<_>>()),
    }
}

/// Whether a list of migrations, if there is one, may be that of ours, begun and left: it is empty.
fn may_be_begun(database: &Database) -> Result<bool, StoreError> {
    let fits: Option<bool> = database
        .row(
            ACTION,
            "SELECT relkind = 'r' AND pg_has_role(relowner, 'USAGE') AND (
                 SELECT string_agg(attname, ' ' ORDER BY attname) FROM pg_attribute
                 WHERE attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped
             ) = 'checksum description execution_time installed_on success version'
             FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
             WHERE nspname = current_schema() AND relname = '_sqlx_migrations'",
            &[],
        )?
        .map(|row| row.get(0))
        .transpose()?;
    match fits {
        None => Ok(true),
        Some(false) => Ok(false),
        Some(true) => database.value(
            ACTION,
            "SELECT NOT EXISTS (SELECT 1 FROM _sqlx_migrations)",
            &[],
        ),
    }
}

fn migrate(settings: &PostgresSettings) -> Result<(), StoreError> {
    failpoint::reached("schema.migrate");
    postgres::migrate(settings, &migrations::POSTGRES)
        .map_err(StoreError::postgres("bring the schema to this version"))?;
    failpoint::reached("schema.migrated");
    Ok(())
}

fn known_version() -> i64 {
    migrations::newest(&migrations::POSTGRES)
}
