//! The control row: what the lock says about itself.

use rusqlite::{Connection, Error, OptionalExtension as _, Row, params};

use crate::{
    config::settings::LockMode,
    source::lock::{
        LockState, Owner,
        control::{Control, NewControl},
    },
};

/// One row a source, so that two sources in one database can be locked apart.
const TABLE: &str = "CREATE TABLE IF NOT EXISTS pinferry_lock (
  source TEXT PRIMARY KEY NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('engaged', 'sealed', 'broken')),
  owner_kind TEXT NOT NULL CHECK (owner_kind IN ('run', 'administrator')),
  owner TEXT NOT NULL,
  reason TEXT NOT NULL,
  engaged_at TEXT NOT NULL,
  expected_end TEXT NOT NULL,
  changed_at TEXT NOT NULL,
  mode TEXT NOT NULL CHECK (mode IN ('refuse', 'divert')),
  successor TEXT NOT NULL,
  configuration TEXT NOT NULL,
  row_counts TEXT NOT NULL,
  other_triggers TEXT NOT NULL,
  broken_by TEXT
)";

const COLUMNS: &str = "state, owner_kind, owner, reason, engaged_at, expected_end, changed_at, mode, successor, configuration, row_counts, other_triggers, broken_by, expected_end < strftime('%Y-%m-%dT%H:%M:%SZ', 'now')";

/// The row of a source, if there is one.
pub(super) fn read(connection: &Connection, source: &str) -> Result<Option<Control>, Error> {
    if !table_exists(connection, "pinferry_lock")? {
        return Ok(None);
    }
    connection
        .query_row(
            &format!("SELECT {COLUMNS} FROM pinferry_lock WHERE source = ?1"),
            [source],
            from_row,
        )
        .optional()
}

/// Writes the row of a fresh engagement, by the database's clock, over the remains of a broken one.
pub(super) fn write(
    connection: &Connection,
    source: &str,
    new: &NewControl<'_>,
) -> Result<(), Error> {
    connection.execute_batch(TABLE)?;
    let row_counts = serde_json::to_string(new.tables)
        .map_err(|error| Error::ToSqlConversionFailure(Box::new(error)))?;
    connection.execute("DELETE FROM pinferry_lock WHERE source = ?1", [source])?;
    connection.execute(
        "INSERT INTO pinferry_lock (source, state, owner_kind, owner, reason, engaged_at,
           expected_end, changed_at, mode, successor, configuration, row_counts, other_triggers)
         VALUES (?1, 'engaged', ?2, ?3, ?4, strftime('%Y-%m-%dT%H:%M:%SZ', 'now'),
           strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '+' || ?5 || ' seconds'),
           strftime('%Y-%m-%dT%H:%M:%SZ', 'now'), ?6, ?7, ?8, ?9, ?10)",
        params![
            source,
            new.owner.kind(),
            new.owner.name(),
            new.reason,
            i64::try_from(new.expected_secs).unwrap_or(i64::MAX),
            new.mode.as_str(),
            new.successor,
            new.configuration,
            row_counts,
            new.other_triggers,
        ],
    )?;
    Ok(())
}

/// Moves the row to another state.
pub(super) fn set_state(
    connection: &Connection,
    source: &str,
    state: LockState,
    broken_by: Option<&str>,
) -> Result<(), Error> {
    connection.execute(
        "UPDATE pinferry_lock SET state = ?2, broken_by = ?3,
           changed_at = strftime('%Y-%m-%dT%H:%M:%SZ', 'now') WHERE source = ?1",
        params![source, state.as_str(), broken_by],
    )?;
    Ok(())
}

/// Gives the row to another owner, whose PINs go to `successor`.
pub(super) fn set_owner(
    connection: &Connection,
    source: &str,
    owner: &Owner,
    successor: &str,
) -> Result<(), Error> {
    connection.execute(
        "UPDATE pinferry_lock SET owner_kind = ?2, owner = ?3, successor = ?4 WHERE source = ?1",
        params![source, owner.kind(), owner.name(), successor],
    )?;
    Ok(())
}

/// Removes the row, and the table with the last one.
pub(super) fn remove(connection: &Connection, source: &str) -> Result<(), Error> {
    if !table_exists(connection, "pinferry_lock")? {
        return Ok(());
    }
    connection.execute("DELETE FROM pinferry_lock WHERE source = ?1", [source])?;
    let rest: i64 =
        connection.query_row("SELECT count(*) FROM pinferry_lock", [], |row| row.get(0))?;
    if rest == 0 {
        connection.execute_batch("DROP TABLE pinferry_lock")?;
    }
    Ok(())
}

fn from_row(row: &Row<'_>) -> Result<Control, Error> {
    let owner_kind: String = row.get(1)?;
    let row_counts: String = row.get(10)?;
    Ok(Control {
        state: word(row, 0, LockState::by_name)?,
        owner: Owner::stored(&owner_kind, row.get(2)?),
        reason: row.get(3)?,
        engaged_at: row.get(4)?,
        expected_end: row.get(5)?,
        changed_at: row.get(6)?,
        mode: word(row, 7, LockMode::by_name)?,
        successor: row.get(8)?,
        configuration: row.get(9)?,
        tables: serde_json::from_str(&row_counts).map_err(|error| {
            Error::FromSqlConversionFailure(10, rusqlite::types::Type::Text, Box::new(error))
        })?,
        other_triggers: row.get(11)?,
        broken_by: row.get(12)?,
        overdue: row.get(13)?,
    })
}

fn word<T>(row: &Row<'_>, at: usize, by_name: fn(&str) -> Option<T>) -> Result<T, Error> {
    let text: String = row.get(at)?;
    by_name(&text).ok_or_else(|| {
        let unknown = format!("pinferry_lock holds the unknown word {text:?}");
        Error::FromSqlConversionFailure(at, rusqlite::types::Type::Text, unknown.into())
    })
}

/// Whether a table of this name is there.
pub(super) fn table_exists(connection: &Connection, table: &str) -> Result<bool, Error> {
    connection.query_row(
        "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1)",
        [table],
        |row| row.get(0),
    )
}
