//! Histories, generated from a small alphabet so that much of it meets.

use proptest::prelude::*;

use super::history::{
    Code, History, Kind, Level, Line, Moment, Name, Profile, Receipt, Record, Request, Sent,
    Status, Step,
};

pub(super) fn histories() -> impl Strategy<Value = History> {
    let steps = |most| prop::collection::vec(step(), 0..=most);
    let later = prop_oneof![
        2 => Just(Vec::new()),
        1 => prop::collection::vec(record(), 1..=2),
    ];
    (
        prop::collection::vec(record(), 0..=2),
        later,
        prop::bool::weighted(0.5),
        (prop::bool::weighted(0.2), prop::bool::weighted(0.7)),
        (steps(3), steps(4), steps(5), steps(3), steps(4)),
    )
        .prop_map(
            |(
                first,
                later,
                counters_know_links,
                (is_linked_later, comes_to_an_end),
                (a, b, c, d, e),
            )| {
                History {
                    first,
                    later,
                    counters_know_links,
                    is_linked_later,
                    comes_to_an_end,
                    steps: [a, b, c, d, e],
                }
                .settled()
            },
        )
}

fn profile() -> impl Strategy<Value = Profile> {
    prop_oneof![3 => Just(Profile::Cit), 2 => Just(Profile::Cdl), 1 => Just(Profile::Pat)]
}

fn level() -> impl Strategy<Value = Level> {
    prop_oneof![2 => Just(Level::Dispositive), 1 => Just(Level::Ordinary)]
}

fn moment() -> impl Strategy<Value = Moment> {
    (0..6_u8, prop::bool::weighted(0.2)).prop_map(|(slot, is_late)| Moment { slot, is_late })
}

fn code() -> impl Strategy<Value = Code> {
    prop_oneof![5 => Just(Code::Own), 1 => Just(Code::Old)]
}

fn record() -> impl Strategy<Value = Record> {
    let status = prop_oneof![
        5 => Just(Status::Active),
        1 => Just(Status::Suspended),
        2 => Just(Status::Pending),
        1 => Just(Status::Revoked),
    ];
    (
        profile(),
        status,
        level(),
        0..=2_u8,
        prop::bool::weighted(0.08),
        code(),
        prop::bool::weighted(0.1),
    )
        .prop_map(
            |(profile, status, level, halves, is_new, code, is_undated)| Record {
                profile,
                status,
                level,
                halves,
                is_new,
                code,
                is_undated,
            },
        )
}

fn request() -> impl Strategy<Value = Request> {
    let kind = prop_oneof![
        4 => Just(Kind::NewPin),
        3 => Just(Kind::FurtherProfile),
        2 => Just(Kind::Replacement),
        2 => Just(Kind::Revocation),
        1 => Just(Kind::Suspension),
    ];
    let halves = prop_oneof![4 => Just(2_u8), 3 => Just(1), 1 => Just(0)];
    let name = prop_oneof![8 => Just(Name::Own), 2 => Just(Name::Nobody), 1 => Just(Name::Other)];
    (
        kind,
        moment(),
        prop::option::weighted(0.5, profile()),
        profile(),
        level(),
        halves,
        prop::bool::weighted(0.15),
        code(),
        name,
    )
        .prop_map(
            |(kind, at, scope, profile, level, halves, waits_for_day, code, name)| Request {
                profile: match kind.takes_away() {
                    true => scope,
                    false => Some(profile),
                },
                halves: if kind.brings_pin() { halves } else { 2 },
                kind,
                at,
                level,
                waits_for_day,
                code,
                name,
            },
        )
}

fn receipt() -> impl Strategy<Value = Receipt> {
    let of = prop_oneof![
        4 => (0..4_u8).prop_map(Sent::Request),
        2 => (0..2_u8).prop_map(Sent::First),
        1 => (0..2_u8).prop_map(Sent::Later),
    ];
    (of, prop::bool::weighted(0.75), prop::bool::weighted(0.9)).prop_map(
        |(of, is_second, is_delivered)| Receipt {
            of,
            is_second,
            is_delivered,
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    let line = prop_oneof![
        4 => request().prop_map(Line::Request),
        1 => receipt().prop_map(Line::Receipt),
    ];
    prop_oneof![
        12 => (line, prop::bool::weighted(0.3))
            .prop_map(|(line, in_same_file)| Step::HandIn { line, in_same_file }),
        1 => Just(Step::Again),
        4 => Just(Step::Drain),
        1 => Just(Step::DayComes),
        2 => (0..2_u8, moment(), prop::bool::weighted(0.7)).prop_map(|(record, at, for_good)| {
            Step::TakeUnderLock { record, at, for_good }
        }),
    ]
}
