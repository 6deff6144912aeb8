//! `verify`: read everything back, independently of what wrote it.

use std::path::PathBuf;

use clap::Args;

use super::{Context, failure::Failure, job::work};
use crate::{
    engine::run::{RunVerified, verify},
    exit::Exit,
    ui::verification,
};

/// Read sources and target again and compare them, independently of what wrote them
#[derive(Debug, Args)]
pub(super) struct Verify {
    /// Compare with what `plan --verdicts FILE` said of every record, too
    #[arg(long, value_name = "FILE")]
    verdicts: Option<PathBuf>,
}

impl Verify {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let settings = context.settings(Vec::new())?;
        let RunVerified { run, found } = work(context, &settings, |job| {
            verify(job, self.verdicts.as_deref())
        })?;
        verification::show(&found, &run.fingerprints(), &context.terminal)?;
        Ok(if found.passed() {
            Exit::Done
        } else {
            Exit::VerificationFailed
        })
    }
}
