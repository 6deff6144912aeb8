//! Writes the verdicts, in the order of the judge whoever worked on what.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Seek as _, Write},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use flate2::{Compression, write::GzEncoder};

use super::{DELIMITER, HEADER, VerdictReader, VerdictsError, is_compressed};
use crate::{
    domain::verdict::Explained,
    engine::private_file::{PrivateFile, Replace, another_stands_there, look_at_place},
};

/// The verdicts under way.
#[derive(Debug)]
pub struct VerdictSheet {
    path: PathBuf,
    work_dir: PathBuf,
    /// What was judged in each partition, by its first position.
    parts: Mutex<Vec<(u64, File)>>,
}

/// The verdicts of one partition, in a file without a name.
#[derive(Debug)]
pub struct VerdictPart {
    first_position: u64,
    csv: csv::Writer<BufWriter<File>>,
    replaced_by: String,
    findings: String,
    failed: Option<io::Error>,
}

impl VerdictSheet {
    /// Verdicts for this file. Nothing is written to it before all are known.
    ///
    /// # Errors
    /// Something stands there that is no file of verdicts.
    pub fn new(path: &Path, work_dir: &Path) -> Result<Self, VerdictsError> {
        let sheet = Self {
            path: path.to_owned(),
            work_dir: work_dir.to_owned(),
            parts: Mutex::default(),
        };
        look_at_place(path).map_err(|error| sheet.unwritten(error))?;
        match sheet.replace() {
            Replace::Nothing if fs::exists(path).unwrap_or(true) => {
                Err(sheet.unwritten(another_stands_there()))
            }
            Replace::Nothing | Replace::Known => Ok(sheet),
        }
    }

    /// Begins a partition.
    ///
    /// # Errors
    /// The work folder cannot be written.
    pub fn part(&self, first_position: u64) -> Result<VerdictPart, VerdictsError> {
        let file = fs::create_dir_all(&self.work_dir)
            .and_then(|()| tempfile::tempfile_in(&self.work_dir))
            .map_err(|error| self.unwritten(error))?;
        Ok(VerdictPart {
            first_position,
            csv: (csv::WriterBuilder::new().delimiter(DELIMITER)).from_writer(BufWriter::new(file)),
            replaced_by: String::new(),
            findings: String::new(),
            failed: None,
        })
    }

    /// Takes a partition in.
    ///
    /// # Errors
    /// The work folder could not be written.
    pub fn take(&self, part: VerdictPart) -> Result<(), VerdictsError> {
        let first_position = part.first_position;
        let file = part.into_file().map_err(|error| self.unwritten(error))?;
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        parts.push((first_position, file));
        Ok(())
    }

    /// Writes the file, for its owner's eyes only; last night's verdicts are replaced whole or not at all.
    ///
    /// # Errors
    /// The file could not be written.
    pub fn save(self) -> Result<(), VerdictsError> {
        let replace = self.replace();
        let mut parts = self
            .parts
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        parts.sort_by_key(|(first_position, _)| *first_position);
        let write = || -> io::Result<()> {
            let file = PrivateFile::create(&self.path, replace)?;
            if is_compressed(&self.path) {
                let mut packed = GzEncoder::new(file, Compression::fast());
                join(parts, &mut packed)?;
                packed.finish()?.finish()
            } else {
                let mut plain = BufWriter::new(file);
                join(parts, &mut plain)?;
                plain.into_inner()?.finish()
            }
        };
        write().map_err(|source| VerdictsError::Unwritten {
            path: self.path.clone(),
            source,
        })
    }

    /// Last night's verdicts give way to tonight's; anything else that stands there does not.
    fn replace(&self) -> Replace {
        match VerdictReader::open(&self.path) {
            Ok(_) => Replace::Known,
            Err(_) => Replace::Nothing,
        }
    }

    fn unwritten(&self, source: io::Error) -> VerdictsError {
        VerdictsError::Unwritten {
            path: self.path.clone(),
            source,
        }
    }
}

impl VerdictPart {
    /// Writes a line. That a line could not be written is said when the partition ends.
    pub fn write(&mut self, explained: &Explained<'_>) {
        let verdict = &explained.verdict;
        let (word, reason) = verdict.outcome.words();
        self.replaced_by.clear();
        if let Some(other) = &explained.replaced_by {
            self.replaced_by.push_str(other);
        }
        self.findings.clear();
        for finding in explained.findings {
            if !self.findings.is_empty() {
                self.findings.push(' ');
            }
            self.findings.push_str(finding.kind.as_str());
        }
        let copy = verdict.copy.to_string();
        let written = self.csv.write_record([
            verdict.source,
            &verdict.legacy_id,
            &copy,
            word,
            reason,
            &self.replaced_by,
            &self.findings,
        ]);
        if let Err(error) = written {
            self.failed.get_or_insert(error.into());
        }
    }

    fn into_file(self) -> io::Result<File> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let buffer = (self.csv.into_inner()).map_err(csv::IntoInnerError::into_error)?;
        Ok(buffer.into_inner()?)
    }
}

/// The header, and then one partition after the other.
fn join(parts: Vec<(u64, File)>, out: &mut impl Write) -> io::Result<()> {
    let delimiter = char::from(DELIMITER).to_string();
    writeln!(out, "{}", HEADER.join(&delimiter))?;
    for (_, mut part) in parts {
        part.rewind()?;
        io::copy(&mut part, out)?;
    }
    Ok(())
}
