//! What a request does to the grant it asks for.
//!
//! A grant that is ended, suspended or pending becomes active at exactly the level asked for, whose documents were
//! presented anew; an active one is raised to that level but never beyond it, and never lowered. All other grants
//! stay as they are. What the person may do is the lower of PIN level and grant level.

use jiff::civil::Date;

use super::{
    effect::{Change, Effect, evidence},
    refusal::Failure,
    request::Request,
    standing::{Grant, MaxAges, Standing, expiry},
};
use crate::domain::status::{GrantStatus, Level};

/// A further profile for somebody who has a PIN, never above that PIN's level.
pub(super) fn further_profile(
    request: &Request,
    level: Level,
    person: &Standing,
    today: Date,
    ages: &MaxAges,
) -> Result<Effect, Failure> {
    let pin = person.pin.as_ref().ok_or(Failure::PinMissing)?;
    let grant = change(request, level.min(pin.level), Some(person), today);
    let mut after = pin.clone();
    after.expires_on = expiry(
        pin.expires_on,
        held_after(&grant, Some(person)),
        today,
        ages,
    );
    let mut effect = Effect::on(request, Some(person));
    if after != *pin {
        effect.pins.push(Change {
            before: Some(pin.clone()),
            after,
        });
    }
    effect.grants.extend(changed(grant));
    Ok(effect)
}

/// The grant before and after; the same, where it is held at that level already.
pub(super) fn change(
    request: &Request,
    level: Level,
    standing: Option<&Standing>,
    today: Date,
) -> Change<Grant> {
    let asked = Grant {
        profile: request.profile.clone(),
        entity: request.entity.clone(),
        status: GrantStatus::Active,
        level,
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

/// All grants the person has once this one is changed.
pub(super) fn held_after<'g>(
    grant: &'g Change<Grant>,
    standing: Option<&'g Standing>,
) -> impl Iterator<Item = &'g Grant> {
    standing
        .into_iter()
        .flat_map(|person| &person.grants)
        .filter(|held| !held.is_of_same(&grant.after))
        .chain([&grant.after])
}

/// The change, if it is one.
pub(super) fn changed(grant: Change<Grant>) -> Option<Change<Grant>> {
    (grant.before.as_ref() != Some(&grant.after)).then_some(grant)
}
