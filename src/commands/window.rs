//! When the job may work.

use std::time::Duration;

use jiff::{
    Timestamp, ToSpan as _,
    civil::{DateTime, Time},
};

use super::{failure::Failure, run::Lockable};
use crate::{
    domain::{
        activation::schedule::Schedule,
        span::span,
        window::{Opening, Window},
    },
    engine::{abort::Foreseen, stop::AtClose},
    exit::Exit,
    ui::table::grouped,
};

/// Whether a window is open.
pub(super) enum Standing {
    /// It is, until then.
    Open(Closing),
    /// It is not.
    Closed {
        /// When it opens, in words.
        words: String,
    },
}

/// When it closes.
pub(super) struct Closing {
    /// At that moment.
    pub(super) at: Timestamp,
    /// As people there write it.
    local: String,
}

/// The next time it is so late, or that moment.
pub(super) fn until(text: &str, schedule: &Schedule) -> Result<Closing, Failure> {
    let now = Timestamp::now();
    let next_time = || {
        let time: Time = text.parse().ok()?;
        let today = schedule.local_date(now);
        let days = (0..=2).filter_map(|days| today.checked_add(days.days()).ok());
        let moments = days.filter_map(|day| schedule.moment(day.to_datetime(time)));
        moments.into_iter().find(|moment| *moment > now)
    };
    let moment = text.parse::<DateTime>().ok().filter(|_| text.contains('T'));
    let at = moment.map_or_else(next_time, |moment| schedule.moment(moment));
    let mistake = |words: &str| {
        let hint = "write 05:30, or 2013-11-04T05:30, in activation.time_zone";
        Failure::new(
            Exit::Usage,
            format!("--until {text}: {words}"),
            Some(hint.to_owned()),
        )
    };
    let at = at.ok_or_else(|| mistake("this is no time"))?;
    if at <= now {
        return Err(mistake("this is past"));
    }
    let local = at.to_zoned(schedule.zone.clone());
    let local = local.strftime("%a %Y-%m-%d %H:%M %:z").to_string();
    Ok(Closing { at, local })
}

/// Whether this window is open.
pub(super) fn standing(text: &str, schedule: &Schedule) -> Result<Standing, Failure> {
    let now = Timestamp::now();
    let (window, next) = next(text, schedule, now)?;
    if next.opens <= now {
        return Ok(Standing::Open(Closing {
            at: next.closes,
            local: window.local(next.closes),
        }));
    }
    let words = told(&window, next);
    Ok(Standing::Closed {
        words: format!("the window is closed, and nothing was done: {words}"),
    })
}

/// A window that is open or opens next.
pub(super) struct Next {
    /// When, in words.
    pub(super) words: String,
    /// How long it is open from then on, or from now on.
    pub(super) lasts: Duration,
}

/// When this window opens next, or since when it is open.
pub(super) fn told_next(text: &str, schedule: &Schedule) -> Result<Next, Failure> {
    let now = Timestamp::now();
    let (window, next) = next(text, schedule, now)?;
    let lasts = next.opens.max(now).duration_until(next.closes);
    Ok(Next {
        words: told(&window, next),
        lasts: lasts.unsigned_abs(),
    })
}

/// What the end of a window means to a run that is not cut over by then, said before it begins.
pub(super) fn told_end(
    closing: &Closing,
    at_close: AtClose,
    lockable: Lockable,
    foreseen: &Foreseen,
) -> String {
    let loaded = grouped(foreseen.loaded.cast_signed());
    let records = match foreseen.expected {
        Some(expected) if expected > foreseen.loaded => {
            format!(
                "{loaded} records now, {} in the end",
                grouped(expected.cast_signed())
            )
        }
        Some(_) | None => format!("{loaded} records now"),
    };
    let cost = format!(
        "what is loaded, {records}, in about {}",
        span(foreseen.takes.as_secs_f64())
    );
    let closes = format!("the window closes at {}", closing.local);
    match (at_close, lockable) {
        (AtClose::TakeBack, _) => format!(
            "{closes}: if the run is not cut over by then, it is taken back before that, which takes out {cost}, and \
             the legacy is open"
        ),
        (AtClose::KeepLock, Lockable::Some) => format!(
            "{closes}: if the run is not cut over by then, it stops and the management lock STAYS; `pinferry run` \
             goes on in the next window, and only `pinferry abort` opens the legacy, which takes out {cost} \
             (--release-on-stop does that by itself)"
        ),
        (AtClose::KeepLock, Lockable::Nothing) => format!(
            "{closes}: if the run is not cut over by then, it stops; `pinferry run` goes on in the next window, and \
             `pinferry abort` takes out {cost}"
        ),
    }
}

fn next(text: &str, schedule: &Schedule, now: Timestamp) -> Result<(Window, Opening), Failure> {
    let mistake = |words: String| {
        let hint = "write for example \"Sun 00:00-06:00 Europe/Rome\", \"Mon-Fri 22:00-05:00\" or \"00:00-06:00\"";
        let error = format!("--window {text}: {words}");
        Failure::new(Exit::Usage, error, Some(hint.to_owned()))
    };
    let window = Window::parse(text, &schedule.zone);
    let window = window.map_err(|what| mistake(what.to_string()))?;
    let next = window.next(now);
    let next = next.ok_or_else(|| mistake("it never opens".to_owned()))?;
    Ok((window, next))
}

fn told(window: &Window, next: Opening) -> String {
    let lasts = next.opens.duration_until(next.closes);
    let mut words = format!(
        "the window from {} to {} lasts {}",
        window.local(next.opens),
        window.local(next.closes),
        span(lasts.as_secs_f64())
    );
    if next.clocks_add_minutes != 0 {
        words.push_str(&format!(
            ", for the clocks change in it ({:+} min)",
            next.clocks_add_minutes
        ));
    }
    words
}
