//! Where the small world begins: who stands in the legacy, and in which order things are accepted.

use super::world::{Record, Row, Times, World};

/// Every order of up to four moments, those at once included, with and without somebody who stands in the legacy.
pub(crate) fn in_every_order(mishaps: u8) -> Vec<World> {
    let mut worlds = Vec::new();
    for number in 0..256_u32 {
        let moments = [0, 2, 4, 6].map(|shift| (number >> shift & 3) as u8 + 1);
        // One spelling of each order: no moment is left out before the last.
        let last = moments.into_iter().max().unwrap_or_default();
        if (1..last).any(|moment| !moments.contains(&moment)) {
            continue;
        }
        worlds.push(World::new(Record::Active, times(moments), mishaps));
        // Whoever is not there is not revoked there: one order of all others is enough.
        if moments[3] == 1 && moments[..3].contains(&1) {
            worlds.push(World::new(Record::Absent, times(moments), mishaps));
        }
    }
    worlds
}

/// Few orders that differ in who has the last word.
pub(crate) fn in_telling_orders(mishaps: u8) -> Vec<World> {
    [
        (Record::Active, [1, 1, 1, 1]),
        (Record::Active, [3, 2, 1, 2]),
        (Record::Active, [1, 2, 3, 4]),
        (Record::Absent, [1, 2, 3, 1]),
    ]
    .map(|(record, moments)| World::new(record, times(moments), mishaps))
    .into()
}

/// The same, where the counters handed everything in before the run began, and the day has come.
pub(crate) fn with_a_full_queue(mishaps: u8) -> Vec<World> {
    let mut worlds = in_telling_orders(mishaps);
    for world in &mut worlds {
        world.target.queue = [Row::Accepted, Row::Accepted, Row::None];
        world.answered = [true; 2];
        world.day_has_come = true;
    }
    worlds
}

fn times([new_pin, revocation, diverted, captured]: [u8; 4]) -> Times {
    Times {
        new_pin,
        revocation,
        diverted,
        captured,
    }
}
