//! What became of records, as tables.

use super::table::{render, table};
use crate::{domain::activation::kind::Kind, store::reader::Fate};

/// The fate as people read it.
#[must_use]
pub fn text(fate: &Fate) -> String {
    let parts = [
        pins(fate),
        grants(fate),
        findings(fate),
        quarantine(fate),
        captures(fate),
        requests(fate),
        receipts(fate),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    parts.join("\n\n")
}

fn pins(fate: &Fate) -> Option<String> {
    let header = [
        "record",
        "was",
        "as",
        "became",
        "pin is",
        "level",
        "issued",
        "expires",
        "replaced by",
        "decided by",
    ];
    let mut rows = table(&header, &[]);
    for pin in &fate.pins {
        rows.add_row([
            format!("{}:{}", pin.source, pin.legacy_id),
            pin.legacy_status.clone(),
            right(&pin.legacy_profile, &pin.legacy_entity),
            pin.disposition.clone(),
            in_force(&pin.status, pin.awaits_run),
            pin.level.clone(),
            pin.issued_on.clone(),
            pin.expires_on.clone().unwrap_or_default(),
            pin.superseded_by.clone().unwrap_or_default(),
            pin.decided_by.to_owned(),
        ]);
    }
    (!rows.is_empty()).then(|| render(&rows))
}

fn grants(fate: &Fate) -> Option<String> {
    let mut rows = table(&["grant", "status", "level", "since", "evidence"], &[]);
    for grant in &fate.grants {
        rows.add_row([
            right(&grant.profile, &grant.entity),
            in_force(&grant.status, grant.awaits_run),
            grant.level.clone(),
            grant.valid_from.clone(),
            grant.evidence.clone(),
        ]);
    }
    (!rows.is_empty()).then(|| render(&rows))
}

fn findings(fate: &Fate) -> Option<String> {
    (!fate.findings.is_empty()).then(|| format!("findings: {}", fate.findings.join(", ")))
}

fn quarantine(fate: &Fate) -> Option<String> {
    let mut rows = table(&["left out", "copy", "reason", "detail", "state"], &[]);
    for row in &fate.quarantine {
        rows.add_row([
            format!("{}:{}", row.source, row.legacy_id),
            row.copy.to_string(),
            row.reason.clone(),
            row.detail.clone(),
            row.state.clone(),
        ]);
    }
    (!rows.is_empty()).then(|| render(&rows))
}

fn captures(fate: &Fate) -> Option<String> {
    let header = [
        "changed under the lock",
        "at",
        "what",
        "was",
        "became",
        "run",
    ];
    let mut rows = table(&header, &[]);
    for change in &fate.captures {
        rows.add_row([
            change.record.clone(),
            change.at.clone(),
            change.fields.join(", "),
            change.status_before.clone().unwrap_or_default(),
            change.status_after.clone().unwrap_or_default(),
            change.run_id.to_string(),
        ]);
    }
    (!rows.is_empty()).then(|| render(&rows))
}

fn requests(fate: &Fate) -> Option<String> {
    let header = [
        "request",
        "kind",
        "of",
        "accepted",
        "not before",
        "halves",
        "state",
        "done",
        "reason",
    ];
    let mut rows = table(&header, &[]);
    for request in &fate.requests {
        rows.add_row([
            request.request_id.clone(),
            request.kind.clone(),
            match (request.profile.as_str(), Kind::by_name(&request.kind)) {
                ("", Some(kind)) if kind.takes_away() => "everything".to_owned(),
                (profile, _) => right(profile, &request.entity),
            },
            request.accepted_at.clone(),
            request.not_before.clone(),
            request.halves_delivered.to_string(),
            request.state.clone(),
            request.done_at.clone().unwrap_or_default(),
            request.reason.clone(),
        ]);
    }
    (!rows.is_empty()).then(|| render(&rows))
}

fn receipts(fate: &Fate) -> Option<String> {
    let header = [
        "receipt", "of", "half", "outcome", "accepted", "state", "reason",
    ];
    let mut rows = table(&header, &[]);
    for receipt in &fate.receipts {
        rows.add_row([
            receipt.request_id.clone(),
            receipt.of.clone(),
            receipt.half.clone(),
            receipt.outcome.clone(),
            receipt.accepted_at.clone(),
            receipt.state.clone(),
            receipt.reason.clone(),
        ]);
    }
    (!rows.is_empty()).then(|| render(&rows))
}

/// `active`, or `active (run 2 is not cut over)`: what was taken away meanwhile goes with cut-over.
fn in_force(status: &str, awaits_run: Option<i64>) -> String {
    match awaits_run {
        None => status.to_owned(),
        Some(run_id) => format!("{status} (run {run_id} is not cut over)"),
    }
}

/// `CIT`, or `CDL for 4711`.
fn right(profile: &str, entity: &str) -> String {
    match entity {
        "" => profile.to_owned(),
        entity => format!("{profile} for {entity}"),
    }
}
