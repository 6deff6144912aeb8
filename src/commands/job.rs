//! The job as this process works on it: signals heeded, progress shown.

use super::{Context, failure::Failure};
use crate::{
    config::settings::Settings,
    engine::{error::RunError, job::Job},
    store::Holder,
    ui::progress::Watcher,
};

/// Does the work; whatever came of it, no bar is left behind.
pub(super) fn work<T>(
    context: &Context,
    settings: &Settings,
    work: impl FnOnce(&Job<'_>) -> Result<T, RunError>,
) -> Result<T, Failure> {
    let stop = context.heed_signals(settings)?;
    let watcher = Watcher::new(context.terminal.clone());
    let holder = Holder::this_process().stored();
    let done = work(&Job {
        settings,
        holder: &holder,
        progress: &watcher,
        stop: &stop,
    });
    watcher.finish();
    Ok(done?)
}
