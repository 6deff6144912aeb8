//! Requests on their way into the queue.

use super::{
    protocol::{Flaw, Protocol},
    requests::Ticket,
    world::{Drain, Row, World},
};

/// A counter hands a file with one request in; without an answer it does so again.
pub(crate) fn hand_in(protocol: &Protocol, world: &mut World, ticket: Ticket) -> bool {
    if world.answered[ticket as usize] || waits_for_a_drain(world) {
        return false;
    }
    take_in(protocol, world, ticket);
    world.answered[ticket as usize] = true;
    true
}

/// The process dies after its commit: there is no answer.
pub(crate) fn hand_in_unanswered(protocol: &Protocol, world: &mut World, ticket: Ticket) -> bool {
    let was_answered = world.answered;
    let taken = world.target.queue[ticket as usize] == Row::None;
    let dies = world.mishaps > 0 && taken && hand_in(protocol, world, ticket);
    if dies {
        world.mishaps -= 1;
        world.answered = was_answered;
    }
    dies
}

/// Rows that a drain holds can be superseded only when it is done with them.
fn waits_for_a_drain(world: &World) -> bool {
    (world.drains.iter()).any(
        |drain| matches!(drain, Drain::Claimed([new_pin, _, diverted], _) if *new_pin || *diverted),
    )
}

/// One transaction: a request the queue knows changes nothing, a new one takes the place of earlier ones.
pub(crate) fn take_in(protocol: &Protocol, world: &mut World, ticket: Ticket) {
    let queue = &mut world.target.queue;
    if queue[ticket as usize] != Row::None && !protocol.has(Flaw::ForgetsWhatItTook) {
        return;
    }
    queue[ticket as usize] = Row::Accepted;
    if ticket.takes_away() {
        return;
    }
    let accepted = world.times.of(ticket);
    for other in Ticket::ALL {
        let row = &mut queue[other as usize];
        if other == ticket || other.takes_away() {
            continue;
        }
        let comes_later =
            world.times.of(other) > accepted && !protocol.has(Flaw::SupersedesByArrival);
        match *row {
            Row::Accepted | Row::Done if comes_later => queue[ticket as usize] = Row::Superseded,
            Row::Accepted if !comes_later => *row = Row::Superseded,
            _none_or_over => {}
        }
    }
}
