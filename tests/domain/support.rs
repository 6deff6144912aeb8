//! Records, rules and rows as text. `*` after fifteen characters of a code stands for its check character.

use std::fmt::Write as _;

use pinferry::domain::{
    case::{Decision, decide},
    catalogue::Catalogue,
    field::{FIELDS, Field},
    links::Links,
    raw_record::{RawRecord, Shape, SourceIndex},
    rows::PersonRows,
    rules::{DEFAULT_SCHEMES, Nameless, Rules, SourceRules},
};

/// 1 January 1980, Mario Rossi: whom a record speaks of unless it says otherwise.
pub(crate) const ROSSI: &str = "RSSMRA80A01H501*";

/// The sources of the tests, in order of precedence; the second is a database.
const SOURCES: [(&str, Nameless); 2] = [("inps", Nameless::ByNumber), ("ente", Nameless::ByHash)];

pub(crate) fn rules() -> Rules {
    rules_with_links("")
}

/// `links` holds lines `old;new`.
pub(crate) fn rules_with_links(links: &str) -> Rules {
    let links = expand(links);
    let pairs = links.lines().zip(1..).filter_map(|(line, number)| {
        let (old, new) = line.split_once(';')?;
        Some((number, old.to_owned(), new.to_owned()))
    });
    Rules {
        as_of: "2013-11-03".parse().expect("a date"),
        catalogue: Catalogue::built_in(),
        links: Links::from_pairs(pairs).expect("links without a mistake"),
        schemes: DEFAULT_SCHEMES.map(str::to_owned).into(),
        sources: SOURCES
            .map(|(name, nameless)| SourceRules {
                name: name.to_owned(),
                nameless,
                status_codes: SourceRules::default_status_codes(),
                level_codes: SourceRules::default_level_codes(),
            })
            .into(),
    }
}

/// A record that owns its text.
#[derive(Clone, Debug)]
pub(crate) struct Legacy {
    pub(crate) source: u16,
    pub(crate) number: u64,
    pub(crate) shape: Shape,
    pub(crate) invalid: u32,
    pub(crate) fields: [String; FIELDS],
}

impl Legacy {
    /// A valid, active, ordinary citizen's PIN.
    pub(crate) fn new(number: u64) -> Self {
        let mut legacy = Self {
            source: 0,
            number,
            shape: Shape::Row,
            invalid: 0,
            fields: Default::default(),
        };
        for (field, value) in [
            (Field::LegacyId, "1"),
            (Field::FiscalCode, ROSSI),
            (Field::Surname, "ROSSI"),
            (Field::GivenName, "MARIO"),
            (Field::BirthDate, "1980-01-01"),
            (Field::Profile, "CIT"),
            (Field::Status, "A"),
            (Field::Level, "ORD"),
            (Field::Credential, "hash"),
            (Field::CredentialScheme, "SHA256"),
            (Field::IssuedOn, "2010-01-01"),
        ] {
            legacy.set(field, value);
        }
        legacy
    }

    /// A line `field=value, field=value`: `id` is short for the id, `code` for the fiscal code; `source=1`,
    /// `invalid=FIELD` and `malformed=JSON` say what is no field.
    pub(crate) fn parse(number: u64, line: &str) -> Self {
        let mut legacy = Self::new(number);
        for (key, value) in line.split(", ").filter_map(|part| part.split_once('=')) {
            match key.trim() {
                "source" => legacy.source = value.parse().expect("a source"),
                "malformed" => {
                    legacy.shape = Shape::Malformed;
                    legacy.fields = Default::default();
                    legacy.fields[0] = value.to_owned();
                }
                "invalid" => {
                    let field = Field::by_name(value).expect("a field");
                    legacy.invalid |= 1 << field.index();
                }
                "id" => legacy.set(Field::LegacyId, value),
                "code" => legacy.set(Field::FiscalCode, value),
                name => legacy.set(Field::by_name(name).expect(name), value),
            }
        }
        legacy
    }

    pub(crate) fn set(&mut self, field: Field, value: &str) {
        self.fields[field.index()] = expand(value);
    }

    pub(crate) fn raw(&self) -> RawRecord<'_> {
        RawRecord {
            source: SourceIndex(self.source),
            number: self.number,
            shape: self.shape,
            invalid: self.invalid,
            clean: false,
            fields: self.fields.each_ref().map(String::as_str),
        }
    }
}

/// One record a line.
pub(crate) fn records(lines: &str) -> Vec<Legacy> {
    let lines = lines.lines().map(str::trim_start);
    let lines = lines.filter(|line| !line.is_empty());
    lines
        .zip(1..)
        .map(|(line, number)| Legacy::parse(number, line))
        .collect()
}

/// Judges records given as text and shows those lines of the result that begin with one of `wanted`.
pub(crate) fn judged(lines: &str, wanted: &[&str], rules: &Rules) -> String {
    let records = records(lines);
    let raws: Vec<_> = records.iter().map(Legacy::raw).collect();
    only(&show(&decide(&raws, rules)), wanted)
}

pub(crate) fn only(text: &str, wanted: &[&str]) -> String {
    let lines = text.lines();
    let lines = lines.filter(|line| wanted.iter().any(|word| line.starts_with(word)));
    lines.collect::<Vec<_>>().join("\n")
}

/// Compares line by line, indentation aside, with check characters filled in.
#[track_caller]
pub(crate) fn assert_text(what: &str, got: &str, expected: &str) {
    let expected: Vec<String> = expected
        .lines()
        .map(|line| expand(line.trim()))
        .filter(|line| !line.is_empty())
        .collect();
    assert_eq!(got.lines().collect::<Vec<_>>(), expected, "{what}");
}

/// Every row of a decision, one a line.
pub(crate) fn show(decision: &Decision<'_>) -> String {
    let mut out = String::new();
    for rows in &decision.people {
        show_person(rows, &mut out);
    }
    for row in &decision.quarantined {
        let (source, id, copy) = (row.source, &row.legacy_id, row.copy);
        let _ = writeln!(
            out,
            "quarantine {source}:{id}/{copy} {} {}",
            row.reason, row.detail
        );
    }
    out
}

fn show_person(rows: &PersonRows<'_>, out: &mut String) {
    let person = &rows.person;
    let _ = writeln!(
        out,
        "person {} {} {} {} {} {}",
        rows.fiscal_code.as_str(),
        person.surname,
        person.given_name.unwrap_or("-"),
        date(person.birth_date),
        person.email.unwrap_or("-"),
        person.phone.unwrap_or("-"),
    );
    for row in &rows.codes {
        let current = if row.current { "current" } else { "old" };
        let _ = writeln!(out, "code {} {current}", row.fiscal_code);
    }
    for row in &rows.pins {
        show_pin(row, out);
    }
    for row in &rows.grants {
        show_grant(row, out);
    }
    for row in &rows.delegations {
        let guardian = row.guardian_fiscal_code.as_str();
        let _ = writeln!(out, "delegation {guardian} {}", row.evidence);
    }
    for row in &rows.findings {
        let _ = writeln!(out, "finding {} {}:{}", row.kind, row.source, row.legacy_id);
    }
}

pub(crate) fn show_pin(row: &pinferry::domain::rows::PinRow<'_>, out: &mut String) {
    let by = row.superseded_by;
    let by = by.map(|pin| format!(" by {}:{}", pin.source, pin.legacy_id));
    let _ = writeln!(
        out,
        "pin {}:{} {} {} {} expires {}{}",
        row.source,
        row.legacy_id,
        row.status,
        row.disposition,
        row.level,
        date(row.expires_on),
        by.unwrap_or_default(),
    );
}

pub(crate) fn show_grant(row: &pinferry::domain::rows::GrantRow<'_>, out: &mut String) {
    let _ = writeln!(
        out,
        "grant {}/{} {} {} {} {}",
        row.profile, row.entity, row.status, row.level, row.valid_from, row.evidence
    );
}

fn date(date: Option<jiff::civil::Date>) -> String {
    date.map_or_else(|| "-".to_owned(), |date| date.to_string())
}

/// Puts check characters in place of `*`.
pub(crate) fn expand(text: &str) -> String {
    let mut out = String::new();
    for character in text.chars() {
        match character {
            '*' => {
                let from = out
                    .len()
                    .checked_sub(15)
                    .expect("fifteen characters before *");
                out.push(check_character(&out[from..]));
            }
            other => out.push(other),
        }
    }
    out
}

/// Written from the decree's tables once more, so that a slip in the program's own is seen.
fn check_character(code: &str) -> char {
    let odd = "BAKPLCQDREVOSFTGUHMINJWZYX";
    let rank = |c: char| c.to_digit(10).unwrap_or_else(|| u32::from(c) - 65);
    let sum: u32 = code
        .chars()
        .enumerate()
        .map(|(position, c)| match position % 2 {
            // The string spells each value's letter: B = 1, A = 0, K = 10 …
            0 => odd_value(odd, rank(c)),
            _ => rank(c),
        })
        .sum();
    char::from(b'A' + (sum % 26) as u8)
}

/// The position in the alphabet permutation of the decree: value v stands where letter v of `odd` says.
fn odd_value(odd: &str, rank: u32) -> u32 {
    let letter = char::from(b'A' + rank as u8);
    odd.find(letter).map_or(0, |value| value as u32)
}
