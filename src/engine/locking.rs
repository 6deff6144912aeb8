//! The management locks of a run.

use super::{error::RunError, taken};
use crate::{
    config::settings::Settings,
    source::lock::{
        self, Leftovers, LockError, LockRequest, LockState, LockWarning, Locked, Locks, Owner,
    },
    store::RunRow,
};

/// Whom a lock of this run belongs to. Run ids are counted in each target, so the time of creation is part
/// of the name.
#[must_use]
pub fn owner(run: &RunRow) -> Owner {
    owner_of(run.run_id, &run.created_at)
}

/// The same of a run that was only looked at.
#[must_use]
pub fn owner_of(run_id: i64, created_at: &str) -> Owner {
    Owner::Run(format!("{run_id} of {created_at}"))
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

/// What the locks refuse although it should pass, each in words.
pub(super) fn warnings(settings: &Settings) -> Result<Vec<String>, LockError> {
    let mut warnings = Vec::new();
    for source in &settings.sources {
        let of_source = lock::status(source, &settings.lock)?.warnings;
        let named =
            |warning: LockWarning| format!("source {}: {}", source.rules.name, warning.what);
        warnings.extend(of_source.into_iter().map(named));
    }
    Ok(warnings)
}

/// The locks this run has, in whatever state they are.
pub(super) fn claimed(settings: &Settings, run: &RunRow) -> Result<Locks, RunError> {
    Ok(Locks::claim(
        &settings.sources,
        &settings.lock,
        &owner(run),
    )?)
}

/// That no other run holds a source: its records would be migrated twice. An administrator's lock is one to
/// take over.
pub(super) fn refuse_other_runs(
    settings: &Settings,
    ours: Option<&RunRow>,
) -> Result<(), RunError> {
    // No run has the empty name.
    let ours = ours.map_or_else(|| Owner::Run(String::new()), owner);
    for source in &settings.sources {
        match lock::claim(source, &settings.lock, &ours) {
            Err(LockError::Held(holding))
                if holding.state == LockState::Engaged
                    && matches!(holding.owner, Owner::Administrator(_)) => {}
            found => drop(found?),
        }
    }
    Ok(())
}

/// The locks this run has, every guard present.
pub(super) fn held(settings: &Settings, run: &RunRow) -> Result<Locks, RunError> {
    let locks = match Locks::claim(&settings.sources, &settings.lock, &owner(run)) {
        Err(LockError::Held(holding)) => {
            return Err(RunError::LockReplaced {
                run_id: run.run_id,
                by: holding,
            });
        }
        found => found?,
    };
    if let Some(name) = missing(settings, &locks).next() {
        return Err(RunError::LockGone {
            name: name.to_owned(),
        });
    }
    locks.check_present()?;
    Ok(locks)
}

/// The locks that this run has left, whoever holds other sources.
pub(super) fn left(settings: &Settings, run: &RunRow) -> Result<Vec<Locked>, RunError> {
    let mut left = Vec::new();
    for source in &settings.sources {
        match lock::claim(source, &settings.lock, &owner(run)) {
            Ok(locked) => left.extend(locked),
            Err(LockError::Held(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(left)
}

/// Releases them.
pub(super) fn clear(settings: &Settings, run: &RunRow) -> Result<(), RunError> {
    for locked in left(settings, run)? {
        let source = locked.source().to_owned();
        locked.release(Leftovers::HandBack(&taken::keep(
            settings,
            &source,
            &owner(run).to_string(),
        )))?;
    }
    Ok(())
}

/// Locks the sources again whose lock is gone; their names.
pub(super) fn lock_again(
    settings: &Settings,
    run: &RunRow,
    locks: &Locks,
) -> Result<Vec<String>, RunError> {
    let gone: Vec<_> = missing(settings, locks).map(str::to_owned).collect();
    let request = request(settings, run);
    for source in &settings.sources {
        if gone.contains(&source.rules.name) {
            lock::engage(source, &settings.lock, &request)?;
        }
    }
    Ok(gone)
}

/// The sources that can be locked and are not among these locks.
pub(super) fn missing<'s>(
    settings: &'s Settings,
    locks: &'s Locks,
) -> impl Iterator<Item = &'s str> {
    let sources = settings.sources.iter();
    let lockable = sources.filter(|source| !source.location.has_nothing_to_lock());
    let names = lockable.map(|source| source.rules.name.as_str());
    names.filter(|name| locks.of(name).is_none())
}
