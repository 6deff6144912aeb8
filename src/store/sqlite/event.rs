//! The two chained logs: what happened to a run, and who did what.

use rusqlite::{Connection, OptionalExtension as _, params};
use serde_json::Value;

use super::connection::NOW;
use crate::store::{StoreError, chain};

/// Something an administrator answers for.
#[derive(Clone, Copy, Debug)]
pub struct AuditEntry<'a> {
    /// Who.
    pub actor: &'a str,
    /// What, by a stable name.
    pub action: &'a str,
    /// Why, in the actor's words.
    pub reason: &'a str,
    /// What it concerned.
    pub detail: &'a Value,
}

/// Adds a row to `run_event`.
pub(super) fn append(
    connection: &Connection,
    run_id: i64,
    event: &str,
    detail: &Value,
) -> Result<(), StoreError> {
    let failed = StoreError::sqlite;
    let action = "log an event";
    let (at, before) = last(connection, "run_event", "event_id").map_err(failed(action))?;
    let detail = detail.to_string();
    let link = chain::link(&before, &[&run_id.to_string(), &at, event, &detail]);
    connection
        .prepare_cached(
            "INSERT INTO run_event (run_id, at, event, detail, chain) VALUES (?1, ?2, ?3, ?4, ?5)",
        )
        .and_then(|mut statement| statement.execute(params![run_id, at, event, detail, link]))
        .map_err(failed(action))?;
    Ok(())
}

/// Adds a row to `audit_event`.
pub(super) fn audit(connection: &Connection, entry: &AuditEntry<'_>) -> Result<(), StoreError> {
    let failed = StoreError::sqlite;
    let action = "write the audit log";
    let (at, before) = last(connection, "audit_event", "audit_id").map_err(failed(action))?;
    let detail = entry.detail.to_string();
    let link = chain::link(
        &before,
        &[&at, entry.actor, entry.action, entry.reason, &detail],
    );
    connection
        .execute(
            "INSERT INTO audit_event (at, actor, action, reason, detail, chain)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![at, entry.actor, entry.action, entry.reason, detail, link],
        )
        .map_err(failed(action))?;
    Ok(())
}

/// The time, and the link of the last row.
fn last(connection: &Connection, table: &str, key: &str) -> rusqlite::Result<(String, String)> {
    let at = connection.query_row(&format!("SELECT {NOW}"), [], |row| row.get(0))?;
    let before = connection
        .query_row(
            &format!("SELECT chain FROM {table} ORDER BY {key} DESC LIMIT 1"),
            [],
            |row| row.get(0),
        )
        .optional()?
        .unwrap_or_default();
    Ok((at, before))
}
