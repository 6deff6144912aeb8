//! Migrated PINs that waited for their delivery, and what was granted with them.

use jiff::civil::Date;

use super::{
    effect::{Change, Effect, Holder},
    standing::{Grant, MaxAges, PinName, Standing, expiry},
};
use crate::domain::status::{GrantStatus, Level, PinStatus};

/// A pending legacy PIN, the person's present one or a retired one, both halves of which were delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivered {
    /// The PIN.
    pub name: PinName,
    /// The profile it was assigned for.
    pub profile: String,
    /// Its entity; empty for none.
    pub entity: String,
    /// Its level.
    pub level: Level,
}

/// What these PINs give now: the person's pending one becomes active, or what waited for retired ones alone does.
#[must_use]
pub fn deliver(
    standing: &Standing,
    delivered: &[Delivered],
    today: Date,
    ages: &MaxAges,
) -> Option<Effect> {
    activate(standing, delivered, today, ages)
        .or_else(|| grant_late(standing, delivered, today, ages))
}

/// Which of these PINs the grants of an effect waited for.
pub fn given<'d>(effect: &Effect, delivered: &'d [Delivered]) -> impl Iterator<Item = &'d PinName> {
    let brought = |pin: &&Delivered| {
        let mut grants = effect.grants.iter();
        grants.any(|grant| pin.brought(&grant.after))
    };
    delivered.iter().filter(brought).map(|pin| &pin.name)
}

impl Delivered {
    fn brought(&self, grant: &Grant) -> bool {
        self.profile == grant.profile && self.entity == grant.entity
    }
}

/// What makes the person's pending PIN active, if it is pending and both its halves were delivered: the PIN,
/// and of the pending grants those that a delivered PIN brought, never above that PIN's level.
fn activate(
    standing: &Standing,
    delivered: &[Delivered],
    today: Date,
    ages: &MaxAges,
) -> Option<Effect> {
    let before = standing.pin.clone()?;
    if before.status != PinStatus::Pending || before.halves_delivered < 2 {
        return None;
    }
    let grants = granted(standing, delivered);
    let mut after = before.clone();
    after.status = PinStatus::Active;
    let untouched = standing
        .grants
        .iter()
        .filter(|grant| grant.status != GrantStatus::Pending);
    let in_force = untouched.chain(grants.iter().map(|change| &change.after));
    after.expires_on = expiry(before.expires_on, in_force, today, ages);
    Some(Effect {
        holder: Holder::Standing,
        fiscal_code: standing.fiscal_code,
        identity: standing.identity.clone(),
        pins: vec![Change {
            before: Some(before),
            after,
        }],
        grants,
        delegations: Vec::new(),
    })
}

/// What the late delivery of a retired PIN gives: of the pending grants those it brought. The PIN the person has may
/// expire the earlier for them.
fn grant_late(
    standing: &Standing,
    delivered: &[Delivered],
    today: Date,
    ages: &MaxAges,
) -> Option<Effect> {
    let grants = granted(standing, delivered);
    if grants.is_empty() {
        return None;
    }
    let is_changed = |grant: &&Grant| {
        let mut changed = grants.iter().map(|change| &change.after);
        changed.any(|after| after.is_of_same(grant))
    };
    let untouched = standing.grants.iter().filter(|grant| !is_changed(grant));
    let in_force = untouched.chain(grants.iter().map(|change| &change.after));
    let pins = standing.pin.as_ref().and_then(|before| {
        let mut after = before.clone();
        after.expires_on = expiry(before.expires_on, in_force, today, ages);
        (after != *before).then(|| Change {
            before: Some(before.clone()),
            after,
        })
    });
    Some(Effect {
        holder: Holder::Standing,
        fiscal_code: standing.fiscal_code,
        identity: standing.identity.clone(),
        pins: pins.into_iter().collect(),
        grants,
        delegations: Vec::new(),
    })
}

/// Of the person's pending grants those that one of these PINs brought, active and never above that PIN's level.
pub(super) fn granted(standing: &Standing, delivered: &[Delivered]) -> Vec<Change<Grant>> {
    let grants = standing.grants.iter();
    grants
        .filter_map(|grant| active(grant, delivered))
        .collect()
}

fn active(grant: &Grant, delivered: &[Delivered]) -> Option<Change<Grant>> {
    let highest = delivered
        .iter()
        .filter(|pin| pin.brought(grant))
        .map(|pin| pin.level)
        .max()?;
    (grant.status == GrantStatus::Pending).then(|| {
        let mut after = grant.clone();
        after.status = GrantStatus::Active;
        after.level = grant.level.min(highest);
        Change {
            before: Some(grant.clone()),
            after,
        }
    })
}
