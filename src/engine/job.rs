//! What every part of the migration is given.

use super::{progress::Progress, stop::StopFlag};
use crate::config::settings::Settings;

/// A migration as one process works on it.
#[derive(Clone, Copy)]
pub struct Job<'a> {
    /// The configuration.
    pub settings: &'a Settings,
    /// How this process calls itself to others who want the lease: host and process id.
    pub holder: &'a str,
    /// Who watches.
    pub progress: &'a dyn Progress,
    /// Raised by signals; heeded between chunks and between steps.
    pub stop: &'a StopFlag,
}
