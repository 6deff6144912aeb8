//! From the values of a database row to the texts of a record.

use std::ops::Range;

use super::{
    encoding::{Decoder, Validity},
    moment::{Moment, Zone},
};
use crate::{
    config::settings::Encoding,
    domain::{
        field::{FIELDS, Field},
        raw_record::{RawRecord, Shape, SourceIndex},
    },
};

/// Turns the values of one row after the other into text. Valid text is borrowed from the row; everything else is
/// written down first, in a buffer that is reused.
pub(super) struct Texts {
    decoder: Decoder,
    zone: Zone,
    arena: String,
    written: [Option<Range<usize>>; FIELDS],
}

impl Texts {
    /// For text in this encoding, and timestamps with a zone that are read in that one.
    pub(super) fn new(encoding: Encoding, time_zone: &str) -> Self {
        Self {
            decoder: Decoder::new(encoding),
            zone: Zone::named(time_zone),
            arena: String::new(),
            written: [const { None }; FIELDS],
        }
    }

    /// A record without a field so far.
    pub(super) fn begin<'r>(&mut self, source: SourceIndex, number: u64) -> RawRecord<'r> {
        self.arena.clear();
        self.written = [const { None }; FIELDS];
        RawRecord {
            source,
            number,
            shape: Shape::Row,
            invalid: 0,
            clean: false,
            fields: [""; FIELDS],
        }
    }

    /// A field that is text already.
    pub(super) fn text<'r>(&mut self, field: Field, bytes: &'r [u8], record: &mut RawRecord<'r>) {
        match self.decoder.borrow(bytes) {
            Some(text) => match self.zone.moment(field, text) {
                Moment::AsItIs => record.fields[field.index()] = text,
                Moment::Never => {}
                Moment::Local(text) => self.write(field, |out, _| out.push_str(&text)),
            },
            None => {
                let start = self.arena.len();
                match self.decoder.append(bytes, &mut self.arena) {
                    Validity::Valid => {}
                    Validity::Escaped => record.invalid |= 1 << field.index(),
                }
                self.written[field.index()] = Some(start..self.arena.len());
            }
        }
    }

    /// A field that has to be spelled.
    pub(super) fn write<T>(
        &mut self,
        field: Field,
        spell: impl FnOnce(&mut String, &Zone) -> T,
    ) -> T {
        let start = self.arena.len();
        let spelled = spell(&mut self.arena, &self.zone);
        self.written[field.index()] = Some(start..self.arena.len());
        spelled
    }

    /// Puts what was written into the record.
    pub(super) fn finish<'r>(&'r self, record: &mut RawRecord<'r>) {
        for (field, range) in record.fields.iter_mut().zip(&self.written) {
            if let Some(range) = range {
                *field = &self.arena[range.clone()];
            }
        }
    }
}
