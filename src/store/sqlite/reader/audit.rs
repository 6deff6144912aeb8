//! The audit log: read, checked, and added to by commands that hold no lease.

use sqlx::{
    ConnectOptions as _, Connection as _, query, query_as,
    sqlite::{SqliteConnectOptions, SqliteSynchronous},
};

use super::{BUSY_TIMEOUT, Reader};
use crate::{
    config::settings::TargetSettings,
    failpoint,
    store::{AuditEntry, StoreError, chain},
};

/// A row of `audit_event`.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct AuditRow {
    /// In order.
    pub audit_id: i64,
    /// When, by the database's clock.
    pub at: String,
    /// Who.
    pub actor: String,
    /// What, by a stable name.
    pub action: String,
    /// Why, in the actor's words.
    pub reason: String,
    /// What it concerned, JSON.
    pub detail: String,
    /// The SHA-256 of the row before and of this one.
    pub chain: String,
}

impl AuditRow {
    /// Whether the row follows the one that carries `before` (empty for the first) and is as it was written.
    #[must_use]
    pub fn follows(&self, before: &str) -> bool {
        self.chain
            == chain::link(
                before,
                &[
                    &self.at,
                    &self.actor,
                    &self.action,
                    &self.reason,
                    &self.detail,
                ],
            )
    }
}

const ACTION: &str = "write the audit log";

impl Reader {
    /// Up to `limit` rows after the one with id `after` (0 for the first page), in order.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn audit(&mut self, after: i64, limit: u32) -> Result<Vec<AuditRow>, StoreError> {
        query_as(
            "SELECT audit_id, at, actor, action, reason, detail, chain FROM audit_event
             WHERE audit_id > ?1 ORDER BY audit_id LIMIT ?2",
        )
        .bind(after)
        .bind(limit)
        .fetch_all(&mut self.connection)
        .await
        .map_err(StoreError::sqlx("read the audit log"))
    }
}

/// Adds a row to the audit log of an existing target; `detail` holds no personal data.
///
/// # Errors
///
/// When the database cannot be opened, stays busy or fails; nothing is added then.
pub async fn append(target: &TargetSettings, entry: &AuditEntry<'_>) -> Result<(), StoreError> {
    let TargetSettings::Sqlite(path) = target;
    let mut connection = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY_TIMEOUT)
        .connect()
        .await
        .map_err(StoreError::sqlx(ACTION))?;
    let mut transaction = connection
        .begin_with("BEGIN IMMEDIATE")
        .await
        .map_err(StoreError::sqlx(ACTION))?;
    let (at, before): (String, String) = query_as(
        "SELECT strftime('%Y-%m-%dT%H:%M:%fZ', 'now'),
             coalesce((SELECT chain FROM audit_event ORDER BY audit_id DESC LIMIT 1), '')",
    )
    .fetch_one(&mut *transaction)
    .await
    .map_err(StoreError::sqlx(ACTION))?;
    let detail = entry.detail.to_string();
    let link = chain::link(
        &before,
        &[&at, entry.actor, entry.action, entry.reason, &detail],
    );
    query(
        "INSERT INTO audit_event (at, actor, action, reason, detail, chain)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )
    .bind(at)
    .bind(entry.actor)
    .bind(entry.action)
    .bind(entry.reason)
    .bind(detail)
    .bind(link)
    .execute(&mut *transaction)
    .await
    .map_err(StoreError::sqlx(ACTION))?;
    failpoint::reached("audit.commit");
    transaction
        .commit()
        .await
        .map_err(StoreError::sqlx(ACTION))?;
    failpoint::reached("audit.committed");
    connection
        .close()
        .await
        .map_err(StoreError::sqlx("close the database"))
}
