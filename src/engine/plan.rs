//! The dry run: everything is read and judged, nothing is written.

use std::mem;

use super::{
    batch::{self, Batch},
    cases::Case,
    error::RunError,
    extract::{Extracted, extract},
    judge::{CaseSink, Crew, End, Work, judge},
    live::LivePeople,
    progress::{Phase, Progress},
    stop::StopFlag,
    verdicts::{VerdictPart, VerdictSheet},
};
use crate::{
    config::settings::{RunSettings, SourceSettings},
    domain::{
        comparison::{Quarantined, Watch},
        digest::RowHash,
        rules::Rules,
        survey::Survey,
        tally::Tally,
        verdict::{of_decision, of_standing},
    },
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
    /// What a report shows beside, where one was asked for.
    pub survey: Option<Survey>,
    /// What is compared with an earlier dry run, and kept for a later one, where that was asked for.
    pub watch: Option<Watch>,
}

/// What a dry run looks at and writes beside the sources.
#[derive(Clone, Copy, Default)]
pub struct Beside<'a> {
    /// The people of a target in use.
    pub live: Option<&'a LivePeople>,
    /// Where the verdict on every record goes.
    pub verdicts: Option<&'a VerdictSheet>,
    /// Whether a report is to be written.
    pub survey: bool,
    /// Whether another dry run is to be compared with this one, or this one with another.
    pub watch: bool,
    /// What an earlier dry run quarantined.
    pub earlier: Option<&'a Quarantined>,
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
    beside: Beside<'_>,
    (progress, stop): (&dyn Progress, &StopFlag),
) -> Result<PlanOutcome, RunError> {
    let extracted = extract(sources, rules, allow_columns, run, progress, stop)?;
    let crew = Crew {
        workers: run.workers,
        progress,
        stop,
    };
    progress.begin(Phase::Judge, Some(extracted.records()));
    let counter = Counter {
        rules,
        beside,
        part: None,
        chunk_records: run.chunk_records.get(),
        tally: Tally::default(),
        survey: beside.survey.then(Survey::default),
        watch: beside.watch.then(Watch::default),
        hash: RowHash::default(),
        waiting: Batch::default(),
    };
    let Counter {
        tally,
        survey,
        watch,
        ..
    } = count(&extracted, crew, counter)?;
    Ok(PlanOutcome {
        tally,
        sources: extracted.sources,
        survey,
        watch,
    })
}

/// Judges everything and counts it.
fn count<'r>(
    extracted: &Extracted,
    crew: Crew<'_>,
    mut counter: Counter<'r>,
) -> Result<Counter<'r>, RunError> {
    let boundaries = extracted.boundaries(crew.workers * PARTITIONS_PER_WORKER);
    let work = extracted.split(&boundaries, counter.rules)?.into_iter();
    let work = work.map(|partition| Work {
        partition,
        after: None,
    });
    let counters = judge(extracted, work.collect(), crew, |partition| {
        counter.another(partition.first_position)
    })?;
    for part in counters {
        counter.tally.merge(&part.tally);
        if let (Some(watch), Some(seen)) = (&mut counter.watch, part.watch) {
            watch.merge(seen);
        }
        if let (Some(survey), Some(seen)) = (&mut counter.survey, part.survey) {
            survey.merge(seen);
        }
    }
    assert_eq!(
        u64::try_from(counter.tally.records()).ok(),
        Some(extracted.records()),
        "every record ends in exactly one disposition"
    );
    Ok(counter)
}

/// Counts what is judged.
struct Counter<'r> {
    rules: &'r Rules,
    beside: Beside<'r>,
    /// The verdicts of its partition.
    part: Option<VerdictPart>,
    chunk_records: u64,
    tally: Tally,
    survey: Option<Survey>,
    watch: Option<Watch>,
    hash: RowHash,
    /// Cases whose people in a live target are not known yet.
    waiting: Batch,
}

impl Counter<'_> {
    /// One for a partition, that has counted nothing.
    fn another(&self, first_position: u64) -> Result<Self, RunError> {
        let sheet = self.beside.verdicts;
        let part = sheet.map(|sheet| sheet.part(first_position));
        Ok(Self {
            part: part.transpose()?,
            tally: Tally::default(),
            survey: self.beside.survey.then(Survey::default),
            watch: self.beside.watch.then(Watch::default),
            hash: RowHash::default(),
            waiting: Batch::default(),
            ..*self
        })
    }

    fn meet(&mut self, live: &LivePeople) -> Result<(), RunError> {
        let waiting = mem::take(&mut self.waiting);
        let met = live.meet(&waiting.codes(self.rules)?)?;
        waiting.judge(&met, self.rules, |_, decided| {
            batch::count(decided, &mut self.tally, &mut self.hash);
            if let Some(watch) = &mut self.watch {
                watch.add_standing(decided, self.beside.earlier);
            }
            if let Some(survey) = &mut self.survey {
                survey.add_standing(decided);
            }
            if let Some(part) = &mut self.part {
                of_standing(decided, |verdict| part.write(verdict));
            }
            Ok(())
        })
    }
}

impl CaseSink for Counter<'_> {
    type Error = RunError;

    fn case(&mut self, case: &Case<'_>) -> Result<(), RunError> {
        if let Some(live) = self.beside.live {
            self.waiting.push(case);
            if self.waiting.records() >= self.chunk_records {
                self.meet(live)?;
            }
            return Ok(());
        }
        let decision = case.decide(self.rules);
        for person in &decision.people {
            self.tally.add_person(person, &mut self.hash);
        }
        for row in &decision.quarantined {
            self.tally.add_quarantined(row, &mut self.hash);
        }
        if let Some(watch) = &mut self.watch {
            watch.add(&decision, self.beside.earlier);
        }
        if let Some(survey) = &mut self.survey {
            survey.add(&decision);
        }
        if let Some(part) = &mut self.part {
            of_decision(&decision, |verdict| part.write(verdict));
        }
        Ok(())
    }

    fn end(&mut self, _end: End) -> Result<(), RunError> {
        if let Some(live) = self.beside.live {
            self.meet(live)?;
        }
        if let (Some(sheet), Some(part)) = (self.beside.verdicts, self.part.take()) {
            sheet.take(part)?;
        }
        Ok(())
    }
}
