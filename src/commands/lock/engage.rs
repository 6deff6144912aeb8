//! `lock engage`.

use clap::Args;

use super::{Context, Failure, show_locks};
use crate::{
    commands::actor::actor,
    config::FlagKey,
    engine::locking,
    exit::Exit,
    source::lock::{HowEngaged, Owner, engage_all},
};

/// Ban PIN management in every legacy database; a later `pinferry run` takes the lock over
#[derive(Debug, Args)]
pub(super) struct Engage {
    /// Why; the application's users read it in the error message
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// How long it is expected to last, for example PT4H
    #[arg(long, value_name = "DURATION")]
    expected: Option<String>,
    /// Whose lock it is, where that is not you
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
}

impl Engage {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let expected = self.expected.map(|expected| (FlagKey::Expected, expected));
        let settings = context.settings(expected.into_iter().collect())?;
        let owner = Owner::Administrator(self.by.unwrap_or_else(actor));
        let request = locking::request_of(&settings, owner, &self.reason);
        let locks = engage_all(&settings.sources, &settings.lock, &request)?;
        for locked in locks.iter().filter(|one| one.how() == &HowEngaged::Before) {
            if locked.reason() != self.reason.trim() {
                context.terminal.say(&format!(
                    "source {}: locked by you since {} already; the reason given then, {:?} stands, because it is \
                     what the application's users read: release the lock first to give another",
                    locked.source(),
                    locked.engaged_at(),
                    locked.reason()
                ));
            }
        }
        let exit = show_locks(context, &settings)?;
        context
            .terminal
            .next("`pinferry run` takes the lock over, `pinferry lock release` opens it again");
        Ok(exit)
    }
}
