//! `lock release`.

use clap::Args;

use super::{Context, Failure, show};
use crate::{
    commands::actor::actor,
    config::settings::{Settings, SourceSettings},
    engine::taken,
    exit::Exit,
    source::lock::{self, Leftovers, LockError, LockState, Owner, Released},
};

/// Open the legacy again: an administrator's lock, what is left of a broken one, or (--reopen) a sealed one
#[derive(Debug, Args)]
pub(super) struct Release {
    /// Open a legacy that was sealed after cut-over: from then on two systems accept changes
    #[arg(long)]
    reopen: bool,
    /// Insert diverted PINs nobody processed into the legacy again; of captures nobody processed, keep only what was revoked or suspended, against requests accepted before
    #[arg(long)]
    hand_back: bool,
    /// Whose lock it is, where that is not you
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

impl Release {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let settings = context.settings(Vec::new())?;
        let actor = self.by.unwrap_or_else(actor);
        let owner = Owner::Administrator(actor.clone());
        if self.reopen && !self.yes {
            context
                .terminal
                .confirm("The PINs have moved. Let the old application change them here again?")?;
        }
        let mut done = Vec::new();
        for source in &settings.sources {
            let keep = taken::keep(&settings, &source.rules.name, &actor);
            let leftovers = if self.hand_back {
                Leftovers::HandBack(&keep)
            } else {
                Leftovers::Refuse
            };
            let released = if self.reopen {
                reopened(&settings, source, leftovers)?
            } else {
                released(&settings, source, &owner, leftovers)?
            };
            done.extend(released.map(|released| (source.rules.name.as_str(), released)));
        }
        for source in &settings.sources {
            let name = source.rules.name.as_str();
            if !done.iter().any(|(released, _)| *released == name) {
                let remains = lock::sweep(source, &settings.lock)?;
                show::left_behind(&context.terminal, name, &remains);
            }
        }
        if done.is_empty() {
            let what = if self.reopen { "sealed" } else { "locked" };
            context.terminal.say(&format!("no source is {what}"));
        }
        show::released(&context.terminal, &done)?;
        let whole = |(_, released): &(_, Released)| released.not_handed_back.is_empty();
        Ok(if done.iter().all(whole) {
            Exit::Done
        } else {
            Exit::Failed
        })
    }
}

fn reopened(
    settings: &Settings,
    source: &SourceSettings,
    leftovers: Leftovers<'_>,
) -> Result<Option<Released>, LockError> {
    if lock::status(source, &settings.lock)?.state == LockState::Sealed {
        lock::reopen(source, &settings.lock, leftovers).map(Some)
    } else {
        Ok(None)
    }
}

/// What is left of a broken lock is nobody's, so anybody may clear it away.
fn released(
    settings: &Settings,
    source: &SourceSettings,
    owner: &Owner,
    leftovers: Leftovers<'_>,
) -> Result<Option<Released>, LockError> {
    let status = lock::status(source, &settings.lock)?;
    let broken = status.owner.filter(|_| status.state == LockState::Broken);
    let locked = lock::claim(source, &settings.lock, broken.as_ref().unwrap_or(owner))?;
    locked.map(|locked| locked.release(leftovers)).transpose()
}
