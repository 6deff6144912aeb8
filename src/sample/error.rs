//! Why no sample could be written.

use std::{
    io,
    path::{Path, PathBuf},
};

use crate::{exit::Exit, source::SourceError};

/// No sample could be written.
#[derive(Debug, thiserror::Error)]
pub enum SampleError {
    /// There is something already.
    #[error("{} exists already and is not overwritten", .path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be made.
    #[error("{} cannot be created", .path.display())]
    Create {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file cannot be written.
    #[error("{} cannot be written; it is incomplete", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The database cannot be written.
    #[error(transparent)]
    Database(#[from] SourceError),
}

impl SampleError {
    pub(super) fn create(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::AlreadyExists => Self::Exists { path },
            _ => Self::Create { path, source },
        }
    }

    pub(super) fn write(path: &Path, source: io::Error) -> Self {
        Self::Write {
            path: path.to_owned(),
            source,
        }
    }

    /// How the program ends with this error.
    #[must_use]
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Exists { .. } | Self::Create { .. } => Exit::Usage,
            Self::Write { .. } => Exit::Failed,
            Self::Database(error) => error.exit(),
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Exists { .. } => Some("remove it, or give another --out".to_owned()),
            Self::Create { .. } => {
                Some("give --out a folder that exists and may be written".to_owned())
            }
            Self::Write { .. } => {
                Some("remove it and make room, then run the same command again".to_owned())
            }
            Self::Database(error) => error.hint(),
        }
    }
}
