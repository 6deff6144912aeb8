//! `verify`: read everything back, independently of what wrote it.

use clap::Args;

use super::{Context, failure::Failure};
use crate::{
    engine::{
        job::Job,
        run::{RunVerified, verify},
    },
    exit::Exit,
    store::Holder,
    ui::{progress::Watcher, verification},
};

/// Read sources and target again and compare them, independently of what wrote them
#[derive(Debug, Args)]
pub(super) struct Verify {}

impl Verify {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let settings = context.settings(Vec::new())?;
        let stop = context.heed_signals()?;
        let watcher = Watcher::new(context.terminal.clone());
        let holder = Holder::this_process().stored();
        let job = Job {
            settings: &settings,
            holder: &holder,
            progress: &watcher,
            stop: &stop,
        };
        let verified = verify(&job);
        watcher.finish();
        let RunVerified { run, found } = verified?;
        verification::show(&found, &run.fingerprints(), &context.terminal)?;
        Ok(if found.passed() {
            Exit::Done
        } else {
            Exit::VerificationFailed
        })
    }
}
