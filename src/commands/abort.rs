//! `abort`: before cut-over, back to an open legacy.

use clap::Args;

use super::{Context, failure::Failure};
use crate::{
    engine::{
        abort::{Aborted, abort, cost},
        job::Job,
        stop::StopReason,
    },
    exit::Exit,
    store::Holder,
    ui::progress::Watcher,
};

/// Before cut-over: take the run back, hand diverted PINs back, release the lock
#[derive(Debug, Args)]
pub(super) struct Abort {
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

impl Abort {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let settings = context.settings(Vec::new())?;
        let watcher = Watcher::new(context.terminal.clone());
        let stop = context.heed_signals()?;
        let holder = Holder::this_process().stored();
        let job = Job {
            settings: &settings,
            holder: &holder,
            progress: &watcher,
            stop: &stop,
        };
        let Some(cost) = cost(&job)? else {
            context
                .terminal
                .say("the newest run is aborted already: the legacy is open");
            return Ok(Exit::Done);
        };
        context.terminal.say(&format!(
            "run {}, phase {}: {} committed records are taken out of the target, {} diverted PINs go back \
             into the legacy, and the lock is released",
            cost.run.run_id, cost.run.phase, cost.records, cost.diverted
        ));
        if !self.yes {
            context.terminal.confirm("abort this run?")?;
        }
        let aborted = abort(&job);
        watcher.finish();
        Ok(show(&aborted?, context))
    }
}

fn show(aborted: &Aborted, context: &Context) -> Exit {
    let terminal = &context.terminal;
    match aborted.stopped {
        Some(reason) => {
            terminal.say("the management lock is still held");
            terminal.next("`pinferry abort` goes on from here");
            return match reason {
                StopReason::Interrupted => Exit::Interrupted,
                StopReason::Terminated => Exit::Terminated,
            };
        }
        None => terminal.say(&format!(
            "run {} is aborted: the legacy is open again, {} diverted PINs went back into it",
            aborted.run.run_id, aborted.handed_back
        )),
    }
    for (table, kept) in &aborted.kept {
        for pin in kept {
            terminal.say(&format!(
                "diverted PIN {} was not accepted by the legacy ({}); it is kept in table {table}",
                pin.seq, pin.why
            ));
        }
    }
    if aborted.kept.is_empty() {
        Exit::Done
    } else {
        terminal.next("insert the PINs named above by hand, then drop the table they are kept in");
        Exit::Failed
    }
}
