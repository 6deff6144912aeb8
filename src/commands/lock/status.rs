//! `lock status`.

use clap::Args;

use super::{Context, Failure, show_locks};
use crate::exit::Exit;

/// Show whose lock is on each source, since when and why, what it caught, and whether its guards are whole
#[derive(Debug, Args)]
pub(super) struct Status {}

impl Status {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let settings = context.settings(Vec::new())?;
        show_locks(context, &settings)
    }
}
