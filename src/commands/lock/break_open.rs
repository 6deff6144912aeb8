//! `lock break`.

use clap::Args;
use serde_json::json;

use super::{Context, Failure, show};
use crate::{
    config::settings::{Settings, SourceSettings},
    exit::Exit,
    source::lock::{self, LockState, LockStatus},
    store::{AuditEntry, Reader, reader::audit},
};

/// Remove the lock whoever holds it: for emergencies, by name and with a reason
///
/// What it captured and diverted is kept. The run it belonged to stops at its next step and can only be
/// aborted. The break is written to the audit log of the target, if there is one.
#[derive(Debug, Args)]
pub(super) struct Break {
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Who answers for it
    #[arg(long, value_name = "NAME")]
    by: String,
    /// Only the lock of this source
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

impl Break {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let settings = context.settings(Vec::new())?;
        let mut held = Vec::new();
        for source in self.sources(&settings)? {
            let status = lock::status(source, &settings.lock)?;
            if status.is_held() {
                held.push((source, status));
            }
        }
        if held.is_empty() {
            context.terminal.say("no source is locked");
            show::broken(&context.terminal, &[])?;
            return Ok(Exit::Done);
        }
        let statuses: Vec<LockStatus> = held.iter().map(|(_, status)| status.clone()).collect();
        show::held(&context.terminal, &statuses);
        if !self.yes {
            context.terminal.confirm("Break the lock?")?;
        }
        let mut were = Vec::new();
        for (source, _) in held {
            let was = lock::break_open(source, &settings.lock, &self.by, &self.reason)?;
            context
                .terminal
                .say(&format!("the lock on source {:?} is broken", was.source));
            show::left_behind(&context.terminal, &was.source, &was.remains);
            self.audit(&settings, &was)?;
            were.push(was);
        }
        show::broken(&context.terminal, &were)?;
        let is_sealed = |status: &LockStatus| status.state == LockState::Sealed;
        context.terminal.next(if statuses.iter().any(is_sealed) {
            "`pinferry lock release` clears away what is left; the new model stays the valid one, and what is written to \
             the legacy from now on is not in it"
        } else {
            "`pinferry abort` takes the run back, `pinferry lock release` clears away what is left"
        });
        Ok(Exit::Done)
    }

    fn sources<'s>(&self, settings: &'s Settings) -> Result<Vec<&'s SourceSettings>, Failure> {
        let wanted = |name: &str| self.source.as_deref().is_none_or(|wanted| wanted == name);
        let sources: Vec<_> = (settings.sources.iter())
            .filter(|source| wanted(&source.rules.name))
            .collect();
        if sources.is_empty() {
            let known: Vec<&str> = (settings.sources.iter())
                .map(|source| source.rules.name.as_str())
                .collect();
            return Err(Failure::new(
                Exit::Usage,
                format!(
                    "there is no source {:?}",
                    self.source.as_deref().unwrap_or_default()
                ),
                Some(format!("the sources are {}", known.join(", "))),
            ));
        }
        Ok(sources)
    }

    /// A target that is not there yet has no log.
    fn audit(&self, settings: &Settings, was: &LockStatus) -> Result<(), Failure> {
        let detail = json!({
            "source": was.source,
            "state": was.state,
            "owner": was.owner,
            "engaged_at": was.engaged_at,
            "diverted": was.diverted_open,
            "captured": was.captured_open,
        });
        let entry = AuditEntry {
            actor: &self.by,
            action: "lock.broken",
            reason: &self.reason,
            detail: &detail,
        };
        let written =
            Reader::open(&settings.target).and_then(|_| audit::append(&settings.target, &entry));
        match written {
            Ok(()) => Ok(()),
            Err(error) if error.is_absent() => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}
