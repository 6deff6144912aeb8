//! `grants`: the SQL that gives every role its rights at the legacy databases and at the target.

use clap::Args;
use serde_json::json;

use super::{Context, failure::Failure};
use crate::{
    exit::Exit,
    source::lock::{self, Roles},
    store,
    ui::terminal::Format,
};

/// Print the SQL that gives every role the rights it needs in PostgreSQL, and no more
#[derive(Debug, Args)]
pub(super) struct Grants {
    /// The role of `pinferry run` and `pinferry lock`
    #[arg(long, value_name = "ROLE")]
    runner: String,
    /// The role of the office's application
    #[arg(long, value_name = "ROLE")]
    application: Option<String>,
    /// The role of `pinferry intake`, `pinferry activate` and `pinferry report --notices`
    #[arg(long, value_name = "ROLE")]
    activation: Option<String>,
    /// The role of whoever only plans and looks; it writes no lists of people, whose writing the audit log keeps
    #[arg(long, value_name = "ROLE")]
    reports: Option<String>,
}

impl Grants {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let settings = context.settings(Vec::new())?;
        let roles = Roles {
            runner: self.runner,
            application: self.application,
            activation: self.activation,
            reports: self.reports,
        };
        let scripts = settings.sources.iter();
        let scripts: String = scripts
            .filter_map(|source| lock::grants(source, &settings.lock, &roles))
            .collect();
        let (activation, reports) = (roles.activation.as_deref(), roles.reports.as_deref());
        let target = store::rights(&settings.target, activation, reports);
        let scripts = scripts + &target.unwrap_or_default();
        match context.terminal.format() {
            Format::Json => context.terminal.json(&json!({"sql": scripts}))?,
            Format::Table if scripts.is_empty() => {
                context
                    .terminal
                    .say("neither a source nor the target is a PostgreSQL database");
            }
            Format::Table => context.terminal.text(&scripts)?,
        }
        Ok(Exit::Done)
    }
}
