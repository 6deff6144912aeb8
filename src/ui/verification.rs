//! What a verification came to, as tables or JSON.

use serde::Serialize;

use super::{
    report,
    table::{grouped, render, table},
    terminal::{Format, OutputError, Terminal},
};
use crate::{
    domain::digest::Digest,
    engine::{
        report::Report,
        verify::{Mismatch, Verification},
    },
};

/// The report of what was read back, and what was found wrong with it.
#[derive(Serialize)]
struct Document<'v> {
    #[serde(flatten)]
    report: Report,
    passed: bool,
    mismatches: &'v [Mismatch],
    changed_since: &'v [Mismatch],
    canaries: u64,
    verdicts: u64,
    notes: &'v [String],
}

/// Writes a verification to standard output as the terminal is asked to.
///
/// # Errors
/// Standard output failed.
pub fn show(
    found: &Verification,
    fingerprints: &[(String, Option<Digest>)],
    terminal: &Terminal,
) -> Result<(), OutputError> {
    let report = Report::new(Some(found.run_id), &found.phase, &found.found, fingerprints);
    match terminal.format() {
        Format::Json => terminal.json(&Document {
            report,
            passed: found.passed(),
            mismatches: &found.mismatches,
            changed_since: &found.changed_since,
            canaries: found.canaries,
            verdicts: found.verdicts,
            notes: &found.notes,
        }),
        Format::Table => terminal.text(&text(found, &report)),
    }
}

fn text(found: &Verification, report: &Report) -> String {
    let mut parts = Vec::new();
    if found.passed() {
        parts.push(report::text(report, None));
        parts.push("verified: everything read back is as it was committed".to_owned());
    } else {
        parts.push(format!(
            "run {}, {}: verification failed\n\n{}",
            found.run_id,
            found.phase,
            mismatches(&found.mismatches)
        ));
    }
    if !found.changed_since.is_empty() {
        parts.push(format!(
            "changed since cut-over\n\n{}",
            mismatches(&found.changed_since)
        ));
    }
    for (cause, times) in &found.ledger {
        parts.push(format!(
            "changed by pinferry since cut-over: {cause}, {times} times"
        ));
    }
    if found.canaries > 0 {
        parts.push(format!("known PINs found as expected: {}", found.canaries));
    }
    if found.verdicts > 0 && found.passed() {
        let verdicts = i64::try_from(found.verdicts).unwrap_or(i64::MAX);
        parts.push(format!(
            "verdicts of the dry run that came true: {}",
            grouped(verdicts)
        ));
    }
    parts.extend(found.notes.iter().cloned());
    parts.join("\n\n")
}

fn mismatches(found: &[Mismatch]) -> String {
    let mut rows = table(&["what", "where", "count", "examples", "what to do"], &[2]);
    for mismatch in found {
        rows.add_row([
            mismatch.what.clone(),
            mismatch.subject.clone(),
            grouped(i64::try_from(mismatch.count).unwrap_or(i64::MAX)),
            mismatch.examples.join("\n"),
            mismatch.advice.to_owned(),
        ]);
    }
    render(&rows)
}
