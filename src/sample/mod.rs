//! Invented legacy data of any volume, the same for the same seed.
//!
//! Every record is worked out of the seed and its number alone, so that nothing is held in memory however
//! many there are. The data are from [`AS_OF`].

mod calendar;
mod code;
mod committed;
mod draft;
mod error;
mod flaw;
mod maker;
mod names;
mod noise;
mod person;
mod record;

use std::{
    fs::{File, OpenOptions},
    io::{BufWriter, Write},
    num::NonZeroU16,
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use self::{
    draft::{Draft, Width},
    maker::Maker,
    noise::Shuffle,
};
use crate::{
    domain::{field::Field, status::vocabulary},
    source::legacy::LegacyDatabase,
};

pub use calendar::AS_OF;
pub use committed::{AtTheCounter, at_the_counter, lay_out};
pub use error::SampleError;

vocabulary! {
    /// What the records are written into.
    SampleFormat {
        /// A CSV file with a header, `;` between its fields, in UTF-8.
        Csv = "csv",
        /// A table `pin_legacy` in a SQLite database.
        Sqlite = "sqlite",
    }
}

/// What to invent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SampleOptions {
    /// How many records, all sources together.
    pub records: u64,
    /// The same seed gives the same records.
    pub seed: u64,
    /// Share of records with a flaw, from 0 to 1.
    pub dirty: f64,
    /// What they are written into.
    pub format: SampleFormat,
    /// Over how many sources the records are spread; people have records in several of them.
    pub sources: NonZeroU16,
    /// Which of the sources to write, from 0.
    pub source: u16,
}

const BUFFER_BYTES: usize = 256 << 10;

/// Writes one source into a new file, in no particular order, and tells how many records it has.
///
/// # Errors
/// The file exists, or cannot be written.
pub fn generate(options: &SampleOptions, path: &Path) -> Result<u64, SampleError> {
    let written = match options.format {
        SampleFormat::Csv => write_csv(options, new_file(path)?),
        SampleFormat::Sqlite => {
            // The file is made here, so that nothing that exists is written into.
            drop(new_file(path)?);
            return write_database(options, path);
        }
    };
    written.map_err(|error| SampleError::write(path, error.into()))
}

/// Writes one source as CSV to whatever takes it, and tells how many records it has.
///
/// # Errors
/// It cannot be written.
pub fn generate_into(options: &SampleOptions, out: impl Write) -> Result<u64, SampleError> {
    let path = Path::new("standard output");
    write_csv(options, out).map_err(|error| SampleError::write(path, error.into()))
}

/// Writes the replaced and discarded codes that dirty records refer to (`fiscal_code_links`), and tells how
/// many there are.
///
/// # Errors
/// The file exists, or cannot be written.
pub fn generate_links(options: &SampleOptions, path: &Path) -> Result<u64, SampleError> {
    let maker = Maker::new(options);
    let mut out = BufWriter::new(new_file(path)?);
    let mut write = || {
        out.write_all(b"old;new\n")?;
        for link in 0..maker.links() {
            let (old, new) = maker.link(link);
            out.write_all(old.as_bytes())?;
            out.write_all(b";")?;
            out.write_all(new.as_ref().map_or(b"", |code| code.as_bytes()))?;
            out.write_all(b"\n")?;
        }
        out.flush()
    };
    write().map_err(|error| SampleError::write(path, error))?;
    Ok(maker.links())
}

fn new_file(path: &Path) -> Result<File, SampleError> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(|error| SampleError::create(path, error))
}

/// The columns of the default layout.
fn columns() -> impl Iterator<Item = (Field, &'static str)> {
    Field::ALL
        .into_iter()
        .filter_map(|field| Some((field, field.default_column()?)))
}

/// Gives every record of the source to `write`.
fn each_record<E>(
    options: &SampleOptions,
    mut write: impl FnMut(&Draft) -> Result<(), E>,
) -> Result<u64, E> {
    let maker = Maker::new(options);
    let order = Shuffle::new(options.records, options.seed);
    let mut draft = Draft::new();
    let mut written = 0;
    for at in 0..options.records {
        let record = order.place(at);
        if maker.source_of(record) == options.source {
            maker.write(record, &mut draft);
            write(&draft)?;
            written += 1;
        }
    }
    Ok(written)
}

fn write_csv(options: &SampleOptions, file: impl Write) -> Result<u64, csv::Error> {
    let mut out = csv::WriterBuilder::new()
        .delimiter(b';')
        .flexible(true)
        .buffer_capacity(BUFFER_BYTES)
        .from_writer(file);
    out.write_record(columns().map(|(_, name)| name))?;
    let fields: Vec<Field> = columns().map(|(field, _)| field).collect();
    let written = each_record(options, |draft| {
        let (cells, more): (&[Field], &[&str]) = match draft.width {
            Width::Right => (&fields, &[]),
            Width::Short => (&fields[1..], &[]),
            Width::Long => (&fields, &["?"]),
        };
        for field in cells {
            out.write_field(draft.get(*field))?;
        }
        for cell in more {
            out.write_field(cell)?;
        }
        out.write_record(None::<&[u8]>)
    })?;
    out.flush()?;
    Ok(written)
}

fn write_database(options: &SampleOptions, path: &Path) -> Result<u64, SampleError> {
    let mut database = LegacyDatabase::create(path)?;
    let written = each_record(options, |draft| {
        database.insert(columns().map(|(field, _)| draft.get(field)))
    })?;
    database.finish()?;
    Ok(written)
}
