//! The audit log, walked from its first entry, or exported line by line.

use std::io::Write as _;

use serde::Serialize;
use serde_json::{Value, json};

use super::{
    document::SCHEMA,
    outlet::{ExportError, Outlet},
};
use crate::store::reader::audit::AuditRow;

/// What cannot be exported when it fails.
pub const WHAT: &str = "audit log";

/// What a walk through the log has found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AuditWalk {
    /// Entries seen.
    pub entries: u64,
    /// The first entry that does not follow from the one before, or is not as it was written.
    pub breaks_at: Option<i64>,
    /// The link of the last entry: a log that was cut off at its end still ends in an earlier one.
    pub head: String,
}

impl AuditWalk {
    /// Takes the next entry, in order of id.
    pub fn step(&mut self, row: &AuditRow) {
        self.entries += 1;
        let in_turn = u64::try_from(row.audit_id).is_ok_and(|id| id == self.entries);
        if self.breaks_at.is_none() && !(in_turn && row.follows(&self.head)) {
            self.breaks_at = Some(row.audit_id);
        }
        self.head.clone_from(&row.chain);
    }

    /// Whether every entry follows.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.breaks_at.is_none()
    }
}

/// Entries as lines of JSON, under way.
#[derive(Debug)]
pub struct AuditExport {
    outlet: Outlet,
    written: u64,
}

impl AuditExport {
    /// Begins; there is no header.
    #[must_use]
    pub const fn create(outlet: Outlet) -> Self {
        Self { outlet, written: 0 }
    }

    /// Writes one entry. What it concerned stands as JSON where it is JSON, as it always should.
    ///
    /// # Errors
    /// The outlet cannot be written.
    pub fn write(&mut self, row: &AuditRow) -> Result<(), ExportError> {
        let detail =
            serde_json::from_str(&row.detail).unwrap_or_else(|_| Value::String(row.detail.clone()));
        let line = json!({
            "schema": SCHEMA,
            "audit_id": row.audit_id,
            "at": row.at,
            "actor": row.actor,
            "action": row.action,
            "reason": row.reason,
            "detail": detail,
            "chain": row.chain,
        });
        self.written += 1;
        let done = self.outlet.write_all(format!("{line}\n").as_bytes());
        done.map_err(ExportError::of(WHAT, self.outlet.to()))
    }

    /// Ends it; says how many entries it holds.
    ///
    /// # Errors
    /// The outlet cannot be written.
    pub fn finish(self) -> Result<u64, ExportError> {
        let failed = ExportError::of(WHAT, self.outlet.to());
        self.outlet.finish().map_err(failed)?;
        Ok(self.written)
    }
}
