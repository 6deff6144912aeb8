//! `sample-data`: invented legacy data of any volume.

use std::{
    num::NonZeroU16,
    path::{Path, PathBuf},
};

use clap::Args;

use super::{Context, failure::Failure, outlet::is_standard_output};
use crate::{
    exit::Exit,
    sample::{self, SampleFormat, SampleOptions},
};

/// Invent legacy data of any volume, the same for the same seed
///
/// The data are from 2013-11-03: judge them with as_of = "2013-11-03" in section rules. Records with a flaw
/// refer to replaced and discarded fiscal codes, which are written beside the first source as
/// NAME.links.csv, for fiscal_code_links in section catalogue.
#[derive(Debug, Args)]
pub(super) struct SampleData {
    /// How many records, all sources together
    #[arg(long, value_name = "N")]
    records: u64,
    /// The same seed gives the same data
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Share of records with a flaw, from 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.05, value_parser = share)]
    dirty: f64,
    /// Over how many files the records are spread; all but the first are called NAME-2, NAME-3 and so on
    #[arg(long, value_name = "COUNT", default_value_t = NonZeroU16::MIN)]
    sources: NonZeroU16,
    /// The file to write: a SQLite database (table pin_legacy) if it ends in .db or .sqlite, else CSV; an
    /// existing one is never touched; - is standard output, as CSV, with --dirty 0
    #[arg(long, value_name = "PATH")]
    out: PathBuf,
}

impl SampleData {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let mut options = SampleOptions {
            records: self.records,
            seed: self.seed,
            dirty: self.dirty,
            format: format_of(&self.out),
            sources: self.sources,
            source: 0,
        };
        if is_standard_output(&self.out) {
            return self.stream(&options, context);
        }
        for source in 0..self.sources.get() {
            options.source = source;
            let path = numbered(&self.out, source);
            let written = sample::generate(&options, &path)?;
            let shown = path.display();
            context
                .terminal
                .say(&format!("wrote {shown}: {written} records"));
        }
        if self.dirty > 0.0 {
            let path = self.out.with_extension("links.csv");
            let written = sample::generate_links(&options, &path)?;
            let shown = path.display();
            context.terminal.say(&format!(
                "wrote {shown}: {written} replaced and discarded codes"
            ));
        }
        Ok(Exit::Done)
    }

    /// One stream holds one source, and no links beside it.
    fn stream(&self, options: &SampleOptions, context: &Context) -> Result<Exit, Failure> {
        if self.dirty > 0.0 || self.sources > NonZeroU16::MIN {
            return Err(Failure::new(
                Exit::Usage,
                "standard output takes one source and nothing beside it",
                Some("--dirty 0 without --sources for standard output, or a file for --out".into()),
            ));
        }
        sample::generate_into(options, context.terminal.stream())?;
        Ok(Exit::Done)
    }
}

fn format_of(out: &Path) -> SampleFormat {
    match out.extension().and_then(|extension| extension.to_str()) {
        Some("db" | "sqlite") => SampleFormat::Sqlite,
        Some(_) | None => SampleFormat::Csv,
    }
}

/// The first source has the name asked for, the others a number before the extension.
fn numbered(out: &Path, source: u16) -> PathBuf {
    if source == 0 {
        return out.to_owned();
    }
    let mut name = out.file_stem().unwrap_or_default().to_owned();
    name.push(format!("-{}", source + 1));
    if let Some(extension) = out.extension() {
        name.push(".");
        name.push(extension);
    }
    out.with_file_name(name)
}

fn share(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        Ok(_) | Err(_) => Err("a share is a number from 0 to 1, such as 0.05".to_owned()),
    }
}
