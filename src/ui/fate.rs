//! What became of records, as tables.

use super::table::{render, table};
use crate::store::reader::Fate;

/// The fate as people read it.
#[must_use]
pub fn text(fate: &Fate) -> String {
    let parts = [pins(fate), grants(fate), findings(fate), quarantine(fate)];
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
    ];
    let mut rows = table(&header, &[]);
    for pin in &fate.pins {
        rows.add_row([
            format!("{}:{}", pin.source, pin.legacy_id),
            pin.legacy_status.clone(),
            right(&pin.legacy_profile, &pin.legacy_entity),
            pin.disposition.clone(),
            pin.status.clone(),
            pin.level.clone(),
            pin.issued_on.clone(),
            pin.expires_on.clone().unwrap_or_default(),
            pin.superseded_by.clone().unwrap_or_default(),
        ]);
    }
    (!rows.is_empty()).then(|| render(&rows))
}

fn grants(fate: &Fate) -> Option<String> {
    let mut rows = table(&["grant", "status", "level", "since", "evidence"], &[]);
    for grant in &fate.grants {
        rows.add_row([
            right(&grant.profile, &grant.entity),
            grant.status.clone(),
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

/// `CIT`, or `CDL for 4711`.
fn right(profile: &str, entity: &str) -> String {
    match entity {
        "" => profile.to_owned(),
        entity => format!("{profile} for {entity}"),
    }
}
