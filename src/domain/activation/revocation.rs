//! Revocations that came while PIN management was locked.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::request::Request;
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

/// What was revoked, or ceased, under the lock, and when that was last, by the legacy's clock.
#[derive(Debug, Default)]
pub struct Revocations(HashMap<GrantHash, Timestamp>);

impl Revocations {
    /// Adds one.
    pub fn add(&mut self, grant: GrantHash, at: Timestamp) {
        let last = self.0.entry(grant).or_insert(at);
        *last = at.max(*last);
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether one keeps a request from taking effect: what was accepted before it, and what may have been, for
    /// counters note the minute. `codes` are those the person has, or had, beside the request's own.
    #[must_use]
    pub fn win_over(&self, request: &Request, codes: &[String]) -> bool {
        let own = request.fiscal_code.as_str();
        !self.is_empty()
            && (codes.iter().map(String::as_str).chain([own])).any(|code| {
                let grant = GrantHash::of(code, &request.profile, &request.entity);
                (self.0.get(&grant)).is_some_and(|at| request.accepted_at <= *at)
            })
    }
}
