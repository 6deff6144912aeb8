//! The offices that take requests, each with the day of its town's patron saint, on which it does not work.

use std::{collections::BTreeMap, fmt, str::FromStr};

use jiff::civil::Date;

/// A day of every year. 29 February is kept on 28 February where the year has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PatronDay {
    month: i8,
    day: i8,
}

/// A text that names no day of the year as `MM-DD`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoPatronDay;

impl fmt::Display for NoPatronDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("is no day of the year")
    }
}

impl FromStr for PatronDay {
    type Err = NoPatronDay;

    fn from_str(text: &str) -> Result<Self, NoPatronDay> {
        let digits = |text: &str| {
            let is_number = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
            is_number.then(|| text.parse::<i8>().ok()).flatten()
        };
        let (month, day) = text.split_once('-').ok_or(NoPatronDay)?;
        let (month, day) = digits(month).zip(digits(day)).ok_or(NoPatronDay)?;
        // A leap year has every day there is.
        Date::new(2000, month, day).map_err(|_| NoPatronDay)?;
        Ok(Self { month, day })
    }
}

impl PatronDay {
    /// Whether it is kept on `date`.
    #[must_use]
    pub fn falls_on(self, date: Date) -> bool {
        let last = date.days_in_month();
        (date.month(), date.day()) == (self.month, self.day.min(last))
    }
}

/// Offices by code, which is opaque text: leading zeros count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offices(BTreeMap<String, Option<PatronDay>>);

impl Offices {
    /// Adds an office; says whether its code was new.
    pub fn add(&mut self, code: &str, patron_day: Option<PatronDay>) -> bool {
        self.0.insert(code.to_owned(), patron_day).is_none()
    }

    /// Whether there is an office with this code.
    #[must_use]
    pub fn knows(&self, code: &str) -> bool {
        self.0.contains_key(code)
    }

    /// The patron day of the office with this code, where it is known and has one.
    #[must_use]
    pub fn patron_day(&self, code: &str) -> Option<PatronDay> {
        self.0.get(code).copied().flatten()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many have no patron day.
    #[must_use]
    pub fn without_patron_day(&self) -> usize {
        self.0.values().filter(|day| day.is_none()).count()
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_patron_day_is_a_month_and_a_day_of_it_with_two_digits_each() {
        for text in ["06-24", "02-29", "12-31"] {
            assert!(text.parse::<PatronDay>().is_ok(), "{text}");
        }
        for text in [
            "", "6-24", "06-31", "02-30", "13-01", "00-10", "06/24", "+6-24", "24-06", "06-24-",
        ] {
            assert_eq!(text.parse::<PatronDay>(), Err(NoPatronDay), "{text}");
        }
    }

    #[test]
    fn the_twenty_ninth_of_february_is_kept_a_day_earlier_in_common_years() {
        let patron: PatronDay = "02-29".parse().expect("a day");
        for (day, falls) in [
            (date(2024, 2, 29), true),
            (date(2024, 2, 28), false),
            (date(2025, 2, 28), true),
            (date(2025, 3, 1), false),
        ] {
            assert_eq!(patron.falls_on(day), falls, "{day}");
        }
    }
}
