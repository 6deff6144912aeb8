//! `doctor`: what would fail in the window, said before it.

use std::time::SystemTime;

use clap::Args;
use serde_json::json;

use super::{Context, failure::Failure};
use crate::{
    engine::doctor::{self, Check, Verdict},
    exit::Exit,
    ui::{
        table::{render, table},
        terminal::Format,
    },
};

/// Check configuration, sources, target, disks and clock without changing anything
#[derive(Debug, Args)]
pub(super) struct Doctor {}

impl Doctor {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let settings = context.settings(Vec::new())?;
        let checks = doctor::examine(&settings, SystemTime::now());
        match context.terminal.format() {
            Format::Json => context.terminal.json(&json!({"checks": checks}))?,
            Format::Table => context.terminal.text(&as_table(&checks))?,
        }
        let exit = doctor::exit(&checks);
        if exit == Exit::Done {
            context.terminal.next("pinferry plan");
        } else {
            let failed = checks
                .iter()
                .filter(|check| check.verdict == Verdict::Failure);
            let line = format!("{} of {} checks failed", failed.count(), checks.len());
            context.terminal.say(&line);
        }
        Ok(exit)
    }
}

fn as_table(checks: &[Check]) -> String {
    let mut rows = table(&["", "what", "found"], &[]);
    for check in checks {
        let found = match &check.next {
            Some(next) => format!("{}\nnext: {next}", check.found),
            None => check.found.clone(),
        };
        rows.add_row([check.verdict.as_str(), &check.subject, &found]);
    }
    render(&rows)
}
