//! When the job may work.

use jiff::{
    Timestamp, ToSpan as _,
    civil::{DateTime, Time},
};

use super::failure::Failure;
use crate::{
    domain::{
        activation::schedule::Schedule,
        window::{Opening, Window},
    },
    exit::Exit,
};

/// Whether a window is open.
pub(super) enum Standing {
    /// It is.
    Open {
        /// Until then.
        closes: Timestamp,
    },
    /// It is not.
    Closed {
        /// When it opens, in words.
        words: String,
    },
}

/// The next time it is so late, or that moment.
pub(super) fn until(text: &str, schedule: &Schedule) -> Result<Timestamp, Failure> {
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
    Ok(at)
}

/// Whether this window is open.
pub(super) fn standing(text: &str, schedule: &Schedule) -> Result<Standing, Failure> {
    let now = Timestamp::now();
    let (window, next) = next(text, schedule, now)?;
    if next.opens <= now {
        return Ok(Standing::Open {
            closes: next.closes,
        });
    }
    let words = told(&window, next);
    Ok(Standing::Closed {
        words: format!("the window is closed, and nothing was done: {words}"),
    })
}

/// When this window opens next, or since when it is open, in words.
pub(super) fn told_next(text: &str, schedule: &Schedule) -> Result<String, Failure> {
    let (window, next) = next(text, schedule, Timestamp::now())?;
    Ok(told(&window, next))
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
    let minutes = next.opens.duration_until(next.closes).as_mins();
    let mut words = format!(
        "the window from {} to {} lasts {} h {:02} min",
        window.local(next.opens),
        window.local(next.closes),
        minutes / 60,
        minutes % 60
    );
    if next.clocks_add_minutes != 0 {
        words.push_str(&format!(
            ", for the clocks change in it ({:+} min)",
            next.clocks_add_minutes
        ));
    }
    words
}
