//! Where everything stands, for people: the lock first, then the run, then what to type next.

use super::{report, table::grouped};
use crate::{
    domain::span::span,
    engine::{
        outlook::QueueState,
        state::{ControlState, LockLook, RunnerState, State},
    },
};

/// The state as people read it.
#[must_use]
pub fn text(state: &State) -> String {
    let mut lines = head(state);
    lines.extend(foot(state));
    if state.report.totals.records > 0 {
        lines.push(String::new());
        lines.push(report::text(&state.report, None));
    }
    lines.join("\n")
}

/// The locks, and where the run stands.
pub(super) fn head(state: &State) -> Vec<String> {
    let locks = state.locks.iter();
    let lock = |lock: &LockLook| match lock {
        LockLook::Known(status) => status.line(),
        LockLook::Unknown { source, error } => format!("{source}: LOCK UNKNOWN: {error}"),
    };
    let control = state.control.iter().flat_map(control);
    locks
        .map(lock)
        .chain([phase(state)])
        .chain(control)
        .collect()
}

/// Who works on it, what waits, and what to type next.
pub(super) fn foot(state: &State) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(runner) = &state.runner
        && runner.living
    {
        let RunnerState {
            holder, expires_at, ..
        } = runner;
        lines.push(if runner.gone {
            format!("{holder} worked on it, and that process is gone")
        } else {
            format!("worked on by {holder}, lease until {expires_at}")
        });
    }
    if !state.activations.is_empty() {
        let counts = state.activations.iter();
        let counts: Vec<String> = counts
            .map(|(name, count)| format!("{name} {}", grouped(*count)))
            .collect();
        lines.push(format!("requests of the counters: {}", counts.join(", ")));
    }
    lines.extend(state.queue.as_ref().and_then(queue));
    lines.push(format!("next: {}", state.next));
    lines
}

fn control(control: &ControlState) -> impl Iterator<Item = String> {
    let paused = control.paused_at.as_ref().zip(control.paused_by.as_ref());
    let paused = paused.map(|(at, by)| format!("PAUSED since {at} by {by}"));
    let rate = control
        .records_per_second
        .map(|rate| format!("throttled to {rate} records a second"));
    paused.into_iter().chain(rate)
}

fn queue(queue: &QueueState) -> Option<String> {
    let of_migrated = queue.receipts_due + queue.pending_due + queue.retired_due;
    if queue.waiting + queue.set_aside + of_migrated + queue.receipts_waiting == 0 {
        return None;
    }
    let mut line = format!(
        "queue: {} wait, {} of them due",
        grouped(queue.waiting),
        grouped(queue.due)
    );
    if let Some((since, late_secs)) = queue.oldest_due.as_ref().zip(queue.late_secs) {
        let late = span(late_secs as f64);
        line.push_str(&format!(", the oldest since {since} ({late})"));
    }
    if queue.of_nobody > 0 {
        let waiting = grouped(queue.of_nobody);
        line.push_str(&format!(", {waiting} for a holder who is not there yet"));
    }
    if queue.behind > 0 {
        let waiting = grouped(queue.behind);
        line.push_str(&format!(", {waiting} for the PIN of an earlier request"));
    }
    line.push_str(&format!("; {} set aside", grouped(queue.set_aside)));
    if of_migrated > 0 {
        let (receipts, pins) = (grouped(queue.receipts_due), grouped(queue.pending_due));
        line.push_str(&format!(
            "; {receipts} receipts to be counted, {pins} pending PINs to become active"
        ));
    }
    if queue.retired_due > 0 {
        let retired = grouped(queue.retired_due);
        line.push_str(&format!(", {retired} retired PINs to give their profile"));
    }
    if queue.receipts_waiting > 0 {
        let receipts = grouped(queue.receipts_waiting);
        line.push_str(&format!(
            "; {receipts} receipts wait for the PIN or the request they are of"
        ));
    }
    Some(line)
}

fn phase(state: &State) -> String {
    let report = &state.report;
    let Some(run_id) = report.run_id else {
        return "no run yet in this target".to_owned();
    };
    let mut line = format!("run {run_id}: {}", report.phase);
    for (what, at) in &state.times {
        line.push_str(&format!(
            ", {} {at}",
            what.trim_end_matches("_at").replace('_', " ")
        ));
    }
    if let Some(expected) = state.records_expected {
        let expected = i64::try_from(expected).unwrap_or(i64::MAX);
        let done = report.totals.records;
        if done < expected {
            line.push_str(&format!(
                "; {} of {} records committed",
                grouped(done),
                grouped(expected)
            ));
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::{QueueState, queue};

    #[test]
    fn how_late_the_queue_is_is_told_as_any_other_span() {
        let late = QueueState {
            waiting: 3,
            of_nobody: 0,
            behind: 0,
            due: 2,
            oldest_due: Some("2013-11-05T00:00:00+01:00".to_owned()),
            late_secs: Some(125),
            set_aside: 0,
            receipts_due: 0,
            pending_due: 0,
            retired_due: 0,
            receipts_waiting: 0,
        };
        assert_eq!(
            queue(&late).expect("a line"),
            "queue: 3 wait, 2 of them due, the oldest since 2013-11-05T00:00:00+01:00 (2 min 05 s); 0 set aside"
        );
    }
}
