//! Each promise is one that the model can break: with a flaw in it, it says how.

use stateright::{Checker, HasDiscoveries, Model};

use super::{
    protocol::{self, Flaw, Protocol},
    worlds::in_telling_orders,
};

/// Looks for a way on which the promise is broken.
fn breaks(flaw: Flaw, promise: &'static str) {
    let protocol = Protocol {
        worlds: in_telling_orders(1),
        flaw: Some(flaw),
        ..Protocol::default()
    };
    let found = HasDiscoveries::AnyOf([promise].into());
    let checker = protocol.checker().finish_when(found).spawn_bfs().join();
    let counterexample = checker.discovery(promise);
    assert!(counterexample.is_some(), "{flaw:?} does not matter");
}

#[test]
fn a_model_whose_transactions_do_not_ask_for_the_epoch_has_a_counterexample() {
    breaks(Flaw::CommitsUnfenced, protocol::NO_STALE_COMMIT);
}

#[test]
fn a_model_that_locks_without_looking_whether_the_run_was_aborted_has_a_counterexample() {
    breaks(Flaw::LocksForTheAborted, protocol::EVERYTHING_ENDS);
}

#[test]
fn a_model_that_unlocks_before_the_run_ended_has_a_counterexample() {
    breaks(Flaw::UnlocksFirst, protocol::THE_LOCK_STANDS);
}

#[test]
fn a_model_that_judges_nobody_again_who_was_captured_has_a_counterexample() {
    breaks(Flaw::ReplaysNobody, protocol::VERIFIES);
}

#[test]
fn a_model_whose_replays_do_not_tell_what_was_revoked_has_a_counterexample() {
    breaks(Flaw::ReplaysTellNothing, protocol::NO_RIGHT_LEFT);
}

#[test]
fn a_model_that_marks_a_diverted_pin_before_it_is_queued_has_a_counterexample() {
    breaks(Flaw::MarksBeforeItQueues, protocol::NOTHING_LOST);
}

#[test]
fn a_model_that_ends_without_the_diverted_pins_has_a_counterexample() {
    breaks(Flaw::ForgetsTheDiverted, protocol::NOTHING_LOST);
}

#[test]
fn a_model_in_which_the_order_of_arrival_decides_has_a_counterexample() {
    breaks(Flaw::SupersedesByArrival, protocol::NO_RIGHT_MISSING);
}

#[test]
fn a_model_whose_queue_takes_a_request_twice_has_a_counterexample() {
    breaks(Flaw::ForgetsWhatItTook, protocol::ONCE);
}

#[test]
fn a_model_whose_drains_do_not_ask_for_readiness_has_a_counterexample() {
    breaks(Flaw::ActivatesAtOnce, protocol::NOT_BEFORE_CUT_OVER);
}

#[test]
fn a_model_whose_drains_do_not_wait_for_the_day_has_a_counterexample() {
    breaks(Flaw::IgnoresTheDay, protocol::NOT_BEFORE_ITS_DAY);
}

#[test]
fn a_model_whose_drains_share_a_person_has_a_counterexample() {
    breaks(Flaw::ClaimsTogether, protocol::ONCE);
}

#[test]
fn a_model_with_done_marks_in_a_transaction_of_their_own_has_a_counterexample() {
    breaks(Flaw::MarksApart, protocol::ONCE);
}
