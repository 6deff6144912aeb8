//! What a revocation or a suspension does: it takes away and never gives.
//!
//! With a profile it is about that grant, without one about the PIN and all grants: a PIN issued later opens only what it
//! was issued for. What a request accepted later has brought stays, and so does the grant it asked for and found there, at
//! the level it asked for: it would have brought that, had the revocation come in before. A PIN that the legacy issued
//! on a later day counts like such a request; where it gave way to the PIN that is taken away, it comes in its place.
//! What is taken away already stays so, and a suspension revives nothing.

use jiff::{Timestamp, civil::Date};

use super::{
    effect::{Change, Effect},
    overtaking::overtakes,
    refusal::Failure,
    request::Request,
    standing::{ACTIVATION_SOURCE, Grant, MaxAges, Pin, PinName, Standing, expiry},
};
use crate::domain::status::{GrantStatus, LegacyStatus, Level, PinStatus};

/// Whether for good.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    /// By a revocation.
    Away,
    /// By a suspension.
    ForNow,
}

/// What the request takes away from `person`.
pub(super) fn from(
    request: &Request,
    person: &Standing,
    taken: Taken,
    today: Date,
    ages: &MaxAges,
) -> Result<Effect, Failure> {
    let is_meant = |grant: &Grant| {
        let is_named = grant.profile == request.profile && grant.entity == request.entity;
        request.profile.is_empty() || is_named
    };
    if !request.profile.is_empty() && !person.grants.iter().any(is_meant) {
        return Err(Failure::GrantMissing);
    }
    let mut effect = Effect::on(request, Some(person));
    for grant in person.grants.iter().filter(|grant| is_meant(grant)) {
        if grant_came_later(grant, person, request.accepted_at) {
            continue;
        }
        let mut after = grant.clone();
        match asked_later(grant, person, request.accepted_at) {
            Some(level) => after.level = grant.level.min(level),
            None => after.status = grant_status(grant.status, taken),
        }
        effect.grants.extend(changed(grant, after));
    }
    if request.profile.is_empty()
        && let Some(pin) = &person.pin
        && !pin_came_later(&pin.name, person, request.accepted_at)
    {
        let mut after = pin.clone();
        after.status = pin_status(pin.status, taken);
        let gave_way = gave_way_to(pin, person, request.accepted_at);
        if let (Some((next, _)), Taken::ForNow) = (gave_way, taken) {
            after.status = PinStatus::Retired;
            after.superseded_by = Some(next.name.clone());
        }
        effect.pins.extend(changed(pin, after));
        if let Some((next, status)) = gave_way {
            let mut after = next.clone();
            after.status = status;
            after.superseded_by = None;
            let is_changed = |grant: &&Grant| {
                let mut changed = effect.grants.iter().map(|change| &change.after);
                changed.any(|after| after.is_of_same(grant))
            };
            let kept = person.grants.iter().filter(|grant| !is_changed(grant));
            let grants = kept.chain(effect.grants.iter().map(|change| &change.after));
            after.expires_on = expiry(next.expires_on, grants, today, ages);
            effect.pins.extend(changed(next, after));
        }
    }
    Ok(effect)
}

/// The PIN that never was in use because of `pin`, though it came after that moment, and what it is in its place: of
/// several that of a request, or else the one that would have been the survivor.
fn gave_way_to<'p>(pin: &Pin, person: &'p Standing, at: Timestamp) -> Option<(&'p Pin, PinStatus)> {
    let gave_way = person.retired.iter().filter(|retired| {
        pin_came_later(&retired.name, person, at) && leads_to(retired, &pin.name, person)
    });
    let usable = gave_way.filter_map(|retired| {
        let (rank, status) = match retired.legacy_status {
            LegacyStatus::Active => (2, PinStatus::Active),
            LegacyStatus::Suspended => (1, PinStatus::Suspended),
            LegacyStatus::Pending if retired.halves_delivered < 2 => (0, PinStatus::Pending),
            LegacyStatus::Pending => (0, PinStatus::Active),
            LegacyStatus::Revoked | LegacyStatus::Ceased => return None,
        };
        let is_asked = retired.name.source == ACTIVATION_SOURCE;
        let asked = person.came(&retired.name).filter(|_| is_asked);
        let used = (retired.level, retired.last_used_on, retired.issued_on);
        Some(((asked, rank, used), (retired, status)))
    });
    usable
        .max_by_key(|(place, _)| *place)
        .map(|(_, gave_way)| gave_way)
}

/// Whether the PIN gave way to this one, or to another that did.
fn leads_to(retired: &Pin, pin: &PinName, person: &Standing) -> bool {
    let mut next = retired.superseded_by.as_ref();
    for _ in 0..=person.retired.len() {
        match next {
            Some(name) if name == pin => return true,
            Some(name) => {
                let gave_way = person.retired.iter().find(|other| other.name == *name);
                next = gave_way.and_then(|other| other.superseded_by.as_ref());
            }
            None => return false,
        }
    }
    false
}

/// Whether the PIN was issued, or its request accepted, so that what was taken away at that moment does not overtake it.
fn pin_came_later(pin: &PinName, person: &Standing, at: Timestamp) -> bool {
    person.came(pin).is_some_and(|came| !overtakes(at, came))
}

/// Whether the grant came by a request that what was taken away at that moment does not overtake.
fn grant_came_later(grant: &Grant, person: &Standing, at: Timestamp) -> bool {
    let (source, id) = grant.evidence.split_once(':').unwrap_or_default();
    let accepted = person.accepted.get(id);
    source == ACTIVATION_SOURCE && accepted.is_some_and(|accepted| !overtakes(at, *accepted))
}

/// The highest level at which it was asked for by requests, or PINs were issued for it, that are not overtaken and may
/// have found it there.
fn asked_later(grant: &Grant, person: &Standing, at: Timestamp) -> Option<Level> {
    let asked = person.asked.iter().filter(|asked| {
        let is_same = asked.profile == grant.profile && asked.entity == grant.entity;
        is_same && !overtakes(at, asked.accepted_at)
    });
    asked.map(|asked| asked.level).max()
}

const fn pin_status(status: PinStatus, taken: Taken) -> PinStatus {
    match taken {
        Taken::Away => PinStatus::Revoked,
        Taken::ForNow => match status {
            PinStatus::Active | PinStatus::Pending => PinStatus::Suspended,
            PinStatus::Suspended | PinStatus::Retired | PinStatus::Revoked | PinStatus::Ceased => {
                status
            }
        },
    }
}

const fn grant_status(status: GrantStatus, taken: Taken) -> GrantStatus {
    match taken {
        Taken::Away => GrantStatus::Ended,
        Taken::ForNow => match status {
            GrantStatus::Active | GrantStatus::Pending => GrantStatus::Suspended,
            GrantStatus::Suspended | GrantStatus::Ended => status,
        },
    }
}

fn changed<T: Clone + PartialEq>(before: &T, after: T) -> Option<Change<T>> {
    (*before != after).then(|| Change {
        before: Some(before.clone()),
        after,
    })
}
