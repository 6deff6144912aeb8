//! What verification is asked.

use std::{collections::BTreeSet, path::Path};

use crate::{
    config::settings::{Settings, TargetSettings},
    domain::rules::Rules,
    engine::{progress::Progress, stop::StopFlag},
    source::lock::LockError,
};

/// (source, id) of records that changed under the lock and whose person was not judged again yet.
pub type Unsettled = BTreeSet<(String, String)>;

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
    /// Which records are unsettled now. The lock lets changes through while verification reads: whoever read a source
    /// asks afterwards.
    pub unsettled: &'a (dyn Fn() -> Result<Unsettled, LockError> + Sync),
    /// What the dry run said of every record, where it is to be held to it.
    pub verdicts: Option<&'a Path>,
    /// Who watches.
    pub progress: &'a dyn Progress,
    /// Whether to stop.
    pub stop: &'a StopFlag,
}
