//! A maintenance window: days, hours and a zone.

use std::fmt;

use jiff::{
    Timestamp, ToSpan as _,
    civil::{Date, Time, Weekday},
    tz::TimeZone,
};

/// Days looked at for the next window: two weeks, since on its only day of one week the clocks may leave nothing of it.
const DAYS_AHEAD: i64 = 14;

const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

/// `Sun 00:00-06:00 Europe/Rome`: on which days it opens, from when to when. One that closes earlier than it opens
/// closes on the next day.
#[derive(Clone, Debug)]
pub struct Window {
    days: Vec<Weekday>,
    opens: Time,
    closes: Time,
    zone: TimeZone,
}

/// One time that a window is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opening {
    /// When it opens.
    pub opens: Timestamp,
    /// When it closes.
    pub closes: Timestamp,
    /// Minutes that the clocks add to the hours it is said to last, or take away.
    pub clocks_add_minutes: i64,
}

/// A text that is no window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WindowMistake {
    /// It has another form.
    Form,
    /// No such day of the week.
    Day,
    /// No such zone.
    Zone,
    /// It closes when it opens.
    NeverOpens,
}

impl fmt::Display for WindowMistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Form => "this is no window",
            Self::Day => "days are Mon, Tue, Wed, Thu, Fri, Sat and Sun",
            Self::Zone => "there is no such time zone",
            Self::NeverOpens => "it closes when it opens, and so never opens",
        })
    }
}

impl Window {
    /// Reads `[DAYS ]HH:MM-HH:MM[ ZONE]`, where days are `Sun`, `Sat,Sun` or `Mon-Fri`, and every day where none is named.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str, zone: &TimeZone) -> Result<Self, WindowMistake> {
        let mut words = text.split_whitespace().peekable();
        let begins_with_day = |word: &&str| word.starts_with(|c: char| c.is_ascii_alphabetic());
        let days = match words.next_if(begins_with_day) {
            Some(named) => days(named)?,
            None => DAYS.iter().map(|(_, day)| *day).collect(),
        };
        let hours = words.next().and_then(|hours| hours.split_once('-'));
        let (opens, closes) = hours.ok_or(WindowMistake::Form)?;
        let time = |text: &str| text.parse::<Time>().map_err(|_| WindowMistake::Form);
        let (opens, closes) = (time(opens)?, time(closes)?);
        if opens == closes {
            return Err(WindowMistake::NeverOpens);
        }
        let zone = match words.next() {
            Some(name) => TimeZone::get(name).map_err(|_| WindowMistake::Zone)?,
            None => zone.clone(),
        };
        if words.next().is_some() {
            return Err(WindowMistake::Form);
        }
        Ok(Self {
            days,
            opens,
            closes,
            zone,
        })
    }

    /// The time it is open now, or else opens next. It opens the first time of an hour that comes twice, and closes
    /// the first time.
    #[must_use]
    pub fn next(&self, now: Timestamp) -> Option<Opening> {
        let today = self.zone.to_datetime(now).date();
        (-1..DAYS_AHEAD)
            .filter_map(|days| today.checked_add(days.days()).ok())
            .filter(|day| self.days.contains(&day.weekday()))
            .filter_map(|day| self.on(day))
            .find(|opening| opening.closes > now)
    }

    /// A moment as people there write it.
    #[must_use]
    pub fn local(&self, at: Timestamp) -> String {
        let at = at.to_zoned(self.zone.clone());
        at.strftime("%a %Y-%m-%d %H:%M %:z").to_string()
    }

    /// The window of a day. An hour that the clocks leave out counts as much later as they jump; where that is past the
    /// hour in which it closes, there is none on that day.
    fn on(&self, day: Date) -> Option<Opening> {
        let crosses = i64::from(self.closes < self.opens);
        let opens = day.to_datetime(self.opens);
        let closes = (day.checked_add(crosses.days()).ok()?).to_datetime(self.closes);
        let said = opens.duration_until(closes);
        let moment = |local| self.zone.to_ambiguous_timestamp(local).compatible().ok();
        let (opens, closes) = (moment(opens)?, moment(closes)?);
        let lasts = opens.duration_until(closes);
        (opens < closes).then(|| Opening {
            opens,
            closes,
            clocks_add_minutes: lasts.as_mins() - said.as_mins(),
        })
    }
}

/// `Sun`, `Sat,Sun` or `Fri-Mon`.
fn days(text: &str) -> Result<Vec<Weekday>, WindowMistake> {
    let mut all = Vec::new();
    for part in text.split(',') {
        match part.split_once('-') {
            None => all.push(day(part)?),
            Some((first, last)) => {
                let (first, last) = (day(first)?, day(last)?);
                let days = 1 + usize::from(last.since(first).unsigned_abs());
                all.extend(first.cycle_forward().take(days));
            }
        }
    }
    Ok(all)
}

fn day(text: &str) -> Result<Weekday, WindowMistake> {
    let named = DAYS
        .iter()
        .find(|(name, _)| text.eq_ignore_ascii_case(name));
    named.map(|(_, day)| *day).ok_or(WindowMistake::Day)
}

#[cfg(test)]
mod tests {
    use super::{TimeZone, Timestamp, Window, WindowMistake};

    fn window(text: &str) -> Window {
        let rome = TimeZone::get("Europe/Rome").expect("a zone");
        Window::parse(text, &rome).expect("a window")
    }

    #[test]
    fn the_next_window_is_the_one_that_is_open_or_opens_next() {
        for (text, now, opens, closes, added) in [
            (
                "Sun 00:00-06:00",
                "2026-11-20T12:00Z",
                "2026-11-21T23:00Z",
                "2026-11-22T05:00Z",
                0,
            ),
            (
                "Sun 00:00-06:00",
                "2026-11-22T04:59Z",
                "2026-11-21T23:00Z",
                "2026-11-22T05:00Z",
                0,
            ),
            (
                "Sun 00:00-06:00",
                "2026-11-22T05:00Z",
                "2026-11-28T23:00Z",
                "2026-11-29T05:00Z",
                0,
            ),
            // The clocks go forward, and back.
            (
                "Sun 00:00-06:00",
                "2026-03-28T12:00Z",
                "2026-03-28T23:00Z",
                "2026-03-29T04:00Z",
                -60,
            ),
            (
                "Sun 00:00-06:00",
                "2026-10-24T12:00Z",
                "2026-10-24T22:00Z",
                "2026-10-25T05:00Z",
                60,
            ),
            // Closes the first time that it is half past two.
            (
                "sun 00:00-02:30",
                "2026-10-24T12:00Z",
                "2026-10-24T22:00Z",
                "2026-10-25T00:30Z",
                0,
            ),
            // The clocks leave it out: it is an hour later.
            (
                "02:10-02:50",
                "2026-03-29T00:30Z",
                "2026-03-29T01:10Z",
                "2026-03-29T01:50Z",
                0,
            ),
            // Over midnight, begun yesterday.
            (
                "Mon-Fri 22:00-05:00",
                "2026-11-21T03:00Z",
                "2026-11-20T21:00Z",
                "2026-11-21T04:00Z",
                0,
            ),
            (
                "Mon-Fri 22:00-05:00",
                "2026-11-21T04:00Z",
                "2026-11-23T21:00Z",
                "2026-11-24T04:00Z",
                0,
            ),
            (
                "Fri-Mon 22:00-23:00",
                "2026-11-22T12:00Z",
                "2026-11-22T21:00Z",
                "2026-11-22T22:00Z",
                0,
            ),
            (
                "Sat,Wed 01:00-02:00 UTC",
                "2026-11-22T12:00Z",
                "2026-11-25T01:00Z",
                "2026-11-25T02:00Z",
                0,
            ),
        ] {
            let at = |text: &str| {
                text.replace('Z', ":00Z")
                    .parse::<Timestamp>()
                    .expect("a time")
            };
            let next = window(text).next(at(now)).expect("it opens");
            let expected = (at(opens), at(closes), added);
            assert_eq!(
                (next.opens, next.closes, next.clocks_add_minutes),
                expected,
                "{text} {now}"
            );
        }
    }

    #[test]
    fn what_is_no_window_is_told_apart() {
        for (text, mistake) in [
            ("", WindowMistake::Form),
            ("Sun", WindowMistake::Form),
            ("Sun 00:00", WindowMistake::Form),
            ("Sun 00:00-25:00", WindowMistake::Form),
            ("00:00-01:00 Europe/Rome now", WindowMistake::Form),
            ("Dom 00:00-06:00", WindowMistake::Day),
            ("00:00-06:00 Europe/Roma", WindowMistake::Zone),
            ("06:00-06:00", WindowMistake::NeverOpens),
        ] {
            assert_eq!(
                Window::parse(text, &TimeZone::UTC).err(),
                Some(mistake),
                "{text}"
            );
        }
    }
}
