//! Sealing: every write refused, with a pointer to where the PINs went.

use crate::source::lock::{LockError, LockState, Locked, decision};

use super::{
    control, guard,
    legacy::{self, Deed, LONG},
    plan::Plan,
    state,
};

const SEAL: Deed = Deed {
    doing: "sealing the legacy",
    before: "lock.seal",
    after: "lock.sealed",
    patience: LONG,
};

/// See [`Locked::seal`].
pub(in crate::source) fn seal(locked: &mut Locked) -> Result<Vec<String>, LockError> {
    let place = &locked.place;
    let damage = legacy::write(place, &SEAL, |connection| {
        let mut control = state::ours(connection, locked)?;
        let plan = Plan::make(connection, place)?;
        let damage = decision::damage_when_sealing(state::compared(connection, &plan, &control)?);
        if control.state == LockState::Sealed && damage.is_empty() {
            return Ok(damage);
        }
        guard::drop_all(connection, &guard::present(connection, place.name())?)?;
        control.state = LockState::Sealed;
        guard::create(connection, &guard::expected(&plan, &control))?;
        control::set_state(connection, place.name(), LockState::Sealed, None)?;
        Ok(damage)
    })?;
    locked.state = LockState::Sealed;
    Ok(damage)
}
