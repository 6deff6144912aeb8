//! `migrate-schema`: the target's tables, brought to this version.

use clap::Args;
use serde_json::json;

use super::{Context, failure::Failure};
use crate::{
    exit::Exit,
    store::{Intent, Target, TargetStanding, standing},
    ui::terminal::Format,
};

/// Create the target, or bring its tables to this version
#[derive(Debug, Args)]
pub(super) struct MigrateSchema {}

impl MigrateSchema {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let settings = context.settings(Vec::new())?;
        let done = match standing(&settings.target)? {
            TargetStanding::Absent | TargetStanding::Empty => "created",
            TargetStanding::Older => "brought to this version",
            TargetStanding::Current => "is of this version already",
        };
        drop(Target::open(&settings.target, Intent::CreateIfMissing)?);
        let (target, terminal) = (settings.target.shown(), &context.terminal);
        match terminal.format() {
            Format::Json => {
                terminal.json(&json!({"target": target, "done": done}))?;
            }
            Format::Table => terminal.say(&format!("target {target}: {done}")),
        }
        Ok(Exit::Done)
    }
}
