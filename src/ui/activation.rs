//! How the queue of requests is shown.

use super::{
    table::{render, table},
    terminal::{Format, OutputError, Terminal},
};
use crate::{
    engine::{activate::Drained, intake::Intake, outlook::Outlook},
    store::activation::Readiness,
};

/// Shows the decision on each request.
///
/// # Errors
/// Standard output failed.
pub fn show_intake(terminal: &Terminal, intake: &Intake) -> Result<(), OutputError> {
    match terminal.format() {
        Format::Json => terminal.json(intake),
        Format::Table => {
            let mut table = table(
                &["line", "request", "kind", "state", "active from", "reason"],
                &[0],
            );
            for answer in &intake.requests {
                let state = if answer.known {
                    format!("{} (known)", answer.state)
                } else {
                    answer.state.to_string()
                };
                table.add_row([
                    answer.line.to_string(),
                    answer.request_id.clone(),
                    answer.kind.to_string(),
                    state,
                    answer.not_before.clone().unwrap_or_default(),
                    answer.reason.clone().unwrap_or_default(),
                ]);
            }
            terminal.text(&render(&table))?;
            let failed = match intake.failed {
                0 => String::new(),
                failed => format!(", {failed} failed"),
            };
            terminal.text(&format!(
                "{} accepted, {} refused{failed}",
                intake.accepted, intake.refused
            ))
        }
    }
}

/// Shows what the next drain would do.
///
/// # Errors
/// Standard output failed.
pub fn show_outlook(terminal: &Terminal, outlook: &Outlook) -> Result<(), OutputError> {
    if terminal.format() == Format::Json {
        return terminal.json(outlook);
    }
    if !outlook.requests.is_empty() {
        let mut table = table(&["request", "kind", "state", "due at", "why not yet"], &[]);
        for request in &outlook.requests {
            let why: Vec<&str> = request.why_not_yet.iter().map(|why| why.as_str()).collect();
            table.add_row([
                request.request_id.as_str(),
                request.kind.as_str(),
                request.state.as_str(),
                &request.due_at,
                &why.join(", "),
            ]);
        }
        terminal.text(&render(&table))?;
    }
    if let Some(why) = &outlook.not_yet {
        terminal.text(&not_yet(outlook.waits_for.as_ref(), why))?;
    }
    let waiting = outlook.waiting.iter();
    let waiting: Vec<String> = waiting
        .map(|(why, count)| format!("{count} {why}"))
        .collect();
    terminal.text(&format!(
        "nothing was changed; due: {} requests, {} receipts, {} pending PINs{}; waiting: {}{}",
        outlook.due,
        outlook.receipts_due,
        outlook.pending_due,
        match outlook.retired_due {
            0 => String::new(),
            some => format!(", {some} retired PINs that give their profile"),
        },
        match waiting.as_slice() {
            [] => "none".to_owned(),
            some => some.join(", "),
        },
        match outlook.receipts_waiting {
            0 => String::new(),
            some => format!("; {some} receipts wait for the PIN or the request they are of"),
        }
    ))
}

/// Shows what a drain did.
///
/// # Errors
/// Standard output failed.
pub fn show_drained(terminal: &Terminal, drained: &Drained) -> Result<(), OutputError> {
    if terminal.format() == Format::Json {
        return terminal.json(drained);
    }
    if let Some(why) = &drained.not_yet {
        terminal.text(&not_yet(drained.waits_for.as_ref(), why))?;
        if drained.activated == 0 && drained.failed.is_empty() {
            return Ok(());
        }
    }
    if !drained.failed.is_empty() {
        let mut table = table(&["request", "reason", "tried again"], &[]);
        for failed in &drained.failed {
            let again = if failed.tried_again { "yes" } else { "no" };
            table.add_row([failed.request_id.as_str(), failed.reason.as_str(), again]);
        }
        terminal.text(&render(&table))?;
    }
    let waiting = &drained.waiting;
    terminal.text(&format!(
        "{} requests took effect, {} did not, {} pending PINs became active{}{}; \
         waiting: {} for their day, {} for the second half{}{}, {} for another try",
        drained.activated,
        drained.failed.len(),
        drained.pending_activated,
        match drained.retired_delivered {
            0 => String::new(),
            some => format!(", {some} retired PINs gave their profile"),
        },
        match drained.receipts {
            0 => String::new(),
            some => format!(", {some} receipts were answered"),
        },
        waiting.for_their_day,
        waiting.for_halves,
        match waiting.for_their_holder {
            0 => String::new(),
            some => format!(", {some} for their holder"),
        },
        match waiting.for_earlier_requests {
            0 => String::new(),
            some => format!(", {some} for the PIN of an earlier request"),
        },
        waiting.for_another_try,
    ))
}

/// That nothing takes effect yet, or nothing but what takes away.
fn not_yet(waits_for: Option<&Readiness>, why: &str) -> String {
    let what = match waits_for {
        Some(Readiness::Merging { .. }) => "nothing but revocations and suspensions",
        _another => "nothing",
    };
    format!("{what} takes effect yet: {why}")
}
