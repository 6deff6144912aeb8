//! The protocol as it is.

use std::collections::HashMap;

use stateright::{Checker, Model};

use super::{
    protocol::Protocol,
    world::World,
    worlds::{in_every_order, in_telling_orders, with_a_full_queue},
};

/// Looks at every state there is; no bound cuts the search off.
#[expect(clippy::print_stdout, reason = "how large the world is")]
fn explore(what: &str, worlds: Vec<World>) {
    let protocol = Protocol {
        worlds,
        ..Protocol::default()
    };
    let checker = protocol.checker().threads(2).spawn_bfs().join();
    let states = checker.unique_state_count();
    println!(
        "{what}: {states} states, {} steps deep",
        checker.max_depth()
    );
    assert!(checker.is_done(), "the search was cut off");
    checker.assert_properties();
}

#[test]
fn in_every_order_of_acceptance_the_protocol_keeps_its_promises() {
    explore("every order", in_every_order(0));
}

#[test]
fn whoever_dies_or_sleeps_past_the_lease_at_any_step_the_protocol_keeps_its_promises() {
    explore("one mishap", in_telling_orders(1));
}

#[test]
fn after_two_mishaps_at_any_steps_the_protocol_keeps_its_promises() {
    explore("two mishaps", with_a_full_queue(2));
}

/// Where no state comes twice on any way, every way ends, and does so where nothing happens any more by itself.
#[test]
fn no_way_through_the_world_goes_in_a_circle() {
    let protocol = Protocol::default();
    let mut is_left = HashMap::new();
    for world in with_a_full_queue(1) {
        let mut way = vec![(world, ways_on(&protocol, &world))];
        is_left.insert(world, false);
        while let Some((world, ways)) = way.last_mut() {
            let Some(next) = ways.pop() else {
                is_left.insert(*world, true);
                way.pop();
                continue;
            };
            match is_left.get(&next) {
                Some(true) => {}
                Some(false) => panic!("round and round: {next:?}"),
                None => {
                    is_left.insert(next, false);
                    way.push((next, ways_on(&protocol, &next)));
                }
            }
        }
    }
    assert!(is_left.len() > 10_000, "{} states", is_left.len());
}

fn ways_on(protocol: &Protocol, world: &World) -> Vec<World> {
    protocol
        .next_steps(world)
        .into_iter()
        .map(|(_, next)| next)
        .collect()
}
