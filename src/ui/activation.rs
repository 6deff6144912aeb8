//! How the queue of requests is shown.

use super::{
    table::{render, table},
    terminal::{Format, OutputError, Terminal},
};
use crate::engine::{activate::Drained, intake::Intake};

/// Shows the decision on each request.
///
/// # Errors
/// Standard output failed.
pub fn show_intake(terminal: &Terminal, intake: &Intake) -> Result<(), OutputError> {
    match terminal.format() {
        Format::Json => terminal.json(intake),
        Format::Table => {
            let mut table = table(&["line", "request", "state", "active from", "reason"], &[0]);
            for answer in &intake.requests {
                let state = if answer.known {
                    format!("{} (known)", answer.state)
                } else {
                    answer.state.to_string()
                };
                table.add_row([
                    answer.line.to_string(),
                    answer.request_id.clone(),
                    state,
                    answer.not_before.clone().unwrap_or_default(),
                    answer.reason.clone().unwrap_or_default(),
                ]);
            }
            terminal.text(&render(&table))?;
            terminal.text(&format!(
                "{} accepted, {} refused",
                intake.accepted, intake.refused
            ))
        }
    }
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
        return terminal.text(&format!("nothing takes effect yet: {why}"));
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
        "{} requests took effect, {} did not, {} pending PINs became active; \
         waiting: {} for their day, {} for the second half, {} for another try",
        drained.activated,
        drained.failed.len(),
        drained.pending_activated,
        waiting.for_their_day,
        waiting.for_halves,
        waiting.for_another_try,
    ))
}
