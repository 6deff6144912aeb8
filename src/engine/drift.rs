//! What is another than planned.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::domain::digest::Digest;

/// One thing that is another than planned; a document has it in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Drift {
    /// What the judge sees under this key.
    Another(String),
    /// There is nothing under this key any more.
    Gone(String),
    /// There was nothing under this key.
    New(String),
    /// What a source holds.
    Source {
        /// Its name.
        name: String,
        /// The fingerprint that was planned with.
        planned: Digest,
        /// The one found.
        found: Digest,
    },
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Another(key) => write!(f, "{key} is another one than planned"),
            Self::Gone(key) => write!(f, "{key} is gone"),
            Self::New(key) => write!(f, "{key} was not planned"),
            Self::Source {
                name,
                planned,
                found,
            } => write!(
                f,
                "source {name} changed: its fingerprint was {planned} and is {found}"
            ),
        }
    }
}

impl Serialize for Drift {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
