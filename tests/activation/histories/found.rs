//! Histories that ended in something else once, each on every engine.

use super::{
    history::{
        Code, History, Kind, Level, Line, Moment, Name, Profile, Receipt, Record, Request, Sent,
        Stage, Status, Step,
    },
    tried,
};
use crate::town::ENGINES;

const fn at(slot: u8) -> Moment {
    Moment {
        slot,
        is_late: false,
    }
}

/// A dispositive PIN.
const fn record(profile: Profile, status: Status) -> Record {
    Record {
        profile,
        status,
        level: Level::Dispositive,
        halves: 0,
        is_new: false,
        code: Code::Own,
        is_undated: false,
    }
}

/// Of what was issued on the day after the counters'.
const fn issued_later(record: Record) -> Record {
    Record {
        is_new: true,
        ..record
    }
}

const fn request(kind: Kind, slot: u8, profile: Option<Profile>) -> Request {
    Request {
        kind,
        at: at(slot),
        profile,
        level: Level::Dispositive,
        halves: 2,
        waits_for_day: false,
        code: Code::Own,
        name: Name::Own,
    }
}

const fn handed_in(request: Request) -> Step {
    Step::HandIn {
        line: Line::Request(request),
        in_same_file: false,
    }
}

const fn second_half(of: Sent) -> Step {
    let receipt = Receipt {
        of,
        is_second: true,
        is_delivered: true,
    };
    Step::HandIn {
        line: Line::Receipt(receipt),
        in_same_file: false,
    }
}

const ALL: Option<Profile> = None;
const CIT: Option<Profile> = Some(Profile::Cit);
const CDL: Option<Profile> = Some(Profile::Cdl);

fn history(first: &[Record], steps: &[(Stage, Step)]) -> History {
    let of = |stage| {
        let steps = steps.iter().filter(|(one, _)| *one == stage);
        steps.map(|(_, step)| step.clone()).collect()
    };
    History {
        first: first.to_vec(),
        later: Vec::new(),
        counters_know_links: true,
        is_linked_later: false,
        comes_to_an_end: false,
        steps: Stage::ALL.map(of),
    }
}

/// Plays it on every engine: the PIN at the end, and what it opens.
fn ends(history: &History, pin: &str, opens: &[Profile]) {
    for engine in ENGINES {
        let seen = tried(history, engine).unwrap_or_else(|why| panic!("{engine:?}: {why}"));
        let live = seen.live_pin();
        let live = live.map(|pin| format!("{} {}", pin.name, pin.status));
        assert_eq!(live.unwrap_or_default(), pin, "{engine:?}");
        let access: Vec<_> = seen.access.into_keys().collect();
        assert_eq!(access, opens, "{engine:?}");
    }
}

#[test]
fn a_replacement_of_what_was_issued_after_a_revocation_is_not_revoked_by_it() {
    let history = history(
        &[issued_later(record(Profile::Cit, Status::Active))],
        &[
            (Stage::Live, handed_in(request(Kind::Replacement, 2, CIT))),
            (Stage::Live, Step::Drain),
            (Stage::Live, handed_in(request(Kind::Revocation, 0, ALL))),
        ],
    );
    ends(&history, "activation:Q0 active", &[Profile::Cit]);
}

#[test]
fn a_replacement_asked_for_before_a_revocation_is_revoked_whenever_what_it_replaced_was_issued() {
    let history = history(
        &[issued_later(record(Profile::Cit, Status::Active))],
        &[
            (Stage::Live, handed_in(request(Kind::Replacement, 0, CIT))),
            (Stage::Live, Step::Drain),
            (Stage::Live, handed_in(request(Kind::Revocation, 1, ALL))),
        ],
    );
    ends(&history, "inps:M1 active", &[Profile::Cit]);
}

#[test]
fn a_delivered_pin_comes_in_the_place_of_one_taken_away_with_what_it_gave() {
    let delivered = Record {
        halves: 2,
        ..issued_later(record(Profile::Cdl, Status::Pending))
    };
    for kind in [Kind::Revocation, Kind::Suspension] {
        let history = history(
            &[record(Profile::Cit, Status::Active), delivered.clone()],
            &[
                (Stage::Live, Step::Drain),
                (Stage::Live, handed_in(request(kind, 0, ALL))),
            ],
        );
        ends(&history, "inps:M2 active", &[Profile::Cdl]);
    }
}

#[test]
fn a_pin_comes_in_the_place_of_what_replaced_the_one_it_gave_way_to() {
    let history = history(
        &[
            record(Profile::Cit, Status::Active),
            Record {
                level: Level::Ordinary,
                ..issued_later(record(Profile::Cit, Status::Active))
            },
        ],
        &[
            (Stage::Live, handed_in(request(Kind::NewPin, 0, CDL))),
            (Stage::Live, Step::Drain),
            (Stage::Live, handed_in(request(Kind::Revocation, 1, ALL))),
        ],
    );
    ends(&history, "inps:M2 active", &[Profile::Cit]);
}

#[test]
fn a_replacement_that_comes_late_gives_what_waited_for_the_pin_it_replaced() {
    let history = history(
        &[record(Profile::Cit, Status::Pending)],
        &[
            (
                Stage::Live,
                handed_in(Request {
                    halves: 1,
                    ..request(Kind::Replacement, 0, CIT)
                }),
            ),
            (Stage::Live, handed_in(request(Kind::NewPin, 1, CDL))),
            (Stage::Live, Step::Drain),
            (Stage::Live, second_half(Sent::Request(0))),
        ],
    );
    ends(
        &history,
        "activation:Q1 active",
        &[Profile::Cit, Profile::Cdl],
    );
}

#[test]
fn what_was_revoked_of_a_quarantined_record_is_taken_from_what_a_later_source_brings() {
    let quarantined = Record {
        is_undated: true,
        ..record(Profile::Cit, Status::Active)
    };
    for stands in [false, true] {
        let other = stands.then(|| record(Profile::Cdl, Status::Active));
        let taken = Step::TakeUnderLock {
            record: 0,
            at: at(3),
            for_good: true,
        };
        let first: Vec<_> = [quarantined.clone()].into_iter().chain(other).collect();
        let history = History {
            later: vec![record(Profile::Cit, Status::Active)],
            ..history(&first, &[(Stage::Held, taken)])
        };
        let (pin, opens): (_, &[_]) = match stands {
            true => ("inps:M2 active", &[Profile::Cdl]),
            false => ("later:L1 active", &[]),
        };
        ends(&history, pin, opens);
    }
}

#[test]
fn a_further_profile_waits_for_the_new_pin_that_took_the_place_of_one_accepted_before_it() {
    for half in [1, 2] {
        let pin = |slot, halves| Request {
            halves,
            ..request(Kind::NewPin, slot, CIT)
        };
        let history = history(
            &[],
            &[
                (Stage::Live, handed_in(pin(0, 1))),
                (
                    Stage::Live,
                    handed_in(request(Kind::FurtherProfile, 1, CDL)),
                ),
                (Stage::Live, handed_in(pin(2, half))),
                (Stage::Live, Step::Drain),
                (Stage::Live, second_half(Sent::Request(1))),
            ],
        );
        ends(
            &history,
            "activation:Q2 active",
            &[Profile::Cit, Profile::Cdl],
        );
    }
}

#[test]
fn a_pending_pin_that_comes_later_gives_what_waits_for_its_profile_once_it_is_delivered() {
    let pending = |halves| Record {
        halves,
        ..record(Profile::Cdl, Status::Pending)
    };
    for (halves, delivered_before) in [(1, false), (1, true), (2, true)] {
        for stands in [false, true] {
            let citizen = stands.then(|| record(Profile::Cit, Status::Active));
            let first: Vec<_> = citizen.into_iter().chain([pending(0)]).collect();
            let stage = match delivered_before {
                true => Stage::Live,
                false => Stage::LaterLive,
            };
            let delivery = (stage, second_half(Sent::Later(0)));
            let history = History {
                later: vec![pending(halves)],
                ..history(&first, &[delivery])
            };
            // Whose own PIN is on its way still may do nothing by another one.
            let (pin, opens): (_, &[_]) = match stands {
                true => ("inps:M1 active", &[Profile::Cit, Profile::Cdl]),
                false => ("inps:M1 pending", &[]),
            };
            ends(&history, pin, opens);
        }
    }
}

#[test]
fn a_new_pin_that_comes_late_takes_the_place_of_a_replacement_that_is_suspended_for_what_it_replaced()
 {
    for is_new in [false, true] {
        let suspended = Record {
            is_new,
            ..record(Profile::Cit, Status::Suspended)
        };
        let asked = Request {
            halves: 1,
            ..request(Kind::NewPin, 0, CDL)
        };
        let history = history(
            &[suspended],
            &[
                (Stage::Live, handed_in(asked)),
                (Stage::Live, handed_in(request(Kind::Replacement, 1, CIT))),
                (Stage::Live, Step::Drain),
                (Stage::Live, second_half(Sent::Request(0))),
            ],
        );
        ends(&history, "activation:Q0 active", &[Profile::Cdl]);
    }
}
