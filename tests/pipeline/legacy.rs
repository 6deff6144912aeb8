//! Small invented sources, and the settings to read them with.

use std::{collections::BTreeMap, fs, num::NonZeroU64, path::Path, time::Duration};

use pinferry::{
    config::settings::{Encoding, RunSettings, SourceLocation, SourceSettings},
    domain::{
        catalogue::Catalogue,
        field::Field,
        fiscal_code::FiscalCode,
        links::Links,
        rules::{DEFAULT_SCHEMES, Nameless, Rules, SourceRules},
    },
    engine::{
        extract::{ExtractError, Extracted, extract},
        progress::Unwatched,
        stop::StopFlag,
    },
};

/// Makes every buffer as small as it gets: all is spilled, and merged two by two.
pub(crate) const NO_MEMORY: u64 = 1;
/// Some runs are kept, some are spilled.
pub(crate) const SOME_MEMORY: u64 = 300 << 10;
/// Nothing is spilled.
pub(crate) const ALL_MEMORY: u64 = 64 << 20;

/// One row of a legacy file.
#[derive(Clone, Debug)]
pub(crate) enum Row {
    /// All fields are there.
    Whole {
        id: String,
        code: String,
        email: String,
    },
    /// Too few fields.
    Short(String),
}

impl Row {
    pub(crate) fn new(id: &str, code: &str, email: &str) -> Self {
        Self::Whole {
            id: id.to_owned(),
            code: code.to_owned(),
            email: email.to_owned(),
        }
    }

    fn line(&self) -> String {
        match self {
            Self::Whole { id, code, email } => format!(
                "{id};{code};ROSSI;MARIO;;CIT;;A;ORD;{:064};SHA256;2010-01-01;;;0100;WEB;2;{email};;\n",
                id.len()
            ),
            Self::Short(text) => format!("{text}\n"),
        }
    }
}

/// A valid code that no other number gives; codes of neighbouring numbers differ by omocodia.
pub(crate) fn code(number: usize) -> String {
    const LETTERS: [char; 10] = ['L', 'M', 'N', 'P', 'Q', 'R', 'S', 'T', 'U', 'V'];
    let (person, sibling) = (number / 2, number % 2);
    let last = match sibling {
        0 => '1',
        _ => LETTERS[1],
    };
    let letter = |n: usize| char::from(b'A' + (n % 26) as u8);
    let start = format!(
        "RSSM{}{}80A01H{:02}",
        letter(person / 26),
        letter(person),
        50 + person % 40
    );
    let start = format!("{start}{last}");
    ('A'..='Z')
        .map(|check| format!("{start}{check}"))
        .find(|code| code.parse::<FiscalCode>().is_ok())
        .expect("one check character fits")
}

/// Rows as the CSV file `name` in `folder`.
pub(crate) fn source(folder: &Path, name: &str, rows: &[Row]) -> SourceSettings {
    let columns: BTreeMap<Field, String> = Field::ALL
        .iter()
        .filter_map(|field| Some((*field, field.default_column()?.to_owned())))
        .collect();
    let header = Field::ALL.iter().filter_map(|field| field.default_column());
    let header: Vec<&str> = header.collect();
    let mut text = header.join(";") + "\n";
    text.extend(rows.iter().map(Row::line));
    let path = folder.join(format!("{name}.csv"));
    fs::write(&path, text).expect("a CSV file");
    SourceSettings {
        rules: SourceRules {
            name: name.to_owned(),
            nameless: Nameless::ByNumber,
            status_codes: SourceRules::default_status_codes(),
            level_codes: SourceRules::default_level_codes(),
        },
        location: SourceLocation::Csv {
            path,
            encoding: Encoding::Utf8,
            delimiter: b';',
        },
        columns,
        // An extract that is meant to be empty says so.
        records: rows.is_empty().then_some(0),
        sha256: None,
        time_zone: "Europe/Rome".to_owned(),
    }
}

pub(crate) fn rules(sources: &[SourceSettings]) -> Rules {
    Rules {
        as_of: jiff::civil::date(2013, 11, 3),
        catalogue: Catalogue::built_in(),
        links: Links::default(),
        schemes: DEFAULT_SCHEMES.map(str::to_owned).into(),
        sources: sources.iter().map(|source| source.rules.clone()).collect(),
    }
}

pub(crate) fn run(work_dir: &Path, memory_bytes: u64, workers: usize) -> RunSettings {
    RunSettings {
        chunk_records: NonZeroU64::MIN,
        workers,
        memory_bytes,
        work_dir: work_dir.to_owned(),
        max_quarantine_ratio: 1.0,
        lease: Duration::from_secs(30),
        load: None,
    }
}

pub(crate) fn extracted(
    sources: &[SourceSettings],
    run: &RunSettings,
) -> Result<Extracted, ExtractError> {
    extract(
        sources,
        &rules(sources),
        &[],
        run,
        &Unwatched,
        &StopFlag::default(),
    )
}
