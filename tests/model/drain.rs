//! A process of `pinferry activate`: claim, effect and mark, one transaction.

use pinferry::store::{RunPhase, activation::Readiness};

use super::{
    protocol::{Flaw, Protocol},
    requests::{Known, Ticket},
    world::{Drain, Row, World},
};

/// Cron starts one, and it claims the person with all that is due of him.
pub(crate) fn claim(protocol: &Protocol, world: &mut World, slot: usize) -> bool {
    if world.drains[slot] != Drain::Gone {
        return false;
    }
    let is_ready = readiness(world).run_id().is_ok();
    if !is_ready && !protocol.has(Flaw::ActivatesAtOnce) {
        return false;
    }
    let is_held = world
        .drains
        .iter()
        .any(|drain| matches!(drain, Drain::Claimed(..)));
    let rows = Ticket::ALL.map(|ticket| is_due(protocol, world, ticket));
    if !rows.contains(&true) || (is_held && !protocol.has(Flaw::ClaimsTogether)) {
        return false;
    }
    let known = Known {
        captured: world.target.revocation_told,
        counter: world.target.queue[Ticket::Revocation as usize] != Row::None,
    };
    world.drains[slot] = Drain::Claimed(rows, known);
    true
}

/// As a drain sees it.
fn readiness(world: &World) -> Readiness {
    let phase = world.target.phase;
    match phase {
        RunPhase::Finished => Readiness::Ready { run_id: 1 },
        RunPhase::Aborted => Readiness::NotCutOver,
        _under_way => Readiness::UnderWay { run_id: 1, phase },
    }
}

/// Whether it waits for nothing but a drain; who takes away waits for no day.
pub(crate) fn is_due(protocol: &Protocol, world: &World, ticket: Ticket) -> bool {
    let has_come = world.day_has_come || ticket.takes_away() || protocol.has(Flaw::IgnoresTheDay);
    world.target.queue[ticket as usize] == Row::Accepted && has_come
}

/// Effects and marks are committed.
pub(crate) fn commit(protocol: &Protocol, world: &mut World, slot: usize) -> bool {
    let (rows, marks) = match world.drains[slot] {
        Drain::Gone => return false,
        Drain::Claimed(rows, known) => {
            let marks = effects(protocol, world, rows, known);
            if protocol.has(Flaw::MarksApart) {
                world.drains[slot] = Drain::Unmarked(rows);
                return true;
            }
            (rows, marks)
        }
        Drain::Unmarked(rows) => (rows, [Row::Done; 3]),
    };
    for ticket in Ticket::ALL {
        if rows[ticket as usize] {
            world.target.queue[ticket as usize] = marks[ticket as usize];
        }
    }
    world.drains[slot] = Drain::Gone;
    true
}

/// One request after the other, in the order of acceptance.
fn effects(protocol: &Protocol, world: &mut World, rows: [bool; 3], known: Known) -> [Row; 3] {
    let times = world.times;
    let mut tickets = Ticket::ALL;
    tickets.sort_by_key(|ticket| times.of(*ticket));
    let mut marks = world.target.queue;
    for ticket in tickets {
        let index = ticket as usize;
        if !rows[index] {
            continue;
        }
        let person = world.target.person;
        marks[index] = match protocol.decisions.failure(&times, person, ticket, known) {
            Some(_why) => Row::Failed,
            None => {
                // Twice is as good as often.
                world.target.activations[index] = 2.min(world.target.activations[index] + 1);
                world.target.person = person.then(ticket);
                Row::Done
            }
        };
    }
    marks
}
