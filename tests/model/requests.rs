//! The requests of the small world, all of one person, and what the program decides about them.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{PoisonError, RwLock},
};

use jiff::{Timestamp, civil::date};
use pinferry::domain::{
    activation::{
        effect,
        refusal::Failure,
        request::{Ask, IssuedPin, Request},
        revocation::{GrantHash, Revocations},
        standing::{Credential, Grant, Identity, MaxAges, Pin, PinName, Standing},
    },
    status::{Disposition, GrantStatus, LegacyStatus, Level, PinStatus},
};

use super::world::{Record, Times};

const CODE: &str = "RSSMRA80A01H501U";
const PROFILE: &str = "CIT";

/// Who asks for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Ticket {
    /// A new PIN, at the counter.
    NewPin,
    /// The end of PIN and grants, at the counter.
    Revocation,
    /// A new PIN, which the lock diverted.
    Diverted,
}

impl Ticket {
    pub(crate) const ALL: [Self; 3] = [Self::NewPin, Self::Revocation, Self::Diverted];

    pub(crate) fn takes_away(self) -> bool {
        request(self, &Times::default()).kind().takes_away()
    }
}

/// The person in the model: what was migrated, and the requests that took effect since, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Person {
    pub(crate) migrated: Record,
    /// Up to three tickets as digits to the base four, the latest last; no ticket is a zero.
    effects: u8,
}

impl Person {
    pub(crate) const fn migrated(migrated: Record) -> Self {
        Self {
            migrated,
            effects: 0,
        }
    }

    pub(crate) fn then(self, ticket: Ticket) -> Self {
        Self {
            effects: self.effects * 4 + ticket as u8 + 1,
            ..self
        }
    }

    fn tickets(self) -> impl Iterator<Item = Ticket> {
        let digits = [self.effects / 16, self.effects / 4 % 4, self.effects % 4];
        (digits.into_iter())
            .filter_map(|digit| Ticket::ALL.get(digit.checked_sub(1)? as usize).copied())
    }
}

/// What a drain knows was taken away when it decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Known {
    /// Under the lock, and replayed.
    pub(crate) captured: bool,
    /// At the counter.
    pub(crate) counter: bool,
}

/// In which order things are accepted, who it is about, what is asked, and what is known.
type Question = (Times, Person, Ticket, Known);

/// The program's decisions, each asked for once.
#[derive(Default)]
pub(crate) struct Decisions {
    failures: RwLock<HashMap<Question, Option<Failure>>>,
    access: RwLock<HashMap<(Times, Person), bool>>,
}

impl Decisions {
    /// What keeps a request that is due from taking effect.
    pub(crate) fn failure(
        &self,
        times: &Times,
        person: Person,
        ticket: Ticket,
        known: Known,
    ) -> Option<Failure> {
        once(&self.failures, (*times, person, ticket, known), || {
            let request = request(ticket, times);
            let [mut captured, mut counter] = [Revocations::default(), Revocations::default()];
            if known.captured {
                captured.add(
                    GrantHash::of(CODE, PROFILE, ""),
                    at(times.captured),
                    Failure::Revoked,
                );
            }
            if known.counter {
                let all = GrantHash::of(CODE, "", "");
                counter.add_told(all, at(times.revocation), Failure::Revoked, identity());
            }
            let taken = [captured, counter];
            let failure = taken
                .iter()
                .find_map(|taken| taken.failure_of(&request, &[]));
            failure.or_else(|| applied(&request, standing(times, person).as_ref()).err())
        })
    }

    /// Whether the person may use the profile.
    pub(crate) fn has_access(&self, times: &Times, person: Person) -> bool {
        once(&self.access, (*times, person), || {
            standing(times, person).is_some_and(|person| {
                let pin = person.pin.as_ref();
                let mut grants = person.grants.iter();
                pin.is_some_and(|pin| pin.status == PinStatus::Active)
                    && grants.any(|grant| grant.status == GrantStatus::Active)
            })
        })
    }
}

fn once<K: Eq + std::hash::Hash, V: Copy>(
    memory: &RwLock<HashMap<K, V>>,
    key: K,
    decide: impl FnOnce() -> V,
) -> V {
    let known = memory.read().unwrap_or_else(PoisonError::into_inner);
    if let Some(value) = known.get(&key) {
        return *value;
    }
    drop(known);
    let value = decide();
    let mut known = memory.write().unwrap_or_else(PoisonError::into_inner);
    *known.entry(key).or_insert(value)
}

/// The rows of the person, by the very effects that a drain writes.
fn standing(times: &Times, person: Person) -> Option<Standing> {
    let mut standing = migrated(person.migrated);
    for ticket in person.tickets() {
        let request = request(ticket, times);
        // One that the rules would refuse was let through by a model with a flaw.
        if let Ok(effect) = applied(&request, standing.as_ref()) {
            standing = Some(Standing::after(standing, &effect, &request));
        }
    }
    standing
}

fn applied(request: &Request, standing: Option<&Standing>) -> Result<effect::Effect, Failure> {
    let ages = MaxAges::from([(PROFILE.to_owned(), 180)]);
    effect::of(request, standing, date(2013, 11, 6), &ages)
}

fn request(ticket: Ticket, times: &Times) -> Request {
    let (id, accepted, ask) = match ticket {
        Ticket::NewPin => ("counter-1", times.new_pin, Ask::NewPin(issued())),
        Ticket::Revocation => ("counter-2", times.revocation, Ask::Revocation),
        Ticket::Diverted => ("divert:inps:1", times.diverted, Ask::NewPin(issued())),
    };
    let profile = match &ask {
        Ask::Revocation => "",
        _brings_a_pin => PROFILE,
    };
    Request {
        request_id: id.to_owned(),
        accepted_at: at(accepted),
        fiscal_code: CODE.parse().expect("a code"),
        identity: identity(),
        profile: profile.to_owned(),
        entity: String::new(),
        office: None,
        competent_office: None,
        requester: None,
        mandate: None,
        guardian: None,
        ask,
    }
}

fn issued() -> IssuedPin {
    IssuedPin {
        level: Level::Ordinary,
        credential: credential(),
        issued_on: date(2013, 11, 4),
        expires_on: None,
        channel: None,
        halves_delivered: 2,
    }
}

fn migrated(record: Record) -> Option<Standing> {
    let (pin, grant) = match record {
        Record::Absent => return None,
        Record::Active => (Some(legacy_pin()), GrantStatus::Active),
        Record::Revoked => (None, GrantStatus::Ended),
    };
    Some(Standing {
        fiscal_code: CODE.parse().expect("a code"),
        identity: identity(),
        pin,
        by_request: Vec::new(),
        retired: Vec::new(),
        accepted: BTreeMap::new(),
        issued: HashMap::new(),
        asked: Vec::new(),
        grants: vec![Grant {
            profile: PROFILE.to_owned(),
            entity: String::new(),
            status: grant,
            level: Level::Ordinary,
            valid_from: date(2012, 1, 2),
            evidence: "legacy:inps:1".to_owned(),
        }],
        guardians: Vec::new(),
    })
}

fn legacy_pin() -> Pin {
    Pin {
        name: PinName {
            source: "inps".to_owned(),
            legacy_id: "1".to_owned(),
        },
        status: PinStatus::Active,
        disposition: Disposition::Survivor,
        level: Level::Ordinary,
        credential: Some(credential()),
        halves_delivered: 2,
        issued_on: date(2012, 1, 2),
        expires_on: None,
        last_used_on: None,
        office: None,
        channel: None,
        legacy_profile: PROFILE.to_owned(),
        legacy_entity: String::new(),
        legacy_status: LegacyStatus::Active,
        superseded_by: None,
    }
}

fn identity() -> Identity {
    Identity {
        surname: "ROSSI".to_owned(),
        given_name: Some("MARIA".to_owned()),
        birth_date: None,
        email: None,
        phone: None,
    }
}

fn credential() -> Credential {
    Credential {
        hash: "00".repeat(32),
        scheme: "SHA256".to_owned(),
        salt: None,
    }
}

fn at(minute: u8) -> Timestamp {
    Timestamp::from_second(1_383_559_200 + 60 * i64::from(minute)).expect("a time")
}
