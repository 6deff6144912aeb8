//! Looking ahead: would the lock engage, and would it hold? Tried on the tables themselves, as the lock's test does:
//! in short transactions that are undone.

use crate::source::lock::{Foreseen, LockError, LockState, Place};

use super::{control, guard, legacy, lock_test, plan::Plan, release};

/// See [`crate::source::lock::foresee`].
pub(in crate::source) fn foresee(place: &Place) -> Result<Foreseen, LockError> {
    if is_held(place)? {
        return Ok(Foreseen::Held);
    }
    Ok(Foreseen::Tested(lock_test::on_new_guards(place)?.0))
}

/// See [`crate::source::lock::permitted`].
pub(in crate::source) fn permitted(place: &Place) -> Result<(), LockError> {
    is_held(place).map(drop)
}

/// Whether there is a lock already; where there is none, that one may be made.
fn is_held(place: &Place) -> Result<bool, LockError> {
    legacy::read(place, |snapshot| {
        let session = &mut snapshot.session;
        let name = place.name();
        let plan = Plan::make(session, place)?;
        let state = control::read(session, name)?.map_or(LockState::Open, |found| found.state);
        match state {
            LockState::Engaged | LockState::Sealed => return Ok(true),
            LockState::Open | LockState::Broken => {}
        }
        if guard::stand(session, name)? {
            return Ok(true);
        }
        plan.may_guard(session)?;
        release::nothing_diverted(session, name)?;
        Ok(false)
    })
}
