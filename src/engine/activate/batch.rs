//! What one transaction of a drain does: people read by the set, changed in memory, and written by the set.

use std::{
    borrow::Cow,
    cell::Cell,
    collections::{BTreeMap, BTreeSet, HashMap},
};

use jiff::{Timestamp, civil::Date};

use super::{ATTEMPTS_MAX, Failed};
use crate::{
    domain::{
        activation::{
            awaiting,
            effect::{self, Effect, Holder},
            grounds::Grounds,
            kind::Kind,
            pending::{self, Delivered},
            refusal::Failure,
            revocation::Revocations,
            standing::{ACTIVATION_SOURCE, MaxAges, PinName, Standing},
            waiting::WhyNotYet,
        },
        tally::Tally,
    },
    store::{
        StoreError,
        activation::{
            ActivationTx, Awaited, Due, IdBase, PendingCursor, People, PersonEffect, Revoked,
            Settled,
        },
    },
};

/// What may take effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// All that is due.
    All,
    /// What takes away: a later run is under way.
    TakingAway,
}

/// What a transaction works with.
pub(super) struct Batch<'b> {
    pub(super) tx: &'b ActivationTx<'b>,
    run_id: i64,
    grounds: &'b Grounds,
    pub(super) now: Timestamp,
    pub(super) today: Date,
    pub(super) ages: MaxAges,
    ids: IdBase,
    pending_is_done: bool,
    revoked: Revoked,
    left: Cell<bool>,
}

/// What became of it, once it is committed.
#[derive(Default)]
pub(super) struct Outcome {
    pub(super) settled: Settled,
    /// What the database refused.
    pub(super) refused: Vec<Failed>,
}

impl Outcome {
    /// Notes what the database refused: the next drain asks again, unless it was set aside.
    pub(super) fn refuse(&mut self, request_id: &str, reason: String, set_aside: bool) {
        self.refused.push(Failed {
            request_id: request_id.to_owned(),
            reason,
            tried_again: !set_aside,
        });
    }
}

/// People as they stand, and what is to become of them.
pub(super) struct Plan {
    pub(super) people: People,
    /// What was taken away from them at the counters.
    taken_away: Revocations,
    /// Codes that lead to them, by person; none where no code matters.
    codes: HashMap<i64, Vec<String>>,
    pub(super) delivered: HashMap<i64, Vec<Delivered>>,
    pub(super) effects: Vec<PersonEffect>,
    pub(super) settled: Settled,
    /// Requests by number.
    done: Vec<(i64, Option<i64>)>,
    failed: Vec<(i64, Failure)>,
    /// Of nobody yet, or behind one that was accepted before.
    waiting: Vec<(i64, WhyNotYet)>,
    /// What was accepted, brings a PIN, and has not its turn yet.
    awaited: Vec<Awaited>,
}

impl Plan {
    /// Whether a request needs a PIN that is to come with one accepted before it, which nothing has overtaken.
    fn is_behind(
        &self,
        (due, codes): (&Due, &[String]),
        (person_id, standing): (Option<i64>, Option<&Standing>),
        taken: &[&Revocations],
    ) -> bool {
        self.awaited.iter().any(|one| {
            let earlier = &one.due;
            let is_of_same = earlier.request.fiscal_code == due.request.fiscal_code
                || person_id.is_some() && one.person_id == person_id;
            let mut taken = taken.iter();
            let mut done = self.done.iter();
            is_of_same
                && one.place < due.place()
                && done.all(|(done, _)| *done != earlier.activation_id)
                && awaiting::needs(&due.request, standing, &earlier.request)
                && taken.all(|taken| taken.failure_of(&earlier.request, codes).is_none())
        })
    }
}

/// A person while his requests have their turn.
struct InTurn {
    person_id: Option<i64>,
    standing: Option<Standing>,
    /// That lead to him.
    codes: Vec<String>,
    /// What they came to so far.
    total: Option<Effect>,
}

/// What came of a request's turn.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turned {
    /// It is done, failed, or waits for its holder.
    Settled,
    /// It waits for the PIN of one accepted before it.
    Behind,
}

/// Whose requests these are: somebody's who stands in the model, or of nobody's yet.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Whose<'a> {
    Standing(i64),
    New(&'a str),
}

impl<'b> Batch<'b> {
    pub(super) fn begin(
        tx: &'b ActivationTx<'b>,
        run_id: i64,
        grounds: &'b Grounds,
        scope: Scope,
        mut revoked: Revoked,
    ) -> Result<Self, StoreError> {
        tx.read_on(&mut revoked)?;
        let now = tx.now()?;
        Ok(Self {
            tx,
            run_id,
            grounds,
            now,
            today: grounds.local_date(now),
            ages: tx.max_ages()?,
            ids: tx.id_base()?,
            pending_is_done: scope == Scope::TakingAway || tx.pending_done(run_id)?,
            revoked,
            left: Cell::new(false),
        })
    }

    /// What was read for it, and is good for the next one.
    pub(super) fn into_revoked(self) -> Revoked {
        self.revoked
    }

    pub(super) fn pending_is_done(&self) -> bool {
        self.pending_is_done
    }

    /// Whether requests were left be, because somebody else just then changed their person.
    pub(super) fn left_some(&self) -> bool {
        self.left.get()
    }

    /// Lets the next migrated pending PINs with both halves delivered give what waits for them; nothing when there is
    /// none left.
    pub(super) fn pending(
        &self,
        after: PendingCursor,
        limit: u32,
    ) -> Result<Option<(PendingCursor, Outcome)>, StoreError> {
        let found = self.tx.delivered_pending(after, limit)?;
        let Some((cursor, _)) = found.last() else {
            return Ok(None);
        };
        let ids: Vec<_> = found.iter().map(|(_, person_id)| *person_id).collect();
        let mut outcome = Outcome::default();
        if let Ok(settled) = self.apart(|| self.activate_pending(&ids))? {
            outcome.settled = settled;
            return Ok(Some((*cursor, outcome)));
        }
        for (PendingCursor(pin_id), person_id) in &found {
            match self.apart(|| self.activate_pending(&[*person_id]))? {
                Ok(settled) => outcome.settled.add(settled),
                Err(refused) => {
                    outcome.settled.set_aside.push(*pin_id);
                    outcome.refused.push(Failed {
                        request_id: format!("pin {pin_id}"),
                        reason: refused.to_string(),
                        tried_again: false,
                    });
                }
            }
        }
        Ok(Some((*cursor, outcome)))
    }

    /// Marks that no such PIN is left, unless another drain is at work on one.
    pub(super) fn end_pending(&self, set_aside: &[i64]) -> Result<(), StoreError> {
        if self.tx.is_pending_left(set_aside)? {
            return Ok(());
        }
        self.tx.mark_pending_done(self.run_id)
    }

    /// Lets requests take effect: all at once, or, where the database refuses that, person by person where it must,
    /// so that one it will never take keeps nobody else's from their turn.
    pub(super) fn requests(&self, mut requests: Vec<Due>) -> Result<Outcome, StoreError> {
        requests.sort_by(|a, b| (code(a), a.place()).cmp(&(code(b), b.place())));
        let mut outcome = Outcome::default();
        self.people(&requests, &mut outcome)?;
        Ok(outcome)
    }

    /// The requests of whole people, those of one after the other's.
    fn people(&self, requests: &[Due], outcome: &mut Outcome) -> Result<(), StoreError> {
        let error = match self.apart(|| self.activate(requests, self.ids))? {
            Ok(settled) => {
                outcome.settled.add(settled);
                return Ok(());
            }
            Err(error) => error,
        };
        let middle = &requests[requests.len() / 2];
        let first_half = requests.partition_point(|request| code(request) < code(middle));
        let halves = requests.split_at(match first_half {
            0 => requests.partition_point(|request| code(request) == code(middle)),
            first_half => first_half,
        });
        if halves.1.is_empty() {
            tracing::info!(event = "activation.one_by_one", %error);
            return (requests.iter()).try_for_each(|request| self.request(request, outcome));
        }
        self.people(halves.0, outcome)?;
        self.people(halves.1, outcome)
    }

    fn request(&self, request: &Due, outcome: &mut Outcome) -> Result<(), StoreError> {
        let alone = std::slice::from_ref(request);
        if let Ok(settled) = self.apart(|| self.activate(alone, self.ids))? {
            outcome.settled.add(settled);
            return Ok(());
        }
        // Once more: another drain may have entered the person, or somebody else given out an id.
        let ids = self.tx.id_base_above_all()?;
        match self.apart(|| self.activate(alone, ids))? {
            Ok(settled) => outcome.settled.add(settled),
            Err(error) => {
                let why = refusal_of(&error);
                let set_aside =
                    (self.tx).count_attempt(request.activation_id, &why, ATTEMPTS_MAX)?;
                if set_aside {
                    self.tx.bring_back(&[request.activation_id], self.now)?;
                }
                outcome.refuse(&request.request.request_id, why, set_aside);
            }
        }
        Ok(())
    }

    /// Does something, or takes it back and says what constraint refuses it.
    pub(super) fn apart(
        &self,
        work: impl FnOnce() -> Result<Settled, StoreError>,
    ) -> Result<Result<Settled, StoreError>, StoreError> {
        self.tx.mark_item()?;
        match work() {
            Ok(settled) => {
                self.tx.keep_item()?;
                Ok(Ok(settled))
            }
            Err(error) if error.refuses_row() => {
                self.tx.take_item_back()?;
                Ok(Err(error))
            }
            Err(error) => Err(error),
        }
    }

    fn activate_pending(&self, person_ids: &[i64]) -> Result<Settled, StoreError> {
        let mut plan = self.plan(person_ids)?;
        let mut held: Vec<_> = plan.people.standings.keys().copied().collect();
        held.sort_unstable();
        for person_id in held {
            if let Some(standing) = plan.people.standings.remove(&person_id)
                && let Some(effect) = self.delivered(&mut plan, person_id, &standing)
            {
                plan.effects.push(PersonEffect { person_id, effect });
            }
        }
        self.write(plan)
    }

    fn activate(&self, requests: &[Due], ids: IdBase) -> Result<Settled, StoreError> {
        let mut requests = Cow::Borrowed(requests);
        let mut plan = self.planned(&requests, ids)?;
        // Every round lets somebody wait again, of whom there are so many as the queue holds. What took the later one
        // away may spare the earlier: a replacement asks for no profile.
        loop {
            let failed: Vec<_> = plan.failed.iter().map(|(id, _)| *id).collect();
            let back = self.tx.bring_back(&failed, self.now)?;
            if back.is_empty() {
                return self.write(plan);
            }
            requests.to_mut().extend(back);
            plan = self.planned(&requests, ids)?;
        }
    }

    fn planned(&self, requests: &[Due], ids: IdBase) -> Result<Plan, StoreError> {
        let codes: Vec<_> = requests.iter().map(code).collect();
        let found = self.tx.people_of(&codes)?;
        let mut people: BTreeMap<Whose<'_>, Vec<&Due>> = BTreeMap::new();
        for request in requests {
            let code = code(request);
            let whose = found
                .get(code)
                .map_or(Whose::New(code), |person_id| Whose::Standing(*person_id));
            people.entry(whose).or_default().push(request);
        }
        for requests in people.values_mut() {
            requests.sort_by_key(|request| request.place());
        }
        let mut person_ids: Vec<_> = found.into_values().collect();
        person_ids.sort_unstable();
        person_ids.dedup();
        let mut plan = self.plan(&person_ids)?;
        plan.taken_away = self.taken_away_from(requests)?;
        if !(self.revoked.revocations().is_empty() && plan.taken_away.is_empty()) {
            plan.codes = self.tx.codes_of(&person_ids)?;
        }
        let comes_late = people.iter().any(|(whose, requests)| match whose {
            Whose::New(_) => false,
            Whose::Standing(person_id) => {
                let standing = plan.people.standings.get(person_id);
                standing.is_some_and(|person| {
                    let mut hours = requests.iter().map(|due| due.request.accepted_at);
                    hours.any(|at| person.pin_accepted_after(at).is_some())
                })
            }
        });
        if comes_late || requests.iter().any(|due| due.request.kind().takes_away()) {
            self.tx.add_accepted(&mut plan.people, self.grounds)?;
        }
        plan.awaited = self.awaited(requests)?;
        let out_of_turn = self.out_of_turn(&people, &person_ids)?;
        for (whose, requests) in people {
            match whose {
                Whose::New(_) => self.person(&mut plan, None, &requests, ids),
                Whose::Standing(person_id) => {
                    let standing = plan.people.standings.remove(&person_id);
                    match standing.filter(|_| !out_of_turn.contains(&person_id)) {
                        Some(standing) => {
                            self.person(&mut plan, Some((person_id, standing)), &requests, ids);
                        }
                        // Whoever changes him just now has him, or has an earlier request of his.
                        None => self.left.set(true),
                    }
                }
            }
        }
        Ok(plan)
    }

    /// People of whom another drain has a request, under another code, that comes before one of these.
    fn out_of_turn(
        &self,
        people: &BTreeMap<Whose<'_>, Vec<&Due>>,
        person_ids: &[i64],
    ) -> Result<BTreeSet<i64>, StoreError> {
        let mut out_of_turn = BTreeSet::new();
        for (person_id, place) in self.tx.due_under_any_code(person_ids, self.now)? {
            let requests = people.get(&Whose::Standing(person_id));
            let mut places = requests.into_iter().flatten().map(|due| due.place());
            let is_last = places.clone().next_back().is_none_or(|last| last < place);
            if !is_last && places.all(|one| one != place) {
                out_of_turn.insert(person_id);
            }
        }
        Ok(out_of_turn)
    }

    pub(super) fn plan(&self, person_ids: &[i64]) -> Result<Plan, StoreError> {
        let mut people = self.tx.standings(person_ids)?;
        let delivered = if self.pending_is_done || people.standings.is_empty() {
            HashMap::new()
        } else {
            self.tx.delivered_of(person_ids, &mut people.pin_ids)?
        };
        Ok(Plan {
            people,
            taken_away: Revocations::default(),
            codes: HashMap::new(),
            delivered,
            effects: Vec::new(),
            settled: Settled::default(),
            done: Vec::new(),
            failed: Vec::new(),
            waiting: Vec::new(),
            awaited: Vec::new(),
        })
    }

    /// What the person's pending PINs give that were delivered, the present one and retired ones.
    fn delivered(&self, plan: &mut Plan, person_id: i64, standing: &Standing) -> Option<Effect> {
        let delivered = plan.delivered.get(&person_id)?;
        let effect = pending::deliver(standing, delivered, self.today, &self.ages)?;
        let ids = &plan.people.pin_ids;
        plan.settled.count_delivered(&effect, delivered, ids);
        Some(effect)
    }

    /// One person's requests, one after the other in the order of acceptance. A pending PIN of his becomes
    /// active before them, whichever drain comes to him first. What waits for a PIN of another one has its turn again
    /// once that is done.
    fn person(
        &self,
        plan: &mut Plan,
        person: Option<(i64, Standing)>,
        requests: &[&Due],
        ids: IdBase,
    ) {
        let (person_id, standing) = person.unzip();
        let codes = match person_id {
            Some(id) => plan.codes.remove(&id).unwrap_or_default(),
            None => self.renamed(requests),
        };
        let mut one = InTurn {
            person_id,
            standing,
            codes,
            total: None,
        };
        if let (Some(id), Some(before)) = (person_id, one.standing.take()) {
            one.total = self.delivered(plan, id, &before);
            one.standing = Some(match &one.total {
                Some(effect) => Standing::after_pending(Some(before), effect),
                None => before,
            });
        }
        let mut left = requests.to_vec();
        loop {
            let done = plan.done.len();
            left.retain(|due| self.turn(plan, &mut one, due, ids) == Turned::Behind);
            if left.is_empty() || plan.done.len() == done {
                break;
            }
        }
        let why = WhyNotYet::EarlierRequest;
        let behind = left.iter().map(|due| (due.activation_id, why));
        plan.waiting.extend(behind);
        if let (Some(person_id), Some(effect)) = (one.person_id, one.total) {
            plan.effects.push(PersonEffect { person_id, effect });
        }
    }

    /// One request of the person whose turn it is.
    fn turn(&self, plan: &mut Plan, one: &mut InTurn, due: &Due, ids: IdBase) -> Turned {
        let request = &due.request;
        let taken = [self.revoked.revocations(), &plan.taken_away];
        let mut failures = (taken.iter()).filter_map(|taken| taken.failure_of(request, &one.codes));
        let standing = one.standing.as_ref();
        let effect = match failures.next() {
            Some(why) => Err(why),
            None => effect::of(request, standing, self.today, &self.ages),
        };
        if matches!(effect, Ok(_) | Err(Failure::PinMissing))
            && plan.is_behind((due, &one.codes), (one.person_id, standing), &taken)
        {
            return Turned::Behind;
        }
        match effect {
            // Whom a later source, or what leaves quarantine, may yet bring.
            Err(Failure::HolderUnknown) => {
                let why = WhyNotYet::HolderUnknown;
                plan.waiting.push((due.activation_id, why));
            }
            Err(why) => {
                plan.failed.push((due.activation_id, why));
                let failed = (request.request_id.clone(), why);
                plan.settled.failed.push(failed);
            }
            Ok(effect) => {
                if effect.holder == Holder::New {
                    one.person_id = Some(ids.person_id(due.activation_id));
                }
                let pin_id = (request.kind().brings_pin()).then(|| ids.pin_id(due.activation_id));
                if let Some(pin_id) = pin_id {
                    let name = PinName {
                        source: ACTIVATION_SOURCE.to_owned(),
                        legacy_id: request.request_id.clone(),
                    };
                    plan.people.pin_ids.insert(name, pin_id);
                }
                plan.done.push((due.activation_id, pin_id));
                plan.settled.done.push((request.request_id.clone(), pin_id));
                one.standing = Some(Standing::after(one.standing.take(), &effect, request));
                one.total = Some(match one.total.take() {
                    Some(earlier) => earlier.then(effect),
                    None => effect,
                });
            }
        }
        Turned::Settled
    }

    /// What may have to come before some of these.
    fn awaited(&self, requests: &[Due]) -> Result<Vec<Awaited>, StoreError> {
        let may_wait = |due: &&Due| match due.request.kind() {
            Kind::FurtherProfile | Kind::Replacement => true,
            Kind::NewPin | Kind::Revocation | Kind::Suspension => false,
        };
        let codes: Vec<_> = requests.iter().filter(may_wait).map(code).collect();
        if codes.is_empty() {
            return Ok(Vec::new());
        }
        let mut awaited = self.tx.awaited_of(&codes)?;
        let here: BTreeSet<_> = requests.iter().map(|due| due.activation_id).collect();
        // Their own turn comes before those that wait, but where they took the place of one accepted before.
        awaited
            .retain(|one| one.place != one.due.place() || !here.contains(&one.due.activation_id));
        Ok(awaited)
    }

    /// What was taken away at the counters of those whose requests these are.
    fn taken_away_from(&self, requests: &[Due]) -> Result<Revocations, StoreError> {
        let current: Vec<_> = (requests.iter())
            .filter_map(|due| self.grounds.current_code(due.request.fiscal_code))
            .collect();
        let current = current.iter().map(|code| code.as_str());
        let codes: Vec<_> = requests.iter().map(code).chain(current).collect();
        self.tx.taken_away_from(&codes)
    }

    /// The codes that those of a newcomer's requests lead to: his legacy records may be in quarantine.
    fn renamed(&self, requests: &[&Due]) -> Vec<String> {
        requests
            .iter()
            .filter_map(|due| self.grounds.current_code(due.request.fiscal_code))
            .map(|code| code.as_str().to_owned())
            .collect()
    }

    pub(super) fn write(&self, plan: Plan) -> Result<Settled, StoreError> {
        let Plan {
            people,
            effects,
            mut settled,
            done,
            failed,
            waiting,
            ..
        } = plan;
        self.tx.write(self.run_id, &effects, &people.pin_ids)?;
        if !done.is_empty() {
            self.tx.mark_done(&done, self.now)?;
        }
        self.tx.mark_failed(&failed)?;
        self.tx.mark_waiting(&waiting)?;
        let mut difference = Tally::default();
        for PersonEffect { effect, .. } in &effects {
            difference.merge(&effect.tally());
        }
        settled.difference = difference;
        Ok(settled)
    }
}

fn code(request: &Due) -> &str {
    request.request.fiscal_code.as_str()
}

/// What the database said; SQLite names tables and columns, never values.
pub(super) fn refusal_of(error: &StoreError) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
}
