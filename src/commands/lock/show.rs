//! How locks are shown.

use serde::Serialize;
use serde_json::json;

use crate::{
    source::lock::{LockStatus, Released, TestReport},
    ui::{
        table::{render, table},
        terminal::{Format, OutputError, Terminal},
    },
};

/// Shows the lock of each source.
pub(super) fn status(terminal: &Terminal, locks: &[LockStatus]) -> Result<(), OutputError> {
    match terminal.format() {
        Format::Json => terminal.json(&json!({"locks": locks})),
        Format::Table => {
            let mut lines = Vec::new();
            for lock in locks {
                lines.push(lock.line());
                if let Some(reason) = &lock.reason {
                    lines.push(format!("  reason: {reason}"));
                }
            }
            terminal.text(&lines.join("\n"))
        }
    }
}

/// Says which locks are about to be touched.
pub(super) fn held(terminal: &Terminal, locks: &[LockStatus]) {
    for lock in locks {
        terminal.say(&lock.line());
    }
}

/// Shows every try of every test, and whether all went as they should.
pub(super) fn tests(terminal: &Terminal, reports: &[TestReport]) -> Result<(), OutputError> {
    if terminal.format() == Format::Json {
        let reports: Vec<_> = reports
            .iter()
            .map(|report| json!({"passed": report.passed(), "report": report}))
            .collect();
        return terminal.json(&json!({"tests": reports}));
    }
    if reports.is_empty() {
        return terminal.text("no source can be locked: there is nothing to test");
    }
    for report in reports {
        let mut rows = table(&["", "try", "should", "outcome"], &[]);
        for one in &report.tries {
            let verdict = if one.as_expected() { "ok" } else { "FAILED" };
            let (expected, outcome) = (one.expected.to_string(), one.outcome.to_string());
            rows.add_row([verdict, &one.what, &expected, &outcome]);
        }
        let on = if report.on_engaged_lock {
            "on the lock as it is engaged"
        } else {
            "on guards made for the test"
        };
        let failed = report.failures().len();
        let tried = report.tries.len();
        let verdict = if failed == 0 {
            format!("all {tried} tries went as they should")
        } else {
            format!("{failed} of {tried} tries FAILED")
        };
        terminal.text(&render(&rows))?;
        terminal.text(&format!("{}: {verdict}, {on}", report.source))?;
    }
    Ok(())
}

/// Shows what a release did, source by source.
pub(super) fn released(terminal: &Terminal, done: &[(&str, Released)]) -> Result<(), OutputError> {
    for (source, released) in done {
        terminal.say(&format!(
            "{source}: PIN management is open again, {} diverted PINs went back into the legacy",
            released.handed_back
        ));
        let kept = released.kept_in.as_deref().unwrap_or_default();
        for pin in &released.not_handed_back {
            terminal.say(&format!(
                "{source}: diverted PIN {} was not accepted by the legacy ({}); it is kept in table {kept}",
                pin.seq, pin.why
            ));
        }
        left_behind(terminal, source, &released.remains);
    }
    match terminal.format() {
        Format::Json => {
            let done: Vec<_> = (done.iter())
                .map(|(source, released)| ReleasedSource { source, released })
                .collect();
            terminal.json(&json!({"released": done}))
        }
        Format::Table => Ok(()),
    }
}

/// Says what could not be removed, and who may do it later.
pub(in crate::commands) fn left_behind(terminal: &Terminal, source: &str, remains: &[String]) {
    if !remains.is_empty() {
        terminal.say(&format!(
            "{source}: somebody is reading, so these stay where they are and refuse nothing: {}; \
             `pinferry lock release` removes them later",
            remains.join(", ")
        ));
    }
}

/// Shows whose locks were broken, as they were before.
pub(super) fn broken(terminal: &Terminal, were: &[LockStatus]) -> Result<(), OutputError> {
    match terminal.format() {
        Format::Json => terminal.json(&json!({"broken": were})),
        Format::Table => Ok(()),
    }
}

#[derive(Serialize)]
struct ReleasedSource<'r> {
    source: &'r str,
    #[serde(flatten)]
    released: &'r Released,
}
