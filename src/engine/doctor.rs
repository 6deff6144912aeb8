//! Says before the window what would fail in it.

mod disk;
mod places;

use std::{thread, time::SystemTime};

use jiff::{Timestamp, tz::TimeZone};
use serde::Serialize;

use crate::{
    config::settings::Settings,
    domain::{activation::schedule::Schedule, status::vocabulary},
    exit::Exit,
};

vocabulary! {
    /// How a check went.
    Verdict {
        /// Nothing to do.
        Ok = "ok",
        /// The work can be done; look at it all the same.
        Warning = "warn",
        /// The work would fail.
        Failure = "fail",
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    /// What was looked at.
    pub subject: String,
    /// How it went.
    pub verdict: Verdict,
    /// What was found.
    pub found: String,
    /// What to do about it.
    pub next: Option<String>,
    /// How the program ends because of a failure.
    #[serde(skip)]
    pub exit: Exit,
}

impl Check {
    fn ok(subject: &str, found: impl Into<String>) -> Self {
        Self {
            subject: subject.to_owned(),
            verdict: Verdict::Ok,
            found: found.into(),
            next: None,
            exit: Exit::Done,
        }
    }

    fn warn(subject: &str, found: impl Into<String>, next: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Warning,
            next: Some(next.into()),
            ..Self::ok(subject, found)
        }
    }

    fn fail(subject: &str, found: impl Into<String>, next: Option<String>, exit: Exit) -> Self {
        Self {
            verdict: Verdict::Failure,
            next,
            exit,
            ..Self::ok(subject, found)
        }
    }
}

/// Looks at everything the configuration names; changes nothing.
#[must_use]
pub fn examine(settings: &Settings, now: SystemTime) -> Vec<Check> {
    let mut checks = vec![Check::ok(
        "configuration",
        format!("{} is complete", settings.file.display()),
    )];
    for source in &settings.sources {
        checks.extend(places::source(source, &settings.lock));
    }
    checks.push(places::allowed_columns(settings));
    checks.push(places::target(&settings.target));
    checks.extend(places::load(settings));
    checks.extend(places::canary(settings));
    checks.extend(places::hooks(settings));
    checks.extend(disk::space(settings));
    checks.push(clock(settings, now));
    checks.push(workers(settings));
    checks.push(calendar(&settings.activation.schedule));
    checks
}

/// How the program ends after these checks.
#[must_use]
pub fn exit(checks: &[Check]) -> Exit {
    let failures = checks
        .iter()
        .filter(|check| check.verdict == Verdict::Failure);
    let exits: Vec<Exit> = failures.map(|check| check.exit).collect();
    match exits.as_slice() {
        [] => Exit::Done,
        all if all.contains(&Exit::Usage) => Exit::Usage,
        _ => Exit::Failed,
    }
}

/// A clock that stands before what it wrote is not one to date grants by.
fn clock(settings: &Settings, now: SystemTime) -> Check {
    const SUBJECT: &str = "clock";
    const SET: &str = "set the clock of this machine (timedatectl set-ntp true)";
    let Ok(stamp) = Timestamp::try_from(now) else {
        return Check::fail(
            SUBJECT,
            "is out of any range",
            Some(SET.into()),
            Exit::Failed,
        );
    };
    let paths = settings
        .sources
        .iter()
        .filter_map(|one| one.location.path());
    let newest = paths
        .filter_map(|path| path.metadata().ok()?.modified().ok())
        .max();
    if let Some(newest) = newest
        && newest > now
    {
        return Check::warn(SUBJECT, "a source was written in the future", SET);
    }
    let today = stamp.to_zoned(TimeZone::UTC).date();
    match settings.as_of {
        Some(as_of) if as_of > today => Check::warn(
            SUBJECT,
            format!("today is {today}, rules.as_of = {as_of} lies in the future"),
            "correct rules.as_of or the clock, unless this is meant",
        ),
        Some(_) | None => Check::ok(SUBJECT, format!("today is {today} (UTC)")),
    }
}

/// When requests take effect, and whether patron days are known.
fn calendar(schedule: &Schedule) -> Check {
    let zone = schedule.zone.iana_name().unwrap_or("the offices' zone");
    let days = schedule.delay_working_days;
    let hour = schedule.hour.strftime("%H:%M");
    let when = format!("requests take effect {days} working days after acceptance, {hour} {zone}");
    let found = match &schedule.offices {
        None => format!("{when}; activation.offices names no file, so no office has a patron day"),
        Some(offices) => format!(
            "{when}; {} offices, {} of them without a patron day",
            offices.len(),
            offices.without_patron_day()
        ),
    };
    Check::ok("activation", found)
}

fn workers(settings: &Settings) -> Check {
    const SUBJECT: &str = "run.workers";
    let processors = thread::available_parallelism().map_or(1, usize::from);
    let workers = settings.run.workers;
    if workers > processors {
        Check::warn(
            SUBJECT,
            format!("{workers} workers share {processors} processors"),
            format!("set run.workers = {processors}"),
        )
    } else {
        Check::ok(SUBJECT, format!("{workers} of {processors} processors"))
    }
}
