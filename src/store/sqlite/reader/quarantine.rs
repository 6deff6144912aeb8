//! Who was left out, and why.

use sqlx::{Row as _, sqlite::SqliteRow};

use super::{Reader, failed};
use crate::{
    domain::quarantine::Reason,
    store::{StoreError, sqlite::run::parse},
};

const ACTION: &str = "read the quarantine";

/// Which rows are asked for.
#[derive(Clone, Debug, Default)]
pub struct QuarantineFilter {
    /// Of this source only.
    pub source: Option<String>,
    /// For this reason only.
    pub reason: Option<Reason>,
    /// In this state only.
    pub state: Option<String>,
}

/// A row of `quarantine`.
#[derive(Clone, Debug)]
pub struct Quarantined {
    /// Name of the source.
    pub source: String,
    /// The record's id.
    pub legacy_id: String,
    /// 0 but for records that share their id.
    pub copy: i64,
    /// Why.
    pub reason: String,
    /// What exactly was wrong.
    pub detail: String,
    /// `open`, `replayed` or `closed`.
    pub state: String,
    /// The record as read: personal data.
    pub payload: serde_json::Map<String, serde_json::Value>,
}

impl Reader {
    /// The rows after `after` (source, id, copy) in that order, at most `limit`.
    ///
    /// # Errors
    /// When the database fails or holds what this program does not understand.
    pub async fn quarantine(
        &mut self,
        filter: &QuarantineFilter,
        after: Option<&Quarantined>,
        limit: u32,
    ) -> Result<Vec<Quarantined>, StoreError> {
        let (source, id, copy) = match after {
            Some(row) => (row.source.as_str(), row.legacy_id.as_str(), row.copy),
            None => ("", "", -1),
        };
        let rows = sqlx::query(
            "SELECT source, legacy_id, copy, reason, detail, state, payload FROM quarantine
             WHERE (source, legacy_id, copy) > (?1, ?2, ?3)
                 AND (?4 IS NULL OR source = ?4) AND (?5 IS NULL OR reason = ?5)
                 AND (?6 IS NULL OR state = ?6)
             ORDER BY source, legacy_id, copy LIMIT ?7",
        )
        .bind(source)
        .bind(id)
        .bind(copy)
        .bind(filter.source.as_deref())
        .bind(filter.reason.map(Reason::as_str))
        .bind(filter.state.as_deref())
        .bind(limit)
        .fetch_all(&mut self.connection)
        .await
        .map_err(failed(ACTION))?;
        rows.iter().map(quarantined).collect()
    }
}

pub(super) fn quarantined(row: &SqliteRow) -> Result<Quarantined, StoreError> {
    let payload: String = row.try_get(6).map_err(failed(ACTION))?;
    let text = |column: usize| row.try_get(column).map_err(failed(ACTION));
    Ok(Quarantined {
        source: text(0)?,
        legacy_id: text(1)?,
        copy: row.try_get(2).map_err(failed(ACTION))?,
        reason: text(3)?,
        detail: text(4)?,
        state: text(5)?,
        payload: parse(&payload, "quarantine.payload")?,
    })
}
