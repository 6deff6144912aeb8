//! A report as tables.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    comparison,
    table::{grouped, render, table},
    terminal::{Format, OutputError, Terminal},
};
use crate::engine::report::{Compared, Report};

/// A report, with what changed since an earlier one where that was asked for.
#[derive(Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    report: &'a Report,
    #[serde(skip_serializing_if = "Option::is_none")]
    compared: Option<&'a Compared>,
}

/// Writes a report to standard output as the terminal is asked to.
///
/// # Errors
/// Standard output failed.
pub fn show(
    report: &Report,
    compared: Option<&Compared>,
    terminal: &Terminal,
) -> Result<(), OutputError> {
    match terminal.format() {
        Format::Json => terminal.json(&Document { report, compared }),
        Format::Table => terminal.text(&text(report, compared)),
    }
}

/// The report as people read it.
#[must_use]
pub fn text(report: &Report, compared: Option<&Compared>) -> String {
    let mut head = match report.run_id {
        Some(run) => format!("run {run}, {}", report.phase),
        None => report.phase.clone(),
    };
    head.push_str(&format!("\ndigest {}", report.digest));
    let parts = [
        Some(head),
        Some(sources(report)),
        Some(totals(report)),
        counts(
            "quarantine",
            report.quarantine.iter().map(|(k, n)| (k.as_str(), *n)),
        ),
        counts(
            "finding",
            report.findings.iter().map(|(k, n)| (k.as_str(), *n)),
        ),
        compared.map(comparison::text),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    parts.join("\n\n")
}

fn sources(report: &Report) -> String {
    let header = [
        "source",
        "records",
        "migrated",
        "quarantined",
        "fingerprint",
    ];
    let mut rows = table(&header, &[1, 2, 3]);
    for (name, source) in &report.sources {
        let quarantined: i64 = source.quarantine.values().sum();
        rows.add_row([
            name.clone(),
            grouped(source.records),
            grouped(source.records - quarantined),
            grouped(quarantined),
            source
                .fingerprint
                .map_or_else(|| "-".to_owned(), |digest| digest.to_string()),
        ]);
    }
    if report.sources.len() > 1 {
        let totals = &report.totals;
        rows.add_row([
            "all".to_owned(),
            grouped(totals.records),
            grouped(totals.records - totals.quarantined),
            grouped(totals.quarantined),
            String::new(),
        ]);
    }
    render(&rows)
}

fn totals(report: &Report) -> String {
    let totals = &report.totals;
    let mut rows = table(&["migrated", "rows", "of which"], &[1]);
    rows.add_row(["persons".to_owned(), grouped(totals.persons), String::new()]);
    let pins = totals.pins.iter().map(|(status, n)| (status.as_str(), *n));
    rows.add_row(line("pins", &pins.collect()));
    let grants = totals
        .grants
        .iter()
        .map(|(status, n)| (status.as_str(), *n));
    rows.add_row(line("grants", &grants.collect()));
    rows.add_row([
        "delegations".to_owned(),
        grouped(totals.delegations),
        String::new(),
    ]);
    render(&rows)
}

fn line(what: &str, by_status: &BTreeMap<&str, i64>) -> [String; 3] {
    let parts: Vec<String> = by_status
        .iter()
        .map(|(status, count)| format!("{status} {}", grouped(*count)))
        .collect();
    let all = by_status.values().sum();
    [what.to_owned(), grouped(all), parts.join(", ")]
}

fn counts<'r>(title: &str, counts: impl Iterator<Item = (&'r str, i64)>) -> Option<String> {
    let mut rows = table(&[title, "records"], &[1]);
    for (name, count) in counts {
        rows.add_row([name.to_owned(), grouped(count)]);
    }
    (!rows.is_empty()).then(|| render(&rows))
}
