//! Between chunks, steps and phases: an administrator may have asked the run to pause, or to write no faster.

use std::{
    num::NonZeroU64,
    sync::{Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use super::{error::RunError, job::Job, stop::StopReason};
use crate::{
    config::settings::LoadSettings,
    store::{RunControl, ServerLoad, Target},
};

/// How often one who waits asks whether he still has to.
const ASK: Duration = Duration::from_secs(1);

/// The longest pause before a busy server is asked again; the first one is [`ASK`], and each one twice as long.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// How often he looks at the stop flag meanwhile.
const LOOK: Duration = Duration::from_millis(100);

/// Where those at work on a run wait while they are asked to.
#[derive(Debug)]
pub(super) struct Gate {
    passed: Mutex<Passed>,
}

#[derive(Debug)]
struct Passed {
    /// When records last passed, and how many.
    last: Option<(Instant, u64)>,
    /// What was told of it.
    told: RunControl,
    /// Whether it was told that the server is too busy.
    told_busy: bool,
}

impl Gate {
    pub(super) fn new() -> Self {
        let told = RunControl::default();
        Self {
            passed: Mutex::new(Passed {
                last: None,
                told,
                told_busy: false,
            }),
        }
    }

    /// Waits as long as is asked of the run before it writes so many records. Lease and lock are kept; whoever waits
    /// holds no transaction, and is told to stop as ever.
    pub(super) fn pass(
        &self,
        job: &Job<'_>,
        target: &Target,
        run_id: i64,
        records: u64,
    ) -> Result<Option<StopReason>, RunError> {
        let mut pause = ASK;
        loop {
            let control = target.control(run_id)?;
            let is_busy = control.paused.is_none() && records > 0 && self.is_busy(job, target)?;
            let wait = match is_busy {
                true => Some(pause),
                false => (self.wait(&control, records, job)).map(|wait| wait.min(ASK)),
            };
            let Some(wait) = wait else {
                return Ok(None);
            };
            pause = match is_busy {
                true => (2 * pause).min(LONGEST_PAUSE),
                false => ASK,
            };
            let until = Instant::now() + wait;
            while Instant::now() < until {
                if let Some(reason) = job.stop.requested() {
                    return Ok(Some(reason));
                }
                thread::sleep(LOOK.min(wait));
            }
        }
    }

    /// Whether the server is busier than the administrator wants it to be.
    fn is_busy(&self, job: &Job<'_>, target: &Target) -> Result<bool, RunError> {
        let Some(LoadSettings { query, limit }) = &job.settings.run.load else {
            return Ok(false);
        };
        let Some(load) = target.server_load(query)? else {
            return Ok(false);
        };
        let (is_busy, said) = match load {
            ServerLoad::Is(load) => (load > *limit, format!("gives {load}")),
            ServerLoad::NoAnswer => (true, "is not answered in time".to_owned()),
        };
        let mut passed = self.passed.lock().unwrap_or_else(PoisonError::into_inner);
        if passed.told_busy != is_busy {
            passed.told_busy = is_busy;
            job.progress.note(&match is_busy {
                true => format!(
                    "run.load_query {said}, run.load_limit is {limit}: nothing is written until it gives no more than that"
                ),
                false => format!("run.load_query {said}: going on"),
            });
        }
        Ok(is_busy)
    }

    /// How long to wait, if at all.
    fn wait(&self, control: &RunControl, records: u64, job: &Job<'_>) -> Option<Duration> {
        let mut passed = self.passed.lock().unwrap_or_else(PoisonError::into_inner);
        if passed.told != *control {
            for line in told(&passed.told, control) {
                job.progress.note(&line);
            }
            passed.told = control.clone();
        }
        if control.paused.is_some() {
            return Some(ASK);
        }
        let now = Instant::now();
        let due = (passed.last).zip(control.records_per_second);
        let wait = due.and_then(|((at, records), rate)| {
            let due = at + time_of(records, rate);
            due.checked_duration_since(now)
                .filter(|wait| !wait.is_zero())
        });
        match wait {
            Some(wait) if records > 0 => Some(wait),
            Some(_) | None => {
                if records > 0 {
                    passed.last = Some((now, records));
                }
                None
            }
        }
    }
}

/// The time that so many records are given.
fn time_of(records: u64, rate: NonZeroU64) -> Duration {
    Duration::from_secs_f64(records as f64 / rate.get() as f64)
}

/// What changed, in words.
fn told(was: &RunControl, is: &RunControl) -> Vec<String> {
    let mut lines = Vec::new();
    match (&was.paused, &is.paused) {
        (_, Some(paused)) if was.paused != is.paused => lines.push(format!(
            "paused since {} by {}, lease and lock kept: `pinferry resume` lets it go on",
            paused.at, paused.by
        )),
        (Some(_), None) => lines.push("resumed".to_owned()),
        (None | Some(_), Some(_)) | (None, None) => {}
    }
    match (was.records_per_second, is.records_per_second) {
        (before, Some(rate)) if before != Some(rate) => lines.push(format!(
            "at most {rate} records a second: `pinferry throttle off` lets it go faster"
        )),
        (Some(_), None) => lines.push("no longer throttled".to_owned()),
        (None | Some(_), Some(_)) | (None, None) => {}
    }
    lines
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU64;

    use super::{RunControl, told};
    use crate::store::Paused;

    #[test]
    fn every_change_is_told_once_and_with_what_ends_it() {
        let paused = |at: &str| {
            let (at, by) = (at.to_owned(), "anna".to_owned());
            RunControl {
                paused: Some(Paused { at, by }),
                records_per_second: None,
            }
        };
        let throttled = |rate| RunControl {
            paused: None,
            records_per_second: NonZeroU64::new(rate),
        };
        let free = RunControl::default();
        for (was, is, says) in [
            (&free, &free, ""),
            (
                &free,
                &paused("10:00"),
                "paused since 10:00 by anna, lease and lock kept: `pinferry resume` lets it go on",
            ),
            (&paused("10:00"), &paused("10:00"), ""),
            (&paused("10:00"), &free, "resumed"),
            (
                &free,
                &throttled(500),
                "at most 500 records a second: `pinferry throttle off` lets it go faster",
            ),
            (&throttled(500), &throttled(500), ""),
            (&throttled(500), &free, "no longer throttled"),
        ] {
            assert_eq!(told(was, is).join("|"), says);
        }
    }
}
