//! `run`: the whole maintenance job.

use std::path::PathBuf;

use clap::Args;

use super::{
    Context,
    failure::Failure,
    job::work,
    tuning::Tuning,
    window::{self, Standing},
};
use crate::{
    config::settings::SourceSettings,
    engine::{
        plan_file::PlanFile,
        report::Report,
        run::{IfHeld, Overrule, RunEnd, RunOptions, RunOutcome, RunUntil, run},
        stop::StopReason,
    },
    exit::Exit,
    store::RunPhase,
    ui::{report, verification},
};

/// Lock, load, index, verify, cut over, seal; the same command resumes what was interrupted
#[derive(Debug, Args)]
pub(super) struct Run {
    /// Carry out this saved plan, and refuse if source, configuration or catalogue drifted from it
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,
    /// Stop before cut-over, the lock held
    #[arg(long)]
    hold: bool,
    /// Wait while another process works on the run, and finish it if that one dies
    #[arg(long)]
    wait: bool,
    /// Stop in time to be done by then, and go on with the same command another time: 05:30, or 2013-11-04T05:30, in
    /// activation.time_zone
    #[arg(long, value_name = "TIME", conflicts_with = "window")]
    until: Option<String>,
    /// Work in this window only: `Sun 00:00-06:00 Europe/Rome`, `Mon-Fri 22:00-05:00`; outside it nothing is done
    #[arg(long, value_name = "WINDOW")]
    window: Option<String>,
    /// For cron: end with 0 where nothing is to be done, the job being finished, its window closed, or another process at
    /// work on it
    #[arg(long, conflicts_with = "wait")]
    if_due: bool,
    /// Go on although verification fails: who answers for it
    #[arg(long, value_name = "NAME", requires = "reason")]
    overrule_by: Option<String>,
    /// Why; name and reason go into the audit log
    #[arg(long, value_name = "TEXT", requires = "overrule_by")]
    reason: Option<String>,
    #[command(flatten)]
    tuning: Tuning,
}

impl Run {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let settings = context.settings(self.tuning.flags())?;
        let options = RunOptions {
            plan: self.plan.as_deref().map(PlanFile::read).transpose()?,
            until: if self.hold {
                RunUntil::Verified
            } else {
                RunUntil::Finished
            },
            overrule: (self.overrule_by.zip(self.reason))
                .map(|(by, reason)| Overrule { by, reason }),
            if_held: if self.wait {
                IfHeld::Wait
            } else {
                IfHeld::Refuse
            },
        };
        let schedule = &settings.activation.schedule;
        let closes = match (&self.until, &self.window) {
            (Some(until), _) => Some(window::until(until, schedule)?),
            (None, Some(window)) => match window::standing(window, schedule)? {
                Standing::Open { closes } => Some(closes),
                Standing::Closed { words } => {
                    context.terminal.say(&words);
                    return Ok(if self.if_due {
                        Exit::Done
                    } else {
                        Exit::Stopped
                    });
                }
            },
            (None, None) => None,
        };
        let outcome = work(context, &settings, |job| {
            if let Some(closes) = closes {
                job.stop.close_at(closes);
            }
            match run(job, &options) {
                Err(error) if self.if_due && error.is_held() => Ok(Err(error)),
                ended => ended.map(Ok),
            }
        })?;
        let outcome = match outcome {
            Ok(outcome) => outcome,
            Err(held) => {
                context.terminal.say(&held.to_string());
                return Ok(Exit::Done);
            }
        };
        if self.if_due && matches!(outcome.end, RunEnd::WasFinished) {
            let run_id = outcome.run.run_id;
            context
                .terminal
                .say(&format!("run {run_id} is finished; nothing is due"));
            return Ok(Exit::Done);
        }
        let extract = |source: &SourceSettings| source.location.has_nothing_to_lock();
        let lockable = match settings.sources.iter().all(extract) {
            true => Lockable::Nothing,
            false => Lockable::Some,
        };
        show(&outcome, lockable, context)
    }
}

/// Whether any source has something to lock.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lockable {
    Nothing,
    Some,
}

fn show(outcome: &RunOutcome, lockable: Lockable, context: &Context) -> Result<Exit, Failure> {
    let terminal = &context.terminal;
    let resume = "`pinferry run` goes on from here, `pinferry abort` takes it back";
    let under_way = outcome.run.phase != RunPhase::Created && !outcome.run.phase.is_over();
    if under_way && lockable == Lockable::Some {
        terminal.say("the management lock is still held");
    }
    if let RunEnd::VerificationFailed(found) = &outcome.end {
        verification::show(found, &outcome.run.fingerprints(), terminal)?;
    } else {
        let run = &outcome.run;
        let report = Report::new(
            Some(run.run_id),
            run.phase.as_str(),
            &outcome.tally,
            &run.fingerprints(),
        );
        report::show(&report, None, terminal)?;
    }
    let (exit, next) = match &outcome.end {
        RunEnd::Finished | RunEnd::WasFinished if outcome.tally.quarantined() > 0 => (
            Exit::DoneWithQuarantine,
            "`pinferry quarantine list` shows who was left out and why",
        ),
        RunEnd::Finished | RunEnd::WasFinished => (
            Exit::Done,
            "`pinferry activate`, from cron every few minutes",
        ),
        RunEnd::Held => {
            terminal.say("verified, and held before cut-over as asked");
            (Exit::Stopped, resume)
        }
        RunEnd::Stopped(reason) => {
            if *reason == StopReason::WindowCloses {
                terminal.say(&format!(
                    "stopped before the window closes; `pinferry abort` would take out {} records that are loaded",
                    outcome.tally.records()
                ));
            }
            (reason.exit(), resume)
        }
        RunEnd::TooManyQuarantined { ratio, limit } => {
            terminal.say(&format!(
                "stopped before cut-over: {:.2} % of the records are quarantined, more than \
                 run.max_quarantine_ratio ({:.2} %) accepts",
                ratio * 100.0,
                limit * 100.0
            ));
            (
                Exit::Failed,
                "look at `pinferry quarantine list`; then raise run.max_quarantine_ratio and type `pinferry \
                 run`, or take it back with `pinferry abort`",
            )
        }
        RunEnd::VerificationFailed(_) => (
            Exit::VerificationFailed,
            "mend what is named and type `pinferry run` to verify again, or take it back with `pinferry abort`",
        ),
    };
    terminal.next(next);
    Ok(exit)
}
