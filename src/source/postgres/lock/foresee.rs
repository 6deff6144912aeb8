//! Looking ahead: would the lock engage? A server has no copy in memory to try guards on, and trying them on the
//! tables themselves would keep the application waiting.

use crate::source::lock::{Foreseen, LockError, LockState, Place};

use super::{control, guard, legacy, plan::Plan, release};

/// See [`crate::source::lock::foresee`].
pub(in crate::source) fn foresee(place: &Place) -> Result<Foreseen, LockError> {
    legacy::read(place, |snapshot| {
        let session = &mut snapshot.session;
        let name = place.name();
        let plan = Plan::make(session, place)?;
        let state = control::read(session, name)?.map_or(LockState::Open, |found| found.state);
        match state {
            LockState::Engaged | LockState::Sealed => return Ok(Foreseen::Held),
            LockState::Open | LockState::Broken => {}
        }
        if guard::stand(session, name)? {
            return Ok(Foreseen::Held);
        }
        plan.may_guard(session)?;
        release::nothing_diverted(session, name)?;
        let why = "a PostgreSQL server has no copy to try it on";
        Ok(Foreseen::Unknown(why.to_owned()))
    })
}
