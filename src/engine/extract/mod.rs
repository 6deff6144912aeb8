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
pub(in crate::engine) use reading::refuse_empty;

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

#[cfg(test)]
mod tests {
    use std::{fs, num::NonZeroU64, path::Path, time::Duration};

    use super::*;
    use crate::{
        config::settings::{Encoding, SourceLocation},
        domain::{
            catalogue::Catalogue,
            field::Field,
            links::Links,
            rules::{Nameless, SourceRules},
        },
        engine::{progress::Unwatched, sort::Run},
    };

    const RECORDS: usize = 3000;

    /// Two thousand ids: one of them twice, one of them a thousand times.
    fn source(folder: &Path) -> SourceSettings {
        let columns = Field::ALL.iter().filter_map(|field| field.default_column());
        let mut text = columns.clone().collect::<Vec<_>>().join(";") + "\n";
        for n in 0..RECORDS {
            let id = match n {
                7 | 1990 => "TWICE".to_owned(),
                2000.. => "OFTEN".to_owned(),
                _ => format!("ID{n}"),
            };
            text += &format!("{id}{}\n", ";".repeat(columns.clone().count() - 1));
        }
        let path = folder.join("inps.csv");
        fs::write(&path, text).expect("a CSV file");
        let columns = Field::ALL.iter();
        SourceSettings {
            rules: SourceRules {
                name: "inps".to_owned(),
                nameless: Nameless::ByNumber,
                status_codes: SourceRules::default_status_codes(),
                level_codes: SourceRules::default_level_codes(),
            },
            location: SourceLocation::Csv {
                path,
                encoding: Encoding::Utf8,
                delimiter: b';',
            },
            columns: columns
                .filter_map(|field| Some((*field, field.default_column()?.to_owned())))
                .collect(),
            records: None,
            sha256: None,
            time_zone: "Europe/Rome".to_owned(),
        }
    }

    fn duplicates(memory_bytes: u64, id_hash: fn(&[u8]) -> u64) -> u64 {
        let folder = tempfile::tempdir().expect("a folder");
        let sources = [source(folder.path())];
        let rules = Rules {
            as_of: jiff::civil::date(2013, 11, 3),
            catalogue: Catalogue::built_in(),
            links: Links::default(),
            schemes: Default::default(),
            sources: vec![sources[0].rules.clone()],
        };
        let run = RunSettings {
            chunk_records: NonZeroU64::MIN,
            workers: 2,
            memory_bytes,
            work_dir: folder.path().join("work"),
            max_quarantine_ratio: 1.0,
            lease: Duration::from_secs(30),
            load: None,
        };
        let reading = Reading {
            rules: &rules,
            allow_columns: &[],
            budget: &Budget::of(&run),
            id_hash,
            progress: &Unwatched,
            stop: &StopFlag::default(),
        };
        let extracted = extract_by(&reading, &sources, &run).expect("extracted");
        assert_eq!(extracted.records(), RECORDS as u64);
        for runs in [&extracted.runs, &extracted.copies] {
            let spilled = runs.iter().filter(|run| matches!(run, Run::Spilled(_)));
            let most = Budget::of(&run).most_spilled_runs().max(2);
            assert!(spilled.count() <= most, "more runs than read buffers");
        }
        extracted.duplicates()
    }

    #[test]
    fn ids_that_only_have_the_same_hash_are_no_duplicates() {
        let poor: [fn(&[u8]) -> u64; 3] =
            [|_| 0, |id| id.len() as u64, |id| u64::from(id[0]) << 56];
        for memory in [1, 1 << 20, 64 << 20] {
            // Identical copies: of two one is quarantined, of a thousand all but one.
            assert_eq!(duplicates(memory, xxh3_64), 1 + 999);
            for hash in poor {
                assert_eq!(duplicates(memory, hash), 1 + 999);
            }
        }
    }
}
