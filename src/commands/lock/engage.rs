//! `lock engage`.

use clap::Args;

use super::{Context, Failure, show_locks};
use crate::{
    commands::actor::actor,
    config::FlagKey,
    engine::locking,
    exit::Exit,
    source::lock::{Owner, engage_all},
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
        engage_all(&settings.sources, &settings.lock, &request)?;
        let exit = show_locks(context, &settings)?;
        context
            .terminal
            .next("`pinferry run` takes the lock over, `pinferry lock release` opens it again");
        Ok(exit)
    }
}
