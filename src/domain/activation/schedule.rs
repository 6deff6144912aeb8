//! When a request may take effect: so many working days of its office after the day it was accepted, at an hour.

use jiff::{
    Timestamp,
    civil::{Date, DateTime, Time},
    tz::TimeZone,
};

use super::{calendar, office::Offices};

/// What the earliest moment of a request depends on beside the request.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// Working days between acceptance and the earliest activation.
    pub delay_working_days: u32,
    /// The hour of that day.
    pub hour: Time,
    /// The zone the offices live in.
    pub zone: TimeZone,
    /// The offices, where they are known; else none has a patron day.
    pub offices: Option<Offices>,
}

impl Schedule {
    /// The local date of a moment.
    #[must_use]
    pub fn local_date(&self, at: Timestamp) -> Date {
        self.zone.to_datetime(at).date()
    }

    /// A moment as local date and time with the offset, `2013-11-05T00:00:00+01:00`.
    #[must_use]
    pub fn local_time(&self, at: Timestamp) -> String {
        at.to_zoned(self.zone.clone())
            .strftime("%Y-%m-%dT%H:%M:%S%:z")
            .to_string()
    }

    /// A local date and time. Of an hour that comes twice it is the first; one that the clocks leave out is as much
    /// later as they jump. `None` beyond the end of time.
    #[must_use]
    pub fn moment(&self, local: DateTime) -> Option<Timestamp> {
        self.zone.to_ambiguous_timestamp(local).compatible().ok()
    }

    /// When a day begins there.
    #[must_use]
    pub fn begins(&self, day: Date) -> Timestamp {
        let midnight = day.to_datetime(Time::midnight());
        self.moment(midnight).unwrap_or(Timestamp::MAX)
    }

    /// The moment a request that `office` accepted at `accepted_at` may take effect.
    #[must_use]
    pub fn not_before(&self, accepted_at: Timestamp, office: &str) -> Timestamp {
        let offices = self.offices.as_ref();
        let patron = offices.and_then(|offices| offices.patron_day(office));
        let accepted_on = self.local_date(accepted_at);
        let day = calendar::add_working_days(accepted_on, self.delay_working_days, patron);
        self.moment(day.to_datetime(self.hour))
            .unwrap_or(Timestamp::MAX)
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::time;

    use super::*;

    fn schedule(hour: Time) -> Schedule {
        let mut offices = Offices::default();
        offices.add("0100", "06-24".parse().ok());
        offices.add("7000", None);
        Schedule {
            delay_working_days: 1,
            hour,
            zone: TimeZone::get("Europe/Rome").expect("a zone"),
            offices: Some(offices),
        }
    }

    fn told(hour: Time, accepted_at: &str, office: &str) -> String {
        let schedule = schedule(hour);
        let local: DateTime = accepted_at.parse().expect("a local time");
        let accepted_at = schedule.moment(local).expect("a moment");
        schedule.local_time(schedule.not_before(accepted_at, office))
    }

    #[test]
    fn a_request_waits_for_the_hour_of_its_office_s_next_working_day() {
        for (accepted_at, office, not_before) in [
            ("2024-06-21T10:15", "0100", "2024-06-25T08:30:00+02:00"),
            ("2024-06-21T10:15", "7000", "2024-06-24T08:30:00+02:00"),
            ("2024-06-21T10:15", "100", "2024-06-24T08:30:00+02:00"),
            ("2024-06-24T00:00", "0100", "2024-06-25T08:30:00+02:00"),
            ("2024-01-08T23:59", "", "2024-01-09T08:30:00+01:00"),
        ] {
            let found = told(time(8, 30, 0, 0), accepted_at, office);
            assert_eq!(found, not_before, "{accepted_at} {office}");
        }
    }

    #[test]
    fn an_hour_the_clocks_leave_out_is_later_and_one_that_comes_twice_is_the_first() {
        // The clocks change on Sundays, when offices work only where a delay of no day says so.
        let told = |hour, accepted_at: &str| {
            let schedule = Schedule {
                delay_working_days: 0,
                ..schedule(hour)
            };
            let local: DateTime = accepted_at.parse().expect("a local time");
            let accepted_at = schedule.moment(local).expect("a moment");
            schedule.local_time(schedule.not_before(accepted_at, "0100"))
        };
        let half_past_two = time(2, 30, 0, 0);
        for (accepted_at, not_before) in [
            ("2024-03-31T10:00", "2024-03-31T03:30:00+02:00"),
            ("2024-10-27T10:00", "2024-10-27T02:30:00+02:00"),
            ("2024-10-28T10:00", "2024-10-28T02:30:00+01:00"),
        ] {
            assert_eq!(told(half_past_two, accepted_at), not_before);
        }
        assert_eq!(
            told(Time::midnight(), "2024-03-31T10:00"),
            "2024-03-31T00:00:00+01:00"
        );
    }
}
