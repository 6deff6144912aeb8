//! A target in use, into which a later run merges its sources (rule 10).

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use super::{begin, error::RunError, report::FoundRun};
use crate::{
    config::settings::Settings,
    domain::{fiscal_code::FiscalCode, rules::Rules},
    store::{Lettered, Met, Reader, RunPhase, RunRow, StoreError, Target},
};

/// What decides in this run beside the records: in a later one, old codes lead where the target says.
pub(super) fn rules(
    settings: &Settings,
    target: &Target,
    run: &RunRow,
) -> Result<Rules, StoreError> {
    let mut rules = settings.rules(run.as_of);
    if !run.target_fresh {
        rules.links = rules.links.meeting(&target.run_codes(run.run_id)?);
    }
    Ok(rules)
}

/// The run of these settings that is finished, if there is one.
pub(super) fn finished<'r>(settings: &Settings, runs: &'r [RunRow]) -> Option<&'r RunRow> {
    runs.iter()
        .find(|run| run.phase == RunPhase::Finished && begin::drift_of(settings, run).is_empty())
}

/// The run that stands in the way of another one of these settings: the one that made it, or one under way.
///
/// # Errors
/// The target cannot be read.
pub fn found_run(settings: &Settings) -> Result<Option<FoundRun>, RunError> {
    let reader = match Reader::open(&settings.target) {
        Err(error) if error.is_absent() => return Ok(None),
        opened => opened?,
    };
    let runs = reader.runs()?;
    let under_way = || runs.first().filter(|run| !run.phase.is_over());
    let found = finished(settings, &runs).or_else(under_way);
    Ok(found.map(|run| FoundRun {
        run_id: run.run_id,
        phase: run.phase.as_str().to_owned(),
        is_finished: run.phase == RunPhase::Finished,
    }))
}

/// Whether the target is in use. A source that was migrated already is no later one.
pub(super) fn in_use(settings: &Settings, runs: &[RunRow]) -> Result<bool, RunError> {
    let mut in_use = false;
    for run in runs.iter().filter(|run| run.phase == RunPhase::Finished) {
        in_use = true;
        let known = |name: &str| run.sources.iter().any(|source| source.name == name);
        if settings.sources.iter().any(|one| known(&one.rules.name)) {
            return Err(RunError::Live {
                run_id: run.run_id,
                keys: begin::drift_of(settings, run),
            });
        }
    }
    Ok(in_use)
}

/// The people of a target in use, for who may only look at them.
pub struct LivePeople {
    reader: Mutex<Reader>,
    lettered: Lettered,
}

impl LivePeople {
    /// Looks at the target: its people and the rules among them, if a run of these settings would be a later one.
    ///
    /// # Errors
    /// The target cannot be read, or a run would be refused.
    pub fn look(settings: &Settings, rules: &mut Rules) -> Result<Option<Self>, RunError> {
        let reader = match Reader::open(&settings.target) {
            Err(error) if error.is_absent() => return Ok(None),
            opened => opened?,
        };
        let runs = reader.runs()?;
        if finished(settings, &runs).is_some() || !in_use(settings, &runs)? {
            return Ok(None);
        }
        let known = reader.known_codes(&rules.links)?;
        rules.links = rules.links.meeting(&rules.links.met(&known)?);
        Ok(Some(Self {
            lettered: reader.lettered()?,
            reader: Mutex::new(reader),
        }))
    }

    /// The people these codes lead to.
    pub(super) fn meet(&self, codes: &BTreeSet<FiscalCode>) -> Result<Met, StoreError> {
        let reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        reader.meet(codes, &self.lettered)
    }
}
