//! How long a run will take, by what is known of this machine and this target.

use std::time::Duration;

use crate::{
    config::settings::{Settings, TargetSettings},
    domain::forecast::{Against, Forecast, Job, TargetKind, Timing},
    store::{Reader, StoreError},
};

/// What a dry run took, and what is to hold a run of the same records.
#[derive(Clone, Copy, Debug)]
pub struct Measured {
    /// Records that it read and judged.
    pub records: u64,
    /// In this time.
    pub took: Duration,
    /// Whether a run of them would meet people of earlier runs.
    pub meets_people: bool,
    /// How long the window is open, where one was named.
    pub window: Option<Duration>,
}

/// The forecast for a run of these settings.
///
/// # Errors
/// The target is there and cannot be read.
pub fn forecast(settings: &Settings, measured: &Measured) -> Result<Forecast, StoreError> {
    let earlier = match Reader::open(&settings.target) {
        Err(error) if error.is_absent() => Vec::new(),
        opened => earlier(&opened?, measured.meets_people)?,
    };
    let job = Job {
        records: measured.records,
        dry_run: measured.took,
        target: match (&settings.target, measured.meets_people) {
            (_, true) => TargetKind::InUse,
            (TargetSettings::Sqlite(_), false) => TargetKind::FreshSqlite,
            (TargetSettings::Postgres(_), false) => TargetKind::FreshPostgres,
        },
        window: measured.window.unwrap_or(settings.lock.expected),
        against: if measured.window.is_some() {
            Against::Window
        } else {
            Against::Expected
        },
    };
    Ok(Forecast::of(&job, &earlier))
}

/// The stages of earlier runs into a target in the same state.
fn earlier(reader: &Reader, in_use: bool) -> Result<Vec<Vec<Timing>>, StoreError> {
    let runs = reader.runs()?;
    let like = runs.iter().filter(|run| run.target_fresh != in_use);
    like.map(|run| reader.timings(run)).collect()
}
