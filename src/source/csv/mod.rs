//! A CSV file with a header.

mod plain;
mod records;

use std::{
    collections::BTreeSet,
    fs::File,
    ops::{ControlFlow, Range},
    path::Path,
};

use self::records::{Hashing, Record, Records};
use super::{
    CompactSink, ReadSummary, SourceError, SourceMistake,
    columns::{self, Naming},
    encoding::{Decoder, Validity},
    file,
    fingerprint::Fingerprint,
};
use crate::{
    config::settings::{Encoding, SourceSettings},
    domain::{
        field::{FIELDS, Field},
        raw_record::{RawRecord, Shape, SourceIndex},
    },
};

/// A CSV source.
pub(super) struct CsvFile<'s> {
    pub(super) settings: &'s SourceSettings,
    pub(super) path: &'s Path,
    pub(super) encoding: Encoding,
    pub(super) delimiter: u8,
}

const UTF8_MARK: &[u8] = b"\xef\xbb\xbf";

/// The columns of the header, if every mapped one is there.
pub(super) fn columns(file: &CsvFile<'_>) -> Result<Vec<String>, Vec<SourceMistake>> {
    match open(file, Hashing::None) {
        Ok(opened) => Ok(opened.header),
        Err(SourceError::Unusable { mistakes, .. }) => Err(mistakes),
        Err(error) => Err(vec![SourceMistake::Sample(Box::new(error))]),
    }
}

/// See [`super::read`].
pub(super) fn read(
    file: &CsvFile<'_>,
    index: SourceIndex,
    excludes: &BTreeSet<Field>,
    sink: &mut CompactSink<'_>,
) -> Result<ReadSummary, SourceError> {
    let hashing = match file.settings.sha256 {
        Some(_) => Hashing::Sha256,
        None => Hashing::None,
    };
    let mut opened = open(file, hashing)?;
    let mut reading = Reading {
        decoder: Decoder::new(file.encoding),
        columns: opened.positions,
        width: opened.header.len(),
        arena: String::new(),
    };
    let mut fingerprint = Fingerprint::without(excludes);
    let mut number = 0;
    while let Some(record) = opened.records.next()? {
        number += 1;
        let raw = reading.take_apart(record, index, number);
        let compact = fingerprint.add(&raw);
        if sink(&raw, compact) == ControlFlow::Break(()) {
            return Ok(ReadSummary {
                records: number,
                fingerprint: fingerprint.digest(),
            });
        }
    }
    let sha256 = opened.records.finish()?;
    if let (Some(found), Some(announced)) = (sha256, &file.settings.sha256)
        && !found.eq_ignore_ascii_case(announced)
    {
        return Err(SourceError::Sha256 {
            path: file.path.to_owned(),
            announced: announced.clone(),
            found,
        });
    }
    super::announced_records(file.settings, number)?;
    Ok(ReadSummary {
        records: number,
        fingerprint: fingerprint.digest(),
    })
}

/// A file behind its header.
struct Opened {
    records: Records,
    header: Vec<String>,
    positions: Vec<(Field, usize)>,
}

fn open(file: &CsvFile<'_>, hashing: Hashing) -> Result<Opened, SourceError> {
    let unusable = |mistakes| SourceError::Unusable {
        name: file.settings.rules.name.clone(),
        mistakes,
    };
    let path = file.path.to_owned();
    let opened = open_regular(file.path).map_err(|mistake| unusable(vec![mistake]))?;
    let mut records =
        Records::new(file.path, opened, file.delimiter, hashing).map_err(|source| {
            let path = path.clone();
            unusable(vec![SourceMistake::Unreadable { path, source }])
        })?;
    if let Some(mistake) = foreign_mark(file, records.first_bytes()?) {
        return Err(unusable(vec![mistake]));
    }
    records.skip_prefix(UTF8_MARK)?;
    let Some(header) = records.next()? else {
        return Err(unusable(vec![SourceMistake::Empty { path }]));
    };
    let place = format!("{}:{}", file.path.display(), header.line);
    let header = names(header, &Decoder::new(file.encoding));
    let positions =
        columns::resolve(file.settings, &place, &header, Naming::Exact).map_err(unusable)?;
    Ok(Opened {
        records,
        header,
        positions,
    })
}

/// Opens a file that can be read again and again, which a pipe cannot.
fn open_regular(path: &Path) -> Result<File, SourceMistake> {
    file::regular(path)?;
    File::open(path).map_err(|source| SourceMistake::Unreadable {
        path: path.to_owned(),
        source,
    })
}

/// The mark of an encoding that is not the declared one.
fn foreign_mark(file: &CsvFile<'_>, bytes: &[u8]) -> Option<SourceMistake> {
    let found = if bytes.starts_with(UTF8_MARK) {
        (file.encoding != Encoding::Utf8).then_some("UTF-8")
    } else if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        Some("UTF-16")
    } else {
        None
    };
    found.map(|found| SourceMistake::ByteOrderMark {
        path: file.path.to_owned(),
        found,
        declared: file.encoding.as_str(),
    })
}

fn names(header: Record<'_>, decoder: &Decoder) -> Vec<String> {
    header
        .fields()
        .map(|bytes| {
            let mut name = String::new();
            decoder.append(bytes, &mut name);
            name.trim().to_owned()
        })
        .collect()
}

/// What turns the bytes of a record into a [`RawRecord`]; its buffer is reused.
struct Reading {
    decoder: Decoder,
    columns: Vec<(Field, usize)>,
    width: usize,
    arena: String,
}

impl Reading {
    fn take_apart<'r>(
        &'r mut self,
        record: Record<'r>,
        source: SourceIndex,
        number: u64,
    ) -> RawRecord<'r> {
        let mut raw = RawRecord {
            source,
            number,
            shape: Shape::Row,
            invalid: 0,
            clean: false,
            fields: [""; FIELDS],
        };
        if record.ends.len() != self.width {
            raw.shape = Shape::Malformed;
            raw.invalid = self.spell_malformed(record);
            raw.fields[0] = &self.arena;
        } else if !self.borrow_fields(record, &mut raw.fields) {
            let (ranges, invalid) = self.decode_fields(record);
            raw.invalid = invalid;
            for (field, range) in raw.fields.iter_mut().zip(ranges) {
                *field = &self.arena[range];
            }
        }
        raw
    }

    /// The common case: the whole record is valid text that needs no translation.
    fn borrow_fields<'r>(&self, record: Record<'r>, fields: &mut [&'r str; FIELDS]) -> bool {
        let Some(text) = self.decoder.borrow(record.text) else {
            return false;
        };
        for &(field, column) in &self.columns {
            match text.get(record.range(column)) {
                Some(value) => fields[field.index()] = value,
                // A character of the whole is cut by a border between fields: neither field is valid.
                None => return false,
            }
        }
        true
    }

    fn decode_fields(&mut self, record: Record<'_>) -> ([Range<usize>; FIELDS], u32) {
        self.arena.clear();
        let mut ranges = [const { 0..0 }; FIELDS];
        let mut invalid = 0;
        for &(field, column) in &self.columns {
            let start = self.arena.len();
            let bytes = &record.text[record.range(column)];
            match self.decoder.append(bytes, &mut self.arena) {
                Validity::Valid => {}
                Validity::Escaped => invalid |= 1 << field.index(),
            }
            ranges[field.index()] = start..self.arena.len();
        }
        (ranges, invalid)
    }

    /// The row as a JSON array of its fields. Where one of them is not valid all are spelled escaped, and
    /// the bit of the first field says so.
    fn spell_malformed(&mut self, record: Record<'_>) -> u32 {
        let valid = |bytes| self.decoder.validity(bytes) == Validity::Valid;
        let all_valid = record.fields().all(valid);
        let fields: Vec<String> = record
            .fields()
            .map(|bytes| {
                let mut text = String::new();
                if all_valid {
                    self.decoder.append(bytes, &mut text);
                } else {
                    self.decoder.append_escaped(bytes, &mut text);
                }
                text
            })
            .collect();
        self.arena = serde_json::Value::from(fields).to_string();
        u32::from(!all_valid)
    }
}
