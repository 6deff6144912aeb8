//! A legacy record whose every own field is valid.

use std::{borrow::Cow, fmt};

use jiff::civil::Date;

use super::{
    fiscal_code::FiscalCode,
    raw_record::SourceIndex,
    rules::ProfileIndex,
    status::{LegacyStatus, Level},
};

/// A legacy record, parsed: one PIN with its single profile. Its `Debug` is masked.
#[derive(Clone, PartialEq, Eq)]
pub struct LegacyRecord<'a> {
    /// The source it came from.
    pub source: SourceIndex,
    /// Unique within its source.
    pub legacy_id: &'a str,
    /// The code after renaming.
    pub fiscal_code: FiscalCode,
    /// The code as written (trimmed, upper case), before renaming.
    pub written_code: Cow<'a, str>,
    /// Never empty.
    pub surname: &'a str,
    /// Empty only for numeric codes.
    pub given_name: Option<&'a str>,
    /// Date of birth.
    pub birth_date: Option<Date>,
    /// The profile, as found in the catalogue.
    pub profile: ProfileIndex,
    /// The entity as it will be granted; `""` for none.
    pub entity: Cow<'a, str>,
    /// Whether an entity was given and dropped, the profile having none.
    pub entity_ignored: bool,
    /// Status.
    pub status: LegacyStatus,
    /// Level.
    pub level: Level,
    /// Credential; present for candidates.
    pub credential: Option<&'a str>,
    /// Scheme, upper case; accepted for candidates.
    pub credential_scheme: Option<Cow<'a, str>>,
    /// Salt.
    pub credential_salt: Option<&'a str>,
    /// Date of issue.
    pub issued_on: Date,
    /// Date of expiry.
    pub expires_on: Option<Date>,
    /// Date of last use.
    pub last_used_on: Option<Date>,
    /// Issuing office.
    pub office: Option<&'a str>,
    /// Channel, upper case.
    pub channel: Option<Cow<'a, str>>,
    /// 0, 1 or 2.
    pub halves_delivered: u8,
    /// E-mail address.
    pub email: Option<&'a str>,
    /// Telephone number.
    pub phone: Option<&'a str>,
    /// The guardian's code after renaming; never the holder's.
    pub guardian: Option<FiscalCode>,
}

impl LegacyRecord<'_> {
    /// Whether it was written with the person's current code, not with an old one that was renamed.
    #[must_use]
    pub fn has_current_code(&self) -> bool {
        *self.written_code == *self.fiscal_code.as_str()
    }
}

impl fmt::Debug for LegacyRecord<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LegacyRecord(source {})", self.source.0)
    }
}
