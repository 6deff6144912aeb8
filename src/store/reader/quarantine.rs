//! Who was left out, and why.

use super::Reader;
use crate::{
    domain::quarantine::Reason,
    store::{
        StoreError,
        database::{Row, values},
        json::parse,
    },
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
    pub fn quarantine(
        &self,
        filter: &QuarantineFilter,
        after: Option<&Quarantined>,
        limit: u32,
    ) -> Result<Vec<Quarantined>, StoreError> {
        let (source, id, copy) = match after {
            Some(row) => (row.source.as_str(), row.legacy_id.as_str(), row.copy),
            None => ("", "", -1),
        };
        let rows = self.database.rows(
            ACTION,
            "SELECT source, legacy_id, copy, reason, detail, state, payload FROM quarantine
             WHERE (source, legacy_id, copy) > (?1, ?2, ?3)
                 AND (?4 IS NULL OR source = ?4) AND (?5 IS NULL OR reason = ?5)
                 AND (?6 IS NULL OR state = ?6)
             ORDER BY source, legacy_id, copy LIMIT ?7",
            values![
                source,
                id,
                copy,
                &filter.source,
                filter.reason.map(Reason::as_str),
                &filter.state,
                limit
            ],
        )?;
        rows.iter().map(quarantined).collect()
    }
}

fn quarantined(row: &Row) -> Result<Quarantined, StoreError> {
    let mut columns = row.columns();
    Ok(Quarantined {
        source: columns.next()?,
        legacy_id: columns.next()?,
        copy: columns.next()?,
        reason: columns.next()?,
        detail: columns.next()?,
        state: columns.next()?,
        payload: parse(&columns.next::<String>()?, "quarantine.payload")?,
    })
}
