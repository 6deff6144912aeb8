//! `explain`: what became of a record, or of a person's records.

use std::io::{Read, stdin};

use clap::Args;
use serde_json::json;

use super::{Context, failure::Failure};
use crate::{
    config::settings::Settings,
    domain::activation::standing::ACTIVATION_SOURCE,
    exit::Exit,
    store::Reader,
    ui::{fate, terminal::Format},
};

/// Say what became of a legacy record, and why
///
/// With `-` a fiscal code is read from standard input, so that it never stands in the list of processes; the
/// answer covers all records of that person. `activation:REQUEST` names a request from the counters; a PIN that the lock
/// diverted is named like a record. The answer says
/// where records are now, marked while their run is not cut over, and which rule decided, what changed of them under the lock, and what became of the
/// person's requests and receipts; it holds no name, code, contact or credential.
#[derive(Debug, Args)]
pub(super) struct Explain {
    /// SOURCE:ID of a record, or - for a fiscal code on standard input
    #[arg(value_name = "SOURCE:ID")]
    what: String,
}

enum Asked {
    Record { source: String, id: String },
    Request(String),
    Codes(Vec<String>),
}

impl Explain {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let settings = context.settings(Vec::new())?;
        let asked = self.resolve(&settings)?;
        let reader = Reader::open(&settings.target)?;
        asked.must_be_known(&settings, &reader)?;
        let found = match &asked {
            Asked::Record { source, id } => reader.fate_of_record(source, id)?,
            Asked::Request(request_id) => reader.fate_of_request(request_id)?,
            Asked::Codes(codes) => reader.fate_of_codes(codes)?,
        };
        if found.is_empty() {
            return Err(asked.unknown());
        }
        match context.terminal.format() {
            Format::Json => context.terminal.json(&json!({"explained": found}))?,
            Format::Table => context.terminal.text(&fate::text(&found))?,
        }
        Ok(Exit::Done)
    }

    fn resolve(&self, settings: &Settings) -> Result<Asked, Failure> {
        if self.what == "-" {
            return Ok(Asked::Codes(codes(settings)?));
        }
        match self.what.split_once(':') {
            Some((ACTIVATION_SOURCE, id)) if !id.is_empty() => Ok(Asked::Request(id.to_owned())),
            Some((source, id)) if !source.is_empty() && !id.is_empty() => Ok(Asked::Record {
                source: source.to_owned(),
                id: id.to_owned(),
            }),
            Some(_) | None => Err(misnamed(&configured(settings))),
        }
    }
}

impl Asked {
    /// The source of a record is one of the configuration, or one that a run of the target took, whatever its
    /// configuration was.
    fn must_be_known(&self, settings: &Settings, reader: &Reader) -> Result<(), Failure> {
        let Self::Record { source, .. } = self else {
            return Ok(());
        };
        let mut names = configured(settings);
        if names.contains(source) {
            return Ok(());
        }
        names.extend(reader.sources_taken()?);
        if names.contains(source) {
            return Ok(());
        }
        names.sort_unstable();
        names.dedup();
        Err(misnamed(&names))
    }

    /// That nothing is known of it.
    fn unknown(&self) -> Failure {
        let (error, hint) = match self {
            Self::Record { .. } | Self::Codes(_) => (
                "the target knows no such record",
                "`pinferry status` shows whether the run has loaded it yet",
            ),
            Self::Request(_) => (
                "the queue holds no such request",
                "its id is the request_id of its line; `pinferry intake FILE` answers whether it was taken",
            ),
        };
        Failure::new(Exit::Failed, error, Some(hint.to_owned()))
    }
}

fn configured(settings: &Settings) -> Vec<String> {
    let sources = settings.sources.iter();
    sources.map(|source| source.rules.name.clone()).collect()
}

fn misnamed(sources: &[String]) -> Failure {
    let hint = format!(
        "sources: {}; a request is {ACTIVATION_SOURCE}:REQUEST",
        sources.join(", ")
    );
    Failure::new(Exit::Usage, "a record is named SOURCE:ID", Some(hint))
}

/// The code on standard input, the one it leads to, and every other that leads there.
fn codes(settings: &Settings) -> Result<Vec<String>, Failure> {
    const MOST_BYTES: u64 = 1024;
    let mut line = String::new();
    stdin()
        .take(MOST_BYTES)
        .read_to_string(&mut line)
        .map_err(|error| Failure::new(Exit::Failed, error, None))?;
    let written = line.trim().to_ascii_uppercase();
    if written.is_empty() {
        let hint = "printf '%s' CODE | pinferry explain -".to_owned();
        let error = "there is no fiscal code on standard input";
        return Err(Failure::new(Exit::Usage, error, Some(hint)));
    }
    let mut codes = vec![written];
    if let Ok(current) = settings.links.current_code(&codes[0]) {
        codes.extend_from_slice(settings.links.old_codes(current.as_str()));
        codes.push(current.as_str().to_owned());
    }
    codes.sort_unstable();
    codes.dedup();
    Ok(codes)
}
