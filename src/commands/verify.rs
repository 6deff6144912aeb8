//! `verify`: read everything back, independently of what wrote it.

use clap::Args;

use super::{Context, failure::Failure};
use crate::{
    engine::{
        job::Job,
        overrule::overrule,
        run::{RunVerified, verify},
    },
    exit::Exit,
    store::Holder,
    ui::{progress::Watcher, verification},
};

/// Read sources and target again and compare them, independently of what wrote them
#[derive(Debug, Args)]
pub(super) struct Verify {
    /// Let a run go on whose verification failed: who answers for it
    #[arg(long, value_name = "NAME", requires = "reason")]
    overrule_by: Option<String>,
    /// Why; both go into the audit log
    #[arg(long, value_name = "TEXT", requires = "overrule_by")]
    reason: Option<String>,
}

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
        if let (Some(actor), Some(reason)) = (&self.overrule_by, &self.reason) {
            let run = overrule(&job, actor, reason)?;
            context.terminal.say(&format!(
                "run {}: its failed verification is overruled, and the audit log says by whom and why",
                run.run_id
            ));
            context.terminal.next("`pinferry run` cuts over");
            return Ok(Exit::Done);
        }
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
