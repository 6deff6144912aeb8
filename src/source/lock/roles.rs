//! Who works with a legacy database.

/// The roles of a server that have to do with a legacy.
#[derive(Clone, Debug)]
pub struct Roles {
    /// Runs and locks.
    pub runner: String,
    /// The office's application.
    pub application: Option<String>,
    /// Makes delayed activations effective.
    pub activation: Option<String>,
    /// Plans and looks.
    pub reports: Option<String>,
}
