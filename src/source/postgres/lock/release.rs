//! Opening the legacy again: by its owner, from sealed, or by force.

use crate::{
    postgres::{PostgresError, Session},
    source::lock::{
        Keep, Leftovers, LockError, LockState, LockStatus, Locked, Owner, Place, Released,
        control::not_held, decision, message::worded,
    },
};

use super::{
    capture, control, divert, guard,
    legacy::{self, Deed, Hold, LONG},
    plan::Plan,
    reading::captures,
    remains::sweep,
    spelling, state,
};

const RELEASE: Deed = Deed {
    doing: "releasing the lock",
    before: "lock.release",
    after: "lock.released",
    attempts: LONG,
};

const BREAK: Deed = Deed {
    doing: "breaking the lock",
    before: "lock.break",
    after: "lock.broken",
    attempts: LONG,
};

/// See [`Locked::release`].
pub(in crate::source) fn release(
    locked: &Locked,
    leftovers: Leftovers<'_>,
) -> Result<Released, LockError> {
    let place = &locked.place;
    let name = place.name();
    let released = legacy::write(place, &RELEASE, |session| {
        let found = control::read(session, name)?;
        let stand = guard::stand(session, name)?;
        match decision::release(name, found.as_ref(), stand, &locked.owner)? {
            true => open(session, place, leftovers),
            false => Ok(Released::default()),
        }
    })?;
    swept(place, released)
}

fn swept(place: &Place, released: Released) -> Result<Released, LockError> {
    let remains = sweep(place)?;
    Ok(Released {
        remains,
        ..released
    })
}

/// See [`crate::source::lock::reopen`].
pub(in crate::source) fn reopen(
    place: &Place,
    leftovers: Leftovers<'_>,
) -> Result<Released, LockError> {
    let released = legacy::write(place, &RELEASE, |session| {
        let name = place.name();
        decision::reopen(name, control::read(session, name)?.as_ref())?;
        open(session, place, leftovers)
    })?;
    swept(place, released)
}

/// See [`crate::source::lock::clear`].
pub(in crate::source) fn clear(
    place: &Place,
    owner: &Owner,
    keep: &Keep<'_>,
) -> Result<Option<Released>, LockError> {
    let name = place.name();
    let released = legacy::write(place, &RELEASE, |session| {
        let found = control::read(session, name)?;
        let stand = guard::stand(session, name)?;
        match decision::clear(name, found.as_ref(), stand, owner)? {
            true => open(session, place, Leftovers::HandBack(keep)).map(Some),
            false => Ok(None),
        }
    })?;
    let remains = sweep(place)?;
    Ok(released.map(|released| Released {
        remains,
        ..released
    }))
}

/// See [`crate::source::lock::break_open`].
pub(in crate::source) fn break_open(
    place: &Place,
    by: &str,
    reason: &str,
) -> Result<LockStatus, LockError> {
    let by = worded("the name of who breaks a lock", by)?;
    let reason = worded("the reason for breaking a lock", reason)?;
    spelling::check_breaking(place, by, reason)?;
    let name = place.name();
    let before = legacy::write(place, &BREAK, |session| {
        let before = state::within(session, place)?;
        if !before.is_held() {
            return Err(not_held(name));
        }
        open_guards(session, name, BREAK.doing)?;
        if before.owner.is_some() {
            let by = format!("{by}: {reason}");
            control::set_state(session, name, LockState::Broken, &by)?;
        }
        Ok(before)
    })?;
    let remains = sweep(place)?;
    Ok(LockStatus { remains, ..before })
}

/// Opens the lock and empties its tables, giving diverted PINs back where that was asked for.
fn open(
    session: &mut Session,
    place: &Place,
    leftovers: Leftovers<'_>,
) -> Result<Released, LockError> {
    let name = place.name();
    open_guards(session, name, RELEASE.doing)?;
    // Nobody writes any more, so that none comes after those that are counted.
    let (_, captured) = capture::tally(session, name)?;
    let (_, diverted) = divert::tally(session, name)?;
    decision::leftovers(name, leftovers, captured, diverted)?;
    leftovers.keep(captured, |after, limit| captures(place, after, limit))?;
    let mut released = Released::default();
    if diverted > 0 {
        let plan = Plan::make(session, place)?;
        if let Some(shape) = plan.tables.first() {
            released = divert::hand_back(session, name, shape)?;
        }
    }
    if !released.not_handed_back.is_empty() {
        released.kept_in = Some(divert::set_aside(session, name)?);
    }
    capture::forget(session, name)?;
    divert::forget(session, name)?;
    control::remove(session, name)?;
    Ok(released)
}

/// Opens whatever guards there are. Readers go on beside it, writers are waited for.
fn open_guards(
    session: &mut Session,
    name: &str,
    doing: &'static str,
) -> Result<(), PostgresError> {
    let standing = |session: &mut Session| {
        let mut guards = guard::present(session, name)?;
        guards.retain(|one| !one.open);
        Ok::<_, PostgresError>(guards)
    };
    let tables = guard::tables(&standing(session)?);
    legacy::hold(session, doing, &tables, Hold::Writers)?;
    let guards = standing(session)?;
    guard::open(session, name, &guards)
}

/// That no diverted PIN waits to be processed.
pub(super) fn nothing_diverted(session: &mut Session, name: &str) -> Result<(), LockError> {
    let (_, diverted) = divert::tally(session, name)?;
    decision::leftovers(name, Leftovers::Refuse, 0, diverted)
}
