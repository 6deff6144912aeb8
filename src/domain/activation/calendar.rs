//! Working days in Italy: Monday to Friday, public holidays and the office's patron day left out.

use jiff::civil::{Date, Weekday, date};

use super::office::PatronDay;

/// Public holidays with a fixed day, as (month, day): law 260/1949 as amended by law 54/1977,
/// d.P.R. 792/1985 (6 January) and law 336/2000 (2 June).
const FIXED: [(i8, i8); 10] = [
    (1, 1),
    (1, 6),
    (4, 25),
    (5, 1),
    (6, 2),
    (8, 15),
    (11, 1),
    (12, 8),
    (12, 25),
    (12, 26),
];

/// Saint Francis' day is a public holiday from this year on (law 151/2025).
const SAINT_FRANCIS_SINCE: i16 = 2026;

/// Easter Sunday of the Gregorian calendar (the anonymous algorithm of 1876, as in Meeus, *Astronomical
/// Algorithms*, chapter 8).
#[must_use]
pub fn easter_sunday(year: i16) -> Date {
    let year_number = i32::from(year);
    let golden = year_number % 19;
    let (century, of_century) = (year_number / 100, year_number % 100);
    let correction = (century - (century + 8) / 25 + 1) / 3;
    let epact = (19 * golden + century - century / 4 - correction + 15) % 30;
    let weekday = (32 + 2 * (century % 4) + 2 * (of_century / 4) - epact - of_century % 4) % 7;
    let shift = (golden + 11 * epact + 22 * weekday) / 451;
    let days = epact + weekday - 7 * shift + 114;
    date(year, (days / 31) as i8, (days % 31 + 1) as i8)
}

/// Whether the whole country rests on this day; Sundays as such do not count.
#[must_use]
pub fn is_public_holiday(day: Date) -> bool {
    let saint_francis = day.year() >= SAINT_FRANCIS_SINCE && (day.month(), day.day()) == (10, 4);
    let easter_monday = easter_sunday(day.year()).tomorrow();
    FIXED.contains(&(day.month(), day.day()))
        || saint_francis
        || easter_monday.is_ok_and(|monday| monday == day)
}

/// Whether an office with this patron day works on this day.
#[must_use]
pub fn is_working_day(day: Date, patron: Option<PatronDay>) -> bool {
    match day.weekday() {
        Weekday::Saturday | Weekday::Sunday => false,
        Weekday::Monday
        | Weekday::Tuesday
        | Weekday::Wednesday
        | Weekday::Thursday
        | Weekday::Friday => {
            !is_public_holiday(day) && !patron.is_some_and(|patron| patron.falls_on(day))
        }
    }
}

/// The day that lies `days` working days of an office with this patron day after `day`; `day` itself for none.
/// Never beyond the last date there is.
#[must_use]
pub fn add_working_days(day: Date, days: u32, patron: Option<PatronDay>) -> Date {
    let mut at = day;
    let mut left = days;
    while left > 0 {
        let Ok(next) = at.tomorrow() else {
            return at;
        };
        at = next;
        if is_working_day(at, patron) {
            left -= 1;
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn easter_falls_where_the_church_says() {
        for (year, month, day) in [
            (1961, 4, 2),
            (2000, 4, 23),
            (2008, 3, 23),
            (2011, 4, 24),
            (2013, 3, 31),
            (2014, 4, 20),
            (2024, 3, 31),
            (2038, 4, 25),
        ] {
            assert_eq!(easter_sunday(year), date(year, month, day), "{year}");
        }
    }

    #[test]
    fn working_days_skip_weekends_and_holidays() {
        for (from, days, to, why) in [
            (date(2013, 11, 4), 1, date(2013, 11, 5), "a plain Monday"),
            (date(2013, 11, 4), 0, date(2013, 11, 4), "no delay"),
            (
                date(2013, 11, 3),
                1,
                date(2013, 11, 4),
                "accepted on a Sunday",
            ),
            (
                date(2013, 10, 31),
                1,
                date(2013, 11, 4),
                "All Saints on a Friday",
            ),
            (date(2014, 4, 18), 1, date(2014, 4, 22), "Easter Monday"),
            (
                date(2014, 4, 24),
                1,
                date(2014, 4, 28),
                "25 April on a Friday",
            ),
            (date(2013, 12, 24), 1, date(2013, 12, 27), "Christmas"),
            (date(2013, 12, 31), 1, date(2014, 1, 2), "New Year"),
            (
                date(2014, 1, 3),
                1,
                date(2014, 1, 7),
                "Epiphany on a Monday",
            ),
            (
                date(2014, 8, 14),
                2,
                date(2014, 8, 19),
                "Assumption on a Friday",
            ),
            (
                date(2027, 10, 1),
                1,
                date(2027, 10, 5),
                "Saint Francis on a Monday",
            ),
            (
                date(2021, 10, 1),
                1,
                date(2021, 10, 4),
                "Saint Francis before the law",
            ),
            (Date::MAX, 3, Date::MAX, "the end of time"),
        ] {
            assert_eq!(add_working_days(from, days, None), to, "{why}");
        }
    }

    #[test]
    fn an_office_rests_on_its_patron_day_too() {
        for (patron, from, days, to, why) in [
            (
                "12-07",
                date(2023, 12, 6),
                1,
                date(2023, 12, 11),
                "Saint Ambrose, the Immaculate Conception, a weekend",
            ),
            (
                "06-29",
                date(2024, 6, 28),
                1,
                date(2024, 7, 1),
                "a patron day on a Saturday changes nothing",
            ),
            (
                "02-29",
                date(2025, 2, 27),
                1,
                date(2025, 3, 3),
                "29 February in a common year",
            ),
            (
                "02-29",
                date(2024, 2, 27),
                2,
                date(2024, 3, 1),
                "29 February in a leap year",
            ),
        ] {
            let patron = patron.parse().ok();
            assert_eq!(add_working_days(from, days, patron), to, "{why}");
        }
    }
}
