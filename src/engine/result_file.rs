//! The file that answers a file of requests, line by line: request, decision and hour, nothing of the person.

use std::{
    fs::{self, File},
    io::{self, BufRead as _, BufReader, BufWriter, Read as _, Write},
    path::{Path, PathBuf},
};

use super::{
    document::Document,
    intake::{Answer, Intake},
    private_file::{PrivateFile, Replace, another_stands_there},
};
use crate::{exit::Exit, failpoint, source::requests::RequestFormat};

const HEADER: [&str; 7] = [
    "line",
    "request_id",
    "kind",
    "state",
    "known",
    "not_before",
    "reason",
];

/// What a file of answers begins with, whatever columns follow; a file of requests does not.
const MARKS: [&str; 2] = ["line", "request_id"];

/// Of the first line of a file that stands there, as much as tells whether it is ours.
const FIRST_LINE_BYTES_MAX: u64 = 64 << 10;

/// A result file that nothing stands in the way of.
#[derive(Clone, Debug)]
pub struct ResultFile {
    path: PathBuf,
    format: RequestFormat,
}

/// A result file could not be written.
#[derive(Debug, thiserror::Error)]
#[expect(
    missing_docs,
    reason = "each variant says what it is in its message, with its fields"
)]
pub enum ResultError {
    #[error("{} stands where the answers belong, and is no file of answers; nothing was taken", path.display())]
    Foreign { path: PathBuf },
    #[error("the answers cannot be written to {}; nothing was taken", path.display())]
    Nowhere { path: PathBuf, source: io::Error },
    #[error("the requests are taken, but their answers cannot be written to {}", path.display())]
    Unanswered { path: PathBuf, source: io::Error },
}

impl ResultError {
    /// How the program ends because of it.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::Foreign { .. } | Self::Nowhere { .. } => Exit::Usage,
            Self::Unanswered { .. } => Exit::Failed,
        }
    }

    /// What to type next.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Foreign { .. } => "move it away, or name another file with --result FILE",
            Self::Nowhere { .. } => {
                "name a file in a folder that can be written with --result FILE"
            }
            Self::Unanswered { .. } => {
                "hand the same file in again: nothing is taken twice, and the answers are written"
            }
        };
        Some(hint.to_owned())
    }
}

impl ResultFile {
    /// Where the answers to `requests` belong: `requests.csv` is answered by `requests.result.csv`. What is no
    /// file, such as a pipe, has nothing beside it.
    #[must_use]
    pub fn beside(requests: &Path) -> Option<PathBuf> {
        let stem = requests.file_stem().filter(|_| requests.is_file())?;
        let mut name = stem.to_owned();
        name.push(".result");
        if let Some(extension) = requests.extension() {
            name.push(".");
            name.push(extension);
        }
        Some(requests.with_file_name(name))
    }

    /// Sees that answers can be written there, and would replace nothing but answers.
    ///
    /// # Errors
    /// When something else stands there, or the folder cannot be written.
    pub fn prepare(path: &Path) -> Result<Self, ResultError> {
        let file = Self {
            path: path.to_owned(),
            format: RequestFormat::by_file_name(path),
        };
        let nowhere = |source| ResultError::Nowhere {
            path: path.to_owned(),
            source,
        };
        if !file.is_free().map_err(nowhere)? {
            return Err(ResultError::Foreign {
                path: path.to_owned(),
            });
        }
        drop(PrivateFile::create(path, Replace::Known).map_err(nowhere)?);
        Ok(file)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the answers, in place of earlier ones; whole or not at all.
    ///
    /// # Errors
    /// When they cannot be written; the requests are taken all the same.
    pub fn write(&self, intake: &Intake) -> Result<(), ResultError> {
        failpoint::reached("result.write");
        self.replace(&intake.requests)
            .map_err(|source| ResultError::Unanswered {
                path: self.path.clone(),
                source,
            })
    }

    fn replace(&self, answers: &[Answer]) -> io::Result<()> {
        if !self.is_free()? {
            return Err(another_stands_there());
        }
        let mut file = PrivateFile::create(&self.path, Replace::Known)?;
        match self.format {
            RequestFormat::Csv => as_table(answers, &mut file)?,
            RequestFormat::JsonLines => as_objects(answers, &mut file)?,
        }
        file.finish()
    }

    /// Whether nothing stands there, or answers do.
    fn is_free(&self) -> io::Result<bool> {
        match fs::symlink_metadata(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
            Err(error) => return Err(error),
            Ok(found) if !found.is_file() => return Ok(false),
            Ok(_) => {}
        }
        let mut line = Vec::new();
        BufReader::new(File::open(&self.path)?.take(FIRST_LINE_BYTES_MAX))
            .read_until(b'\n', &mut line)?;
        let line = String::from_utf8_lossy(&line);
        Ok(match self.format {
            _ if line.is_empty() => true,
            RequestFormat::Csv => line.starts_with(&format!("{};", MARKS.join(";"))),
            RequestFormat::JsonLines => is_answer(&line),
        })
    }
}

fn is_answer(line: &str) -> bool {
    let Ok(serde_json::Value::Object(object)) = serde_json::from_str(line) else {
        return false;
    };
    MARKS.iter().all(|key| object.contains_key(*key))
}

fn as_table(answers: &[Answer], file: impl Write) -> io::Result<()> {
    let mut rows = csv::WriterBuilder::new().delimiter(b';').from_writer(file);
    rows.write_record(HEADER)?;
    for answer in answers {
        rows.write_record([
            answer.line.to_string().as_str(),
            &answer.request_id,
            answer.kind,
            answer.state.as_str(),
            if answer.known { "true" } else { "false" },
            answer.not_before.as_deref().unwrap_or_default(),
            answer.reason.as_deref().unwrap_or_default(),
        ])?;
    }
    rows.flush()
}

fn as_objects(answers: &[Answer], file: impl Write) -> io::Result<()> {
    let mut file = BufWriter::new(file);
    for answer in answers {
        serde_json::to_writer(&mut file, &Document::new(answer))?;
        file.write_all(b"\n")?;
    }
    file.flush()
}
