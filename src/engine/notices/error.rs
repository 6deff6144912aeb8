//! Why the lists were not written.

use std::{io, path::PathBuf};

use super::OFFICES_MAX;
use crate::{engine::stop::StopReason, exit::Exit, store::StoreError};

/// The lists were not written; what stood in their place stands there still.
#[derive(Debug, thiserror::Error)]
#[expect(
    missing_docs,
    reason = "each variant says what it is in its message, with its fields"
)]
pub enum NoticesError {
    #[error("{} stands where the lists belong, and holds something else; nothing was written", folder.display())]
    Foreign { folder: PathBuf },
    #[error("the lists cannot be written to {}", folder.display())]
    Nowhere { folder: PathBuf, source: io::Error },
    #[error("another process is writing the lists to {}", folder.display())]
    Busy { folder: PathBuf },
    #[error("the lists could not be written whole to {}; what stood there is as it was", folder.display())]
    Unwritten { folder: PathBuf, source: io::Error },
    #[error(
        "there are notices for more than {OFFICES_MAX} office codes, and two files are written for each"
    )]
    TooManyOffices,
    #[error("it was told to stop before the lists were whole; nothing was written")]
    Stopped { reason: StopReason },
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl NoticesError {
    /// How the program ends because of it.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::Foreign { .. } | Self::Nowhere { .. } => Exit::Usage,
            Self::Busy { .. } => Exit::Refused,
            Self::Unwritten { .. } | Self::TooManyOffices => Exit::Failed,
            Self::Stopped { reason } => reason.exit(),
            Self::Store(error) => error.exit(),
        }
    }

    /// What to type next.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Foreign { .. } => {
                "name a new folder, or one that holds earlier lists and nothing else"
            }
            Self::Nowhere { .. } => "name a folder beside which this user can write",
            Self::Busy { .. } => "wait until it has ended, or name another folder",
            Self::Unwritten { .. } => "see to the disk, then type the same command again",
            Self::TooManyOffices => "ask for some of the offices with --office CODE",
            Self::Stopped { .. } => "type the same command again",
            Self::Store(error) => return error.hint(),
        };
        Some(hint.to_owned())
    }
}
