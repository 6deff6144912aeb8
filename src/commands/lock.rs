//! `lock`: the management lock in the hands of an administrator.

use clap::{Args, Subcommand};

use super::{Context, failure::Failure, queue::actor};
use crate::{
    config::settings::Settings,
    engine::locking,
    exit::Exit,
    source::lock::{self, Leftovers, Locks, Owner, Released, engage_all},
    ui::{lock as shown, terminal::Format},
};

/// Engage, show, test, release or break the management lock
#[derive(Debug, Args)]
pub(super) struct Lock {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Ban PIN management in every legacy database; `run` adopts the lock
    Engage {
        /// Why; users of the offices' application read it in the error
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Show what holds, since when and until when, and what it refused, diverted and captured
    Status,
    /// Try every way past the lock and every way that must stay open, and undo each
    Test,
    /// Release the lock that `lock engage` engaged
    Release {
        /// Open a legacy that a finished run sealed
        #[arg(long)]
        reopen: bool,
        /// Insert diverted PINs into the legacy again
        #[arg(long)]
        hand_back: bool,
    },
    /// Remove a lock whoever holds it; its owner is told
    Break {
        /// Who answers for it
        #[arg(long, value_name = "NAME")]
        by: String,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

impl Lock {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let settings = context.settings(Vec::new())?;
        match self.action {
            Action::Engage { reason } => engage(&settings, &reason, context),
            Action::Status => status(&settings, context),
            Action::Test => test(&settings, context),
            Action::Release { reopen, hand_back } => {
                let leftovers = if hand_back {
                    Leftovers::HandBack
                } else {
                    Leftovers::Refuse
                };
                if reopen {
                    reopen_sealed(&settings, leftovers, context)
                } else {
                    release(&settings, leftovers, context)
                }
            }
            Action::Break { by, reason, yes } => {
                if !yes {
                    context.terminal.confirm(
                        "a broken lock lets anybody change PINs in the middle of a migration; break it?",
                    )?;
                }
                break_open(&settings, &by, &reason, context)
            }
        }
    }
}

fn engage(settings: &Settings, reason: &str, context: &Context) -> Result<Exit, Failure> {
    let owner = Owner::Administrator(actor());
    let request = locking::request_of(settings, owner, reason);
    engage_all(&settings.sources, &settings.lock, &request)?;
    let exit = status(settings, context)?;
    context
        .terminal
        .next("`pinferry run` adopts it, `pinferry lock release` opens it again");
    Ok(exit)
}

fn status(settings: &Settings, context: &Context) -> Result<Exit, Failure> {
    let locks = (settings.sources.iter())
        .map(|source| lock::status(source, &settings.lock))
        .collect::<Result<Vec<_>, _>>()?;
    match context.terminal.format() {
        Format::Json => context.terminal.json(&locks)?,
        Format::Table => {
            for lock in &locks {
                context.terminal.text(&lock.line())?;
            }
        }
    }
    Ok(Exit::Done)
}

fn test(settings: &Settings, context: &Context) -> Result<Exit, Failure> {
    let mut reports = Vec::new();
    for source in &settings.sources {
        reports.extend(lock::test(source, &settings.lock)?);
    }
    match context.terminal.format() {
        Format::Json => context.terminal.json(&reports)?,
        Format::Table => context.terminal.text(&shown::tries(&reports))?,
    }
    if reports.iter().all(lock::TestReport::passed) {
        Ok(Exit::Done)
    } else {
        context
            .terminal
            .next("do not run before every try ends as it should: the lock would not hold");
        Ok(Exit::Failed)
    }
}

fn release(settings: &Settings, leftovers: Leftovers, context: &Context) -> Result<Exit, Failure> {
    let owner = Owner::Administrator(actor());
    let locks = Locks::claim(&settings.sources, &settings.lock, &owner)?;
    for locked in locks.into_locked() {
        let source = locked.source().to_owned();
        say_released(&source, &locked.release(leftovers)?, context);
    }
    status(settings, context)
}

fn reopen_sealed(
    settings: &Settings,
    leftovers: Leftovers,
    context: &Context,
) -> Result<Exit, Failure> {
    for source in &settings.sources {
        if !source.location.has_nothing_to_lock() {
            let released = lock::reopen(source, &settings.lock, leftovers)?;
            say_released(&source.rules.name, &released, context);
        }
    }
    status(settings, context)
}

fn say_released(source: &str, released: &Released, context: &Context) {
    if released.handed_back > 0 {
        context.terminal.say(&format!(
            "{source}: {} diverted PINs went back into the legacy",
            released.handed_back
        ));
    }
    if let Some(table) = &released.kept_in {
        for pin in &released.not_handed_back {
            context.terminal.say(&format!(
                "{source}: diverted PIN {} was not accepted ({}); it is kept in table {table}",
                pin.seq, pin.why
            ));
        }
    }
}

fn break_open(
    settings: &Settings,
    by: &str,
    reason: &str,
    context: &Context,
) -> Result<Exit, Failure> {
    for source in &settings.sources {
        if !source.location.has_nothing_to_lock() {
            lock::break_open(source, &settings.lock, by, reason)?;
        }
    }
    status(settings, context)
}
