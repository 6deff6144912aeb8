//! Why a command did not do what it was asked to.

use std::error::Error;

use crate::{
    config::ConfigError,
    engine::{
        error::RunError, extract::ExtractError, intake::IntakeError, metrics_file::MetricsError,
        plan_file::PlanFileError, report_folder::ReportFolderError, result_file::ResultError,
        run_report::RunReportError, verdicts::VerdictsError,
    },
    exit::Exit,
    sample::SampleError,
    source::{SourceError, lock::LockError, requests::RequestsError},
    store::StoreError,
    ui::{confirm::NotConfirmed, signals::SignalError, terminal::OutputError},
};

/// An error, the exit code it means, and what to type next.
#[derive(Debug)]
pub struct Failure {
    /// What went wrong, with its causes.
    pub error: Box<dyn Error + Send + Sync>,
    /// How the process ends.
    pub exit: Exit,
    /// What to type next.
    pub hint: Option<String>,
}

impl Failure {
    /// A failure of the command itself.
    pub fn new(
        exit: Exit,
        error: impl Into<Box<dyn Error + Send + Sync>>,
        hint: Option<String>,
    ) -> Self {
        Self {
            error: error.into(),
            exit,
            hint,
        }
    }
}

/// Makes an error that knows its exit code and its hint a [`Failure`].
macro_rules! fails {
    ($($error:ty),+ $(,)?) => {$(
        impl From<$error> for $crate::commands::failure::Failure {
            fn from(error: $error) -> Self {
                Self { exit: error.exit(), hint: error.hint(), error: Box::new(error) }
            }
        }
    )+};
}

fails!(
    ConfigError,
    ExtractError,
    IntakeError,
    LockError,
    MetricsError,
    NotConfirmed,
    OutputError,
    PlanFileError,
    ReportFolderError,
    RequestsError,
    ResultError,
    RunError,
    RunReportError,
    SampleError,
    SignalError,
    SourceError,
    StoreError,
    VerdictsError,
);
