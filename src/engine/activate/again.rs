//! What was taken away from people before a later run brought them more: that is taken away as well, from the moment
//! the run is cut over, whether it took effect or waits for its holder.
//!
//! Only what the run brought is touched: the rest has lived on since. What failed because the person had not the profile
//! took effect after all; what waits is settled by the next drain.

use std::collections::BTreeMap;

use crate::{
    domain::{
        activation::{
            effect::{self, Effect},
            grounds::Grounds,
            standing::Standing,
        },
        tally::Tally,
    },
    store::{
        StoreError,
        activation::{ActivationTx, PersonEffect, TakenBefore},
    },
};

/// People who are changed by one statement.
const PEOPLE: usize = 1_000;

/// People who are looked at at a time.
const PEOPLE_A_PAGE: u32 = 10_000;

/// Of how many people something was taken away, and by what that had failed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::engine) struct TakenAgain {
    /// So many.
    pub(in crate::engine) people: usize,
    /// Of so many the database refused it.
    pub(in crate::engine) refused: usize,
    /// Requests that took effect after all.
    pub(in crate::engine) done: Vec<String>,
}

/// What was taken away from some people.
#[derive(Default)]
struct Changed {
    people: usize,
    difference: Tally,
    done: Vec<String>,
}

impl TakenAgain {
    fn add(&mut self, changed: Changed) -> Tally {
        self.people += changed.people;
        self.done.extend(changed.done);
        changed.difference
    }
}

/// Takes it away from all whom `run_id` brought something.
pub(in crate::engine) fn take_away_again(
    tx: &ActivationTx<'_>,
    run_id: i64,
    grounds: &Grounds,
) -> Result<TakenAgain, StoreError> {
    let mut people: BTreeMap<i64, Vec<TakenBefore>> = BTreeMap::new();
    for (person_id, taken) in tx.taken_from_people_of(run_id)? {
        people.entry(person_id).or_default().push(taken);
    }
    add_captured(tx, run_id, &mut people)?;
    let people: Vec<_> = people.into_iter().collect();
    let (mut again, mut difference) = (TakenAgain::default(), Tally::default());
    for people in people.chunks(PEOPLE) {
        if let Some(changed) = apart(tx, run_id, people, grounds)? {
            difference.merge(&again.add(changed));
            continue;
        }
        for person in people.chunks(1) {
            match apart(tx, run_id, person, grounds)? {
                Some(changed) => difference.merge(&again.add(changed)),
                None => again.refused += 1,
            }
        }
    }
    if again.people > 0 {
        tx.enter_in_ledger("taken_away", &difference)?;
    }
    Ok(again)
}

/// Adds what was taken away of whoever was in quarantine then, or nobody, under the lock of another source.
fn add_captured(
    tx: &ActivationTx<'_>,
    run_id: i64,
    people: &mut BTreeMap<i64, Vec<TakenBefore>>,
) -> Result<(), StoreError> {
    let revoked = tx.taken_of_other_sources(run_id)?;
    let mut after = 0;
    while !revoked.revocations().is_empty() {
        let brought = tx.brought_by(run_id, after, PEOPLE_A_PAGE)?;
        let Some(last) = brought.keys().next_back() else {
            break;
        };
        after = *last;
        let ids: Vec<_> = brought.keys().copied().collect();
        for (person_id, codes) in tx.codes_of(&ids)? {
            for (profile, entity) in brought.get(&person_id).into_iter().flatten() {
                let taken = revoked.revocations().requests(&codes, profile, entity);
                let taken = taken.into_iter().map(TakenBefore::under_lock);
                people.entry(person_id).or_default().extend(taken);
            }
        }
    }
    people.retain(|_, taken| !taken.is_empty());
    Ok(())
}

/// Takes it away from these people; nothing where the database refuses that of one of them.
fn apart(
    tx: &ActivationTx<'_>,
    run_id: i64,
    people: &[(i64, Vec<TakenBefore>)],
    grounds: &Grounds,
) -> Result<Option<Changed>, StoreError> {
    tx.mark_item()?;
    match from(tx, run_id, people, grounds) {
        Ok(taken) => {
            tx.keep_item()?;
            Ok(Some(taken))
        }
        Err(error) if error.refuses_row() => {
            tracing::warn!(event = "taken_away.refused", people = people.len(), %error);
            tx.take_item_back()?;
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

fn from(
    tx: &ActivationTx<'_>,
    run_id: i64,
    people: &[(i64, Vec<TakenBefore>)],
    grounds: &Grounds,
) -> Result<Changed, StoreError> {
    let ids: Vec<_> = people.iter().map(|(person_id, _)| *person_id).collect();
    let mut standing = tx.standings_of_all(&ids)?;
    tx.add_accepted(&mut standing, grounds)?;
    let (now, ages) = (tx.now()?, tx.max_ages()?);
    let today = grounds.local_date(now);
    let (mut effects, mut changed) = (Vec::new(), Changed::default());
    let mut done = Vec::new();
    for (person_id, requests) in people {
        let mut person = standing.standings.remove(person_id);
        let mut total: Option<Effect> = None;
        for taken in requests {
            let request = &taken.due.request;
            // Whom it is not about, or what he was not brought, it changes as little as before.
            let Ok(mut effect) = effect::of(request, person.as_ref(), today, &ages) else {
                continue;
            };
            if taken.lacked_grant {
                done.push((taken.due.activation_id, None));
                changed.done.push(request.request_id.clone());
            }
            effect.delegations.clear();
            person = Some(Standing::after_pending(person, &effect));
            total = Some(match total {
                Some(earlier) => earlier.then(effect),
                None => effect,
            });
        }
        let is_change = |effect: &Effect| !(effect.pins.is_empty() && effect.grants.is_empty());
        if let Some(effect) = total.filter(is_change) {
            changed.difference.merge(&effect.tally());
            let person_id = *person_id;
            effects.push(PersonEffect { person_id, effect });
        }
    }
    tx.write(run_id, &effects, &standing.pin_ids)?;
    tx.mark_done_after_all(&done, now)?;
    changed.people = effects.len();
    Ok(changed)
}
