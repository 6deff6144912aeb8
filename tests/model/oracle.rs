//! Who must have access in the end, said without any code of the program: whoever comes last has the last word, and
//! of two at once the one that takes away.

use super::{
    requests::Ticket,
    world::{Caught, Record, Row, World},
};

/// Whether the person is to have access once nothing waits any more.
pub(crate) fn is_to_have_access(world: &World) -> bool {
    let is_known = |ticket: Ticket| world.target.queue[ticket as usize] != Row::None;
    let counter = is_known(Ticket::Revocation).then_some(world.times.revocation);
    let captured = (world.legacy.captured != Caught::Nothing).then_some(world.times.captured);
    let last_revocation = counter.max(captured);
    // What was migrated was there before anything was accepted.
    let migrated = (world.before == Record::Active).then_some(0);
    let given = [Ticket::NewPin, Ticket::Diverted]
        .map(|ticket| is_known(ticket).then(|| world.times.of(ticket)));
    migrated
        .into_iter()
        .chain(given.into_iter().flatten())
        .any(|at| Some(at) > last_revocation)
}
