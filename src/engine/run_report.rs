//! The report of a run, from what its target holds.

use std::collections::BTreeMap;

use super::report::{Report, SurveyedReport};
use crate::{
    config::settings::TargetSettings,
    exit::Exit,
    store::{Reader, StoreError},
};

/// The run cannot be reported.
#[derive(Debug, thiserror::Error)]
pub enum RunReportError {
    /// There is none.
    #[error("the target has had no run yet")]
    NoRun,
    /// The target cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl RunReportError {
    /// Usage, where what was asked for is not there.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::NoRun | Self::Store(StoreError::NoRun { .. }) => Exit::Usage,
            Self::Store(error) => error.exit(),
        }
    }

    /// What to type next.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoRun => {
                Some("`pinferry plan --report DIR` reports what a run would do".to_owned())
            }
            Self::Store(StoreError::NoRun { .. }) => Some(
                "`pinferry status` names the newest run; without RUN that one is reported"
                    .to_owned(),
            ),
            Self::Store(error) => error.hint(),
        }
    }
}

/// The report of this run, or of the newest one.
///
/// # Errors
/// There is no such run, or the target cannot be read.
pub fn of_run(
    target: &TargetSettings,
    run_id: Option<i64>,
) -> Result<SurveyedReport, RunReportError> {
    let reader = match Reader::open(target) {
        Err(error) if error.is_absent() => return Err(RunReportError::NoRun),
        opened => opened?,
    };
    let mut runs = reader.runs()?.into_iter();
    let Some(run) = runs.find(|run| run_id.is_none_or(|asked| asked == run.run_id)) else {
        return Err(run_id.map_or(RunReportError::NoRun, |run_id| {
            StoreError::NoRun { run_id }.into()
        }));
    };
    let tally = reader.tally(run.run_id)?;
    let mut took = BTreeMap::new();
    for timing in reader.timings(&run)? {
        *took.entry(timing.stage).or_default() += timing.took.as_secs_f64();
    }
    let report = Report::new(
        Some(run.run_id),
        run.phase.as_str(),
        &tally,
        &run.fingerprints(),
    );
    Ok(SurveyedReport {
        report,
        as_of: run.as_of,
        survey: reader.survey(run.run_id)?,
        found_run: None,
        compared: None,
        forecast: None,
        took: Some(took),
    })
}
