//! Reading a catalogue, with every mistake reported at once.

use std::collections::BTreeSet;

use toml::{Table, Value};

use super::{EntityRule, Profile};
use crate::domain::{normalise, status::Level};

/// A mistake in the text of a catalogue.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct CatalogueMistake {
    /// Which profile and key, or which line.
    pub place: String,
    /// What is wrong, and what is accepted.
    pub problem: String,
}

/// A century; what is longer is a slip of the pen.
const LONGEST_AGE_DAYS: u32 = 36_525;

const KEYS: [&str; 8] = [
    "code",
    "name",
    "name_it",
    "entity",
    "max_age_days",
    "minimum_level",
    "documents",
    "services",
];

pub(super) fn read(text: &str) -> Result<Vec<Profile>, Vec<CatalogueMistake>> {
    let table: Table = text.parse().map_err(|error| vec![syntax(text, &error)])?;
    let mut mistakes = Vec::new();
    for key in table.keys().filter(|key| *key != "profile") {
        mistakes.push(mistake(key, "is not known; accepted is [[profile]]"));
    }
    let entries = match table.get("profile") {
        Some(Value::Array(entries)) if !entries.is_empty() => entries.as_slice(),
        _ => {
            mistakes.push(mistake("profile", "there must be at least one [[profile]]"));
            &[]
        }
    };
    if entries.len() > usize::from(u16::MAX) {
        mistakes.push(mistake("profile", "there are more than 65,535 profiles"));
        return Err(mistakes);
    }
    let mut profiles = Vec::with_capacity(entries.len());
    let mut codes = BTreeSet::new();
    for (entry, number) in entries.iter().zip(1..) {
        let Value::Table(table) = entry else {
            mistakes.push(mistake(&format!("profile {number}"), "is not a table"));
            continue;
        };
        let mut reader = Reader::new(table, number, &mut mistakes);
        let profile = reader.profile();
        if !profile.code.is_empty() && !codes.insert(profile.code.clone()) {
            reader.report("code", "stands in the catalogue already");
        }
        profiles.push(profile);
    }
    if mistakes.is_empty() {
        Ok(profiles)
    } else {
        Err(mistakes)
    }
}

/// Reads one profile; what is wrong is reported and stands in for by something empty.
struct Reader<'t> {
    table: &'t Table,
    name: String,
    mistakes: &'t mut Vec<CatalogueMistake>,
}

impl<'t> Reader<'t> {
    fn new(table: &'t Table, number: u32, mistakes: &'t mut Vec<CatalogueMistake>) -> Self {
        let name = match table.get("code") {
            Some(Value::String(code)) if !code.is_empty() => format!("profile {code}"),
            _ => format!("profile {number}"),
        };
        Self {
            table,
            name,
            mistakes,
        }
    }

    fn profile(&mut self) -> Profile {
        for key in self.table.keys() {
            if !KEYS.contains(&key.as_str()) {
                let accepted = KEYS.join(", ");
                self.report(key, &format!("is not known; accepted are {accepted}"));
            }
        }
        Profile {
            code: normalise::code(&self.text("code")).into_owned(),
            name: self.text("name"),
            name_it: (self.table.contains_key("name_it")).then(|| self.text("name_it")),
            entity: self
                .word("entity", EntityRule::ALL, EntityRule::as_str)
                .unwrap_or(EntityRule::None),
            max_age_days: self.days("max_age_days"),
            minimum_level: self
                .word("minimum_level", Level::ALL, Level::as_str)
                .unwrap_or(Level::Ordinary),
            documents: self.texts("documents"),
            services: self.texts("services"),
        }
    }

    fn text(&mut self, key: &str) -> String {
        match self.table.get(key) {
            Some(Value::String(text)) if is_printable(text) => text.trim().to_owned(),
            _ => {
                self.report(key, "must be a text that is not empty");
                String::new()
            }
        }
    }

    fn texts(&mut self, key: &str) -> Vec<String> {
        let texts = self.table.get(key).and_then(Value::as_array);
        let texts = texts.and_then(|values| {
            let texts = values.iter().map(|value| match value {
                Value::String(text) if is_printable(text) => Some(text.trim().to_owned()),
                _ => None,
            });
            texts.collect::<Option<Vec<_>>>()
        });
        let Some(texts) = texts else {
            self.report(key, "must be a list of texts that are not empty");
            return Vec::new();
        };
        let distinct: BTreeSet<&String> = texts.iter().collect();
        if distinct.len() < texts.len() {
            self.report(key, "names something twice");
        }
        texts
    }

    fn word<T: Copy>(&mut self, key: &str, all: &[T], name: fn(T) -> &'static str) -> Option<T> {
        let text = self.table.get(key).and_then(Value::as_str);
        let word = all.iter().copied().find(|word| Some(name(*word)) == text);
        if word.is_none() {
            let accepted: Vec<_> = all.iter().map(|word| name(*word)).collect();
            let accepted = accepted.join(", ");
            self.report(key, &format!("must be one of {accepted}"));
        }
        word
    }

    fn days(&mut self, key: &str) -> u32 {
        let days = self.table.get(key).and_then(Value::as_integer);
        match days.and_then(|days| u32::try_from(days).ok()) {
            Some(days @ 1..=LONGEST_AGE_DAYS) => days,
            _ => {
                let problem = format!("must be a whole number from 1 to {LONGEST_AGE_DAYS}");
                self.report(key, &problem);
                0
            }
        }
    }

    fn report(&mut self, key: &str, problem: &str) {
        let place = format!("{}, {key}", self.name);
        self.mistakes.push(mistake(&place, problem));
    }
}

fn is_printable(text: &str) -> bool {
    !text.trim().is_empty() && !normalise::has_control(text)
}

fn mistake(place: &str, problem: &str) -> CatalogueMistake {
    CatalogueMistake {
        place: place.to_owned(),
        problem: problem.to_owned(),
    }
}

fn syntax(text: &str, error: &toml::de::Error) -> CatalogueMistake {
    let before = error.span().and_then(|span| text.get(..span.start));
    let line = before.map_or(1, |before| before.matches('\n').count() + 1);
    mistake(&format!("line {line}"), error.message())
}
