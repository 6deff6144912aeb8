//! What was taken away while PIN management was locked, or at the counter.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{refusal::Failure, request::Request};
use crate::domain::{
    parse::{entity, profile},
    raw_record::RawRecord,
    rules::Rules,
    sort_key,
};

/// SHA-256, in hexadecimal digits, of a fiscal code, a profile and an entity: which grant is meant can be told by
/// who knows it, and is not written where it would stay for good.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GrantHash(String);

impl GrantHash {
    /// The grant of a profile, for an entity or an empty one, to the person with this code.
    #[must_use]
    pub fn of(fiscal_code: &str, profile: &str, entity: &str) -> Self {
        let mut hash = Sha256::new();
        for text in [fiscal_code, profile, entity] {
            hash.update(text.len().to_le_bytes());
            hash.update(text);
        }
        let hash = hash.finalize();
        Self(hash.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// The grant a record is about, even if it is quarantined for something else; `None` where its code or its
    /// right is none, so that no request asks for it either.
    #[must_use]
    pub fn of_record(raw: &RawRecord<'_>, rules: &Rules) -> Option<Self> {
        let holder = sort_key::holder(raw, rules)?;
        let profile = rules.catalogue.get(profile(raw, rules).ok()?);
        let entity = entity(raw, profile.entity).ok()?;
        Some(Self::of(holder.as_str(), &profile.code, &entity.granted))
    }
}

/// What was taken away, and when that was last: revoked, or ceased, under the lock by the legacy's clock; revoked or
/// suspended at the counter when that was accepted.
#[derive(Debug, Default)]
pub struct Revocations {
    revoked: HashMap<GrantHash, Timestamp>,
    suspended: HashMap<GrantHash, Timestamp>,
}

impl Revocations {
    /// Adds the revocation of a grant; of all somebody has, where profile and entity are empty.
    pub fn add(&mut self, grant: GrantHash, at: Timestamp) {
        add(&mut self.revoked, grant, at);
    }

    /// Adds a suspension in the same way.
    pub fn add_suspension(&mut self, grant: GrantHash, at: Timestamp) {
        add(&mut self.suspended, grant, at);
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.revoked.is_empty() && self.suspended.is_empty()
    }

    /// What keeps a request that gives rights from taking effect: something taken away after it was accepted, or
    /// at the same time, for counters note the minute. `codes` are those the person has, or had, beside the
    /// request's own.
    #[must_use]
    pub fn failure_of(&self, request: &Request, codes: &[String]) -> Option<Failure> {
        if self.is_empty() || request.kind().takes_away() {
            return None;
        }
        let own = request.fiscal_code.as_str();
        let meant: Vec<_> = (codes.iter().map(String::as_str).chain([own]))
            .flat_map(|code| {
                let grant = GrantHash::of(code, &request.profile, &request.entity);
                [grant, GrantHash::of(code, "", "")]
            })
            .collect();
        let is_in = |taken: &HashMap<GrantHash, Timestamp>| {
            let mut at = meant.iter().filter_map(|grant| taken.get(grant));
            at.any(|at| request.accepted_at <= *at)
        };
        if is_in(&self.revoked) {
            Some(Failure::Revoked)
        } else if is_in(&self.suspended) {
            Some(Failure::Suspended)
        } else {
            None
        }
    }
}

fn add(taken: &mut HashMap<GrantHash, Timestamp>, grant: GrantHash, at: Timestamp) {
    let last = taken.entry(grant).or_insert(at);
    *last = at.max(*last);
}
