//! Why a request has not taken effect yet.

use jiff::Timestamp;

use super::kind::Kind;
use crate::domain::status::vocabulary;

vocabulary! {
    /// What an accepted request waits for.
    WhyNotYet {
        /// For a run to make the multi-profile model the valid one.
        NotCutOver = "not_cut_over",
        /// For a run that is under way to end.
        RunUnderWay = "run_under_way",
        /// For its hour.
        HourNotReached = "hour_not_reached",
        /// For the rest of its PIN to be delivered.
        HalvesOpen = "halves_open",
        /// For somebody to come who has the code: from a later source, or from quarantine.
        HolderUnknown = "holder_unknown",
        /// For the PIN of a request of the same person that was accepted before it.
        EarlierRequest = "earlier_request",
    }
}

/// A request that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitingRequest {
    /// Its id.
    pub request_id: String,
    /// What it asks for.
    pub kind: Kind,
    /// The earliest moment at which it may take effect.
    pub not_before: Timestamp,
    /// 0, 1 or 2.
    pub halves_delivered: u8,
    /// Whether a drain met it, and nobody has its code yet.
    pub is_of_nobody: bool,
    /// Whether a drain met it, and the PIN it needs is still to come.
    pub is_behind: bool,
}

impl WaitingRequest {
    /// All that it waits for at `now`, `run` being what everybody waits for; nothing where it is due.
    #[must_use]
    pub fn why(&self, run: Option<WhyNotYet>, now: Timestamp) -> Vec<WhyNotYet> {
        let hour = (self.not_before > now).then_some(WhyNotYet::HourNotReached);
        let halves = (self.halves_delivered < 2).then_some(WhyNotYet::HalvesOpen);
        let holder = self.is_of_nobody.then_some(WhyNotYet::HolderUnknown);
        let earlier = self.is_behind.then_some(WhyNotYet::EarlierRequest);
        let why = [run, hour, halves, holder, earlier];
        why.into_iter().flatten().collect()
    }
}
