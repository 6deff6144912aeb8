//! What the old application does meanwhile, as far as the guards let it.

use super::world::{Caught, Lock, Record, World};

/// Revokes the person's PIN: a tightening, which passes and is captured.
pub(crate) fn revoke(world: &mut World) -> bool {
    let legacy = &mut world.legacy;
    let comes_too_late =
        legacy.diverted != Caught::Nothing && world.times.captured < world.times.diverted;
    if legacy.lock != Lock::Engaged || legacy.record != Record::Active || comes_too_late {
        return false;
    }
    legacy.record = Record::Revoked;
    legacy.captured = Caught::Waits;
    true
}

/// Writes a new PIN, which the guards divert.
pub(crate) fn issue(world: &mut World) -> bool {
    let legacy = &mut world.legacy;
    let comes_too_late =
        legacy.captured != Caught::Nothing && world.times.diverted < world.times.captured;
    if legacy.lock != Lock::Engaged || legacy.diverted != Caught::Nothing || comes_too_late {
        return false;
    }
    legacy.diverted = Caught::Waits;
    true
}
