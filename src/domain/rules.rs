//! What the judge is given beside the records: date, catalogue, links, schemes and codes.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::{
    catalogue::Catalogue,
    links::Links,
    raw_record::SourceIndex,
    status::{LegacyStatus, Level},
};

/// Version of the rules; part of what a run fixes. It changes when any input would be judged differently.
pub const RULES_VERSION: u32 = 1;

/// Position of a profile in the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProfileIndex(pub u16);

/// How one source spells what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceRules {
    /// Name of the source, as tables and reports show it.
    pub name: String,
    /// What has no id stands under its number (files) or its hash (databases).
    pub nameless: Nameless,
    /// Status codes, upper case.
    pub status_codes: BTreeMap<String, LegacyStatus>,
    /// Level codes, upper case.
    pub level_codes: BTreeMap<String, Level>,
}

/// How a record without an id is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nameless {
    /// `@n`, the number of the data record from 1.
    ByNumber,
    /// `@` and 16 hexadecimal digits of the record's hash.
    ByHash,
}

/// All that decides beside the records themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// The date of judgement.
    pub as_of: Date,
    /// The profiles.
    pub catalogue: Catalogue,
    /// Renamed and discarded fiscal codes.
    pub links: Links,
    /// Accepted credential schemes, upper case.
    pub schemes: BTreeSet<String>,
    /// By [`super::raw_record::SourceIndex`].
    pub sources: Vec<SourceRules>,
}

impl Rules {
    /// The source at this position of the configuration.
    #[must_use]
    pub fn source(&self, index: SourceIndex) -> &SourceRules {
        &self.sources[usize::from(index.0)]
    }
}

impl SourceRules {
    /// The default status codes: A, S, P, R, C.
    #[must_use]
    pub fn default_status_codes() -> BTreeMap<String, LegacyStatus> {
        [
            ("A", LegacyStatus::Active),
            ("S", LegacyStatus::Suspended),
            ("P", LegacyStatus::Pending),
            ("R", LegacyStatus::Revoked),
            ("C", LegacyStatus::Ceased),
        ]
        .map(|(code, status)| (code.to_owned(), status))
        .into()
    }

    /// The default level codes: ORD, DISP.
    #[must_use]
    pub fn default_level_codes() -> BTreeMap<String, Level> {
        [("ORD", Level::Ordinary), ("DISP", Level::Dispositive)]
            .map(|(code, level)| (code.to_owned(), level))
            .into()
    }
}

/// The credential schemes accepted by default.
pub const DEFAULT_SCHEMES: [&str; 6] = ["SHA256", "SHA1", "MD5", "PBKDF2", "BCRYPT", "ARGON2ID"];
