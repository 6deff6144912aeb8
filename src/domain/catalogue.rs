//! The profile catalogue. No closed official list is public, so it is data.

mod from_toml;

use std::collections::BTreeMap;

pub use from_toml::CatalogueMistake;

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
    /// The same in Italian, where the catalogue has it.
    pub name_it: Option<String>,
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

impl Profile {
    /// The name in Italian, or else the one there is.
    #[must_use]
    pub fn italian_name(&self) -> &str {
        self.name_it.as_deref().unwrap_or(&self.name)
    }
}

/// The profiles, in the order of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Catalogue {
    profiles: Vec<Profile>,
    by_code: BTreeMap<String, ProfileIndex>,
    /// The codes as [`word`]s, which are found faster: several times for every record.
    words: Vec<u64>,
}

/// A code of up to seven bytes in one word, its length first; 0 for a longer one.
fn word(code: &str) -> u64 {
    match code.len() {
        length @ 0..=7 => code
            .bytes()
            .fold(length as u64, |word, byte| word << 8 | u64::from(byte)),
        _ => 0,
    }
}

/// The text of the built-in catalogue, to start one's own from.
pub const BUILT_IN: &str = include_str!("profiles.toml");

impl Catalogue {
    /// The catalogue that holds where the configuration names none.
    #[must_use]
    pub fn built_in() -> Self {
        Self::from_toml(BUILT_IN).expect("the built-in catalogue is tested")
    }

    /// Reads a catalogue: an array of tables `profile`, each with every key of [`Profile`]; `name_it` may be left out.
    ///
    /// # Errors
    /// Every mistake in the text.
    pub fn from_toml(text: &str) -> Result<Self, Vec<CatalogueMistake>> {
        from_toml::read(text).map(Self::of)
    }

    /// The codes are upper case and all different.
    fn of(profiles: Vec<Profile>) -> Self {
        let words = profiles.iter().map(|profile| word(&profile.code)).collect();
        let by_code = profiles
            .iter()
            .zip(0..)
            .map(|(profile, index)| (profile.code.clone(), ProfileIndex(index)))
            .collect();
        Self {
            profiles,
            by_code,
            words,
        }
    }

    /// The profile with this upper-case code.
    #[must_use]
    pub fn find(&self, code: &str) -> Option<ProfileIndex> {
        match word(code) {
            0 => self.by_code.get(code).copied(),
            wanted => {
                let found = (0..).zip(&self.words).find(|(_, word)| **word == wanted);
                found.map(|(index, _)| ProfileIndex(index))
            }
        }
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

    /// The catalogue as TOML in the order of the codes, the same for every way of writing it: what a run
    /// fixes by hash. The Italian names decide nothing and are left out: to add one moves no run.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let texts = |texts: &[String]| {
            let texts = texts.iter().cloned().map(toml::Value::String);
            toml::Value::Array(texts.collect())
        };
        let mut out = String::new();
        for index in self.by_code.values() {
            let profile = self.get(*index);
            let keys = [
                ("code", profile.code.clone().into()),
                ("name", profile.name.clone().into()),
                ("entity", profile.entity.as_str().into()),
                ("max_age_days", i64::from(profile.max_age_days).into()),
                ("minimum_level", profile.minimum_level.as_str().into()),
                ("documents", texts(&profile.documents)),
                ("services", texts(&profile.services)),
            ];
            out.push_str("[[profile]]\n");
            for (key, value) in keys {
                out.push_str(&format!("{key} = {value}\n"));
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_are_found_by_codes_of_any_length() {
        let profile = |code: &str| Profile {
            code: code.to_owned(),
            ..Catalogue::built_in().profiles()[0].clone()
        };
        let codes = ["A", "AB", "SEVENTH", "EIGHT888", "A_MUCH_LONGER_CODE"];
        let catalogue = Catalogue::of(codes.map(profile).into());
        for (code, index) in codes.iter().zip(0..) {
            assert_eq!(catalogue.find(code), Some(ProfileIndex(index)), "{code}");
        }
        for unknown in ["", "B", "\0A", "SEVENTHS", "EIGHT889"] {
            assert_eq!(catalogue.find(unknown), None, "{unknown:?}");
        }
    }

    #[test]
    fn the_built_in_catalogue_says_what_the_contract_says() {
        let catalogue = Catalogue::built_in();
        let rules: Vec<_> = catalogue
            .profiles()
            .iter()
            .map(|profile| {
                format!(
                    "{} {} {}",
                    profile.code, profile.entity, profile.max_age_days
                )
            })
            .collect();
        let expected = [
            "CIT none 180",
            "CDL optional 90",
            "PAT required 90",
            "CAF required 90",
            "AVV optional 90",
            "COM optional 90",
            "AZI required 180",
            "MED optional 180",
            "ENT required 180",
            "DIP optional 180",
        ];
        assert_eq!(rules, expected);
        for profile in catalogue.profiles() {
            assert!(!profile.documents.is_empty() && !profile.services.is_empty());
        }
    }

    #[test]
    fn the_canonical_text_reads_back_and_does_not_depend_on_the_order_of_the_file() {
        let catalogue = Catalogue::built_in();
        let again = Catalogue::from_toml(&catalogue.to_toml()).expect("the canonical text");
        assert_eq!(again.to_toml(), catalogue.to_toml());
        assert_eq!(again.profiles().len(), catalogue.profiles().len());
        for profile in catalogue.profiles() {
            let found = again.find(&profile.code).map(|index| again.get(index));
            let fixed = Profile {
                name_it: None,
                ..profile.clone()
            };
            assert_eq!(found, Some(&fixed));
        }
    }

    #[test]
    fn every_mistake_is_reported_with_its_place() {
        let text = r#"
            title = "x"
            [[profile]]
            code = "abc"
            name = "A"
            entity = "maybe"
            max_age_days = 0
            minimum_level = "ordinary"
            documents = ["ID", "ID"]
            services = []
            colour = "red"
            [[profile]]
            code = "ABC"
            name = " "
            entity = "none"
            max_age_days = 90
            documents = []
            services = [1]
        "#;
        let mistakes = Catalogue::from_toml(text).expect_err("mistakes");
        let mistakes: Vec<_> = mistakes.iter().map(ToString::to_string).collect();
        let expected = [
            "title: is not known; accepted is [[profile]]",
            "profile abc, colour: is not known; accepted are code, name, name_it, entity, max_age_days, minimum_level, documents, services",
            "profile abc, entity: must be one of required, optional, none",
            "profile abc, max_age_days: must be a whole number from 1 to 36525",
            "profile abc, documents: names something twice",
            "profile ABC, name: must be a text that is not empty",
            "profile ABC, minimum_level: must be one of ordinary, dispositive",
            "profile ABC, services: must be a list of texts that are not empty",
            "profile ABC, code: stands in the catalogue already",
        ];
        assert_eq!(mistakes, expected);
        for (text, expected) in [
            ("", "profile: there must be at least one [[profile]]"),
            ("a = 1\nb = ", "line 2: "),
        ] {
            let mistakes = Catalogue::from_toml(text).expect_err("a mistake");
            assert!(
                mistakes[0].to_string().starts_with(expected),
                "{}",
                mistakes[0]
            );
        }
    }
}
