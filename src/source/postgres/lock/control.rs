//! The control row: what the lock says about itself.

use std::collections::BTreeMap;

use sqlx::{
    Arguments as _, Row,
    postgres::{PgArguments, PgRow},
};

use crate::{
    config::settings::LockMode,
    postgres::{PostgresError, Session},
    source::lock::{
        LockError, LockState, Owner,
        control::{Control, NewControl},
        guard::Guard,
    },
};

use super::{legacy::exists, names};

const DOING: &str = "reading or writing what the lock says about itself";

/// Said of a schema that goes with the last lock.
const OURS: &str = "made by pinferry, goes with the last lock";

/// One row a source, so that two sources in one database can be locked apart.
const TABLE: &str = "CREATE TABLE IF NOT EXISTS pinferry_lock.control (
  source text PRIMARY KEY,
  state text NOT NULL CHECK (state IN ('engaged', 'sealed', 'broken')),
  owner_kind text NOT NULL CHECK (owner_kind IN ('run', 'administrator')),
  owner text NOT NULL,
  reason text NOT NULL,
  engaged_at text NOT NULL,
  expected_end text NOT NULL,
  changed_at text NOT NULL,
  mode text NOT NULL CHECK (mode IN ('refuse', 'divert')),
  successor text NOT NULL,
  configuration text NOT NULL,
  tables text NOT NULL,
  other_triggers text NOT NULL,
  guards text NOT NULL DEFAULT '{}',
  broken_by text
);
REVOKE ALL ON TABLE pinferry_lock.control FROM PUBLIC";

/// The server's clock to the second.
macro_rules! clock {
    ($plus:literal) => {
        concat!(
            "pg_catalog.to_char((pg_catalog.clock_timestamp()",
            $plus,
            ") AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
        )
    };
}

/// Makes the schema.
pub(super) fn create_schema(session: &mut Session) -> Result<(), PostgresError> {
    let found = session.rows(
        DOING,
        "SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = 'pinferry_lock'",
        PgArguments::default(),
    )?;
    if found.is_empty() {
        session.batch(
            DOING,
            &format!(
                "CREATE SCHEMA pinferry_lock; COMMENT ON SCHEMA pinferry_lock IS '{OURS}';
                 REVOKE ALL ON SCHEMA pinferry_lock FROM PUBLIC"
            ),
        )?;
    }
    Ok(())
}

/// The row of a source, if there is one.
pub(super) fn read(session: &mut Session, source: &str) -> Result<Option<Control>, LockError> {
    if !exists(session, names::CONTROL)? {
        return Ok(None);
    }
    let rows = session.rows(
        DOING,
        concat!(
            "SELECT state, owner_kind, owner, reason, engaged_at, expected_end, changed_at, mode, successor,
                    configuration, tables, other_triggers, broken_by, expected_end < ",
            clock!(""),
            " FROM pinferry_lock.control WHERE source = $1"
        ),
        texts(&[source]),
    )?;
    rows.first().map(|row| from_row(row, source)).transpose()
}

/// Writes the row of a fresh engagement, by the server's clock, over the remains of a broken one.
pub(super) fn write(
    session: &mut Session,
    source: &str,
    new: &NewControl<'_>,
) -> Result<(), PostgresError> {
    session.batch(DOING, TABLE)?;
    remove_row(session, source)?;
    let tables = serde_json::to_string(new.tables).unwrap_or_default();
    let mut arguments = texts(&[
        source,
        new.owner.kind(),
        new.owner.name(),
        new.reason,
        new.mode.as_str(),
        new.successor,
        new.configuration,
        &tables,
        new.other_triggers,
    ]);
    let secs = i64::try_from(new.expected_secs).unwrap_or(i64::MAX);
    arguments.add(secs).expect("a number is an argument");
    session.execute(
        DOING,
        concat!(
            "INSERT INTO pinferry_lock.control (source, state, owner_kind, owner, reason, mode, successor,
               configuration, tables, other_triggers, engaged_at, changed_at, expected_end)
             VALUES ($1, 'engaged', $2, $3, $4, $5, $6, $7, $8, $9, ",
            clock!(""),
            ", ",
            clock!(""),
            ", ",
            clock!(" + $10::bigint * '1 second'::pg_catalog.interval"),
            ")"
        ),
        arguments,
    )?;
    Ok(())
}

/// The guards as they were made, by name.
pub(super) fn guards(session: &mut Session, source: &str) -> Result<Vec<Guard>, LockError> {
    let query = "SELECT guards FROM pinferry_lock.control WHERE source = $1";
    let rows = session.rows(DOING, query, texts(&[source]))?;
    let text: String = rows.first().map_or_else(String::new, |row| row.get(0));
    let guards: BTreeMap<String, String> = parsed(&text, source)?;
    let guard = |(name, definition)| Guard { name, definition };
    Ok(guards.into_iter().map(guard).collect())
}

/// Notes the guards that were made.
pub(super) fn set_guards<'g>(
    session: &mut Session,
    source: &str,
    guards: impl Iterator<Item = &'g Guard>,
) -> Result<(), PostgresError> {
    let guards: BTreeMap<&str, &str> = guards
        .map(|guard| (guard.name.as_str(), guard.definition.as_str()))
        .collect();
    let guards = serde_json::to_string(&guards).unwrap_or_default();
    let query = "UPDATE pinferry_lock.control SET guards = $2 WHERE source = $1";
    session.execute(DOING, query, texts(&[source, &guards]))?;
    Ok(())
}

/// Moves the row to another state.
pub(super) fn set_state(
    session: &mut Session,
    source: &str,
    state: LockState,
    broken_by: &str,
) -> Result<(), PostgresError> {
    session.execute(
        DOING,
        concat!(
            "UPDATE pinferry_lock.control SET state = $2, broken_by = nullif($3, ''), changed_at = ",
            clock!(""),
            " WHERE source = $1"
        ),
        texts(&[source, state.as_str(), broken_by]),
    )?;
    Ok(())
}

/// Gives the row to another owner, whose PINs go to `successor`.
pub(super) fn set_owner(
    session: &mut Session,
    source: &str,
    owner: &Owner,
    successor: &str,
) -> Result<(), PostgresError> {
    session.execute(
        DOING,
        "UPDATE pinferry_lock.control SET owner_kind = $2, owner = $3, successor = $4 WHERE source = $1",
        texts(&[source, owner.kind(), owner.name(), successor]),
    )?;
    Ok(())
}

/// Removes the row.
pub(super) fn remove(session: &mut Session, source: &str) -> Result<(), PostgresError> {
    if exists(session, names::CONTROL)? {
        remove_row(session, source)?;
    }
    Ok(())
}

/// Drops the table if no source has a row in it.
pub(super) fn drop_table(session: &mut Session) -> Result<(), PostgresError> {
    if !exists(session, names::CONTROL)? {
        return Ok(());
    }
    let query = "SELECT 1 FROM pinferry_lock.control";
    let rows = session.rows(DOING, query, PgArguments::default())?;
    if rows.is_empty() {
        session.batch(DOING, "DROP TABLE pinferry_lock.control")?;
    }
    Ok(())
}

/// Drops a schema of our own that is empty.
pub(super) fn drop_schema(session: &mut Session) -> Result<(), PostgresError> {
    let query = "SELECT 1 FROM pg_catalog.pg_namespace n
                  WHERE n.nspname = 'pinferry_lock' AND pg_catalog.pg_has_role(n.nspowner, 'USAGE')
                    AND pg_catalog.obj_description(n.oid, 'pg_namespace') = $1
                    AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_class c WHERE c.relnamespace = n.oid)
                    AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_proc p WHERE p.pronamespace = n.oid)";
    if !session.rows(DOING, query, texts(&[OURS]))?.is_empty() {
        session.batch(DOING, "DROP SCHEMA pinferry_lock")?;
    }
    Ok(())
}

fn remove_row(session: &mut Session, source: &str) -> Result<(), PostgresError> {
    let query = "DELETE FROM pinferry_lock.control WHERE source = $1";
    session.execute(DOING, query, texts(&[source]))?;
    Ok(())
}

fn from_row(row: &PgRow, source: &str) -> Result<Control, LockError> {
    let (state, kind, mode): (String, String, String) = (row.get(0), row.get(1), row.get(7));
    let tables: String = row.get(10);
    Ok(Control {
        state: LockState::by_name(&state).ok_or_else(|| unknown(source, &state))?,
        owner: Owner::stored(&kind, row.get(2)),
        reason: row.get(3),
        engaged_at: row.get(4),
        expected_end: row.get(5),
        changed_at: row.get(6),
        mode: LockMode::by_name(&mode).ok_or_else(|| unknown(source, &mode))?,
        successor: row.get(8),
        configuration: row.get(9),
        tables: parsed(&tables, source)?,
        other_triggers: row.get(11),
        broken_by: row.get(12),
        overdue: row.get(13),
    })
}

fn parsed<T: serde::de::DeserializeOwned>(text: &str, source: &str) -> Result<T, LockError> {
    serde_json::from_str(text).map_err(|_| unknown(source, text))
}

fn unknown(source: &str, word: &str) -> LockError {
    LockError::Damaged {
        source_name: source.to_owned(),
        what: vec![format!(
            "its control row holds {word:?}, which means nothing"
        )],
    }
}

/// Arguments that are texts.
pub(super) fn texts(texts: &[&str]) -> PgArguments {
    let mut arguments = PgArguments::default();
    for text in texts {
        arguments.add(*text).expect("a text is an argument");
    }
    arguments
}
