//! What a PIN issued at the counter does to the one the person has.
//!
//! The new PIN takes the place of the present one, which is retired and points to it. One that replaces another
//! brings no right the other had not: it has at most that one's level, and is suspended where that one was.
//!
//! A request accepted before one that took effect already (its second half came late) gives its grant, but
//! its PIN arrives retired: the later PIN stands. Where that one only replaced what was there before, it has no more
//! rights than that had: if it is taken away, suspended or of a lower level for it, the new PIN takes its place.

use jiff::civil::Date;

use super::{
    effect::{Change, Effect},
    granting,
    pending::{self, Delivered},
    refusal::Failure,
    request::{IssuedPin, Request},
    standing::{ACTIVATION_SOURCE, MaxAges, Pin, PinName, Standing, expiry},
};
use crate::domain::status::{Disposition, LegacyStatus, PinStatus};

/// A PIN, with a profile.
pub(super) fn new_pin(
    request: &Request,
    issued: &IssuedPin,
    standing: Option<&Standing>,
    today: Date,
    ages: &MaxAges,
) -> Effect {
    let grant = granting::change(request, issued.level, standing, today);
    let mut pin = pin(request, issued);
    let grants = granting::held_after(&grant, standing);
    pin.expires_on = expiry(issued.expires_on, grants, today, ages);
    let mut effect = Effect::on(request, standing);
    let later = standing.and_then(|person| person.pin_before(request.accepted_at, issued.level));
    effect.pins = in_place_of_present(pin, later, standing);
    effect.grants.extend(granting::changed(grant));
    effect
}

/// A PIN in the place of the present one.
pub(super) fn replacement(
    request: &Request,
    issued: &IssuedPin,
    person: &Standing,
    today: Date,
    ages: &MaxAges,
) -> Result<Effect, Failure> {
    let present = person.pin.as_ref().ok_or(Failure::PinMissing)?;
    let mut pin = pin(request, issued);
    pin.level = pin.level.min(present.level);
    if present.status == PinStatus::Suspended {
        pin.status = PinStatus::Suspended;
        pin.legacy_status = LegacyStatus::Suspended;
    }
    let mut effect = Effect::on(request, Some(person));
    let later = person.pin_accepted_after(request.accepted_at);
    let replaced = match later {
        None => Some(present).filter(|present| present.status == PinStatus::Pending),
        Some(_) => person.pending_at(request.accepted_at),
    };
    if let Some(replaced) = replaced.filter(|pin| pin.legacy_status == LegacyStatus::Pending) {
        // What waited for the delivery of the one comes with that of the other.
        effect.grants = pending::granted(
            person,
            &[Delivered {
                name: replaced.name.clone(),
                profile: replaced.legacy_profile.clone(),
                entity: replaced.legacy_entity.clone(),
                level: issued.level.min(replaced.level),
            }],
        );
    }
    let is_changed = |profile: &str, entity: &str| {
        let mut changed = effect.grants.iter().map(|change| &change.after);
        changed.any(|grant| grant.profile == profile && grant.entity == entity)
    };
    let kept = (person.grants.iter()).filter(|grant| !is_changed(&grant.profile, &grant.entity));
    let grants = kept.chain(effect.grants.iter().map(|change| &change.after));
    pin.expires_on = expiry(issued.expires_on, grants, today, ages);
    effect.pins = in_place_of_present(pin, later, Some(person));
    Ok(effect)
}

fn pin(request: &Request, issued: &IssuedPin) -> Pin {
    Pin {
        name: PinName {
            source: ACTIVATION_SOURCE.to_owned(),
            legacy_id: request.request_id.clone(),
        },
        status: PinStatus::Active,
        disposition: Disposition::Survivor,
        level: issued.level,
        credential: Some(issued.credential.clone()),
        halves_delivered: issued.halves_delivered,
        issued_on: issued.issued_on,
        expires_on: issued.expires_on,
        last_used_on: None,
        office: request.office.clone(),
        channel: issued.channel.clone(),
        legacy_profile: request.profile.clone(),
        legacy_entity: request.entity.clone(),
        legacy_status: LegacyStatus::Active,
        superseded_by: None,
    }
}

fn in_place_of_present(
    mut pin: Pin,
    later: Option<&PinName>,
    standing: Option<&Standing>,
) -> Vec<Change<Pin>> {
    let mut changes = Vec::with_capacity(2);
    if let Some(later) = later {
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
