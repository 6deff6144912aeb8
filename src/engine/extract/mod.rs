//! From the sources to sorted records in bounded memory, duplicate ids settled.

mod copies;
mod error;
mod extracted;
mod reading;
mod seen;

use std::sync::{Mutex, PoisonError};

use xxhash_rust::xxh3::xxh3_64;

pub use error::ExtractError;
pub use extracted::Extracted;

use self::{reading::Reading, seen::SeenIds};
use super::{
    bitmap::Bitmap,
    budget::Budget,
    progress::{Phase, Progress},
    sort::RunStore,
    stop::StopFlag,
};
use crate::{
    config::settings::{RunSettings, SourceSettings},
    domain::rules::Rules,
};

/// Reads every source once and sorts the records, within `run.memory_bytes`. Columns in `allow_columns` may
/// change under the lock and do not count for the fingerprints.
///
/// # Errors
/// A source that cannot be read, a work folder that cannot be written to, or a request to stop.
pub fn extract(
    sources: &[SourceSettings],
    rules: &Rules,
    allow_columns: &[String],
    run: &RunSettings,
    progress: &dyn Progress,
    stop: &StopFlag,
) -> Result<Extracted, ExtractError> {
    let budget = Budget::of(run);
    let reading = Reading {
        rules,
        allow_columns,
        budget: &budget,
        id_hash: xxh3_64,
        progress,
        stop,
    };
    extract_by(&reading, sources, run)
}

fn extract_by(
    reading: &Reading<'_>,
    sources: &[SourceSettings],
    run: &RunSettings,
) -> Result<Extracted, ExtractError> {
    let (budget, progress) = (reading.budget, reading.progress);
    let announced = sources.iter().map(|source| source.records).sum();
    progress.begin(Phase::Extract, announced);
    let store = RunStore::new(run.work_dir.clone(), budget.kept_bytes);
    let seen = Mutex::new(SeenIds::new(run.work_dir.clone(), budget.seen_bytes));
    let (summaries, records) = reading.run(sources, &store, &seen)?;

    progress.begin(Phase::Sort, None);
    let proceed = || match reading.stop.requested() {
        Some(reason) => Err(ExtractError::Stopped(reason)),
        None => Ok(()),
    };
    let seen = seen.into_inner().unwrap_or_else(PoisonError::into_inner);
    let candidates = seen.candidates(records)?;
    // The buffers of the reading are free again, and one of them is what this needs.
    let kept_bytes = store.memory_left() + budget.buffer_bytes as u64;
    let runs = store.into_runs(budget.most_spilled_runs(), budget.read_bytes, &proceed)?;
    let copies = RunStore::new(run.work_dir.clone(), kept_bytes);
    if candidates.ones() > 0 {
        copies::collect(&runs, &candidates, &copies, budget, &proceed)?;
    }
    drop(candidates);
    let copies = copies.into_runs(budget.most_spilled_runs(), budget.read_bytes, &proceed)?;
    let quarantined = match copies.is_empty() {
        true => Bitmap::new(records),
        false => copies::settle(
            &copies,
            records,
            budget.reader_bytes(copies.len()),
            &proceed,
        )?,
    };
    let names = sources.iter().map(|source| source.rules.name.clone());
    Ok(Extracted::new(
        names.zip(summaries).collect(),
        records,
        runs,
        copies,
        quarantined,
        *budget,
    ))
}
