//! The two chained logs: what happened to a run, and who did what.

use jiff::Timestamp;
use serde_json::Value;

use super::{
    StoreError, chain,
    database::{Database, damaged, values},
};

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
    database: &Database,
    run_id: i64,
    event: &str,
    detail: &Value,
) -> Result<(), StoreError> {
    const ACTION: &str = "log an event";
    let number = database.number_in_log(ACTION, "run_event")?;
    let last = Last::read(database, ACTION, "run_event", "event_id")?;
    let detail = detail.to_string();
    let link = chain::link(
        &last.chain,
        &[&run_id.to_string(), &last.now, event, &detail],
    );
    database.execute(
        ACTION,
        "INSERT INTO run_event (event_id, run_id, at, event, detail, chain)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        values![number, run_id, last.at()?, event, &detail, &link],
    )?;
    Ok(())
}

/// Adds a row to `audit_event`.
pub(super) fn audit(database: &Database, entry: &AuditEntry<'_>) -> Result<(), StoreError> {
    const ACTION: &str = "write the audit log";
    let number = database.number_in_log(ACTION, "audit_event")?;
    let last = Last::read(database, ACTION, "audit_event", "audit_id")?;
    let detail = entry.detail.to_string();
    let link = chain::link(
        &last.chain,
        &[&last.now, entry.actor, entry.action, entry.reason, &detail],
    );
    database.execute(
        ACTION,
        "INSERT INTO audit_event (audit_id, at, actor, action, reason, detail, chain)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        values![
            number,
            last.at()?,
            entry.actor,
            entry.action,
            entry.reason,
            &detail,
            &link
        ],
    )?;
    Ok(())
}

/// The time, and the link of the last row; whoever has the number of the next one has it to himself.
struct Last {
    now: String,
    chain: String,
}

impl Last {
    fn read(
        database: &Database,
        action: &'static str,
        table: &str,
        key: &str,
    ) -> Result<Self, StoreError> {
        let newest = format!("SELECT chain FROM {table} ORDER BY {key} DESC LIMIT 1");
        let chain = match database.row(action, &newest, &[])? {
            Some(row) => row.get(0)?,
            None => String::new(),
        };
        Ok(Self {
            now: database.now()?,
            chain,
        })
    }

    fn at(&self) -> Result<Timestamp, StoreError> {
        self.now
            .parse()
            .map_err(|_| damaged("a clock without a time"))
    }
}
