//! Engaging: tables, control row and guards in one transaction.

use rusqlite::Connection;

use crate::{
    config::settings::LockMode,
    source::lock::{
        HowEngaged, LockError, LockRequest, Locked, Owner, Place,
        control::{Control, NewControl, not_held},
        decision,
        message::worded,
    },
};

use super::{
    capture, control, divert, guard,
    legacy::{self, BRIEF, Deed, Failure},
    lock_test,
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
    let locked = control.locked(place, how);
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
    let control = control::read(connection, name)?;
    let (stand, is) = (!present.is_empty(), plan.configuration());
    let how = decision::engage(name, control.as_ref(), stand, request, &is)?;
    match (&how, control) {
        (HowEngaged::Before | HowEngaged::Adopted(_), Some(mut control)) => {
            decision::undamaged(name, state::compared(connection, &plan, &control)?)?;
            if control.owner != request.owner {
                control::set_owner(connection, name, &request.owner, &request.successor)?;
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
        tables: &plan.row_counts(connection)?,
        other_triggers: &plan.other_triggers(connection)?,
    };
    control::write(connection, name, &new)?;
    let control = control::read(connection, name)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    guard::create(connection, &guard::expected(plan, &control))?;
    Ok(control)
}

/// See [`crate::source::lock::claim`].
pub(in crate::source) fn claim(place: Place, owner: &Owner) -> Result<Option<Locked>, LockError> {
    let found = legacy::read(&place, "looking for a lock", |connection| {
        Ok(control::read(connection, place.name())?)
    })?;
    Control::claimed(found, place, owner)
}

/// Makes an adopted lock its administrator's again.
pub(in crate::source) fn give_back(locked: &Locked, owner: &Owner) -> Result<(), LockError> {
    let name = locked.place.name();
    legacy::write(
        &locked.place,
        &GIVE_BACK,
        |connection| match control::read(connection, name)? {
            Some(control) if control.owner == locked.owner => {
                let successor = &control.successor;
                Ok(control::set_owner(connection, name, owner, successor)?)
            }
            Some(control) => Err(control.held(name).into()),
            None => Err(not_held(name).into()),
        },
    )
}
