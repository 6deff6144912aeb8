//! `[[source]]`.

use std::{collections::BTreeMap, path::Path};

use crate::domain::{
    field::Field,
    rules::{Nameless, SourceRules},
};

use super::{
    environment::Environment,
    location::{Place, place},
    mistake::{closest, list},
    node::{Node, Value},
    quantity,
    section::Section,
    settings::{Encoding, SourceLocation, SourceSettings},
};

const URLS: &str = "csv://FILE, sqlite://FILE and postgres://USER@HOST/DATABASE are accepted, a relative FILE starts at this file";
const NAMES: &str = "a short name of its own: no colon, not `activation`";

/// Reads one `[[source]]`.
pub(crate) fn read(
    mut section: Section<'_>,
    base: &Path,
    environment: &Environment,
) -> Option<SourceSettings> {
    let name = name(&mut section);
    let place = place(&mut section, base, environment, URLS);
    let records = section.integer("records", 0..=i64::MAX as u64);
    let time_zone = section.parsed(
        "time_zone",
        "a name such as Europe/Rome",
        quantity::time_zone,
    );
    let columns = columns(section.section("columns"));
    let mut values = section.section("values");
    let status = codes(&mut values, "status");
    let level = codes(&mut values, "level");
    values.finish();
    let located = location(&mut section, place);
    section.finish();
    let (location, sha256, nameless) = located?;
    Some(SourceSettings {
        rules: SourceRules {
            name: name?,
            nameless,
            status_codes: status.unwrap_or_else(SourceRules::default_status_codes),
            level_codes: level.unwrap_or_else(SourceRules::default_level_codes),
        },
        location,
        columns,
        records,
        sha256,
        time_zone: time_zone.unwrap_or_else(|| "Europe/Rome".to_owned()),
    })
}

fn name(section: &mut Section<'_>) -> Option<String> {
    let given = section.required("name", NAMES)?;
    let problem = if given.text.contains(':') {
        "holds a colon, which separates a source from its ids"
    } else if given.text.eq_ignore_ascii_case("activation") {
        "`activation` is the name of what delayed activations issue"
    } else if given.text.trim() != given.text {
        "begins or ends with a space"
    } else {
        section.rename(format!("source {}", given.text));
        return Some(given.text);
    };
    section.wrong(&given.origin, "name", problem, NAMES);
    None
}

type Located = (SourceLocation, Option<String>, Nameless);

fn location(section: &mut Section<'_>, place: Option<Place>) -> Option<Located> {
    match place {
        Some(Place::Csv(path)) => {
            only_for_databases(section);
            let encodings = list(Encoding::ALL.iter().map(|encoding| encoding.as_str()));
            let encoding = section.parsed("encoding", &encodings, |text| {
                Encoding::by_name(&text.to_ascii_lowercase()).ok_or("is not a known encoding")
            });
            let sha256 = section.parsed("sha256", "64 hexadecimal digits", sha256);
            let location = SourceLocation::Csv {
                path,
                encoding: encoding.unwrap_or(Encoding::Utf8),
                delimiter: delimiter(section).unwrap_or(b';'),
            };
            Some((location, sha256, Nameless::ByNumber))
        }
        Some(Place::Sqlite(path)) => {
            let (table, lock_tables) = tables(section);
            let location = SourceLocation::Sqlite {
                path,
                table,
                lock_tables,
            };
            Some((location, None, Nameless::ByHash))
        }
        Some(Place::Postgres(database)) => {
            let (table, lock_tables) = tables(section);
            let location = SourceLocation::Postgres {
                database,
                table,
                lock_tables,
            };
            Some((location, None, Nameless::ByHash))
        }
        None => {
            for key in ["encoding", "delimiter", "sha256", "table", "lock_tables"] {
                section.take(key);
            }
            None
        }
    }
}

/// What is read of a database, and what is locked where that is a view.
fn tables(section: &mut Section<'_>) -> (String, Vec<String>) {
    only_for_files(section);
    let table = section.text("table").map(|given| given.text);
    let lock_tables = section.texts("lock_tables").unwrap_or_default();
    (
        table.unwrap_or_else(|| "pin_legacy".to_owned()),
        lock_tables.into_iter().map(|given| given.text).collect(),
    )
}

fn only_for_databases(section: &mut Section<'_>) {
    for key in ["table", "lock_tables"] {
        if let Some(node) = section.take(key) {
            section.wrong(
                &node.origin,
                key,
                "a CSV file has no tables",
                "leave it out",
            );
        }
    }
}

fn only_for_files(section: &mut Section<'_>) {
    for key in ["encoding", "delimiter"] {
        if let Some(node) = section.take(key) {
            section.wrong(
                &node.origin,
                key,
                "a database says so itself",
                "leave it out",
            );
        }
    }
    if let Some(node) = section.take("sha256") {
        let problem = "a database that is in use has no fixed checksum";
        section.wrong(&node.origin, "sha256", problem, "leave it out");
    }
}

fn sha256(text: &str) -> Result<String, &'static str> {
    if text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        Ok(text.to_ascii_lowercase())
    } else {
        Err("is not a SHA-256")
    }
}

fn delimiter(section: &mut Section<'_>) -> Option<u8> {
    const ACCEPTED: &str = "one ASCII character such as \";\" \",\" \"|\" or \"\\t\"";
    let given = section.text("delimiter")?;
    match given.text.as_bytes() {
        [byte] if byte.is_ascii() && !byte.is_ascii_alphanumeric() && !b"\"\r\n".contains(byte) => {
            Some(*byte)
        }
        _ => {
            let problem = format!("`{}` cannot separate columns", given.text);
            section.wrong(&given.origin, "delimiter", problem, ACCEPTED);
            None
        }
    }
}

/// Canonical field to column: the default layout with the section's changes.
fn columns(section: Section<'_>) -> BTreeMap<Field, String> {
    let key = section.key("");
    let key = key.trim_end_matches('.');
    let (mistakes, origin) = (section.mistakes(), section.origin().clone());
    let mut columns: BTreeMap<Field, String> = Field::ALL
        .into_iter()
        .filter_map(|field| Some((field, field.default_column()?.to_owned())))
        .collect();
    for (name, Node { value, origin }) in section.rest() {
        let full = format!("{key}.{name}");
        let Some(field) = Field::by_name(&name) else {
            let accepted = match closest(&name, Field::ALL.map(Field::name)) {
                Some(field) => format!("did you mean {field}?"),
                None => format!("fields: {}", list(Field::ALL.map(Field::name))),
            };
            mistakes.add(&origin, &full, "is not a canonical field", accepted);
            continue;
        };
        match value {
            Value::Text(column) if !column.is_empty() || may_be_absent(field) => {
                columns.insert(field, column);
            }
            value => {
                let problem = match value {
                    Value::Text(_) => "names no column, and nobody is migrated without it".into(),
                    value => format!("is {}", value.kind()),
                };
                mistakes.add(&origin, &full, problem, "the name of a column in quotes");
            }
        }
    }
    let mut taken: BTreeMap<&str, Field> = BTreeMap::new();
    for (field, column) in columns.iter().filter(|(_, column)| !column.is_empty()) {
        if let Some(other) = taken.insert(column, *field) {
            let problem = format!(
                "{} and {} are both read from the column {column}",
                other.name(),
                field.name()
            );
            mistakes.add(&origin, key, problem, "one column for each field");
        }
    }
    columns
}

/// Whether a source can do without the field: its column is then given as "".
fn may_be_absent(field: Field) -> bool {
    match field {
        Field::LegacyId
        | Field::FiscalCode
        | Field::Surname
        | Field::GivenName
        | Field::Profile
        | Field::Status
        | Field::Level
        | Field::Credential
        | Field::CredentialScheme
        | Field::IssuedOn => false,
        Field::BirthDate
        | Field::Entity
        | Field::CredentialSalt
        | Field::ExpiresOn
        | Field::LastUsedOn
        | Field::Office
        | Field::Channel
        | Field::HalvesDelivered
        | Field::Email
        | Field::Phone
        | Field::GuardianFiscalCode => true,
    }
}

trait Meaning: Copy + 'static {
    const ALL: &'static [Self];
    fn name(self) -> &'static str;
}

impl Meaning for crate::domain::status::LegacyStatus {
    const ALL: &'static [Self] = Self::ALL;
    fn name(self) -> &'static str {
        self.as_str()
    }
}

impl Meaning for crate::domain::status::Level {
    const ALL: &'static [Self] = Self::ALL;
    fn name(self) -> &'static str {
        self.as_str()
    }
}

/// A code map, where one is given: it replaces the default map entirely.
fn codes<M: Meaning>(values: &mut Section<'_>, key: &'static str) -> Option<BTreeMap<String, M>> {
    let section = values.section(key);
    let path = values.key(key);
    let mistakes = values.mistakes();
    let table = section.rest();
    if table.is_empty() {
        return None;
    }
    let accepted = list(M::ALL.iter().map(|meaning| meaning.name()));
    let mut codes = BTreeMap::new();
    for (code, Node { value, origin }) in table {
        let full = format!("{path}.{code}");
        let meaning = match &value {
            Value::Text(text) => M::ALL.iter().find(|meaning| meaning.name() == text),
            Value::Integer(_)
            | Value::Float(_)
            | Value::Boolean
            | Value::List(_)
            | Value::Table(_) => None,
        };
        let Some(meaning) = meaning else {
            mistakes.add(&origin, &full, "has no known meaning", accepted.clone());
            continue;
        };
        if codes
            .insert(code.trim().to_ascii_uppercase(), *meaning)
            .is_some()
        {
            let problem = "the same code twice; codes are compared in upper case";
            mistakes.add(&origin, &full, problem, "");
        }
    }
    Some(codes)
}
