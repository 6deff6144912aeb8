//! Reads verdicts back.

use std::{
    borrow::Cow,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use flate2::read::MultiGzDecoder;

use super::{DELIMITER, HEADER, VerdictsError, is_compressed};
use crate::domain::verdict::{Outcome, Verdict};

/// A file of verdicts, line by line.
pub struct VerdictReader {
    path: PathBuf,
    csv: csv::Reader<Box<dyn Read>>,
    row: csv::StringRecord,
}

impl VerdictReader {
    /// Opens it and looks at its header.
    ///
    /// # Errors
    /// It cannot be read, or is something else.
    pub fn open(path: &Path) -> Result<Self, VerdictsError> {
        let file = File::open(path).map_err(|source| VerdictsError::Unread {
            path: path.to_owned(),
            source,
        })?;
        let bytes: Box<dyn Read> = if is_compressed(path) {
            Box::new(MultiGzDecoder::new(io::BufReader::new(file)))
        } else {
            Box::new(file)
        };
        let csv = csv::ReaderBuilder::new()
            .delimiter(DELIMITER)
            .from_reader(bytes);
        let mut reader = Self {
            path: path.to_owned(),
            csv,
            row: csv::StringRecord::new(),
        };
        let header = reader.csv.headers().cloned();
        let header = header.map_err(|error| reader.failed(error))?;
        if header != HEADER[..] {
            let expected = HEADER.join(";");
            return Err(reader.wrong(1, format!("the header is not {expected}")));
        }
        Ok(reader)
    }

    /// The next verdict.
    ///
    /// # Errors
    /// It cannot be read, or is something else.
    pub fn next_verdict(&mut self) -> Result<Option<Verdict<'_>>, VerdictsError> {
        let read = self.csv.read_record(&mut self.row);
        if !read.map_err(|error| self.failed(error))? {
            return Ok(None);
        }
        let line = self.row.position().map_or(0, csv::Position::line);
        let copy = self.row[2].parse();
        let copy = copy.map_err(|_| self.wrong(line, "column copy is no number".to_owned()))?;
        let outcome = Outcome::by_words(&self.row[3], &self.row[4]);
        let Some(outcome) = outcome else {
            let what = "columns verdict and reason say nothing this version knows";
            return Err(self.wrong(line, what.to_owned()));
        };
        Ok(Some(Verdict {
            source: &self.row[0],
            legacy_id: Cow::Borrowed(&self.row[1]),
            copy,
            outcome,
        }))
    }

    /// An error at the line read last.
    #[must_use]
    pub fn wrong_here(&self, what: String) -> VerdictsError {
        self.wrong(self.row.position().map_or(0, csv::Position::line), what)
    }

    fn wrong(&self, line: u64, what: String) -> VerdictsError {
        VerdictsError::NotVerdicts {
            path: self.path.clone(),
            line,
            what,
        }
    }

    /// What the parser says names lines, and quotes nothing of them.
    fn failed(&self, error: csv::Error) -> VerdictsError {
        let line = error.position().map_or(0, csv::Position::line);
        match error.into_kind() {
            csv::ErrorKind::Io(source) => VerdictsError::Unread {
                path: self.path.clone(),
                source,
            },
            csv::ErrorKind::UnequalLengths { .. } => {
                self.wrong(line, format!("there are not {} columns", HEADER.len()))
            }
            _other => self.wrong(line, "it is not UTF-8".to_owned()),
        }
    }
}
