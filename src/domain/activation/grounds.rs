//! What evaluation depends on beside the request.

use jiff::{
    Timestamp,
    civil::{Date, DateTime},
    tz::TimeZone,
};

use super::{calendar, standing::ACTIVATION_SOURCE};
use crate::domain::{
    fiscal_code::FiscalCode,
    raw_record::SourceIndex,
    rules::{Nameless, Rules, SourceRules},
    status::Level,
};

/// What evaluation depends on beside the request.
#[derive(Clone, Debug)]
pub struct Grounds {
    pub(super) rules: Rules,
    delay_working_days: u32,
    zone: TimeZone,
}

impl Grounds {
    /// Grounds from the rules of the configured sources, the delay, and the zone the offices live in.
    #[must_use]
    pub fn new(mut rules: Rules, delay_working_days: u32, zone: TimeZone) -> Self {
        let mut level_codes = SourceRules::default_level_codes();
        level_codes.insert("ORDINARY".to_owned(), Level::Ordinary);
        level_codes.insert("DISPOSITIVE".to_owned(), Level::Dispositive);
        rules.sources.push(SourceRules {
            name: ACTIVATION_SOURCE.to_owned(),
            nameless: Nameless::ByNumber,
            status_codes: SourceRules::default_status_codes(),
            level_codes,
        });
        Self {
            rules,
            delay_working_days,
            zone,
        }
    }

    /// The local date of a moment.
    #[must_use]
    pub fn local_date(&self, at: Timestamp) -> Date {
        self.zone.to_datetime(at).date()
    }

    /// The code this one leads to, if any does.
    #[must_use]
    pub fn current_code(&self, code: FiscalCode) -> Option<FiscalCode> {
        self.rules.links.current_code(code.as_str()).ok()
    }

    /// The moment a request accepted at `accepted_at` may take effect: the start of a working day.
    pub(super) fn not_before(&self, accepted_at: Timestamp) -> Timestamp {
        let day = calendar::add_working_days(self.local_date(accepted_at), self.delay_working_days);
        day.to_zoned(self.zone.clone())
            .map_or(Timestamp::MAX, |start| start.timestamp())
    }

    /// RFC 3339 with an offset, or local date and time; in the hour that comes twice, the first.
    pub(super) fn moment(&self, text: &str) -> Option<Timestamp> {
        let at = text.parse().ok().or_else(|| {
            let local: DateTime = text.parse().ok()?;
            let has_time = text.contains(['T', 't', ' ']);
            let start = self.zone.to_ambiguous_timestamp(local).compatible().ok()?;
            has_time.then_some(start)
        })?;
        to_millisecond(at)
    }

    pub(super) fn activation_source(&self) -> SourceIndex {
        SourceIndex(u16::try_from(self.rules.sources.len() - 1).unwrap_or(u16::MAX))
    }
}

pub(super) fn to_millisecond(at: Timestamp) -> Option<Timestamp> {
    Timestamp::from_millisecond(at.as_millisecond()).ok()
}
