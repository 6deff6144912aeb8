//! What verification is asked.

use std::collections::BTreeSet;

use crate::{
    config::settings::{Settings, TargetSettings},
    domain::rules::Rules,
    engine::{progress::Progress, stop::StopFlag},
};

/// What to verify, and against what.
#[derive(Clone, Copy)]
pub struct VerifyRequest<'a> {
    /// The configuration.
    pub settings: &'a Settings,
    /// What decides beside the records; `as_of` is the run's.
    pub rules: &'a Rules,
    /// The target.
    pub target: &'a TargetSettings,
    /// The run.
    pub run_id: i64,
    /// (source, id) of records that changed under the lock and whose person was not judged again yet.
    pub unsettled: &'a BTreeSet<(String, String)>,
    /// Who watches.
    pub progress: &'a dyn Progress,
    /// Whether to stop.
    pub stop: &'a StopFlag,
}
