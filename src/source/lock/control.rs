//! What a lock says about itself, in whatever database it stands.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::config::settings::LockMode;

use super::{
    Drift, Guards, Holding, HowEngaged, LockError, LockState, LockStatus, Locked, Owner, Place,
};

/// The control row of one source.
#[derive(Clone, Debug)]
pub(in crate::source) struct Control {
    pub(in crate::source) state: LockState,
    pub(in crate::source) owner: Owner,
    pub(in crate::source) reason: String,
    pub(in crate::source) engaged_at: String,
    pub(in crate::source) expected_end: String,
    pub(in crate::source) changed_at: String,
    pub(in crate::source) mode: LockMode,
    pub(in crate::source) successor: String,
    /// What the guards depend on in the configuration, as JSON.
    pub(in crate::source) configuration: String,
    /// On SQLite how many rows each table had, where a guard counts them; on PostgreSQL the number by which the
    /// server knows each guarded table.
    pub(in crate::source) tables: BTreeMap<String, i64>,
    /// Hash of the triggers of others on the guarded tables.
    pub(in crate::source) other_triggers: String,
    pub(in crate::source) broken_by: Option<String>,
    /// The expected end has passed.
    pub(in crate::source) overdue: bool,
}

/// What a fresh engagement writes.
pub(in crate::source) struct NewControl<'n> {
    pub(in crate::source) owner: &'n Owner,
    pub(in crate::source) reason: &'n str,
    pub(in crate::source) expected_secs: u64,
    pub(in crate::source) mode: LockMode,
    pub(in crate::source) successor: &'n str,
    pub(in crate::source) configuration: &'n str,
    pub(in crate::source) tables: &'n BTreeMap<String, i64>,
    pub(in crate::source) other_triggers: &'n str,
}

impl Control {
    /// The refusal for anybody but the owner.
    pub(in crate::source) fn held(&self, source: &str) -> LockError {
        LockError::Held(Box::new(Holding {
            source_name: source.to_owned(),
            state: self.state,
            owner: self.owner.clone(),
            since: self.engaged_at.clone(),
            expected_end: self.expected_end.clone(),
            reason: self.reason.clone(),
            successor: self.successor.clone(),
        }))
    }

    /// The report of a lock an administrator removed.
    pub(in crate::source) fn broken(&self, source: &str) -> LockError {
        LockError::Broken {
            source_name: source.to_owned(),
            owner: self.owner.clone(),
            at: self.changed_at.clone(),
            by: self.broken_by.clone().unwrap_or_default(),
        }
    }

    /// The refusal where an engaged lock is needed.
    pub(in crate::source) fn sealed(&self, source: &str) -> LockError {
        LockError::Sealed {
            source_name: source.to_owned(),
            since: self.changed_at.clone(),
        }
    }

    /// That the lock was engaged with the configuration as it `is` now.
    pub(in crate::source) fn same_as(&self, is: &str, source: &str) -> Result<(), LockError> {
        if self.configuration == is {
            return Ok(());
        }
        let keys = |text: &str| serde_json::from_str::<Map<String, Value>>(text).ok();
        let drifts = match (keys(&self.configuration), keys(is)) {
            (Some(was), Some(is)) => Drift::between(&was, &is, &|key| {
                if key.starts_with("lock.") {
                    key.to_owned()
                } else {
                    format!("{key} of source {source:?}")
                }
            }),
            (None, _) | (_, None) => Vec::new(),
        };
        Err(LockError::OtherConfiguration {
            source_name: source.to_owned(),
            owner: self.owner.clone(),
            drifts,
        })
    }

    /// That the row is still the token's owner's and the lock unbroken.
    pub(in crate::source) fn ours(found: Option<Self>, locked: &Locked) -> Result<Self, LockError> {
        let name = locked.place.name();
        let Some(control) = found else {
            return Err(not_held(name));
        };
        match control.state {
            LockState::Broken => Err(control.broken(name)),
            _ if control.owner != locked.owner => Err(control.held(name)),
            LockState::Open | LockState::Engaged | LockState::Sealed => Ok(control),
        }
    }

    /// The lock of this owner that the row speaks of, if it does.
    pub(in crate::source) fn claimed(
        found: Option<Self>,
        place: Place,
        owner: &Owner,
    ) -> Result<Option<Locked>, LockError> {
        match found {
            None => Ok(None),
            Some(control) if control.owner == *owner => {
                Ok(Some(control.locked(place, HowEngaged::Before)))
            }
            // Broken and somebody else's: nobody holds it.
            Some(control) if control.state == LockState::Broken => Ok(None),
            Some(control) => Err(control.held(place.name())),
        }
    }

    /// The token of the lock.
    pub(in crate::source) fn locked(self, place: Place, how: HowEngaged) -> Locked {
        Locked {
            place,
            owner: self.owner,
            state: self.state,
            how,
            reason: self.reason,
            engaged_at: self.engaged_at,
            expected_end: self.expected_end,
        }
    }

    /// Puts what the row says into a status.
    pub(in crate::source) fn tell(self, guards: Guards, status: &mut LockStatus) {
        status.guards = guards;
        status.state = self.state;
        status.reason = Some(self.reason);
        status.owner = Some(self.owner);
        status.successor = Some(self.successor);
        status.engaged_at = Some(self.engaged_at);
        status.expected_end = Some(self.expected_end);
        status.overdue = self.overdue && self.state == LockState::Engaged;
        status.changed_at = Some(self.changed_at);
        status.broken = self.broken_by;
        status.mode = Some(self.mode);
    }
}

/// There is no lock.
pub(in crate::source) fn not_held(source: &str) -> LockError {
    LockError::NotHeld {
        source_name: source.to_owned(),
    }
}
