//! Who may do what with a lock that is found, in whatever database it stands.

use super::{Guards, HowEngaged, LockError, LockRequest, LockState, Owner, control::Control};

/// What every lock without a control row is told.
pub(in crate::source) const NO_CONTROL_ROW: &str = "guards stand without a control row";

/// Whether there is something to make, something to take over, or somebody in the way. `is` is the present
/// configuration.
pub(in crate::source) fn engage(
    name: &str,
    control: Option<&Control>,
    guards_stand: bool,
    request: &LockRequest,
    is: &str,
) -> Result<HowEngaged, LockError> {
    let Some(control) = control else {
        return if guards_stand {
            Err(without_control_row(name))
        } else {
            Ok(HowEngaged::Now)
        };
    };
    let ours = control.owner == request.owner;
    match (control.state, &control.owner, &request.owner) {
        (LockState::Open, _, _) => Ok(HowEngaged::Now),
        (LockState::Broken, Owner::Run(_), _) if ours => Err(control.broken(name)),
        (LockState::Broken, _, _) => Ok(HowEngaged::Now),
        (LockState::Sealed, _, _) if ours => Err(control.sealed(name)),
        (LockState::Sealed, _, _) => Err(control.held(name)),
        (LockState::Engaged, owner, asking) => {
            let how = match (owner, asking) {
                _ if ours => HowEngaged::Before,
                (Owner::Administrator(who), Owner::Run(_)) => HowEngaged::Adopted(who.clone()),
                (Owner::Administrator(_) | Owner::Run(_), _) => return Err(control.held(name)),
            };
            control.same_as(is, name)?;
            Ok(how)
        }
    }
}

/// Whether the owner may release what is found; false where there is nothing.
pub(in crate::source) fn release(
    name: &str,
    control: Option<&Control>,
    guards_stand: bool,
    owner: &Owner,
) -> Result<bool, LockError> {
    match control {
        Some(control) if control.owner != *owner => Err(control.held(name)),
        Some(control) if control.state == LockState::Sealed => Err(control.sealed(name)),
        Some(_) => Ok(true),
        None if guards_stand => Err(without_control_row(name)),
        None => Ok(false),
    }
}

/// Whether a run that is aborted may clear away what is found; false where there is nothing.
pub(in crate::source) fn clear(
    name: &str,
    control: Option<&Control>,
    guards_stand: bool,
    owner: &Owner,
) -> Result<bool, LockError> {
    match control {
        Some(control) => match (control.state, &control.owner) {
            (LockState::Sealed, _) => Err(control.sealed(name)),
            (LockState::Engaged, Owner::Run(_)) if control.owner != *owner => {
                Err(control.held(name))
            }
            (LockState::Open | LockState::Engaged | LockState::Broken, _) => Ok(true),
        },
        None => Ok(guards_stand),
    }
}

/// That what is found is sealed, so that it may be opened again.
pub(in crate::source) fn reopen(name: &str, control: Option<&Control>) -> Result<(), LockError> {
    match control.map_or(LockState::Open, |found| found.state) {
        LockState::Sealed => Ok(()),
        state @ (LockState::Open | LockState::Engaged | LockState::Broken) => {
            Err(LockError::NotSealed {
                source_name: name.to_owned(),
                state,
            })
        }
    }
}

/// Nothing but guards in good order will do.
pub(in crate::source) fn undamaged(name: &str, guards: Guards) -> Result<(), LockError> {
    match damage(guards) {
        what if what.is_empty() => Ok(()),
        what => Err(LockError::Damaged {
            source_name: name.to_owned(),
            what,
        }),
    }
}

fn damage(guards: Guards) -> Vec<String> {
    match guards {
        Guards::Present => Vec::new(),
        Guards::Absent => vec!["every guard is missing".to_owned()],
        Guards::Unverifiable => {
            vec!["its guards were made with another configuration".to_owned()]
        }
        Guards::Damaged(what) => what,
    }
}

/// What sealing tells of guards: another configuration is no damage.
pub(in crate::source) fn damage_when_sealing(guards: Guards) -> Vec<String> {
    match guards {
        Guards::Unverifiable => Vec::new(),
        other => damage(other),
    }
}

fn without_control_row(name: &str) -> LockError {
    LockError::Damaged {
        source_name: name.to_owned(),
        what: vec![NO_CONTROL_ROW.to_owned()],
    }
}

/// That nothing is left over, or that it was asked to be dealt with: so many captures and diverted PINs wait.
pub(in crate::source) fn leftovers(
    name: &str,
    asked: super::Leftovers<'_>,
    captured: u64,
    diverted: u64,
) -> Result<(), LockError> {
    match asked {
        super::Leftovers::Refuse if captured + diverted > 0 => Err(LockError::Leftovers {
            source_name: name.to_owned(),
            captured,
            diverted,
        }),
        super::Leftovers::Refuse | super::Leftovers::HandBack(_) => Ok(()),
    }
}
