//! What the judge is given, and what a run fixes of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use jiff::civil::Date;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::domain::{
    field::Field,
    rules::{RULES_VERSION, Rules},
};

use super::settings::{Settings, SourceLocation, SourceSettings, TargetSettings};

impl SourceSettings {
    /// The fields whose columns may change during the lock: the fingerprint leaves them out.
    #[must_use]
    pub fn changing_fields(&self, allow_columns: &[String]) -> BTreeSet<Field> {
        let allowed = |column: &String| {
            let same = |allowed: &String| allowed.eq_ignore_ascii_case(column);
            allow_columns.iter().any(same)
        };
        self.columns
            .iter()
            .filter(|(_, column)| allowed(column))
            .map(|(field, _)| *field)
            .collect()
    }
}

impl TargetSettings {
    /// The location as tables and messages may show it: never a secret.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Self::Sqlite(path) => format!("sqlite://{}", path.display()),
            Self::Postgres(settings) => settings.shown().to_owned(),
        }
    }
}

impl SourceLocation {
    /// The file, where it is one.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Csv { path, .. } | Self::Sqlite { path, .. } => Some(path),
            Self::Postgres { .. } => None,
        }
    }

    /// The location as tables and reports may show it: never a secret.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Self::Csv { path, .. } => format!("csv://{}", path.display()),
            Self::Sqlite { path, table, .. } => format!("sqlite://{} ({table})", path.display()),
            Self::Postgres {
                database, table, ..
            } => format!("{} ({table})", database.shown()),
        }
    }
}

impl Settings {
    /// Everything that decides beside the records, on this date of judgement.
    #[must_use]
    pub fn rules(&self, as_of: Date) -> Rules {
        Rules {
            as_of,
            catalogue: self.catalogue.clone(),
            links: self.links.clone(),
            schemes: self.credential_schemes.iter().cloned().collect(),
            sources: self.sources.iter().map(|one| one.rules.clone()).collect(),
        }
    }

    /// What a run fixes, key by key, as hashes: nothing of it can be read back, and a key that differs can be
    /// named.
    #[must_use]
    pub fn fixed(&self, as_of: Date) -> BTreeMap<String, String> {
        let mut fixed = Fixed::default();
        let names: Vec<_> = self.sources.iter().map(|one| &one.rules.name).collect();
        fixed.put("sources", &names);
        for source in &self.sources {
            fixed.put_source(source, &self.lock.allow_columns);
        }
        fixed.put_text("catalogue.profiles", &self.catalogue.to_toml());
        fixed.put("catalogue.fiscal_code_links", &self.links.pairs());
        fixed.put("catalogue.credential_schemes", &self.credential_schemes);
        fixed.put("rules.as_of", &as_of);
        fixed.put("rules.version", &RULES_VERSION);
        fixed.0
    }
}

#[derive(Default)]
struct Fixed(BTreeMap<String, String>);

impl Fixed {
    fn put(&mut self, key: &str, value: &impl Serialize) {
        let json = serde_json::to_string(value).expect("plain values are always JSON");
        self.put_text(key, &json);
    }

    fn put_text(&mut self, key: &str, text: &str) {
        let hash = Sha256::digest(text.as_bytes());
        let hash = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        self.0.insert(key.to_owned(), hash);
    }

    fn put_source(&mut self, source: &SourceSettings, allow_columns: &[String]) {
        let rules = &source.rules;
        let key = |key: &str| format!("source.{}.{key}", rules.name);
        self.put_text(&key("url"), &source.location.shown());
        if let SourceLocation::Csv {
            encoding,
            delimiter,
            ..
        } = &source.location
        {
            self.put(&key("encoding"), encoding);
            self.put(&key("delimiter"), delimiter);
        }
        self.put(&key("columns"), &source.columns);
        self.put(&key("values.status"), &rules.status_codes);
        self.put(&key("values.level"), &rules.level_codes);
        self.put(&key("time_zone"), &source.time_zone);
        self.put(
            &key("lock.allow_columns"),
            &source.changing_fields(allow_columns),
        );
    }
}
