//! What was taken away while PIN management was locked, or at the counter.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{
    overtaking::overtakes,
    refusal::Failure,
    request::{Ask, Request},
    standing::Identity,
};
use crate::domain::{
    fiscal_code::FiscalCode,
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

/// What was taken away: revoked, ceased or suspended under the lock by the legacy's clock; revoked or suspended at the counter
/// when that was accepted.
#[derive(Debug, Default)]
pub struct Revocations(HashMap<GrantHash, Vec<Taking>>);

/// When something was taken away last by the same words.
#[derive(Debug)]
struct Taking {
    at: Timestamp,
    /// Why a request fails because of it.
    why: Failure,
    /// Of whom, as far as he was named.
    told: Option<Identity>,
}

impl Revocations {
    /// Adds a grant taken away under the lock. `why` is what a request fails for because of it.
    pub fn add(&mut self, grant: GrantHash, at: Timestamp, why: Failure) {
        let told = None;
        self.take(grant, Taking { at, why, told });
    }

    /// Adds what was taken away at the counter from whom it `told`: a grant, or all he has, where profile and entity
    /// are empty.
    pub fn add_told(&mut self, grant: GrantHash, at: Timestamp, why: Failure, told: Identity) {
        let told = Some(told);
        self.take(grant, Taking { at, why, told });
    }

    fn take(&mut self, grant: GrantHash, taking: Taking) {
        let takings = self.0.entry(grant).or_default();
        let same =
            (takings.iter_mut()).find(|one| one.why == taking.why && one.told == taking.told);
        match same {
            Some(same) => same.at = taking.at.max(same.at),
            None => takings.push(taking),
        }
    }

    /// What was taken away under a lock of this grant, as requests about whoever has these codes.
    #[must_use]
    pub fn requests(&self, codes: &[String], profile: &str, entity: &str) -> Vec<Request> {
        let mut valid = codes
            .iter()
            .filter_map(|code| FiscalCode::normalised(code).ok());
        let Some(code) = valid.next() else {
            return Vec::new();
        };
        let grants = codes
            .iter()
            .map(|code| GrantHash::of(code, profile, entity));
        let takings = grants.filter_map(|grant| self.0.get(&grant)).flatten();
        takings
            .filter(|taking| taking.told.is_none())
            .map(|taking| Request {
                request_id: String::new(),
                accepted_at: taking.at,
                fiscal_code: code,
                identity: Identity::default(),
                profile: profile.to_owned(),
                entity: entity.to_owned(),
                office: None,
                competent_office: None,
                requester: None,
                mandate: None,
                guardian: None,
                ask: match taking.why {
                    Failure::Suspended => Ask::Suspension,
                    _for_good => Ask::Revocation,
                },
            })
            .collect()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What keeps a request that gives rights from taking effect: something taken away from the same person that
    /// overtakes it. `codes` are those the person has, or had, beside the request's own. Another PIN comes with the
    /// profiles that are there then, so that one of them less is no reason against it.
    #[must_use]
    pub fn failure_of(&self, request: &Request, codes: &[String]) -> Option<Failure> {
        if self.is_empty() || request.kind().takes_away() {
            return None;
        }
        let own = request.fiscal_code.as_str();
        let meant = (codes.iter().map(String::as_str).chain([own])).flat_map(|code| {
            let grant = (request.kind().asks_for_grant())
                .then(|| GrantHash::of(code, &request.profile, &request.entity));
            [grant, Some(GrantHash::of(code, "", ""))]
        });
        let takings = meant
            .flatten()
            .filter_map(|grant| self.0.get(&grant))
            .flatten();
        let overtaking = takings.filter(|taking| {
            let told = taking.told.as_ref();
            overtakes(taking.at, request.accepted_at)
                && told.is_none_or(|told| request.identity.loses_by(told))
        });
        // For good counts more than for now.
        (overtaking.map(|taking| taking.why)).min_by_key(|why| *why != Failure::Revoked)
    }
}
