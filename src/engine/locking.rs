//! The management locks of a run.

use super::error::RunError;
use crate::{
    config::settings::Settings,
    source::lock::{LockRequest, Locks, Owner},
    store::RunRow,
};

/// Whom a lock of this run belongs to. Run ids are counted in each target, so the time of creation is part
/// of the name.
#[must_use]
pub fn owner(run: &RunRow) -> Owner {
    Owner::Run(format!("{} of {}", run.run_id, run.created_at))
}

/// What the locks of this run say about themselves.
pub(super) fn request(settings: &Settings, run: &RunRow) -> LockRequest {
    let reason = "the PINs are being migrated to the multi-profile model";
    request_of(settings, owner(run), reason)
}

/// What a lock of this owner says about itself.
#[must_use]
pub fn request_of(settings: &Settings, owner: Owner, reason: &str) -> LockRequest {
    LockRequest {
        owner,
        reason: reason.to_owned(),
        successor: settings.target.shown(),
    }
}

/// The locks this run has, in whatever state they are.
pub(super) fn claimed(settings: &Settings, run: &RunRow) -> Result<Locks, RunError> {
    Ok(Locks::claim(
        &settings.sources,
        &settings.lock,
        &owner(run),
    )?)
}

/// The locks this run has, every guard present.
pub(super) fn held(settings: &Settings, run: &RunRow) -> Result<Locks, RunError> {
    let locks = claimed(settings, run)?;
    for source in &settings.sources {
        let name = &source.rules.name;
        if !source.location.has_nothing_to_lock() && locks.of(name).is_none() {
            return Err(RunError::LockGone { name: name.clone() });
        }
    }
    locks.check_present()?;
    Ok(locks)
}
