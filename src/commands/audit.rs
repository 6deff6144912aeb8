//! `audit`: who did what to the target, and whether the log still says so.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

use super::{
    Context,
    failure::Failure,
    outlet::{is_standard_output, outlet},
};
use crate::{
    config::settings::TargetSettings,
    engine::{
        audit_log::{AuditExport, AuditWalk, WHAT},
        outlet::ExportError,
    },
    exit::Exit,
    store::{Reader, reader::audit::AuditRow},
    ui::terminal::Format,
};

/// Entries read at a time.
const PAGE: u32 = 1_000;

/// Check or export the audit log of the target
#[derive(Debug, Args)]
pub(super) struct Audit {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    Verify(Verify),
    Export(Export),
}

/// Walk the log: does every entry follow from the one before, as it was written?
///
/// Entries cut off at the end leave no trace in what stays: note the last link (head) elsewhere, and compare.
/// Exit code 6: an entry was changed, removed or slipped in; the first that does not follow is named.
#[derive(Debug, Args)]
struct Verify {}

/// Write the log as lines of JSON, one an entry
#[derive(Debug, Args)]
struct Export {
    /// The file to write, readable by its owner only; an existing one is never touched; - is standard output
    #[arg(
        long,
        value_name = "FILE",
        default_value = "-",
        hide_default_value = true
    )]
    out: PathBuf,
}

impl Audit {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        match self.what {
            What::Verify(command) => command.run(context),
            What::Export(command) => command.run(context),
        }
    }
}

impl Verify {
    fn run(self, context: &Context) -> Result<Exit, Failure> {
        let settings = context.settings(Vec::new())?;
        let mut walk = AuditWalk::default();
        each_entry(&settings.target, |row| {
            walk.step(row);
            Ok(())
        })?;
        let terminal = &context.terminal;
        match terminal.format() {
            Format::Json => terminal.json(&json!({
                "entries": walk.entries, "whole": walk.is_whole(),
                "breaks_at": walk.breaks_at, "head": walk.head,
            }))?,
            Format::Table => terminal.text(&text(&walk))?,
        }
        if walk.is_whole() {
            return Ok(Exit::Done);
        }
        terminal.next(
            "find out who wrote to table audit_event; `pinferry audit export --out FILE` keeps it as it is",
        );
        Ok(Exit::VerificationFailed)
    }
}

fn text(walk: &AuditWalk) -> String {
    let entries = walk.entries;
    match walk.breaks_at {
        Some(id) => format!(
            "the audit log holds {entries} entries and is NOT whole: entry {id} does not follow from the one before"
        ),
        None if entries == 0 => "the audit log holds 0 entries".to_owned(),
        None => format!(
            "the audit log holds {entries} entries and is whole\nhead: {}",
            walk.head
        ),
    }
}

impl Export {
    fn run(self, context: &Context) -> Result<Exit, Failure> {
        let settings = context.settings(Vec::new())?;
        let mut export = AuditExport::create(outlet(WHAT, &self.out, context)?);
        each_entry(&settings.target, |row| export.write(row))?;
        let entries = export.finish()?;
        if is_standard_output(&self.out) {
            return Ok(Exit::Done);
        }
        let (file, terminal) = (self.out.display().to_string(), &context.terminal);
        match terminal.format() {
            Format::Json => {
                terminal.json(&json!({"exported": {"file": file, "entries": entries}}))?
            }
            Format::Table => terminal.say(&format!("wrote {entries} entries to {file}")),
        }
        Ok(Exit::Done)
    }
}

/// Gives every entry in order.
fn each_entry(
    target: &TargetSettings,
    mut give: impl FnMut(&AuditRow) -> Result<(), ExportError>,
) -> Result<(), Failure> {
    let reader = Reader::open(target)?;
    let mut last = 0;
    loop {
        let rows = reader.audit(last, PAGE)?;
        rows.iter().try_for_each(&mut give)?;
        match rows.last() {
            Some(row) => last = row.audit_id,
            None => return Ok(()),
        }
    }
}
