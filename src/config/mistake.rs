//! What is wrong with a configuration, all of it at once.

use std::{cell::RefCell, fmt, path::PathBuf};

use crate::exit::Exit;

/// Where a configured value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A line of the configuration file, from 1.
    Line(usize),
    /// An environment variable.
    Environment(String),
    /// A flag of the command line.
    Flag(String),
    /// Nowhere: it is missing.
    Missing,
}

/// One mistake in a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The file it is about.
    pub file: PathBuf,
    /// Line of the file, from 1, where it is known.
    pub line: Option<usize>,
    /// The environment variable or flag the value came from, where it is not the file.
    pub given_by: Option<String>,
    /// The key, such as `run.memory`.
    pub key: String,
    /// What is wrong.
    pub problem: String,
    /// What is accepted.
    pub accepted: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.given_by, self.line) {
            (Some(name), _) => write!(f, "{name}")?,
            (None, Some(line)) => write!(f, "{}:{line}", self.file.display())?,
            (None, None) => write!(f, "{}", self.file.display())?,
        }
        if !self.key.is_empty() {
            write!(f, ": {}", self.key)?;
        }
        write!(f, ": {}", self.problem)?;
        if !self.accepted.is_empty() {
            write!(f, "; {}", self.accepted)?;
        }
        Ok(())
    }
}

/// A configuration that cannot be worked with.
#[derive(Debug, thiserror::Error)]
pub struct ConfigError {
    /// Every mistake found, in the order of the files.
    pub mistakes: Vec<Mistake>,
    hint: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.mistakes.len() {
            1 => write!(f, "the configuration has a mistake")?,
            n => write!(f, "the configuration has {n} mistakes")?,
        }
        for mistake in &self.mistakes {
            write!(f, "\n  {mistake}")?;
        }
        Ok(())
    }
}

impl ConfigError {
    /// The mistakes, with what to do about them.
    #[must_use]
    pub fn new(mistakes: Vec<Mistake>, hint: impl Into<String>) -> Self {
        Self {
            mistakes,
            hint: hint.into(),
        }
    }

    /// Always a matter of configuration.
    #[must_use]
    pub fn exit(&self) -> Exit {
        Exit::Usage
    }

    /// What to type next.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(self.hint.clone())
    }
}

/// Collects mistakes while a file is read to its end.
#[derive(Debug)]
pub(crate) struct Mistakes {
    file: PathBuf,
    found: RefCell<Vec<Mistake>>,
}

impl Mistakes {
    /// None so far, in this file.
    pub(crate) fn new(file: PathBuf) -> Self {
        Self {
            file,
            found: RefCell::new(Vec::new()),
        }
    }

    /// One more.
    pub(crate) fn add(
        &self,
        origin: &Origin,
        key: &str,
        problem: impl Into<String>,
        accepted: impl Into<String>,
    ) {
        let (line, given_by) = match origin {
            Origin::Line(line) => (Some(*line), None),
            Origin::Environment(name) => (None, Some(name.clone())),
            Origin::Flag(name) => (None, Some(name.clone())),
            Origin::Missing => (None, None),
        };
        self.push(Mistake {
            file: self.file.clone(),
            line,
            given_by,
            key: key.to_owned(),
            problem: problem.into(),
            accepted: accepted.into(),
        });
    }

    /// One more, about whatever file it names.
    pub(crate) fn push(&self, mistake: Mistake) {
        self.found.borrow_mut().push(mistake);
    }

    /// All of them, in the order of the lines.
    pub(crate) fn into_found(self) -> Vec<Mistake> {
        let mut found = self.found.into_inner();
        found.sort_by_key(|mistake| {
            (
                mistake.file != self.file,
                mistake.given_by.is_some(),
                mistake.line.unwrap_or(0),
            )
        });
        found.dedup();
        found
    }
}

/// The name among `known` that `given` was probably meant to be.
pub(crate) fn closest<'k>(
    given: &str,
    known: impl IntoIterator<Item = &'k str>,
) -> Option<&'k str> {
    known
        .into_iter()
        .map(|name| (strsim::jaro_winkler(given, name), name))
        .filter(|(score, _)| *score > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

/// `a, b, c`.
pub(crate) fn list<'k>(names: impl IntoIterator<Item = &'k str>) -> String {
    names.into_iter().collect::<Vec<_>>().join(", ")
}
