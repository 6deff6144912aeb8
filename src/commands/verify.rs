//! `verify`: read everything back, independently of what wrote it.

use clap::Args;

use super::{Context, failure::Failure, job::work};
use crate::{
    engine::run::{RunVerified, verify},
    exit::Exit,
    ui::verification,
};

/// Read sources and target again and compare them, independently of what wrote them
#[derive(Debug, Args)]
pub(super) struct Verify {}

impl Verify {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let settings = context.settings(Vec::new())?;
        let RunVerified { run, found } = work(context, &settings, verify)?;
        verification::show(&found, &run.fingerprints(), &context.terminal)?;
        Ok(if found.passed() {
            Exit::Done
        } else {
            Exit::VerificationFailed
        })
    }
}
