//! Sealing: every write refused, with a pointer to where the PINs went.

use crate::source::lock::{LockError, LockState, Locked, control::Control, decision};

use super::{
    control, guard,
    legacy::{self, Deed, Hold, LONG},
    plan::Plan,
    state,
};

const SEAL: Deed = Deed {
    doing: "sealing the legacy",
    before: "lock.seal",
    after: "lock.sealed",
    attempts: LONG,
};

/// See [`Locked::seal`]. The guards of the engaged lock stay beside those of the seal: dropping them would wait
/// for readers.
pub(in crate::source) fn seal(locked: &mut Locked) -> Result<Vec<String>, LockError> {
    let place = &locked.place;
    let name = place.name();
    let damage = legacy::write(place, &SEAL, |session| {
        let mut control = Control::ours(control::read(session, name)?, locked)?;
        let plan = Plan::make(session, place)?;
        let damage = decision::damage_when_sealing(state::compared(session, &plan, &control)?);
        if control.state == LockState::Sealed && damage.is_empty() {
            return Ok(damage);
        }
        legacy::hold(session, SEAL.doing, &plan.roots(), Hold::Writers)?;
        control.state = LockState::Sealed;
        guard::seal(session, &plan, &control)?;
        state::note_guards(session, name)?;
        control::set_state(session, name, LockState::Sealed, "")?;
        Ok(damage)
    })?;
    locked.state = LockState::Sealed;
    Ok(damage)
}
