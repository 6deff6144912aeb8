//! What a request that is due does to a person.

use jiff::civil::Date;

use super::{
    granting, issuing,
    kind::Requester,
    refusal::Failure,
    request::{Ask, Request},
    standing::{ACTIVATION_SOURCE, Grant, Identity, MaxAges, Pin, PinName, Standing, rows},
    taking_away::{self, Taken},
};
use crate::domain::{
    digest::RowHash,
    fiscal_code::FiscalCode,
    rows::{DelegationRow, FiscalCodeRow},
    status::PinStatus,
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
    /// One that gives way comes before the one that takes its place; a new one comes last.
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
    if !request.profile.is_empty() && !ages.contains_key(&request.profile) {
        return Err(Failure::ProfileUnknown);
    }
    if standing.is_some_and(|person| !is_meant(&person.identity, request)) {
        return Err(Failure::IdentityConflict);
    }
    if !request.kind().takes_away() && standing.is_some_and(|person| is_ward(person, request)) {
        return Err(Failure::GuardianMustAsk);
    }
    let there = |otherwise| standing.ok_or(otherwise);
    let mut effect = match &request.ask {
        Ask::NewPin(pin) => issuing::new_pin(request, pin, standing, today, ages),
        Ask::Replacement(pin) => {
            issuing::replacement(request, pin, there(Failure::PinMissing)?, today, ages)?
        }
        Ask::FurtherProfile(level) => {
            granting::further_profile(request, *level, there(Failure::PinMissing)?, today, ages)?
        }
        Ask::Revocation => {
            let person = there(Failure::HolderUnknown)?;
            taking_away::from(request, person, Taken::Away, today, ages)?
        }
        Ask::Suspension => {
            let person = there(Failure::HolderUnknown)?;
            taking_away::from(request, person, Taken::ForNow, today, ages)?
        }
    };
    effect.delegations = delegation(request, standing).into_iter().collect();
    Ok(effect)
}

impl Effect {
    /// The PIN that was pending and becomes active by it.
    #[must_use]
    pub fn activated(&self) -> Option<&PinName> {
        let becomes_active = |change: &&Change<Pin>| {
            let before = change.before.as_ref().map(|pin| pin.status);
            before == Some(PinStatus::Pending) && change.after.status == PinStatus::Active
        };
        let pin = self.pins.iter().find(becomes_active);
        pin.map(|change| &change.after.name)
    }

    /// One that changes a PIN of somebody who stands in the model.
    #[must_use]
    pub fn of_pin(person: &Standing, pin: Change<Pin>) -> Self {
        Self {
            holder: Holder::Standing,
            fiscal_code: person.fiscal_code,
            identity: person.identity.clone(),
            pins: vec![pin],
            grants: Vec::new(),
            delegations: Vec::new(),
        }
    }

    /// One that changes nothing yet of the person who has the code of `request`.
    pub(super) fn on(request: &Request, standing: Option<&Standing>) -> Self {
        Self {
            holder: standing.map_or(Holder::New, |_| Holder::Standing),
            fiscal_code: standing.map_or(request.fiscal_code, |person| person.fiscal_code),
            identity: standing
                .map_or(&request.identity, |person| &person.identity)
                .clone(),
            pins: Vec::new(),
            grants: Vec::new(),
            delegations: Vec::new(),
        }
    }
}

/// Whether the request is about this person.
fn is_meant(person: &Identity, request: &Request) -> bool {
    if request.kind().takes_away() {
        person.loses_by(&request.identity)
    } else {
        person.is_same_person(&request.identity)
    }
}

/// Whether the person has a guardian, and asks without one. What the old application diverted it saw itself.
fn is_ward(person: &Standing, request: &Request) -> bool {
    match request.requester {
        Some(Requester::Holder | Requester::Proxy | Requester::Relative) => {
            !person.guardians.is_empty()
        }
        Some(Requester::Guardian) | None => false,
    }
}

/// What shows that a request gave a right.
pub(super) fn evidence(request: &Request) -> String {
    format!("{ACTIVATION_SOURCE}:{}", request.request_id)
}

fn delegation(request: &Request, standing: Option<&Standing>) -> Option<DelegationRow> {
    let guardian_fiscal_code = request.guardian?;
    let is_known = standing.is_some_and(|person| {
        let mut guardians = person.guardians.iter();
        guardians.any(|code| code == guardian_fiscal_code.as_str())
    });
    (!is_known).then(|| DelegationRow {
        guardian_fiscal_code,
        evidence: evidence(request),
    })
}
