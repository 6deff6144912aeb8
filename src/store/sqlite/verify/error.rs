//! Why the target could not be read back.

use std::path::PathBuf;

use crate::exit::Exit;

/// The target could not be read back.
#[derive(Debug, thiserror::Error)]
pub enum ReadBackError {
    /// The file cannot be opened for reading.
    #[error("the target {} cannot be opened for reading", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
    /// A table cannot be read.
    #[error("the target cannot be read back")]
    Read {
        /// Why.
        source: rusqlite::Error,
    },
    /// There is no such run.
    #[error("the target has no run {run_id}")]
    NoRun {
        /// The run.
        run_id: i64,
    },
}

impl ReadBackError {
    pub(super) fn read(source: rusqlite::Error) -> Self {
        Self::Read { source }
    }

    /// How the program ends.
    #[must_use]
    pub const fn exit(&self) -> Exit {
        Exit::Failed
    }

    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Open { .. } => Some("check that the file exists and may be read".to_owned()),
            Self::Read { source } if is_damage(source) => Some(
                "the database file is damaged: restore it from a copy, or `pinferry abort` before cut-over"
                    .to_owned(),
            ),
            Self::Read { .. } => Some("run `pinferry verify` again".to_owned()),
            Self::NoRun { .. } => Some("`pinferry status` names the run".to_owned()),
        }
    }
}

fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase)
    )
}
