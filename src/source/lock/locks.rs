//! The locks of all sources of a run.

use crate::config::settings::{LockSettings, SourceSettings};

use super::{HowEngaged, Leftovers, LockError, LockRequest, Lockability, Locked, Owner, engage};

/// The locks of all sources that can be locked, in the order of configuration.
#[derive(Debug, Default)]
pub struct Locks {
    locked: Vec<Locked>,
    nothing_to_lock: Vec<String>,
}

impl Locks {
    /// What an owner left in the sources, in whatever state; sources where there is nothing are left out.
    ///
    /// # Errors
    /// As [`super::claim`].
    pub fn claim(
        sources: &[SourceSettings],
        lock: &LockSettings,
        owner: &Owner,
    ) -> Result<Self, LockError> {
        let mut locks = Self::default();
        for source in sources {
            locks.locked.extend(super::claim(source, lock, owner)?);
        }
        Ok(locks)
    }

    /// The locks.
    pub fn iter(&self) -> impl Iterator<Item = &Locked> {
        self.locked.iter()
    }

    /// The locks, to be sealed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Locked> {
        self.locked.iter_mut()
    }

    /// The locks, to be released.
    #[must_use]
    pub fn into_locked(self) -> Vec<Locked> {
        self.locked
    }

    /// The lock of the source of this name.
    #[must_use]
    pub fn of(&self, source: &str) -> Option<&Locked> {
        self.locked.iter().find(|locked| locked.source() == source)
    }

    /// Names of the extracts, which have nothing to lock.
    #[must_use]
    pub fn nothing_to_lock(&self) -> &[String] {
        &self.nothing_to_lock
    }

    /// That every guard of every source is there, unaltered, and ours.
    ///
    /// # Errors
    /// The first that is not.
    pub fn check_present(&self) -> Result<(), LockError> {
        self.locked.iter().try_for_each(Locked::check_present)
    }

    /// What damage is found on the guards, by source, as sealing would find it.
    ///
    /// # Errors
    /// A lock is no longer there or not ours, or a database fails.
    pub fn damage(&self) -> Result<Vec<(String, Vec<String>)>, LockError> {
        let mut damage = Vec::new();
        for locked in &self.locked {
            match locked.check_present() {
                // Another configuration is no damage.
                Ok(()) | Err(LockError::OtherConfiguration { .. }) => {}
                Err(LockError::Damaged { source_name, what }) => damage.push((source_name, what)),
                Err(error) => return Err(error),
            }
        }
        Ok(damage)
    }

    /// Seals every source; what damage was found on the guards, by source. See [`Locked::seal`].
    ///
    /// # Errors
    /// The first that could not be sealed; the same call goes on from there.
    pub fn seal(&mut self) -> Result<Vec<(String, Vec<String>)>, LockError> {
        let mut damage = Vec::new();
        for locked in &mut self.locked {
            let found = locked.seal()?;
            if !found.is_empty() {
                damage.push((locked.source().to_owned(), found));
            }
        }
        Ok(damage)
    }
}

/// Engages the lock of every source. If one fails, those engaged in this call are released and those
/// adopted are given back, so that a failed call leaves nothing locked that was open.
///
/// # Errors
/// Why the first source that failed did, and which sources could not be opened again.
pub fn engage_all(
    sources: &[SourceSettings],
    lock: &LockSettings,
    request: &LockRequest,
) -> Result<Locks, LockError> {
    let mut locks = Locks::default();
    for source in sources {
        match engage(source, lock, request) {
            Ok(Lockability::Nothing) => locks.nothing_to_lock.push(source.rules.name.clone()),
            Ok(Lockability::Locked(locked)) => locks.locked.push(*locked),
            Err(error) => return Err(undo(locks, error)),
        }
    }
    Ok(locks)
}

fn undo(locks: Locks, why: LockError) -> LockError {
    let mut left: Vec<String> = Vec::new();
    for locked in locks.locked.into_iter().rev() {
        let source = locked.source().to_owned();
        let undone = match locked.how.clone() {
            HowEngaged::Before => Ok(()),
            // It was locked for a moment, as if never: whoever took something away just then met no lock.
            HowEngaged::Now => locked.release(Leftovers::HandBack(&|_| Ok(()))).map(drop),
            HowEngaged::Adopted(administrator) => {
                super::give_back(&locked, &Owner::Administrator(administrator))
            }
        };
        if let Err(error) = undone {
            left.push(format!("{source} ({error})"));
        }
    }
    if left.is_empty() {
        return why;
    }
    LockError::LeftLocked {
        why: Box::new(why),
        left,
    }
}
