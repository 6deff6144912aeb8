//! What a request that is due does to a person.
//!
//! The new PIN takes the place of the present one, which is retired and points to it. The grant asked for is
//! given by evidence of the request: a grant that is ended, suspended or pending becomes active at exactly
//! the level of the request, whose documents were presented anew; an active one is raised to that level but
//! never beyond it, and never lowered. All other grants stay as they are. What the person may do is the
//! lower of PIN level and grant level.
//!
//! A request accepted before one that took effect already (its second half came late) gives its grant, but
//! its PIN arrives retired: the later PIN stands.

use jiff::civil::Date;

use super::{
    refusal::Failure,
    request::Request,
    standing::{
        ACTIVATION_SOURCE, Credential, Grant, Identity, MaxAges, Pin, PinName, Standing, expiry,
        rows,
    },
};
use crate::domain::{
    digest::RowHash,
    fiscal_code::FiscalCode,
    folding,
    rows::{DelegationRow, FiscalCodeRow},
    status::{Disposition, GrantStatus, LegacyStatus, PinStatus},
    tally::Tally,
};

/// A row before and after; a row that is new has no before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change<T> {
    /// The row as it was.
    pub before: Option<T>,
    /// The row as it is to be.
    pub after: T,
}

/// Whether the person is in the model already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// To be entered.
    New,
    /// There already.
    Standing,
}

/// The rows to write for one person; one request's effect, or that of several together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effect {
    /// Whether person and code are to be written too.
    pub holder: Holder,
    /// The current code.
    pub fiscal_code: FiscalCode,
    /// Who it is, as the model has it afterwards.
    pub identity: Identity,
    /// A PIN that gives way comes before the one that takes its place; a new one comes last.
    pub pins: Vec<Change<Pin>>,
    /// Grants that are new or change.
    pub grants: Vec<Change<Grant>>,
    /// Delegations that are new.
    pub delegations: Vec<DelegationRow>,
}

impl Effect {
    /// The difference the effect makes to the tally of the target.
    #[must_use]
    pub fn tally(&self) -> Tally {
        let (code, identity) = (self.fiscal_code, &self.identity);
        let codes = match self.holder {
            Holder::New => vec![FiscalCodeRow {
                fiscal_code: self.fiscal_code.as_str().into(),
                current: true,
            }],
            Holder::Standing => Vec::new(),
        };
        let mut hash = RowHash::default();
        let mut tally = Tally::default();
        let after = rows(
            code,
            identity,
            codes,
            self.pins.iter().map(|change| &change.after),
            self.grants.iter().map(|change| &change.after),
            self.delegations.clone(),
        );
        tally.add_person(&after, &mut hash);
        if self.holder == Holder::Standing {
            let mut before = Tally::default();
            let rows = rows(
                code,
                identity,
                Vec::new(),
                self.pins.iter().filter_map(|change| change.before.as_ref()),
                self.grants
                    .iter()
                    .filter_map(|change| change.before.as_ref()),
                Vec::new(),
            );
            before.add_person(&rows, &mut hash);
            tally.subtract(&before);
        }
        tally
    }
}

/// What `request` does on the day `today` to the person who has its code, if there is one.
///
/// # Errors
/// The [`Failure`] that keeps it from taking effect; then nothing is to change.
pub fn of(
    request: &Request,
    standing: Option<&Standing>,
    today: Date,
    ages: &MaxAges,
) -> Result<Effect, Failure> {
    if !ages.contains_key(&request.profile) {
        return Err(Failure::ProfileUnknown);
    }
    if standing.is_some_and(|person| !same_person(&person.identity, &request.identity)) {
        return Err(Failure::IdentityConflict);
    }
    let grant = grant_change(request, standing, today);
    let mut pin = new_pin(request);
    let grants_after = standing
        .into_iter()
        .flat_map(|person| &person.grants)
        .filter(|held| !held.is_of_same(&grant.after))
        .chain([&grant.after]);
    pin.expires_on = expiry(request.expires_on, grants_after, today, ages);
    let guardian = request.guardian.filter(|guardian| {
        !standing.is_some_and(|person| {
            person
                .guardians
                .iter()
                .any(|code| code == guardian.as_str())
        })
    });
    Ok(Effect {
        holder: standing.map_or(Holder::New, |_| Holder::Standing),
        fiscal_code: standing.map_or(request.fiscal_code, |person| person.fiscal_code),
        identity: standing
            .map_or(&request.identity, |person| &person.identity)
            .clone(),
        pins: pin_changes(pin, request, standing),
        grants: if grant.before.as_ref() == Some(&grant.after) {
            Vec::new()
        } else {
            vec![grant]
        },
        delegations: guardian
            .map(|guardian_fiscal_code| DelegationRow {
                guardian_fiscal_code,
                evidence: evidence(request),
            })
            .into_iter()
            .collect(),
    })
}

/// As the judge compares people: names folded, birth dates where both are present.
fn same_person(one: &Identity, other: &Identity) -> bool {
    let same_given_name = match (&one.given_name, &other.given_name) {
        (Some(one), Some(other)) => folding::same(one, other),
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    };
    let same_birth_date = match (one.birth_date, other.birth_date) {
        (Some(one), Some(other)) => one == other,
        (None, _) | (_, None) => true,
    };
    folding::same(&one.surname, &other.surname) && same_given_name && same_birth_date
}

fn evidence(request: &Request) -> String {
    format!("{ACTIVATION_SOURCE}:{}", request.request_id)
}

fn grant_change(request: &Request, standing: Option<&Standing>, today: Date) -> Change<Grant> {
    let asked = Grant {
        profile: request.profile.clone(),
        entity: request.entity.clone(),
        status: GrantStatus::Active,
        level: request.level,
        valid_from: today,
        evidence: evidence(request),
    };
    let held = standing
        .into_iter()
        .flat_map(|person| &person.grants)
        .find(|held| held.is_of_same(&asked))
        .cloned();
    let stays = held.as_ref().is_some_and(|held| match held.status {
        GrantStatus::Active => held.level >= asked.level,
        GrantStatus::Suspended | GrantStatus::Pending | GrantStatus::Ended => false,
    });
    match held {
        Some(held) if stays => Change {
            before: Some(held.clone()),
            after: held,
        },
        before => Change {
            before,
            after: asked,
        },
    }
}

fn new_pin(request: &Request) -> Pin {
    let Credential { hash, scheme, salt } = request.credential.clone();
    Pin {
        name: PinName {
            source: ACTIVATION_SOURCE.to_owned(),
            legacy_id: request.request_id.clone(),
        },
        status: PinStatus::Active,
        disposition: Disposition::Survivor,
        level: request.level,
        credential: Some(Credential { hash, scheme, salt }),
        halves_delivered: request.halves_delivered,
        issued_on: request.issued_on,
        expires_on: request.expires_on,
        last_used_on: None,
        office: request.office.clone(),
        channel: request.channel.clone(),
        legacy_profile: request.profile.clone(),
        legacy_entity: request.entity.clone(),
        legacy_status: LegacyStatus::Active,
        superseded_by: None,
    }
}

fn pin_changes(mut pin: Pin, request: &Request, standing: Option<&Standing>) -> Vec<Change<Pin>> {
    let later = standing
        .and_then(|person| person.latest_request.as_ref())
        .filter(|(accepted_at, _)| *accepted_at > request.accepted_at);
    let mut changes = Vec::with_capacity(2);
    if let Some((_, later)) = later {
        pin.status = PinStatus::Retired;
        pin.superseded_by = Some(later.clone());
    } else if let Some(present) = standing.and_then(|person| person.pin.clone()) {
        let mut retired = present.clone();
        retired.status = PinStatus::Retired;
        retired.superseded_by = Some(pin.name.clone());
        changes.push(Change {
            before: Some(present),
            after: retired,
        });
    }
    changes.push(Change {
        before: None,
        after: pin,
    });
    changes
}
