//! Dates around the day the sample data are from.

use jiff::{ToSpan as _, civil::Date};

/// The day the sample data are from; judge them with `rules.as_of` set to it.
pub const AS_OF: Date = jiff::civil::date(2013, 11, 3);

const YEARS_BACK: i16 = 90;
const DAYS_AHEAD: usize = 800;

/// The text of each date, worked out once.
#[derive(Debug)]
pub(super) struct Calendar {
    texts: Vec<[u8; 10]>,
    as_of: usize,
}

impl Calendar {
    pub(super) fn new() -> Self {
        let first = jiff::civil::date(AS_OF.year() - YEARS_BACK, 1, 1);
        let as_of = days_between(first, AS_OF);
        let texts = first
            .series(1.day())
            .take(as_of + DAYS_AHEAD)
            .map(|date| {
                let mut text = [b'-'; 10];
                text.copy_from_slice(date.to_string().as_bytes());
                text
            })
            .collect();
        Self { texts, as_of }
    }

    /// The date so many days before the day the data are from, within 90 years.
    pub(super) fn before(&self, days: usize) -> &[u8; 10] {
        &self.texts[self.as_of - days]
    }

    /// The date so many days after it, within two years.
    pub(super) fn after(&self, days: usize) -> &[u8; 10] {
        &self.texts[self.as_of + days]
    }
}

/// Whole days from one date to a later one.
pub(super) fn days_between(first: Date, last: Date) -> usize {
    (last - first).get_days().unsigned_abs() as usize
}
