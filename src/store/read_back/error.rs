//! Why the target could not be read back.

use crate::{exit::Exit, store::StoreError};

/// The target could not be read back.
#[derive(Debug, thiserror::Error)]
pub enum ReadBackError {
    /// It cannot be opened for reading.
    #[error("the target cannot be opened for reading")]
    Open {
        /// Why.
        source: StoreError,
    },
    /// The connection is gone.
    #[error("the connection to the target was lost before everything was read back")]
    Lost {
        /// While doing what.
        source: StoreError,
    },
    /// A table cannot be read.
    #[error("the target cannot be read back")]
    Read {
        /// Why.
        source: StoreError,
    },
    /// There is no such run.
    #[error("the target has no run {run_id}")]
    NoRun {
        /// The run.
        run_id: i64,
    },
}

impl ReadBackError {
    pub(super) fn open(source: StoreError) -> Self {
        Self::Open { source }
    }

    /// Whether the connection to a server is gone.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        match self {
            Self::Open { source } | Self::Lost { source } | Self::Read { source } => {
                source.is_lost()
            }
            Self::NoRun { .. } => false,
        }
    }

    /// How the program ends.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::Open { source } => source.exit(),
            Self::Lost { .. } | Self::Read { .. } | Self::NoRun { .. } => Exit::Failed,
        }
    }

    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Open { source } => match source.hint() {
                Some(hint) => return Some(hint),
                None => "check that the file exists and may be read",
            },
            Self::Lost { .. } => "is the server up? Then run `pinferry verify` again",
            Self::Read { source } if is_damage(source) => {
                "the database file is damaged: restore it from a copy, or `pinferry abort` before cut-over"
            }
            Self::Read { source } => match source.hint() {
                Some(hint) => return Some(hint),
                None => "run `pinferry verify` again",
            },
            Self::NoRun { .. } => "`pinferry status` names the run",
        };
        Some(hint.to_owned())
    }
}

impl From<StoreError> for ReadBackError {
    fn from(source: StoreError) -> Self {
        if source.is_lost() {
            Self::Lost { source }
        } else {
            Self::Read { source }
        }
    }
}

fn is_damage(error: &StoreError) -> bool {
    let StoreError::Sqlite { source, .. } = error else {
        return false;
    };
    matches!(
        source.sqlite_error_code(),
        Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase)
    )
}
