//! What happened to records and people beside the migration: changes under the lock, requests and receipts.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{
    Reader,
    fate::{Fate, shown_name},
};
use crate::{
    domain::{activation::standing::ACTIVATION_SOURCE, record_name::shown_id},
    store::{StoreError, database::values},
};

const ACTION: &str = "look for what happened since";

/// A change of a record that the lock let through.
#[derive(Clone, Debug, Serialize)]
pub struct CaptureFate {
    /// `source:id`.
    pub record: String,
    /// When, by the legacy's clock.
    pub at: String,
    /// The run that judged the person again.
    pub run_id: i64,
    /// Which fields changed.
    pub fields: Vec<String>,
    /// What the PIN was.
    pub status_before: Option<String>,
    /// What it was afterwards.
    pub status_after: Option<String>,
}

/// A row of `delayed_activation`.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "named after the columns")]
pub struct RequestFate {
    pub request_id: String,
    pub kind: String,
    pub origin: String,
    pub profile: String,
    pub entity: String,
    pub state: String,
    pub reason: String,
    pub halves_delivered: i64,
    pub attempts: i64,
    pub accepted_at: String,
    pub not_before: String,
    pub done_at: Option<String>,
}

/// A row of `delivery_receipt`.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "named after the columns")]
pub struct ReceiptFate {
    pub request_id: String,
    /// `source:id` of the PIN; that of a request is `activation:REQUEST`.
    pub of: String,
    pub half: String,
    pub outcome: String,
    pub state: String,
    pub reason: String,
    pub accepted_at: String,
}

impl Reader {
    /// Adds what happened to the records and under the codes of a fate.
    pub(super) fn add_story(&self, fate: &mut Fate) -> Result<(), StoreError> {
        let mut names = fate.records.clone();
        for (source, legacy_id) in &fate.records {
            fate.captures.extend(self.captures(source, legacy_id)?);
        }
        fate.captures.sort_by(|one, other| one.at.cmp(&other.at));
        let mut requests = Vec::new();
        for code in &fate.codes {
            requests.extend(self.requests("fiscal_code", code)?);
        }
        if let Some(request_id) = &fate.request {
            // Receipts may have come before it, or for none.
            names.insert((ACTIVATION_SOURCE.to_owned(), request_id.clone()));
            if requests.iter().all(|(id, _)| id != request_id) {
                requests.extend(self.requests("request_id", request_id)?);
            }
        }
        for (request_id, request) in requests {
            names.insert((ACTIVATION_SOURCE.to_owned(), request_id));
            fate.requests.push(request);
        }
        (fate.requests).sort_by(|one, other| one.accepted_at.cmp(&other.accepted_at));
        fate.receipts = self.receipts(&names)?;
        Ok(())
    }

    fn captures(&self, source: &str, legacy_id: &str) -> Result<Vec<CaptureFate>, StoreError> {
        let rows = self.database.rows(
            ACTION,
            "SELECT at, run_id, fields, status_before, status_after FROM captured_change
             WHERE source = ?1 AND legacy_id = ?2 ORDER BY at, seq",
            values![source, legacy_id],
        )?;
        rows.iter()
            .map(|row| {
                let mut columns = row.columns();
                Ok(CaptureFate {
                    record: shown_name(source, legacy_id),
                    at: columns.next()?,
                    run_id: columns.next()?,
                    fields: (columns.next::<String>()?.split_whitespace())
                        .map(str::to_owned)
                        .collect(),
                    status_before: columns.next()?,
                    status_after: columns.next()?,
                })
            })
            .collect()
    }

    /// The requests of which a column is this text.
    fn requests(&self, column: &str, text: &str) -> Result<Vec<(String, RequestFate)>, StoreError> {
        let rows = self.database.rows(
            ACTION,
            &format!(
                "SELECT request_id, kind, origin, profile, entity, state, reason, halves_delivered, attempts,
                     accepted_at, not_before, done_at
                 FROM delayed_activation WHERE {column} = ?1 ORDER BY accepted_at, activation_id"
            ),
            values![text],
        )?;
        rows.iter()
            .map(|row| {
                let mut columns = row.columns();
                let request_id: String = columns.next()?;
                let fate = RequestFate {
                    request_id: shown_id(&request_id).into_owned(),
                    kind: columns.next()?,
                    origin: columns.next()?,
                    profile: columns.next()?,
                    entity: columns.next()?,
                    state: columns.next()?,
                    reason: columns.next()?,
                    halves_delivered: columns.next()?,
                    attempts: columns.next()?,
                    accepted_at: columns.next()?,
                    not_before: columns.next()?,
                    done_at: columns.next()?,
                };
                Ok((request_id, fate))
            })
            .collect()
    }

    fn receipts(&self, names: &BTreeSet<(String, String)>) -> Result<Vec<ReceiptFate>, StoreError> {
        let mut receipts = Vec::new();
        for (source, id) in names {
            let rows = self.database.rows(
                ACTION,
                "SELECT request_id, half, outcome, state, reason, accepted_at FROM delivery_receipt
                 WHERE of_source = ?1 AND of_legacy_id = ?2 OR of_request = ?2 AND ?1 = ?3
                 ORDER BY accepted_at, receipt_id",
                values![source, id, ACTIVATION_SOURCE],
            )?;
            for row in &rows {
                let mut columns = row.columns();
                receipts.push(ReceiptFate {
                    request_id: shown_id(&columns.next::<String>()?).into_owned(),
                    of: shown_name(source, id),
                    half: columns.next()?,
                    outcome: columns.next()?,
                    state: columns.next()?,
                    reason: columns.next()?,
                    accepted_at: columns.next()?,
                });
            }
        }
        Ok(receipts)
    }
}
