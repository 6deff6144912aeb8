//! `run`: the whole maintenance job.

mod ended;

use std::path::PathBuf;

use clap::{ArgGroup, Args};

use super::{
    Context,
    failure::Failure,
    job::work,
    tuning::Tuning,
    window::{self, Closing, Standing},
};
use crate::{
    config::settings::{Settings, SourceSettings},
    engine::{
        abort::foresee,
        error::RunError,
        job::Job,
        plan_file::PlanFile,
        run::{self, IfHeld, Overrule, RunEnd, RunOptions, RunUntil},
        stop::AtClose,
    },
    exit::Exit,
    ui::service::Service,
};

/// Lock, load, index, verify, cut over, seal; the same command resumes what was interrupted
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("closes").args(["until", "window"])))]
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
    /// Where the window closes before cut-over, take back what is loaded as `abort` does, so that the legacy is open by then
    /// (it ends with 5). Outside its window, take back what an interrupted run left
    #[arg(long, requires = "closes", conflicts_with = "hold")]
    release_on_stop: bool,
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
        let service = Service::ready();
        let ended = self.within_its_window(context);
        drop(service);
        ended
    }

    fn within_its_window(self, context: &Context) -> Result<Exit, Failure> {
        let settings = context.settings(self.tuning.flags())?;
        let options = RunOptions {
            plan: self.plan.as_deref().map(PlanFile::read).transpose()?,
            until: match self.hold {
                true => RunUntil::Verified,
                false => RunUntil::Finished,
            },
            overrule: (self.overrule_by.zip(self.reason))
                .map(|(by, reason)| Overrule { by, reason }),
            if_held: match self.wait {
                true => IfHeld::Wait,
                false => IfHeld::Refuse,
            },
            at_close: match self.release_on_stop {
                true => AtClose::TakeBack,
                false => AtClose::KeepLock,
            },
        };
        let if_held = match self.if_due {
            true => Held::NothingDue,
            false => Held::Refused,
        };
        let schedule = &settings.activation.schedule;
        let closing = match (&self.until, &self.window) {
            (Some(until), _) => Some(window::until(until, schedule)?),
            (None, Some(window)) => match window::standing(window, schedule)? {
                Standing::Open(closing) => Some(closing),
                Standing::Closed { words } => {
                    return outside(context, &settings, options.at_close, if_held, &words);
                }
            },
            (None, None) => None,
        };
        let lockable = Lockable::of(&settings);
        if let Some(closing) = &closing {
            tell_end(context, &settings, &options, closing, lockable);
        }
        let outcome = worked(context, &settings, if_held, |job| {
            if let Some(closing) = &closing {
                job.stop.close_at(closing.at, options.at_close);
            }
            run::run(job, &options)
        })?;
        match outcome {
            None => Ok(Exit::Done),
            Some(outcome) if self.if_due && matches!(outcome.end, RunEnd::WasFinished) => {
                let run_id = outcome.run.run_id;
                context
                    .terminal
                    .say(&format!("run {run_id} is finished; nothing is due"));
                Ok(Exit::Done)
            }
            Some(outcome) => ended::show(&outcome, lockable, context),
        }
    }
}

/// What it means that another process is at work on the run.
#[derive(Clone, Copy)]
enum Held {
    Refused,
    NothingDue,
}

/// Does the work, or says that another process is at work on it.
fn worked<T>(
    context: &Context,
    settings: &Settings,
    if_held: Held,
    done: impl FnOnce(&Job<'_>) -> Result<T, RunError>,
) -> Result<Option<T>, Failure> {
    let ended = work(context, settings, |job| match (done(job), if_held) {
        (Err(error), Held::NothingDue) if error.is_held() => Ok(Err(error)),
        (ended, _) => ended.map(Ok),
    })?;
    match ended {
        Ok(done) => Ok(Some(done)),
        Err(held) => {
            context.terminal.say(&held.to_string());
            Ok(None)
        }
    }
}

/// The window is closed: nothing is begun.
fn outside(
    context: &Context,
    settings: &Settings,
    at_close: AtClose,
    if_held: Held,
    words: &str,
) -> Result<Exit, Failure> {
    if at_close == AtClose::TakeBack {
        match worked(context, settings, if_held, run::outside)? {
            None => return Ok(Exit::Done),
            Some(Some(outcome)) => return ended::show(&outcome, Lockable::of(settings), context),
            Some(None) => {}
        }
    }
    context.terminal.say(words);
    Ok(match if_held {
        Held::NothingDue => Exit::Done,
        Held::Refused => Exit::Stopped,
    })
}

/// Says, before the work begins, what the end of its window would mean.
fn tell_end(
    context: &Context,
    settings: &Settings,
    options: &RunOptions,
    closing: &Closing,
    lockable: Lockable,
) {
    let planned = options.plan.as_ref();
    let planned = planned.map(|plan| plan.report.content.totals.records.unsigned_abs());
    if let Some(foreseen) = foresee(settings, planned) {
        let words = window::told_end(closing, options.at_close, lockable, &foreseen);
        context.terminal.say(&words);
    }
}

/// Whether any source has something to lock.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Lockable {
    Nothing,
    Some,
}

impl Lockable {
    fn of(settings: &Settings) -> Self {
        let extract = |source: &SourceSettings| source.location.has_nothing_to_lock();
        match settings.sources.iter().all(extract) {
            true => Self::Nothing,
            false => Self::Some,
        }
    }
}
