//! Several effects on one person, one after the other.

use std::collections::{BTreeMap, HashMap};

use super::{
    effect::{Change, Effect},
    kind::Kind,
    request::Request,
    standing::{Asked, ByRequest, Grant, Pin, Standing},
};

impl Effect {
    /// The one effect that comes to the same as this and then `later` on the same person.
    #[must_use]
    pub fn then(mut self, later: Self) -> Self {
        for change in later.pins {
            merge(&mut self.pins, change, |one, other| one.name == other.name);
        }
        for change in later.grants {
            merge(&mut self.grants, change, Grant::is_of_same);
        }
        self.delegations.extend(later.delegations);
        self
    }
}

/// What was before the first change of a row, and what is after the last.
fn merge<T>(changes: &mut Vec<Change<T>>, later: Change<T>, same: impl Fn(&T, &T) -> bool) {
    let earlier = changes
        .iter_mut()
        .find(|earlier| same(&earlier.after, &later.after));
    match earlier {
        Some(earlier) => earlier.after = later.after,
        None => changes.push(later),
    }
}

impl Standing {
    /// The person after `effect`, which `request` had.
    #[must_use]
    pub fn after(before: Option<Self>, effect: &Effect, request: &Request) -> Self {
        let accepted_at = request.accepted_at;
        let came = match request.kind() {
            Kind::Replacement => {
                let replaced = before.as_ref().and_then(|person| person.pin.as_ref());
                let came = before
                    .as_ref()
                    .zip(replaced)
                    .and_then(|(person, pin)| person.came(&pin.name));
                came.map(|came| came.min(accepted_at))
            }
            Kind::NewPin | Kind::FurtherProfile | Kind::Revocation | Kind::Suspension => {
                Some(accepted_at)
            }
        };
        let mut person = Self::after_pending(before, effect);
        if let Some(at) = came {
            person.accepted.insert(request.request_id.clone(), at);
        }
        if let (true, Some(level)) = (request.kind().asks_for_grant(), request.level()) {
            person.asked.push(Asked {
                profile: request.profile.clone(),
                entity: request.entity.clone(),
                level,
                accepted_at,
            });
        }
        let brought = effect.pins.iter().find(|change| change.before.is_none());
        if let (Some(pin), Some(level)) = (brought, request.level()) {
            person.by_request.push(ByRequest {
                name: pin.after.name.clone(),
                accepted_at,
                level,
                kind: request.kind(),
            });
        }
        person
    }

    /// The person after an effect that no request had.
    #[must_use]
    pub fn after_pending(before: Option<Self>, effect: &Effect) -> Self {
        let mut person = before.unwrap_or_else(|| Self {
            fiscal_code: effect.fiscal_code,
            identity: effect.identity.clone(),
            pin: None,
            by_request: Vec::new(),
            retired: Vec::new(),
            accepted: BTreeMap::new(),
            issued: HashMap::new(),
            asked: Vec::new(),
            grants: Vec::new(),
            guardians: Vec::new(),
        });
        for change in &effect.pins {
            person.put_pin(&change.after);
        }
        for change in &effect.grants {
            person.put_grant(&change.after);
        }
        let guardians = effect.delegations.iter();
        let codes = guardians.map(|row| row.guardian_fiscal_code.as_str().to_owned());
        person.guardians.extend(codes);
        person
    }

    fn put_pin(&mut self, pin: &Pin) {
        let is_present = |present: &Pin| present.name == pin.name;
        if pin.status.is_live() {
            self.pin = Some(pin.clone());
        } else if self.pin.as_ref().is_some_and(is_present) {
            self.pin = None;
        }
    }

    fn put_grant(&mut self, grant: &Grant) {
        let held = self.grants.iter_mut().find(|held| held.is_of_same(grant));
        match held {
            Some(held) => held.clone_from(grant),
            None => self.grants.push(grant.clone()),
        }
    }
}
