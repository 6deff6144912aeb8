//! `lock test`.

use clap::Args;

use super::{Context, Failure, show};
use crate::{exit::Exit, source::lock};

/// Try every way past the lock, and every way that must stay open, and undo each
///
/// Tries the guards of a lock that is held, or guards made for the test alone. Nothing is left behind.
/// Without a lock, others wait while guards are made and tried: in a file for a second or two at most, on a server
/// for some tenths of a second at a time.
/// Exit code 1: something got through that should not, or was refused that should pass.
#[derive(Debug, Args)]
pub(super) struct Test {}

impl Test {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let settings = context.settings(Vec::new())?;
        let mut reports = Vec::new();
        for source in &settings.sources {
            reports.extend(lock::test(source, &settings.lock)?);
        }
        show::tests(&context.terminal, &reports)?;
        if reports.iter().all(lock::TestReport::passed) {
            return Ok(Exit::Done);
        }
        context
            .terminal
            .next("do not rely on this lock: see which try failed, and what the table is like");
        Ok(Exit::Failed)
    }
}
