//! Why verification could not be carried out. What it finds is no error.

use crate::{
    domain::raw_record::Damaged,
    engine::{stop::StopReason, verdicts::VerdictsError},
    exit::Exit,
    source::{SourceError, lock::LockError},
    store::read_back::ReadBackError,
};

/// Verification could not be carried out; nothing is known of what it would have found.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// A source cannot be read.
    #[error("verification could not read source {name} again")]
    Source {
        /// Its name.
        name: String,
        /// Why.
        source: Box<SourceError>,
    },
    /// The target cannot be read.
    #[error("verification could not read the target")]
    ReadBack(#[from] ReadBackError),
    /// What the lock let through cannot be read.
    #[error("verification could not read what changed under the lock")]
    Lock(#[from] LockError),
    /// The run has committed nothing that could be verified.
    #[error("run {run_id} is in phase {phase}: there is nothing to verify yet, or any more")]
    NothingToVerify {
        /// The run.
        run_id: i64,
        /// Its phase.
        phase: String,
    },
    /// The file of known PINs cannot be used.
    #[error("the canary file {path}: {what}")]
    Canary {
        /// The file.
        path: String,
        /// What is wrong, with the line.
        what: String,
    },
    /// The verdicts of the dry run cannot be read.
    #[error(transparent)]
    Verdicts(#[from] VerdictsError),
    /// Memory was damaged.
    #[error(transparent)]
    Damaged(#[from] Damaged),
    /// Asked to stop.
    #[error("verification was interrupted; nothing was recorded")]
    Stopped(StopReason),
}

impl VerifyError {
    /// Whether the connection to a server is gone.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        match self {
            Self::Source { source, .. } => source.is_lost(),
            Self::ReadBack(error) => error.is_lost(),
            Self::Lock(error) => error.is_lost(),
            _other => false,
        }
    }

    /// How the program ends.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::Source { source, .. } => source.exit(),
            Self::ReadBack(error) => error.exit(),
            Self::Lock(error) => error.exit(),
            Self::NothingToVerify { .. } | Self::Damaged(_) => Exit::Failed,
            Self::Canary { .. } => Exit::Usage,
            Self::Verdicts(error) => error.exit(),
            Self::Stopped(reason) => reason.exit(),
        }
    }

    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Source { source, .. } => source.hint(),
            Self::ReadBack(error) => error.hint(),
            Self::Lock(error) => error.hint(),
            Self::NothingToVerify { .. } => {
                Some("`pinferry status` says what to do next".to_owned())
            }
            Self::Canary { .. } => Some(
                "each line is id;scheme;hash;salt, with the id as source:id and a header line"
                    .to_owned(),
            ),
            Self::Verdicts(error) => error.hint(),
            Self::Damaged(_) => None,
            Self::Stopped(_) => Some("type the same command again".to_owned()),
        }
    }
}
