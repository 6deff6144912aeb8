//! The profile catalogue. No closed official list is public, so it is data.

use std::collections::BTreeMap;

use super::{
    rules::ProfileIndex,
    status::{Level, vocabulary},
};

vocabulary! {
    /// Whether a profile is exercised for an entity.
    EntityRule {
        /// A record without an entity is quarantined.
        Required = "required",
        /// Either way.
        Optional = "optional",
        /// An entity is dropped, with a finding.
        None = "none",
    }
}

/// A profile ("classe utente").
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Upper-case code.
    pub code: String,
    /// Name, for people.
    pub name: String,
    /// Whether it is exercised for an entity.
    pub entity: EntityRule,
    /// Days after which an unused credential expires.
    pub max_age_days: u32,
    /// The lowest level the profile makes sense with.
    pub minimum_level: Level,
    /// Codes of the documents an applicant presents.
    pub documents: Vec<String>,
    /// Codes of the services it opens.
    pub services: Vec<String>,
}

/// The profiles, in the order of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Catalogue {
    profiles: Vec<Profile>,
    by_code: BTreeMap<String, ProfileIndex>,
}

impl Catalogue {
    /// The profile with this upper-case code.
    #[must_use]
    pub fn find(&self, code: &str) -> Option<ProfileIndex> {
        self.by_code.get(code).copied()
    }

    /// The profile at this position.
    #[must_use]
    pub fn get(&self, index: ProfileIndex) -> &Profile {
        &self.profiles[usize::from(index.0)]
    }

    /// All profiles.
    #[must_use]
    pub fn profiles(&self) -> &[Profile] {
        &self.profiles
    }
}
