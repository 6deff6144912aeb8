//! `lock`: the management lock by hand, for administrators.

use clap::{Args, Subcommand};

use super::{Context, failure::Failure};
use crate::{config::settings::Settings, exit::Exit, source::lock};

mod break_open;
mod engage;
mod release;
mod show;
mod status;
mod test;

/// Engage, look at, test, release or break the management lock of the legacy databases
#[derive(Debug, Args)]
pub(super) struct Lock {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    Engage(engage::Engage),
    Status(status::Status),
    Test(test::Test),
    Release(release::Release),
    Break(break_open::Break),
}

impl Lock {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        match self.what {
            What::Engage(command) => command.run(context),
            What::Status(command) => command.run(context),
            What::Test(command) => command.run(context),
            What::Release(command) => command.run(context),
            What::Break(command) => command.run(context),
        }
    }
}

pub(super) use show::left_behind;

/// Shows the lock of every source; a damaged one is no success.
fn show_locks(context: &Context, settings: &Settings) -> Result<Exit, Failure> {
    let mut locks = Vec::new();
    for source in &settings.sources {
        locks.push(lock::status(source, &settings.lock)?);
    }
    show::status(&context.terminal, &locks)?;
    Ok(if locks.iter().any(lock::LockStatus::is_damaged) {
        Exit::Failed
    } else {
        Exit::Done
    })
}
