//! Engaging: tables, control row and guards in one transaction.

use rusqlite::Connection;

use crate::{
    config::settings::LockMode,
    source::lock::{Guards, HowEngaged, LockError, LockRequest, LockState, Locked, Owner, Place},
};

use super::{
    capture,
    control::{Control, NewControl},
    divert,
    guard::{self, Guard},
    legacy::{self, BRIEF, Deed, Failure},
    lock_test,
    message::worded,
    plan::Plan,
    release, state,
};

const ENGAGE: Deed = Deed {
    doing: "engaging the lock",
    before: "lock.engage",
    after: "lock.engaged",
    patience: BRIEF,
};

const GIVE_BACK: Deed = Deed {
    doing: "giving the lock back to its administrator",
    before: "lock.give_back",
    after: "lock.given_back",
    patience: BRIEF,
};

/// See [`crate::source::lock::engage`].
pub(in crate::source) fn engage(place: Place, request: &LockRequest) -> Result<Locked, LockError> {
    let request = LockRequest {
        owner: request.owner.clone(),
        reason: worded("the reason of a lock", &request.reason)?.to_owned(),
        successor: request.successor.clone(),
    };
    let (how, control) = legacy::write(&place, &ENGAGE, |connection| {
        engage_within(connection, &place, &request)
    })?;
    let locked = locked(place, control, how);
    if locked.how == HowEngaged::Now {
        lock_test::seen_from_elsewhere(&locked.place)?;
    }
    Ok(locked)
}

fn engage_within(
    connection: &Connection,
    place: &Place,
    request: &LockRequest,
) -> Result<(HowEngaged, Control), Failure> {
    let name = place.name();
    let plan = Plan::make(connection, place)?;
    let present = guard::present(connection, name)?;
    let control = Control::read(connection, name)?;
    let how = decide(&plan, control.as_ref(), &present, request)?;
    match (&how, control) {
        (HowEngaged::Before | HowEngaged::Adopted(_), Some(mut control)) => {
            undamaged(name, state::compared(connection, &plan, &control)?)?;
            if control.owner != request.owner {
                Control::set_owner(connection, name, &request.owner, &request.successor)?;
                control.owner = request.owner.clone();
            }
            Ok((how, control))
        }
        (HowEngaged::Now, _) | (_, None) => {
            let control = make(connection, &plan, request)?;
            Ok((HowEngaged::Now, control))
        }
    }
}

/// Makes everything anew, and puts a diverting lock to the test.
fn make(
    connection: &Connection,
    plan: &Plan<'_>,
    request: &LockRequest,
) -> Result<Control, Failure> {
    let control = make_untested(connection, plan, request)?;
    match plan.place.lock.mode {
        LockMode::Refuse => {}
        LockMode::Divert => {
            let report = lock_test::within(connection, plan, &control)?;
            if !report.passed() {
                let report = Box::new(report);
                return Err(LockError::TestFailed { report }.into());
            }
        }
    }
    Ok(control)
}

/// Makes everything anew.
pub(super) fn make_untested(
    connection: &Connection,
    plan: &Plan<'_>,
    request: &LockRequest,
) -> Result<Control, Failure> {
    let place = plan.place;
    let name = place.name();
    release::drop_tables(connection, name)?;
    capture::create(connection, name)?;
    match (place.lock.mode, plan.tables.first()) {
        (LockMode::Divert, Some(shape)) => divert::create(connection, name, shape)?,
        (LockMode::Divert | LockMode::Refuse, _) => {}
    }
    let new = NewControl {
        owner: &request.owner,
        reason: &request.reason,
        expected_secs: place.lock.expected.as_secs(),
        mode: place.lock.mode,
        successor: &request.successor,
        configuration: &plan.configuration(),
        row_counts: &plan.row_counts(connection)?,
        other_triggers: &plan.other_triggers(connection)?,
    };
    Control::write(connection, name, &new)?;
    let control = Control::read(connection, name)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    guard::create(connection, &guard::expected(plan, &control))?;
    Ok(control)
}

/// Whether there is something to make, something to take over, or somebody in the way.
fn decide(
    plan: &Plan<'_>,
    control: Option<&Control>,
    present: &[Guard],
    request: &LockRequest,
) -> Result<HowEngaged, LockError> {
    let name = plan.place.name();
    let Some(control) = control else {
        return if present.is_empty() {
            Ok(HowEngaged::Now)
        } else {
            Err(LockError::Damaged {
                source_name: name.to_owned(),
                what: vec!["guards stand without a control row".to_owned()],
            })
        };
    };
    let ours = control.owner == request.owner;
    match (control.state, &control.owner, &request.owner) {
        (LockState::Open, _, _) => Ok(HowEngaged::Now),
        (LockState::Broken, Owner::Run(_), _) if ours => Err(control.broken(name)),
        (LockState::Broken, _, _) => Ok(HowEngaged::Now),
        (LockState::Sealed, _, _) if ours => Err(LockError::Sealed {
            source_name: name.to_owned(),
            since: control.changed_at.clone(),
        }),
        (LockState::Sealed, _, _) => Err(control.held(name)),
        (LockState::Engaged, owner, asking) => {
            let how = match (owner, asking) {
                _ if ours => HowEngaged::Before,
                (Owner::Administrator(who), Owner::Run(_)) => HowEngaged::Adopted(who.clone()),
                (Owner::Administrator(_) | Owner::Run(_), _) => return Err(control.held(name)),
            };
            plan.same_as(control)?;
            Ok(how)
        }
    }
}

/// See [`crate::source::lock::claim`].
pub(in crate::source) fn claim(place: Place, owner: &Owner) -> Result<Option<Locked>, LockError> {
    let found = legacy::read(&place, "looking for a lock", |connection| {
        Ok(Control::read(connection, place.name())?)
    })?;
    match found {
        None => Ok(None),
        Some(control) if control.owner == *owner => {
            Ok(Some(locked(place, control, HowEngaged::Before)))
        }
        // Broken and somebody else's: nobody holds it.
        Some(control) if control.state == LockState::Broken => Ok(None),
        Some(control) => Err(control.held(place.name())),
    }
}

/// Makes an adopted lock its administrator's again.
pub(in crate::source) fn give_back(locked: &Locked, owner: &Owner) -> Result<(), LockError> {
    let name = locked.place.name();
    legacy::write(
        &locked.place,
        &GIVE_BACK,
        |connection| match Control::read(connection, name)? {
            Some(control) if control.owner == locked.owner => {
                let successor = &control.successor;
                Ok(Control::set_owner(connection, name, owner, successor)?)
            }
            Some(control) => Err(control.held(name).into()),
            None => Err(LockError::NotHeld {
                source_name: name.to_owned(),
            }
            .into()),
        },
    )
}

fn locked(place: Place, control: Control, how: HowEngaged) -> Locked {
    Locked {
        place,
        owner: control.owner,
        state: control.state,
        how,
        reason: control.reason,
        engaged_at: control.engaged_at,
        expected_end: control.expected_end,
    }
}

/// Nothing but guards in good order will do.
pub(super) fn undamaged(name: &str, guards: Guards) -> Result<(), LockError> {
    let what = match guards {
        Guards::Present => return Ok(()),
        Guards::Absent => vec!["every guard is missing".to_owned()],
        Guards::Unverifiable => {
            vec!["its guards were made with another configuration".to_owned()]
        }
        Guards::Damaged(what) => what,
    };
    Err(LockError::Damaged {
        source_name: name.to_owned(),
        what,
    })
}
