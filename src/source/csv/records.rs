//! Takes a CSV file apart into records, in bounded memory and with exact lines.

use std::{
    fs::{File, Metadata},
    io::{self, Read as _},
    ops::Range,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use csv_core::ReadRecordResult;
use sha2::{Digest as _, Sha256};

use super::plain;
use crate::source::SourceError;

/// A longer record is a lost quote.
pub(super) const RECORD_BYTES_MAX: usize = 1 << 20;
const BUFFER_BYTES: usize = 256 << 10;
const FIELDS_AT_FIRST: usize = 64;

/// Reads one record after the other into buffers of its own.
pub(super) struct Records {
    path: PathBuf,
    file: File,
    at_open: Metadata,
    sha256: Option<Sha256>,
    delimiter: u8,
    parser: csv_core::Reader,
    buffer: Vec<u8>,
    filled: usize,
    taken: usize,
    /// Bytes of the file that are in the buffer or behind it.
    offset: u64,
    line: u64,
    text: Vec<u8>,
    ends: Vec<usize>,
    fields: usize,
    plain_ends: Vec<usize>,
}

/// The record last read, its fields unescaped and otherwise as they stand in the file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record<'r> {
    /// The line it begins on, from 1.
    pub(super) line: u64,
    /// All fields in one piece.
    pub(super) text: &'r [u8],
    /// Where each field ends in `text`.
    pub(super) ends: &'r [usize],
    /// Bytes in `text` between the end of a field and the next one.
    gap: usize,
}

impl<'r> Record<'r> {
    /// The fields one after the other.
    pub(super) fn fields(self) -> impl Iterator<Item = &'r [u8]> {
        (0..self.ends.len()).map(move |column| &self.text[self.range(column)])
    }

    /// Where a field stands in `text`.
    pub(super) fn range(self, column: usize) -> Range<usize> {
        let start = match column {
            0 => 0,
            _ => self.ends[column - 1] + self.gap,
        };
        start..self.ends[column]
    }
}

impl Records {
    /// Stands before the header. With `Hashing::Sha256` the file's hash is taken on the way.
    pub(super) fn new(
        path: &Path,
        file: File,
        delimiter: u8,
        hashing: Hashing,
    ) -> io::Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            at_open: file.metadata()?,
            file,
            sha256: match hashing {
                Hashing::Sha256 => Some(Sha256::new()),
                Hashing::None => None,
            },
            delimiter,
            parser: csv_core::ReaderBuilder::new().delimiter(delimiter).build(),
            buffer: vec![0; BUFFER_BYTES],
            filled: 0,
            taken: 0,
            offset: 0,
            line: 1,
            text: vec![0; 4096],
            ends: vec![0; FIELDS_AT_FIRST],
            fields: 0,
            plain_ends: Vec::with_capacity(FIELDS_AT_FIRST),
        })
    }

    /// Takes a prefix off the file that is no part of its first record.
    pub(super) fn skip_prefix(&mut self, prefix: &[u8]) -> Result<(), SourceError> {
        if self.first_bytes()?.starts_with(prefix) {
            self.taken += prefix.len();
        }
        Ok(())
    }

    /// The first bytes of the file, before anything was read from it.
    pub(super) fn first_bytes(&mut self) -> Result<&[u8], SourceError> {
        if self.filled == 0 {
            self.fill()?;
        }
        Ok(&self.buffer[..self.filled])
    }

    /// The next record, if there is one. Empty lines are none.
    pub(super) fn next(&mut self) -> Result<Option<Record<'_>>, SourceError> {
        if !self.skip_line_ends()? {
            return Ok(None);
        }
        // The header goes to the parser, which might take the bytes of a mark off the first record it sees.
        if self.fields > 0
            && let Some(length) = plain::line_length(&self.buffer[self.taken..self.filled])
        {
            return Ok(Some(self.plain(length)));
        }
        self.parse()
    }

    /// The record in the next `length` bytes, which are a line without a quote.
    fn plain(&mut self, length: usize) -> Record<'_> {
        let line = self.line;
        let start = self.taken;
        self.taken += length + 1;
        self.line += u64::from(self.buffer[start + length] == b'\n');
        let text = &self.buffer[start..start + length];
        plain::split(text, self.delimiter, &mut self.plain_ends);
        Record {
            line,
            text,
            ends: &self.plain_ends,
            gap: 1,
        }
    }

    /// The next record, whatever it holds.
    fn parse(&mut self) -> Result<Option<Record<'_>>, SourceError> {
        let line = self.line;
        let (mut written, mut bytes) = (0, 0);
        self.fields = 0;
        loop {
            let at_end = self.taken == self.filled && !self.fill()?;
            // A last line without an end gets one; what it does not end is a quote.
            let input = if at_end {
                b"\n"
            } else {
                &self.buffer[self.taken..self.filled]
            };
            let (result, read, wrote, ended) = self.parser.read_record(
                input,
                &mut self.text[written..],
                &mut self.ends[self.fields..],
            );
            written += wrote;
            bytes += read;
            self.fields += ended;
            if bytes > RECORD_BYTES_MAX {
                let path = self.path.clone();
                return Err(SourceError::RecordTooLong { path, line });
            }
            if !at_end {
                self.taken += read;
            }
            match result {
                ReadRecordResult::InputEmpty if at_end => return Err(self.open_quote(line)),
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => self.text.resize(self.text.len() * 2, 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                ReadRecordResult::Record => break,
                ReadRecordResult::End => return Ok(None),
            }
        }
        self.line = self.parser.line();
        Ok(Some(Record {
            line,
            text: &self.text[..written],
            ends: &self.ends[..self.fields],
            gap: 0,
        }))
    }

    /// Takes the rest of a line end and empty lines, so that a record begins where it begins. False at the
    /// end of the file.
    fn skip_line_ends(&mut self) -> Result<bool, SourceError> {
        loop {
            while self.taken < self.filled {
                match self.buffer[self.taken] {
                    b'\n' => self.line += 1,
                    b'\r' => {}
                    _ => {
                        self.parser.set_line(self.line);
                        return Ok(true);
                    }
                }
                self.taken += 1;
            }
            if !self.fill()? {
                return Ok(false);
            }
        }
    }

    /// Reads on; false at the end of the file.
    fn fill(&mut self) -> Result<bool, SourceError> {
        let read = loop {
            match self.file.read(&mut self.buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => {
                    return Err(SourceError::Io {
                        path: self.path.clone(),
                        offset: self.offset,
                        source,
                    });
                }
                Ok(read) => break read,
            }
        };
        self.taken = 0;
        self.filled = read;
        self.offset += read as u64;
        if let Some(hash) = &mut self.sha256 {
            hash.update(&self.buffer[..read]);
        }
        Ok(read > 0)
    }

    /// The quote was opened in the last field, which may begin lines after its record.
    fn open_quote(&self, record_line: u64) -> SourceError {
        let before = self.fields.checked_sub(1).map_or(0, |at| self.ends[at]);
        let lines = self.text[..before].iter().filter(|&&byte| byte == b'\n');
        SourceError::OpenQuote {
            path: self.path.clone(),
            line: record_line + lines.count() as u64,
        }
    }

    /// After the last record: that the file is still the one that was opened, and its hash.
    pub(super) fn finish(self) -> Result<Option<String>, SourceError> {
        let changed = |what| SourceError::Changed {
            path: self.path.clone(),
            what,
        };
        let io_error = |source| SourceError::Io {
            path: self.path.clone(),
            offset: self.offset,
            source,
        };
        let now = self.file.metadata().map_err(io_error)?;
        if now.len() != self.at_open.len() || self.offset != now.len() {
            return Err(changed("its size is another"));
        }
        if now.modified().map_err(io_error)? != self.at_open.modified().map_err(io_error)? {
            return Err(changed("it was written to"));
        }
        let named = std::fs::metadata(&self.path).map_err(|_| changed("it was removed"))?;
        if (named.dev(), named.ino()) != (self.at_open.dev(), self.at_open.ino()) {
            return Err(changed("another file took its place"));
        }
        Ok(self.sha256.map(|hash| {
            let bytes = hash.finalize();
            bytes.iter().map(|byte| format!("{byte:02x}")).collect()
        }))
    }
}

/// Whether the hash of the file is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hashing {
    /// Yes.
    Sha256,
    /// No.
    None,
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn plain_and_quoted_records_are_taken_apart_alike_with_their_lines_wherever_a_buffer_ends() {
        // As written, and as read.
        const FIELDS: [(&str, &str); 6] = [
            ("", ""),
            ("a", "a"),
            ("\"q;\"\"\r\n\"", "q;\"\r\n"),
            ("città, 20 bytes and some", "città, 20 bytes and some"),
            ("O\"Hara", "O\"Hara"),
            ("\"\"", ""),
        ];
        const ENDS: [&str; 5] = ["\n", "\r\n", "\r", "\n\n", "\r\n\r\n"];
        let mut text = "header;of;three\n".to_owned();
        let mut line = 2;
        let mut expected = Vec::new();
        for round in 0..ENDS.len() * 6 * 6 * 6 * 20 {
            let column = |at: u32| FIELDS[round / 6_usize.pow(at) % 6];
            let fields = [column(0), column(1), column(2)];
            expected.push((line, fields.map(|(_, read)| read.as_bytes().to_vec())));
            let written = fields.map(|(written, _)| written).join(";") + ENDS[round % ENDS.len()];
            line += written.matches('\n').count() as u64;
            text += &written;
        }
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("legacy.csv");
        fs::write(&path, &text).expect("a file");
        assert!(text.len() > 2 * BUFFER_BYTES, "several buffers");
        let file = File::open(&path).expect("a file");
        let mut records = Records::new(&path, file, b';', Hashing::None).expect("open");
        records.next().expect("a header").expect("a header");
        for (line, fields) in expected {
            let record = records.next().expect("readable").expect("a record");
            assert_eq!(record.line, line);
            assert!(record.fields().eq(fields), "line {line}");
        }
        assert!(records.next().expect("readable").is_none());
    }
}
