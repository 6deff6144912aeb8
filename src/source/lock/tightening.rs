//! Which changes of status go on during the lock.

use std::collections::BTreeMap;

use crate::domain::status::LegacyStatus::{self, Active, Ceased, Pending, Revoked, Suspended};

/// The statuses a tightening may lead to: A > S > R = C, and from P to S, R or C.
pub(in crate::source) const fn lower(from: LegacyStatus) -> &'static [LegacyStatus] {
    match from {
        Active | Pending => &[Suspended, Revoked, Ceased],
        Suspended => &[Revoked, Ceased],
        Revoked | Ceased => &[],
    }
}

/// The same spelled out again for the lock's own test, so that a slip in the guards' table shows.
pub(in crate::source) const fn tightens(from: LegacyStatus, to: LegacyStatus) -> bool {
    match (from, to) {
        (Active | Pending, Suspended | Revoked | Ceased) | (Suspended, Revoked | Ceased) => true,
        (Active | Pending | Suspended, Active | Pending)
        | (Suspended, Suspended)
        | (Revoked | Ceased, Active | Suspended | Pending | Revoked | Ceased) => false,
    }
}

/// The legacy's codes of the statuses that qualify.
pub(in crate::source) fn codes(
    all: &BTreeMap<String, LegacyStatus>,
    qualifies: impl Fn(LegacyStatus) -> bool,
) -> Vec<&str> {
    all.iter()
        .filter(|(_, status)| qualifies(**status))
        .map(|(code, _)| code.as_str())
        .collect()
}
