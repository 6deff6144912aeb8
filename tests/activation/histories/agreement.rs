//! Compares what the target came to with what the documents say.

use super::{
    history::{Code, History, Kind, Level, Minute, Name, Profile, Request, Stage, Status},
    oracle::{self, Happens, Migrated, Person},
    play::{Event, Played},
    safety::Safety,
    seen::Seen,
};

/// Something that took away, in force from some moment on.
struct Taking {
    profile: Option<Profile>,
    at: Minute,
    is_for_good: bool,
    /// Requests that were done before this moment took effect before it.
    known_after: usize,
}

pub(super) struct Agreement<'p> {
    history: &'p History,
    played: &'p Played,
    last: &'p Seen,
    in_order: Vec<Happens<'p>>,
    takings: Vec<Taking>,
    /// Whether nobody had the code until the later source came.
    came_later: bool,
}

impl<'p> Agreement<'p> {
    pub(super) fn of(history: &'p History, played: &'p Played) -> Self {
        let mut agreement = Self {
            history,
            played,
            last: played.last(),
            in_order: oracle::in_order(history),
            takings: Vec::new(),
            came_later: false,
        };
        let before = agreement.before_later();
        agreement.came_later = before.is_some_and(|seen| seen.people == 0);
        for one in &agreement.in_order {
            let request = one.request;
            if request.kind.takes_away() && request.name != Name::Other {
                agreement.takings.push(Taking {
                    profile: request.profile,
                    at: request.at.minute(),
                    is_for_good: request.kind == Kind::Revocation,
                    known_after: played.handed_in[one.number],
                });
            }
        }
        for one in &played.captured {
            let (records, run) = match one.stage {
                Stage::LaterHeld => (&history.later, 1),
                _first => (&history.first, 0),
            };
            let record = &records[one.record];
            agreement.takings.push(Taking {
                profile: Some(record.profile),
                at: one.at,
                is_for_good: one.for_good,
                known_after: played.cut_over[run].unwrap_or(usize::MAX),
            });
        }
        agreement
    }

    /// What was seen before the later run loaded anything.
    fn before_later(&self) -> Option<&'p Seen> {
        let mut held = self.played.moments.iter().enumerate();
        let held = held
            .by_ref()
            .filter(|(_, (event, _))| *event == Event::Held);
        let at = held.map(|(at, _)| at).nth(1)?;
        Some(&self.played.moments[at - 1].1)
    }

    /// # Errors
    /// Where the target differs, or a request is in a state that nothing explains.
    pub(super) fn check(&self) -> Result<(), String> {
        let found = self.outcome();
        found.map_err(|found| format!("{found}\n{}", self.last))
    }

    fn outcome(&self) -> Result<(), String> {
        let mut person = self.migrated();
        for one in &self.in_order {
            let number = one.number;
            let state = self.last.requests.get(&number);
            let (state, reason) = state.ok_or(format!("Q{number} is lost"))?;
            let expected = self.settles(one, state, reason, person.as_ref());
            expected.map_err(|why| format!("Q{number} is {state} {reason}: {why}"))?;
            if state != "done" {
                continue;
            }
            if one.request.kind.takes_away() {
                if let Some(person) = &mut person {
                    person.taken(one.request);
                }
            } else {
                person.get_or_insert_default().given(number, one.request);
            }
        }
        self.receipts()?;
        self.compare(&person.unwrap_or_default())
    }

    fn migrated(&self) -> Option<Person> {
        let safety = Safety::of(self.history, self.played);
        let records = |stage, name: &str| {
            let records = match stage {
                Stage::LaterHeld => &self.history.later,
                _first => &self.history.first,
            };
            let records = records.iter().enumerate();
            let records = records.filter(|(_, record)| !record.is_undated);
            let migrated = records.map(|(at, record)| {
                let name = format!("{name}{}", at + 1);
                let mut record = record.clone();
                record.status = safety.status(stage, at, &record);
                Migrated {
                    is_whole: self.played.is_whole(&name, record.halves),
                    record,
                    name,
                }
            });
            migrated.collect::<Vec<_>>()
        };
        let first = Person::migrated(records(Stage::Held, "inps:M"));
        if self.played.cut_over[1].is_none() {
            return first;
        }
        let later = records(Stage::LaterHeld, "later:L");
        let before = self.before_later().cloned().unwrap_or_default();
        let had = |profile| before.grants.contains_key(&profile);
        let mut person = if self.came_later {
            Person::migrated(later)?
        } else {
            let mut person = first.unwrap_or_default();
            person.join(later, had);
            person
        };
        // What was taken away of a record in quarantine is taken from what another source brings.
        for one in self
            .played
            .captured
            .iter()
            .filter(|one| one.stage == Stage::Held)
        {
            let profile = self.history.first[one.record].profile;
            let kind = match one.for_good {
                true => Kind::Revocation,
                false => Kind::Suspension,
            };
            if !had(profile) {
                person.take_grant(profile, one.at, kind);
            }
        }
        Some(person)
    }

    /// Whether a request may be in this state.
    fn settles(
        &self,
        one: &Happens<'_>,
        state: &str,
        reason: &str,
        person: Option<&Person>,
    ) -> Result<(), String> {
        if one.request.kind.takes_away() {
            return self.taking_settles(one, state, reason, person);
        }
        let request = one.request;
        let expect = |holds: bool, why: &str| match holds {
            true => Ok(()),
            false => Err(why.to_owned()),
        };
        match state {
            "done" => {
                expect(request.name == Name::Own, "it names somebody else")?;
                let done = self.played.done_after(one.number);
                let mut overtaking = self.overtaking(request);
                expect(
                    overtaking.all(|taking| done < Some(taking.known_after)),
                    "it was taken away before",
                )
            }
            "superseded" => expect(self.is_superseded(one, reason), "nothing took its place"),
            "accepted" => expect(self.waits(one, reason, person), "nothing is in its way"),
            "failed" if request.name == Name::Other => Ok(()),
            "failed" => match reason {
                "revoked" => expect(
                    self.overtaking(request).any(|taking| taking.is_for_good),
                    "nothing was revoked",
                ),
                "suspended" => expect(
                    self.overtaking(request).any(|taking| !taking.is_for_good),
                    "nothing was suspended",
                ),
                "pin_missing" => expect(
                    !request.kind.brings_pin() || request.kind == Kind::Replacement,
                    "it brings one",
                )
                .and_then(|()| expect(self.lacks_pin(one, person), "there is a PIN")),
                _another => Err("that is not so".to_owned()),
            },
            _another => Err("what is that?".to_owned()),
        }
    }

    fn taking_settles(
        &self,
        one: &Happens<'_>,
        state: &str,
        reason: &str,
        person: Option<&Person>,
    ) -> Result<(), String> {
        let request = one.request;
        let is_there = self.last.people > 0;
        let has_grant = |profile| person.is_some_and(|person| person.grants.contains_key(&profile));
        let is_right = match (state, reason) {
            ("done", _) => request.name != Name::Other,
            ("failed", "identity_conflict") => request.name == Name::Other && is_there,
            ("failed", "grant_missing") => {
                request.name != Name::Other
                    && request.profile.is_some_and(|profile| !has_grant(profile))
            }
            ("accepted", "holder_unknown") => !is_there,
            _another => false,
        };
        is_right
            .then_some(())
            .ok_or("it should have taken away".to_owned())
    }

    /// What took away that wins over a request that gives.
    fn overtaking(&self, request: &Request) -> impl Iterator<Item = &Taking> {
        let (at, profile) = (request.at.minute(), request.profile);
        let asks = request.kind.asks_for_grant();
        self.takings.iter().filter(move |taking| {
            let is_meant = taking.profile.is_none() || asks && taking.profile == profile;
            at <= taking.at && is_meant
        })
    }

    /// Another one took its place that was accepted later, brings as much, and did not fail.
    fn is_superseded(&self, one: &Happens<'_>, reason: &str) -> bool {
        let later = reason.strip_prefix("by Q").and_then(|id| id.parse().ok());
        let later: Option<usize> = later;
        let later = self
            .in_order
            .iter()
            .find(|other| Some(other.number) == later);
        later.is_some_and(|later| {
            let (own, other) = (one.request, later.request);
            let (own_place, place) = (
                oracle::place(one.number, own),
                oracle::place(later.number, other),
            );
            own.profile == other.profile
                && own.name == other.name
                && place > own_place
                && (other.kind == Kind::NewPin || other.kind == own.kind)
                && self.last.state(later.number) != "failed"
        })
    }

    fn is_due(&self, one: &Happens<'_>) -> bool {
        let request = one.request;
        let is_whole = !request.kind.brings_pin()
            || self
                .played
                .is_whole(&format!("Q{}", one.number), request.halves);
        is_whole && (!request.waits_for_day || self.played.day.is_some())
    }

    fn waits(&self, one: &Happens<'_>, reason: &str, person: Option<&Person>) -> bool {
        if !self.is_due(one) {
            return true;
        }
        let pin = person.and_then(|person| person.pin.as_ref());
        reason == "earlier_request"
            && self.earlier_pins(one).any(|earlier| {
                let is_needed = match (one.request.kind, pin) {
                    (_, None) => true,
                    (Kind::FurtherProfile, Some(pin)) => {
                        pin.level == Level::Ordinary && earlier.request.level > pin.level
                    }
                    (_, Some(_)) => false,
                };
                let is_to_come = self.last.state(earlier.number) == "accepted"
                    || self.is_given_place(earlier, usize::MAX);
                is_needed && is_to_come
            })
    }

    /// New PINs that were accepted before it for the same person.
    fn earlier_pins(&self, one: &Happens<'_>) -> impl Iterator<Item = &Happens<'_>> {
        let place = oracle::place(one.number, one.request);
        self.in_order.iter().filter(move |earlier| {
            earlier.request.kind == Kind::NewPin
                && earlier.request.name == Name::Own
                && oracle::place(earlier.number, earlier.request) < place
        })
    }

    /// Whether a new PIN gave its place to another one that was handed in by then, and came or is still to come.
    fn is_given_place(&self, one: &Happens<'_>, by: usize) -> bool {
        let Some((state, reason)) = self.last.requests.get(&one.number) else {
            return false;
        };
        let later = reason.strip_prefix("by Q").and_then(|id| id.parse().ok());
        let later: Option<usize> = later.filter(|_| state == "superseded");
        let later = self
            .in_order
            .iter()
            .find(|other| Some(other.number) == later);
        later.is_some_and(|later| {
            self.played.handed_in[later.number] <= by
                && self.overtaking(later.request).next().is_none()
                && (self.is_given_place(later, by)
                    || matches!(self.last.state(later.number), "accepted" | "done"))
        })
    }

    fn failed_after(&self, number: usize) -> usize {
        let mut moments = self.played.moments.iter();
        let failed = moments.position(|(_, seen)| seen.state(number) == "failed");
        failed.unwrap_or(usize::MAX)
    }

    fn lacks_pin(&self, one: &Happens<'_>, person: Option<&Person>) -> bool {
        let is_gone = person.is_none_or(|person| person.pin.is_none());
        // It failed before the paper came in that brought the PIN, or the source that did.
        let failed = self.failed_after(one.number);
        let comes_late = self.earlier_pins(one).any(|earlier| {
            self.played.handed_in[earlier.number] > failed && self.last.is_done(earlier.number)
        });
        let before_source =
            self.came_later && self.played.cut_over[1].is_some_and(|at| failed < at);
        is_gone || comes_late || before_source
    }

    fn receipts(&self) -> Result<(), String> {
        for (of, state, reason) in &self.last.receipts {
            let is_there = match of.split_once(':') {
                None => true,
                Some(_) => self.last.pins.iter().any(|pin| pin.name == *of),
            };
            if is_there && state == "waiting" {
                return Err(format!("a receipt of {of} is {state} {reason}"));
            }
        }
        Ok(())
    }

    fn compare(&self, person: &Person) -> Result<(), String> {
        let expected = person.pin.as_ref();
        let found = self.last.live_pin();
        let differs = || {
            Err(format!(
                "the PIN should be {expected:?}, all of it {person:?}"
            ))
        };
        match (expected, found) {
            (None, None) => {}
            (Some(expected), Some(found)) => {
                let is_right = expected.name == found.name
                    && spelled(expected.status) == found.status
                    && expected.level == found.level;
                let mut instead = self.instead_of_replacement();
                instead.extend(self.at_the_same_time(&expected.name));
                let is_doubtful = found
                    .request()
                    .is_some_and(|found| instead.contains(&found))
                    && (spelled(expected.status) == found.status || found.status == "active");
                // What replaced one that was taken away meanwhile, and not the one that comes in its place.
                let first = self.migrated().and_then(|person| person.pin);
                let is_of_root = first.is_some_and(|pin| pin.name != found.name)
                    && found.request().is_none()
                    && self.is_replacement(&expected.name);
                if !(is_right || is_doubtful || is_of_root) {
                    return differs();
                }
            }
            (Some(_), None) | (None, Some(_)) => return differs(),
        }
        for profile in Profile::ALL {
            let expected = person.grants.get(&profile);
            let found = self.last.grants.get(&profile);
            let is_right = match (expected, found) {
                (None, None) => true,
                (Some(expected), Some((status, level))) => {
                    grant_spelled(expected.status) == status
                        && (expected.level == *level || self.may_be_another_level(profile))
                }
                (Some(_), None) | (None, Some(_)) => false,
            };
            if !(is_right || self.is_of_new_pending(profile)) {
                return Err(format!(
                    "{profile:?} should be {expected:?}, all of it {person:?}"
                ));
            }
        }
        Ok(())
    }

    /// A replacement takes effect on the PIN that is there, and waits for none that may never be delivered. What comes
    /// after it, though accepted before it, may stand in its place.
    fn instead_of_replacement(&self) -> Vec<usize> {
        let done = |one: &Happens<'_>| self.played.done_after(one.number);
        let mut instead = Vec::new();
        for replacement in self
            .in_order
            .iter()
            .filter(|one| one.request.kind == Kind::Replacement)
        {
            let late: Vec<_> = (self.in_order.iter())
                .filter(|one| {
                    one.request.kind.brings_pin()
                        && oracle::place(one.number, one.request)
                            < oracle::place(replacement.number, replacement.request)
                        && done(one).is_some()
                        && done(replacement).is_some()
                        && done(one) > done(replacement)
                })
                .map(|one| one.number)
                .collect();
            if !late.is_empty() {
                instead.push(replacement.number);
                instead.extend(late);
            }
        }
        instead
    }

    fn is_replacement(&self, pin: &str) -> bool {
        self.in_order.iter().any(|one| {
            let is_it = format!("activation:Q{}", one.number) == pin;
            is_it && one.request.kind == Kind::Replacement
        })
    }

    /// Of PINs that were accepted at the same time nobody knows which was the last.
    fn at_the_same_time(&self, pin: &str) -> Vec<usize> {
        let id = |number: usize| format!("activation:Q{number}");
        let one = self.in_order.iter().find(|one| id(one.number) == pin);
        let pins = self.in_order.iter().filter(|other| {
            other.request.kind.brings_pin()
                && one.is_some_and(|one| one.request.at == other.request.at)
        });
        pins.map(|other| other.number).collect()
    }

    /// What a pending PIN was to give speaks for no more than that, though its replacement gave it.
    fn is_of_new_pending(&self, profile: Profile) -> bool {
        let records = self.history.first.iter().chain(&self.history.later);
        let mut pending = records.filter(|record| record.status == Status::Pending);
        pending.any(|record| record.profile == profile && record.is_new)
    }

    /// A further profile has the level of the PIN that was there, and a pending one that of the request that was done
    /// before its delivery.
    fn may_be_another_level(&self, profile: Profile) -> bool {
        let done = |one: &Happens<'_>| self.played.done_after(one.number);
        let mut further = self.in_order.iter().filter(|one| {
            one.request.kind == Kind::FurtherProfile && one.request.profile == Some(profile)
        });
        let comes_late = further.any(|one| {
            let mut pins = self
                .in_order
                .iter()
                .filter(|pin| pin.request.kind.brings_pin());
            let took_place = |earlier| self.is_given_place(earlier, usize::MAX);
            let waited = self.earlier_pins(one).any(took_place);
            waited
                || pins.any(|pin| {
                    let came_before = done(pin).is_some() && done(pin) < done(one);
                    let place = oracle::place(pin.number, pin.request);
                    done(pin).is_some()
                        && came_before != (place < oracle::place(one.number, one.request))
                })
        });
        let records = self.history.first.iter().chain(&self.history.later);
        let mut pending = records.filter(|record| record.profile == profile);
        let is_gone = self.takings.iter().any(|taking| taking.profile.is_none());
        let asks = |one: &Happens<'_>| {
            let request = one.request;
            request.kind == Kind::FurtherProfile && request.profile == Some(profile)
        };
        comes_late
            || is_gone && self.in_order.iter().any(asks)
            || pending.any(|record| record.status == Status::Pending)
    }

    /// Whether the documents say one end. Requests under a code that leads to nobody are in no order with the others; and
    /// what a later source issued after something was taken away comes in its place, and speaks for a profile, where it
    /// came before that took effect, and not where the person had lost it before. Of a new PIN and a replacement of the
    /// same minute either may be the one that the other replaces, and with a pending one in between it depends on when the
    /// new one is delivered.
    pub(super) fn is_told(&self) -> bool {
        let mut requests = self.in_order.iter();
        let is_of_nobody =
            self.history.is_linked_later && requests.any(|one| one.request.code == Code::Old);
        let mut later = self.history.later.iter();
        let comes_in_place = !self.came_later && later.any(|record| record.is_new);
        !(is_of_nobody || comes_in_place || self.is_replaced_meanwhile())
    }

    /// A replacement waits for no new PIN that was asked for before: what it replaces is what the person has by then.
    fn is_replaced_meanwhile(&self) -> bool {
        let of = |kind| {
            let requests = self.in_order.iter().map(|one| one.request);
            requests.filter(move |request| request.kind == kind)
        };
        let mut records = self.history.first.iter().chain(&self.history.later);
        let is_any_pending = records.any(|record| record.status == Status::Pending);
        of(Kind::Replacement).any(|replacement| {
            of(Kind::NewPin).any(|new| {
                let is_late = new.halves < 2 || new.waits_for_day;
                let (asked, replaced) = (new.at.minute(), replacement.at.minute());
                asked == replaced || asked < replaced && is_late && is_any_pending
            })
        })
    }
}

const fn spelled(status: Status) -> &'static str {
    match status {
        Status::Active => "active",
        Status::Suspended => "suspended",
        Status::Pending => "pending",
        Status::Revoked => "revoked",
    }
}

const fn grant_spelled(status: Status) -> &'static str {
    match status {
        Status::Revoked => "ended",
        status => spelled(status),
    }
}
