//! Who holds a lock, and what for.

use std::fmt;

/// Whom a lock belongs to: never a process.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(tag = "kind", content = "name", rename_all = "snake_case")]
pub enum Owner {
    /// A run, by its id.
    Run(String),
    /// An administrator, by name.
    Administrator(String),
}

impl Owner {
    /// The spelling in the control row.
    pub(in crate::source) const fn kind(&self) -> &'static str {
        match self {
            Self::Run(_) => "run",
            Self::Administrator(_) => "administrator",
        }
    }

    /// Id or name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Run(name) | Self::Administrator(name) => name,
        }
    }

    /// The owner a control row names.
    pub(in crate::source) fn stored(kind: &str, name: String) -> Self {
        if kind == "run" {
            Self::Run(name)
        } else {
            Self::Administrator(name)
        }
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind(), self.name())
    }
}

/// What an engagement says about itself. The expected end is the database's clock plus `lock.expected`.
#[derive(Clone, Debug)]
pub struct LockRequest {
    /// Whose lock it will be.
    pub owner: Owner,
    /// Why; the application's users read it in the error message.
    pub reason: String,
    /// Where the PINs are going, without secrets; named when the legacy is sealed.
    pub successor: String,
}
