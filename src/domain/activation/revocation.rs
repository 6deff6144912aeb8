//! Revocations that came while PIN management was locked.

use jiff::Timestamp;

use super::request::Request;

/// A PIN was revoked, or ceased, under the lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// The profile it opened.
    pub profile: String,
    /// The entity; empty for none.
    pub entity: String,
    /// When, by the legacy's clock.
    pub at: Timestamp,
}

impl Revocation {
    /// Whether it keeps a request from taking effect: what was accepted before it, and what may have been, for
    /// counters note the minute.
    #[must_use]
    pub fn wins_over(&self, request: &Request) -> bool {
        (&self.profile, &self.entity) == (&request.profile, &request.entity)
            && request.accepted_at <= self.at
    }
}
