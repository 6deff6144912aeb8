//! What is looked at before a run writes anything: is it new, is it the same, is it as planned?

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
};

use super::{
    drift::Drift,
    error::RunError,
    extract::{ExtractError, refuse_empty},
    job::Job,
    live, locking,
    plan_file::{PlanFile, differing_keys},
    run::RunOptions,
};
use crate::{
    config::settings::Settings,
    domain::{
        digest::Digest,
        raw_record::{RawRecord, SourceIndex},
    },
    source::{self, lock},
    store::{NewRun, NewSource, RunPhase, RunRow, Target, server_load},
};

/// What would stop a new run is said before anything is written: sources that cannot be read as configured,
/// that another run holds or nobody can lock, or that are not what the plan was made from.
pub(super) fn look_before_writing(job: &Job<'_>, options: &RunOptions) -> Result<(), RunError> {
    check_sources(job)?;
    if let Some(load) = &job.settings.run.load {
        server_load(&job.settings.target, &load.query)?;
    }
    locking::refuse_other_runs(job.settings, None)?;
    for source in &job.settings.sources {
        lock::permitted(source, &job.settings.lock)?;
    }
    for (settings, index) in job.settings.sources.iter().zip(0..) {
        let first = &mut |_: &RawRecord<'_>| ControlFlow::Break(());
        let read = source::read(settings, SourceIndex(index), &BTreeSet::new(), first)?;
        refuse_empty(settings, &read)?;
    }
    let Some(plan) = &options.plan else {
        return Ok(());
    };
    for (settings, index) in job.settings.sources.iter().zip(0..) {
        let changing = settings.changing_fields(&job.settings.lock.allow_columns);
        let read = source::read(settings, SourceIndex(index), &changing, &mut |_| match job
            .stop
            .requested()
        {
            Some(_) => ControlFlow::Break(()),
            None => ControlFlow::Continue(()),
        })?;
        if let Some(reason) = job.stop.requested() {
            return Err(ExtractError::Stopped(reason).into());
        }
        refuse_other_source(plan, &settings.rules.name, read.fingerprint)?;
    }
    Ok(())
}

pub(super) fn refuse_other_source(
    plan: &PlanFile,
    name: &str,
    found: Digest,
) -> Result<(), RunError> {
    match plan.fingerprints.get(name) {
        Some(&planned) if planned != found => Err(RunError::PlanSourceDrifted {
            name: name.to_owned(),
            planned,
            found,
        }),
        Some(_) | None => Ok(()),
    }
}

fn check_sources(job: &Job<'_>) -> Result<(), RunError> {
    let mut mistakes = Vec::new();
    for source in &job.settings.sources {
        mistakes.extend(source::check(source).err().into_iter().flatten());
    }
    if mistakes.is_empty() {
        Ok(())
    } else {
        Err(RunError::Sources(mistakes))
    }
}

/// What a call of `run` finds to do.
pub(super) enum Task {
    /// Nothing: the run of this configuration is finished.
    Report(RunRow),
    /// This run goes on.
    Resume(RunRow),
    /// A run begins; in a target in use, a later one.
    Begin { in_use: bool },
}

/// A finished run is reported and nothing changes, whatever came after it; one that is under way goes on.
pub(super) fn task(job: &Job<'_>, options: &RunOptions, target: &Target) -> Result<Task, RunError> {
    let runs = target.runs()?;
    if let Some(run) = live::finished(job.settings, &runs) {
        return Ok(Task::Report(run.clone()));
    }
    match runs.first() {
        Some(run) if run.phase == RunPhase::Aborting => {
            Err(RunError::Aborting { run_id: run.run_id })
        }
        Some(run) if !run.phase.is_over() => Ok(Task::Resume(resume(job, options, run.clone())?)),
        Some(_) | None => Ok(Task::Begin {
            in_use: live::in_use(job.settings, &runs)?,
        }),
    }
}

/// What a run fixed when it began holds to its end: a plan that was made anew meanwhile, of another day, changes nothing.
fn resume(job: &Job<'_>, options: &RunOptions, run: RunRow) -> Result<RunRow, RunError> {
    let keys = drift_of(job.settings, &run);
    if !keys.is_empty() {
        return Err(RunError::ConfigurationDrifted {
            run_id: run.run_id,
            keys,
        });
    }
    if let Some(plan) = &options.plan
        && plan.as_of != run.as_of
    {
        let (run_id, as_of, planned) = (run.run_id, run.as_of, plan.as_of);
        tracing::info!(event = "run.plan_of_another_day", run_id, %as_of, %planned);
    }
    Ok(run)
}

/// Keys in which the configuration differs from the one the run began with. Without a date of judgement of its
/// own it has the run's.
pub(super) fn drift_of(settings: &Settings, run: &RunRow) -> Vec<String> {
    let as_of = settings.as_of.unwrap_or(run.as_of);
    drift(&run.fixed, &settings.fixed(as_of))
}

/// A new run; in a target in use, a later one.
pub(super) fn create(
    job: &Job<'_>,
    options: &RunOptions,
    target: &mut Target,
    in_use: bool,
) -> Result<RunRow, RunError> {
    let codes = if in_use {
        let links = &job.settings.links;
        links.met(&target.known_codes(links)?)?
    } else {
        Vec::new()
    };
    let as_of = match (&options.plan, job.settings.as_of) {
        (Some(plan), _) => plan.as_of,
        (None, Some(as_of)) => as_of,
        (None, None) => target.today()?,
    };
    let sources: Vec<_> = (job.settings.sources.iter())
        .map(|source| NewSource {
            name: source.rules.name.clone(),
            location: source.location.shown(),
        })
        .collect();
    Ok(target.create_run(&NewRun {
        as_of,
        fixed: &job.settings.fixed(as_of),
        sources: &sources,
        catalogue: &job.settings.catalogue,
        codes: &codes,
    })?)
}

/// Keys whose values differ, or that only one side has.
pub(super) fn drift(was: &BTreeMap<String, String>, is: &BTreeMap<String, String>) -> Vec<String> {
    differing_keys(was, is).map(ToOwned::to_owned).collect()
}

/// Before anything is written: is everything as it was planned?
pub(super) fn refuse_drift(job: &Job<'_>, plan: &PlanFile) -> Result<(), RunError> {
    let keys = plan.fixed_drift(&job.settings.fixed(plan.as_of));
    if keys.is_empty() {
        Ok(())
    } else {
        let keys = keys.iter().map(Drift::to_string).collect();
        Err(RunError::PlanDrifted { keys })
    }
}
