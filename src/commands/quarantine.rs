//! `quarantine`: who was left out and why.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;

use super::{
    Context,
    failure::Failure,
    outlet::{is_standard_output, outlet},
};
use crate::{
    domain::{quarantine::Reason, record_name::shown_id},
    engine::quarantine_export::{QuarantineExport, WHAT},
    exit::Exit,
    store::{
        Reader,
        reader::{QuarantineFilter, Quarantined},
    },
    ui::{
        table::{render, table},
        terminal::Format,
    },
};

/// Rows read at a time.
const PAGE: u32 = 1_000;

/// Show or export the records no rule may migrate
#[derive(Debug, Args)]
pub(super) struct Quarantine {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List records by id, with the reason; no personal data
    List(List),
    /// Write the records as read, with the reason, as CSV for those who can correct them: personal data
    Export(Export),
}

#[derive(Debug, Args)]
struct Which {
    /// Of this source only
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// For this reason only
    #[arg(long, value_name = "REASON", value_parser = reason)]
    reason: Option<Reason>,
    /// In this state only
    #[arg(long, value_enum)]
    state: Option<State>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum State {
    /// Not settled yet
    Open,
    /// Migrated after all
    Replayed,
    /// Given up, with a reason
    Closed,
}

#[derive(Debug, Args)]
struct List {
    #[command(flatten)]
    which: Which,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
}

#[derive(Debug, Args)]
struct Export {
    #[command(flatten)]
    which: Which,
    /// The file to write, readable by its owner only; an existing one is never touched; - is standard output
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

impl Quarantine {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        match self.what {
            What::List(list) => list.run(context),
            What::Export(export) => export.run(context),
        }
    }
}

impl List {
    fn run(self, context: &Context) -> Result<Exit, Failure> {
        let settings = context.settings(Vec::new())?;
        let filter = self.which.filter();
        let limit = self.limit;
        let reader = Reader::open(&settings.target)?;
        let mut rows = reader.quarantine(&filter, None, limit.saturating_add(1))?;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        match context.terminal.format() {
            Format::Json => {
                let rows: Vec<_> = rows.iter().map(as_json).collect();
                let document = json!({"quarantine": rows, "more": more});
                context.terminal.json(&document)?;
            }
            Format::Table => context.terminal.text(&as_table(&rows))?,
        }
        if more {
            context.terminal.say("there are more; see --limit");
        }
        if !rows.is_empty() {
            context
                .terminal
                .next("`pinferry quarantine export FILE` for those who can correct them");
        }
        Ok(Exit::Done)
    }
}

impl Export {
    fn run(self, context: &Context) -> Result<Exit, Failure> {
        let settings = context.settings(Vec::new())?;
        let filter = self.which.filter();
        let terminal = &context.terminal;
        let streamed = is_standard_output(&self.file);
        if streamed && terminal.format() == Format::Json {
            return Err(Failure::new(
                Exit::Usage,
                "an export to standard output is CSV, which --format json has no place for",
                Some("name a file, or leave --format json out".to_owned()),
            ));
        }
        let mut export = QuarantineExport::create(outlet(WHAT, &self.file, context)?)?;
        let reader = Reader::open(&settings.target)?;
        let mut last: Option<Quarantined> = None;
        loop {
            let rows = reader.quarantine(&filter, last.as_ref(), PAGE)?;
            for row in &rows {
                export.write(row)?;
            }
            match rows.into_iter().last() {
                Some(row) => last = Some(row),
                None => break,
            }
        }
        let written = export.finish()?;
        if streamed {
            return Ok(Exit::Done);
        }
        let file = self.file.display().to_string();
        match terminal.format() {
            Format::Json => {
                terminal.json(&json!({"exported": {"file": file, "records": written}}))?
            }
            Format::Table => terminal.say(&format!(
                "wrote {written} records to {file}; it holds personal data"
            )),
        }
        Ok(Exit::Done)
    }
}

impl Which {
    fn filter(self) -> QuarantineFilter {
        QuarantineFilter {
            source: self.source,
            reason: self.reason,
            state: self.state.map(|state| {
                match state {
                    State::Open => "open",
                    State::Replayed => "replayed",
                    State::Closed => "closed",
                }
                .to_owned()
            }),
        }
    }
}

fn reason(text: &str) -> Result<Reason, String> {
    Reason::by_name(text).ok_or_else(|| {
        let names: Vec<&str> = Reason::ALL.iter().map(|reason| reason.as_str()).collect();
        format!("reasons: {}", names.join(", "))
    })
}

fn as_json(row: &Quarantined) -> serde_json::Value {
    json!({
        "source": row.source, "legacy_id": shown_id(&row.legacy_id), "copy": row.copy,
        "reason": row.reason, "detail": row.detail, "state": row.state,
    })
}

fn as_table(rows: &[Quarantined]) -> String {
    let mut shown = table(&["record", "copy", "reason", "detail", "state"], &[1]);
    for row in rows {
        shown.add_row([
            format!("{}:{}", row.source, shown_id(&row.legacy_id)),
            row.copy.to_string(),
            row.reason.clone(),
            row.detail.clone(),
            row.state.clone(),
        ]);
    }
    render(&shown)
}
