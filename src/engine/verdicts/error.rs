//! A file of verdicts could not be written or read.

use std::{io, path::PathBuf};

use crate::exit::Exit;

/// A file of verdicts could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum VerdictsError {
    /// Writing failed; what was there before is untouched.
    #[error("the verdicts cannot be written to {}", .path.display())]
    Unwritten {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Reading failed.
    #[error("the verdicts {} cannot be read", .path.display())]
    Unread {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Something else stands in it.
    #[error("{}, line {line}: {what}", .path.display())]
    NotVerdicts {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What is wrong, with the column.
        what: String,
    },
}

impl VerdictsError {
    /// A file that cannot be read is a matter of usage.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::Unwritten { .. } => Exit::Failed,
            Self::Unread { .. } | Self::NotVerdicts { .. } => Exit::Usage,
        }
    }

    /// What to type next.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Unwritten { source, .. } if source.kind() == io::ErrorKind::AlreadyExists => {
                "what stands there is no file of verdicts and is left alone: name another one"
            }
            Self::Unwritten { .. } => "name a file in a folder that can be written",
            Self::Unread { .. } | Self::NotVerdicts { .. } => {
                "name a file that `pinferry plan --verdicts FILE` wrote"
            }
        };
        Some(hint.to_owned())
    }
}
