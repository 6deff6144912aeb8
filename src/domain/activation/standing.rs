//! A person as he stands in the model, as far as a request can touch him.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
};

use jiff::{Timestamp, civil::Date};

use super::kind::Kind;
use crate::domain::{
    fiscal_code::FiscalCode,
    rows::{DelegationRow, FiscalCodeRow, GrantRow, PersonRow, PersonRows, PinRef, PinRow},
    status::{Disposition, GrantStatus, LegacyStatus, Level, PinStatus},
};

/// The source of every PIN that a request brings about.
pub const ACTIVATION_SOURCE: &str = "activation";

/// Who somebody is and how to reach him. Its `Debug` tells nothing.
#[derive(Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "named after the columns of person")]
pub struct Identity {
    pub surname: String,
    pub given_name: Option<String>,
    pub birth_date: Option<Date>,
    pub email: Option<String>,
    pub phone: Option<String>,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity(****)")
    }
}

/// A hash with its scheme and salt. Its `Debug` tells the scheme only.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    /// The hash, carried and never decoded.
    pub hash: String,
    /// Scheme, upper case.
    pub scheme: String,
    /// Salt, where it is kept apart.
    pub salt: Option<String>,
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credential({})", self.scheme)
    }
}

/// Names a PIN by its natural key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PinName {
    /// Its source.
    pub source: String,
    /// Its id there.
    pub legacy_id: String,
}

/// A row of `pin`, owned.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "named after the columns")]
pub struct Pin {
    pub name: PinName,
    pub status: PinStatus,
    pub disposition: Disposition,
    pub level: Level,
    pub credential: Option<Credential>,
    pub halves_delivered: u8,
    pub issued_on: Date,
    pub expires_on: Option<Date>,
    pub last_used_on: Option<Date>,
    pub office: Option<String>,
    pub channel: Option<String>,
    pub legacy_profile: String,
    pub legacy_entity: String,
    pub legacy_status: LegacyStatus,
    pub superseded_by: Option<PinName>,
}

impl Pin {
    pub(crate) fn row(&self) -> PinRow<'_> {
        let credential = self.credential.as_ref();
        PinRow {
            status: self.status,
            disposition: self.disposition,
            level: self.level,
            credential: credential.map(|credential| credential.hash.as_str()),
            credential_scheme: credential.map(|credential| credential.scheme.as_str().into()),
            credential_salt: credential.and_then(|credential| credential.salt.as_deref()),
            halves_delivered: self.halves_delivered,
            issued_on: self.issued_on,
            expires_on: self.expires_on,
            last_used_on: self.last_used_on,
            office: self.office.as_deref(),
            channel: self.channel.as_deref().map(Into::into),
            source: &self.name.source,
            legacy_id: &self.name.legacy_id,
            legacy_profile: &self.legacy_profile,
            legacy_entity: self.legacy_entity.as_str().into(),
            legacy_status: self.legacy_status,
            superseded_by: self.superseded_by.as_ref().map(|name| PinRef {
                source: &name.source,
                legacy_id: &name.legacy_id,
            }),
        }
    }
}

/// A row of `profile_grant`, owned.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "named after the columns")]
pub struct Grant {
    pub profile: String,
    pub entity: String,
    pub status: GrantStatus,
    pub level: Level,
    pub valid_from: Date,
    pub evidence: String,
}

impl Grant {
    /// Whether both are of one profile and entity, of which a person has one grant.
    pub(super) fn is_of_same(&self, other: &Self) -> bool {
        self.profile == other.profile && self.entity == other.entity
    }

    pub(crate) fn row(&self) -> GrantRow<'_> {
        GrantRow {
            profile: &self.profile,
            entity: self.entity.as_str().into(),
            status: self.status,
            level: self.level,
            valid_from: self.valid_from,
            evidence: self.evidence.clone(),
        }
    }
}

/// A grant that a request asked for, and brought or found there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Code of the profile.
    pub profile: String,
    /// The entity; empty for none.
    pub entity: String,
    /// At which level.
    pub level: Level,
    /// When the request was accepted.
    pub accepted_at: Timestamp,
}

/// A PIN that a request brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ByRequest {
    /// The PIN.
    pub name: PinName,
    /// When the request was accepted.
    pub accepted_at: Timestamp,
    /// The level it asked for.
    pub level: Level,
    /// New, or the replacement of another.
    pub kind: Kind,
}

/// A person of the model, as far as a request can touch him.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// His current code.
    pub fiscal_code: FiscalCode,
    /// Who he is.
    pub identity: Identity,
    /// His active, suspended or pending PIN.
    pub pin: Option<Pin>,
    /// The PINs of the requests that took effect, whatever became of them.
    pub by_request: Vec<ByRequest>,
    /// PINs that gave way, as far as it matters.
    pub retired: Vec<Pin>,
    /// When the requests were accepted by which he came to a PIN or a grant, by their ids, as far as it matters.
    pub accepted: BTreeMap<String, Timestamp>,
    /// When migrated PINs were issued, as far as it matters.
    pub issued: HashMap<PinName, Timestamp>,
    /// What requests that took effect asked for, and what migrated PINs were issued for, as far as it matters.
    pub asked: Vec<Asked>,
    /// All his grants.
    pub grants: Vec<Grant>,
    /// The codes of his guardians.
    pub guardians: Vec<String>,
}

impl Standing {
    /// Notes when a migrated PIN was issued and for what. It speaks for a grant that is as the PIN was in the legacy, or
    /// became with its delivery, for none that stands better or worse, and for none that ended.
    pub(crate) fn add_issued(
        &mut self,
        name: PinName,
        (status, halves_delivered): (LegacyStatus, u8),
        asked: Asked,
    ) {
        self.issued.insert(name, asked.accepted_at);
        let given = match status {
            LegacyStatus::Active => GrantStatus::Active,
            LegacyStatus::Suspended => GrantStatus::Suspended,
            LegacyStatus::Pending if halves_delivered == 2 => GrantStatus::Active,
            LegacyStatus::Pending => GrantStatus::Pending,
            LegacyStatus::Revoked | LegacyStatus::Ceased => return,
        };
        let speaks_for = |grant: &Grant| {
            grant.profile == asked.profile && grant.entity == asked.entity && grant.status == given
        };
        if self.grants.iter().any(speaks_for) {
            self.asked.push(asked);
        }
    }

    /// When the request was accepted, or the migrated PIN issued, to which a PIN goes back.
    pub(crate) fn came(&self, pin: &PinName) -> Option<Timestamp> {
        let came = match pin.source.as_str() {
            ACTIVATION_SOURCE => self.accepted.get(&pin.legacy_id),
            _migrated => self.issued.get(pin),
        };
        came.copied()
    }

    /// The PIN of a request accepted after that moment, if one took effect.
    #[must_use]
    pub fn pin_accepted_after(&self, at: Timestamp) -> Option<&PinName> {
        let later = self.by_request.iter().filter(|pin| pin.accepted_at > at);
        later.max_by_key(|pin| pin.accepted_at).map(|pin| &pin.name)
    }

    /// The person's pending PIN of then, that gave way to the PIN of a request accepted after that moment.
    pub(super) fn pending_at(&self, at: Timestamp) -> Option<&Pin> {
        let gave_way = self.retired.iter().filter(|pin| {
            let mut later = self
                .by_request
                .iter()
                .filter(|later| later.accepted_at > at);
            pin.disposition == Disposition::Survivor
                && later.any(|later| pin.superseded_by.as_ref() == Some(&later.name))
        });
        let mut pending = gave_way.filter(|pin| pin.legacy_status == LegacyStatus::Pending);
        pending.next()
    }

    /// Whether a PIN replaced the person's migrated one, or what replaced that: whenever the legacy issued it, it would
    /// have given way to any that came in time.
    fn replaces_migrated(&self, pin: &PinName) -> bool {
        let mut next = Some(pin);
        for _ in 0..=self.retired.len() {
            let Some(name) = next.filter(|name| self.is_replacement(name)) else {
                return false;
            };
            let gave_way = || {
                let retired = self.retired.iter();
                retired.filter(move |one| one.superseded_by.as_ref() == Some(name))
            };
            let is_survivor = |one: &Pin| {
                one.name.source != ACTIVATION_SOURCE && one.disposition == Disposition::Survivor
            };
            if gave_way().any(is_survivor) {
                return true;
            }
            next = (gave_way().map(|one| &one.name)).find(|name| self.is_replacement(name));
        }
        false
    }

    fn is_replacement(&self, pin: &PinName) -> bool {
        let mut brought = self.by_request.iter();
        brought.any(|one| one.name == *pin && one.kind == Kind::Replacement)
    }

    /// The PIN of a request accepted after that moment that stands before one of this `level` accepted then. Had that
    /// come in time, a later one that goes back further would have replaced it: it stands if it is no worse than it
    /// would be.
    pub(super) fn pin_before(&self, at: Timestamp, level: Level) -> Option<&PinName> {
        let is_no_worse = |pin: &ByRequest| {
            let mut present = self.pin.iter().filter(|present| present.name == pin.name);
            present.any(|present| {
                present.status == PinStatus::Active && present.level >= level.min(pin.level)
            })
        };
        let stands = |pin: &&ByRequest| {
            let came_later = self.came(&pin.name).is_some_and(|came| came > at)
                && !self.replaces_migrated(&pin.name);
            pin.accepted_at > at && (came_later || is_no_worse(pin))
        };
        let standing = self.by_request.iter().filter(stands);
        standing
            .max_by_key(|pin| pin.accepted_at)
            .map(|pin| &pin.name)
    }
}

/// `max_age_days` by profile, as the target's catalogue has it.
pub type MaxAges = BTreeMap<String, u32>;

/// The day by which a PIN must have been used: the smallest age among the profiles actively granted, from
/// `today` on, and never later than `own`.
pub(super) fn expiry<'g>(
    own: Option<Date>,
    grants: impl Iterator<Item = &'g Grant>,
    today: Date,
    ages: &MaxAges,
) -> Option<Date> {
    let days = grants
        .filter(|grant| grant.status == GrantStatus::Active)
        .filter_map(|grant| ages.get(&grant.profile))
        .min();
    let by_age = days
        .map(|days| today.saturating_add(jiff::SignedDuration::from_hours(24 * i64::from(*days))));
    [own, by_age].into_iter().flatten().min()
}

/// The rows that count in a tally: these of one person and no others.
pub(super) fn rows<'a>(
    fiscal_code: FiscalCode,
    identity: &'a Identity,
    codes: Vec<FiscalCodeRow<'a>>,
    pins: impl Iterator<Item = &'a Pin>,
    grants: impl Iterator<Item = &'a Grant>,
    delegations: Vec<DelegationRow>,
) -> PersonRows<'a> {
    PersonRows {
        fiscal_code,
        person: PersonRow {
            surname: &identity.surname,
            given_name: identity.given_name.as_deref(),
            birth_date: identity.birth_date,
            email: identity.email.as_deref(),
            phone: identity.phone.as_deref(),
        },
        codes,
        pins: pins.map(Pin::row).collect(),
        grants: grants.map(Grant::row).collect(),
        delegations,
        findings: Vec::new(),
    }
}
