//! The dry run: everything is read and judged, nothing is written.

use super::{
    cases::Case,
    extract::{ExtractError, Extracted, extract},
    judge::{CaseSink, Crew, End, Work, judge},
    progress::{Phase, Progress},
    stop::StopFlag,
};
use crate::{
    config::settings::{RunSettings, SourceSettings},
    domain::{digest::RowHash, rules::Rules, tally::Tally},
    source::ReadSummary,
};

/// Partitions per worker, so that none waits long for the others at the end.
const PARTITIONS_PER_WORKER: usize = 8;

/// What a run would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanOutcome {
    /// Counts and digests of everything.
    pub tally: Tally,
    /// By source: its name and what was read of it.
    pub sources: Vec<(String, ReadSummary)>,
}

/// Reads and judges everything, and writes nothing but spill files.
///
/// # Errors
/// Whatever stands in the way of reading every source to its end, or a request to stop.
pub fn plan(
    sources: &[SourceSettings],
    rules: &Rules,
    allow_columns: &[String],
    run: &RunSettings,
    progress: &dyn Progress,
    stop: &StopFlag,
) -> Result<PlanOutcome, ExtractError> {
    let extracted = extract(sources, rules, allow_columns, run, progress, stop)?;
    let crew = Crew {
        workers: run.workers,
        progress,
        stop,
    };
    progress.begin(Phase::Judge, Some(extracted.records()));
    let tally = tally(&extracted, rules, crew)?;
    Ok(PlanOutcome {
        tally,
        sources: extracted.sources,
    })
}

/// Judges everything and counts it.
fn tally(extracted: &Extracted, rules: &Rules, crew: Crew<'_>) -> Result<Tally, ExtractError> {
    let boundaries = extracted.boundaries(crew.workers * PARTITIONS_PER_WORKER);
    let work = extracted.split(&boundaries, rules)?.into_iter();
    let work = work.map(|partition| Work {
        partition,
        after: None,
    });
    let counters = judge(extracted, work.collect(), crew, |_| Ok(Counter::new(rules)))?;
    let mut total = Tally::default();
    for counter in &counters {
        total.merge(&counter.tally);
    }
    assert_eq!(
        u64::try_from(total.records()).ok(),
        Some(extracted.records()),
        "every record ends in exactly one disposition"
    );
    Ok(total)
}

/// Counts what is judged.
struct Counter<'r> {
    rules: &'r Rules,
    tally: Tally,
    hash: RowHash,
}

impl<'r> Counter<'r> {
    fn new(rules: &'r Rules) -> Self {
        Self {
            rules,
            tally: Tally::default(),
            hash: RowHash::default(),
        }
    }
}

impl CaseSink for Counter<'_> {
    type Error = ExtractError;

    fn case(&mut self, case: &Case<'_>) -> Result<(), ExtractError> {
        let decision = case.decide(self.rules);
        for person in &decision.people {
            self.tally.add_person(person, &mut self.hash);
        }
        for row in &decision.quarantined {
            self.tally.add_quarantined(row, &mut self.hash);
        }
        Ok(())
    }

    fn end(&mut self, _end: End) -> Result<(), ExtractError> {
        Ok(())
    }
}
