//! What evaluation depends on beside the request.

use jiff::{
    Timestamp,
    civil::{Date, DateTime},
};

use super::{policy::Policy, schedule::Schedule, standing::ACTIVATION_SOURCE};
use crate::domain::{
    fiscal_code::FiscalCode,
    raw_record::SourceIndex,
    rules::{Nameless, Rules, SourceRules},
    status::Level,
};

/// How a local time is read that comes twice, or never, in a night in which the clocks change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doubt {
    /// As that of what gives rights.
    Earlier,
    /// As that of what takes them away, which so wins over what may have come before it.
    Later,
}

/// What evaluation depends on beside the request.
#[derive(Clone, Debug)]
pub struct Grounds {
    pub(super) rules: Rules,
    pub(super) schedule: Schedule,
    pub(super) policy: Policy,
}

impl Grounds {
    /// Grounds from the rules of the configured sources, and when requests may take effect.
    #[must_use]
    pub fn new(mut rules: Rules, schedule: Schedule) -> Self {
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
            schedule,
            policy: Policy::default(),
        }
    }

    /// The same, with what the counters may accept.
    #[must_use]
    pub fn with(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// The local date of a moment.
    #[must_use]
    pub fn local_date(&self, at: Timestamp) -> Date {
        self.schedule.local_date(at)
    }

    /// When a day begins there.
    #[must_use]
    pub fn begins(&self, day: Date) -> Timestamp {
        self.schedule.begins(day)
    }

    /// A moment as local date and time with the offset.
    #[must_use]
    pub fn local_time(&self, at: Timestamp) -> String {
        self.schedule.local_time(at)
    }

    /// The code this one leads to, if any does.
    #[must_use]
    pub fn current_code(&self, code: FiscalCode) -> Option<FiscalCode> {
        self.rules.links.current_code(code.as_str()).ok()
    }

    /// Why `office` may hand no requests in, where the offices are known.
    pub(super) fn office_problem(&self, office: &str) -> Option<&'static str> {
        let offices = self.schedule.offices.as_ref()?;
        match office {
            "" => Some("office is empty"),
            known if offices.knows(known) => None,
            _unknown => Some("office is not in the file that activation.offices names"),
        }
    }

    /// RFC 3339 with an offset, or local date and time; of two moments that it may be, the one `doubt` says.
    pub(super) fn moment(&self, text: &str, doubt: Doubt) -> Option<Timestamp> {
        let at = text.parse().ok().or_else(|| {
            let local: DateTime = text.parse().ok()?;
            let has_time = text.contains(['T', 't', ' ']);
            let zone = &self.schedule.zone;
            let at = has_time.then(|| zone.to_ambiguous_timestamp(local))?;
            match doubt {
                Doubt::Earlier => at.earlier().ok(),
                Doubt::Later => at.later().ok(),
            }
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
