//! Nobody ever has what was taken away from him, or what nothing gave him: looked at after all that happens, and said
//! without any order of effects. Whatever somebody may do must go back to a record or a request that nothing in force
//! overtakes, at no higher level than that.

use super::{
    history::{Code, History, Kind, Level, Minute, Name, Profile, Record, Request, Stage, Status},
    play::{Event, Played},
    seen::{PinSeen, Seen},
};

pub(super) struct Safety<'p> {
    history: &'p History,
    played: &'p Played,
    requests: Vec<&'p Request>,
}

impl<'p> Safety<'p> {
    pub(super) fn of(history: &'p History, played: &'p Played) -> Self {
        Self {
            history,
            played,
            requests: history.requests(),
        }
    }

    /// # Errors
    /// The first moment at which somebody had what he should not.
    pub(super) fn check(&self) -> Result<(), String> {
        for (at, (event, seen)) in self.played.moments.iter().enumerate() {
            let found =
                self.done_too_early(at, seen)
                    .and_then(|()| match self.played.cut_over[0] {
                        Some(cut_over) if cut_over <= at => self.access(at, seen),
                        _before => Ok(()),
                    });
            found.map_err(|found| format!("after {at} ({event:?}): {found}\n{seen}"))?;
        }
        Ok(())
    }

    /// Nothing takes effect before cut-over, its day, or both halves.
    fn done_too_early(&self, at: usize, seen: &Seen) -> Result<(), String> {
        for (number, request) in self.requests.iter().enumerate() {
            if !seen.is_done(number) {
                continue;
            }
            let is_cut_over = self.played.cut_over[0].is_some_and(|cut_over| cut_over < at);
            let day = !request.waits_for_day
                || request.kind.takes_away()
                || self.played.day.is_some_and(|day| day < at);
            let is_whole = !request.kind.brings_pin()
                || self.played.is_whole(&format!("Q{number}"), request.halves);
            if !(is_cut_over && day && is_whole) {
                return Err(format!("Q{number} is done too early"));
            }
        }
        Ok(())
    }

    fn access(&self, at: usize, seen: &Seen) -> Result<(), String> {
        if seen.access.is_empty() {
            return Ok(());
        }
        let pin = seen.live_pin().ok_or("access without a PIN")?;
        let most = self
            .pin_level(at, seen, pin, 0)
            .ok_or_else(|| format!("{} opens, which nothing gives", pin.name))?;
        if pin.level > most {
            return Err(format!("{} has a level that nothing gives", pin.name));
        }
        for (profile, level) in &seen.access {
            let given = self.given(at, seen, *profile);
            if given.is_none_or(|given| *level > given.min(most)) {
                return Err(format!(
                    "{profile:?} {level:?}, where {given:?} is given and the PIN {most:?}"
                ));
            }
        }
        Ok(())
    }

    /// The highest level at which the profile is given by something that nothing overtakes.
    fn given(&self, at: usize, seen: &Seen, profile: Profile) -> Option<Level> {
        let mut requests = self.requests.iter().enumerate();
        let replaces = requests
            .any(|(number, request)| request.kind == Kind::Replacement && seen.is_done(number));
        let records = self
            .records(at, Some(profile), replaces)
            .map(|record| record.1);
        let requests = self.requests.iter().enumerate();
        let requests = requests.filter(|(number, request)| {
            request.kind.asks_for_grant()
                && request.profile == Some(profile)
                && seen.is_done(*number)
                && !self.is_taken_at(at, request.at.minute(), Some(profile))
                && !self.is_captured(*number, request, profile)
        });
        records
            .chain(requests.map(|(_, request)| request.level))
            .max()
    }

    /// The records that may open something, by name, with their levels; those of this profile.
    fn records(
        &self,
        at: usize,
        profile: Option<Profile>,
        is_replaced: bool,
    ) -> impl Iterator<Item = (String, Level)> {
        let is_merged = self.played.cut_over[1].is_some_and(|cut_over| cut_over <= at);
        let sources = [
            ("inps:M", &self.history.first, Stage::Held, true),
            ("later:L", &self.history.later, Stage::LaterHeld, is_merged),
        ];
        let there = sources.into_iter().filter(|source| source.3);
        there.flat_map(move |(name, records, stage, _)| {
            records.iter().enumerate().filter_map(move |(n, record)| {
                let name = format!("{name}{}", n + 1);
                let is_own = profile.is_none_or(|profile| profile == record.profile);
                let opens = match self.status(stage, n, record) {
                    Status::Active => true,
                    // With its replacement comes what waited for its delivery.
                    Status::Pending => self.played.is_whole(&name, record.halves) || is_replaced,
                    Status::Suspended | Status::Revoked => false,
                };
                let is_overtaken = self.is_taken_at(at, record.issued(), profile)
                    || stage == Stage::LaterHeld
                        && self.is_captured_before(record.profile, record.issued());
                (is_own && opens && !is_overtaken && !record.is_undated)
                    .then_some((name, record.level))
            })
        })
    }

    /// As it was migrated.
    pub(super) fn status(&self, stage: Stage, number: usize, record: &Record) -> Status {
        let captured = self.played.captured.iter();
        let mut captured = captured.filter(|one| one.stage == stage && one.record == number);
        match captured.next_back() {
            Some(one) if one.for_good => Status::Revoked,
            Some(_) => Status::Suspended,
            None => record.status,
        }
    }

    /// Whether something in force took that away at the moment or after it: the profile, or without one the PIN.
    fn is_taken_at(&self, at: usize, given: Minute, profile: Option<Profile>) -> bool {
        let requests = self.requests.iter().enumerate();
        let mut taking = requests.filter(|(number, request)| {
            let scope = request.profile.is_none() || request.profile == profile;
            request.kind.takes_away() && scope && self.is_in_force(at, *number, request)
        });
        taking.any(|(_, request)| given <= request.at.minute())
    }

    /// Whether what takes away must have taken effect of whoever stands.
    fn is_in_force(&self, at: usize, number: usize, request: &Request) -> bool {
        let Some(&handed_in) = self.played.handed_in.get(number) else {
            return false;
        };
        let is_of_holder = request.code == Code::Own || !self.history.is_linked_later;
        // What waits for a run takes effect with the first drain after it.
        let run = usize::from(!is_of_holder);
        let Some(cut_over) = self.played.cut_over[run] else {
            return false;
        };
        let drained = |one: usize| {
            one > cut_over
                && (self.played.takings.contains(&one)
                    || self.played.moments[one].0 == Event::Drained)
        };
        let is_met = handed_in > cut_over || (handed_in..=at).any(drained);
        request.name != Name::Other && handed_in <= at && is_met
    }

    /// Whether a record of the profile was taken away under a lock, so that it wins over the request.
    fn is_captured(&self, number: usize, request: &Request, profile: Profile) -> bool {
        let done = self.played.done_after(number);
        self.played.captured.iter().any(|one| {
            let (records, run) = match one.stage {
                Stage::LaterHeld => (&self.history.later, 1),
                _first => (&self.history.first, 0),
            };
            let cut_over = self.played.cut_over[run];
            records[one.record].profile == profile
                && request.at.minute() <= one.at
                && done > cut_over
        })
    }

    /// Whether a record of the profile was taken away under the lock of the first run, and that is not older.
    fn is_captured_before(&self, profile: Profile, issued: Minute) -> bool {
        self.played.captured.iter().any(|one| {
            one.stage == Stage::Held
                && self.history.first[one.record].profile == profile
                && issued <= one.at
        })
    }

    /// The level that what brought a PIN gives it, where nothing overtakes that.
    fn pin_level(&self, at: usize, seen: &Seen, pin: &PinSeen, depth: usize) -> Option<Level> {
        let Some(number) = pin.request() else {
            let mut records = self.records(at, None, depth > 0);
            return records
                .find(|(name, _)| *name == pin.name)
                .map(|record| record.1);
        };
        let request = self.requests[number];
        if self.is_taken_at(at, request.at.minute(), None) || depth > seen.pins.len() {
            return None;
        }
        if request.kind == Kind::NewPin {
            return Some(request.level);
        }
        // One that replaced others goes back to them; one that came in late points to it as well, and so does what a
        // later source brought to whoever stood already.
        let replaced = seen.pins.iter().filter(|other| {
            // Of the same moment either may be the one that the other replaces.
            let place = |number: usize| {
                let at = self.requests[number].at;
                (self.played.done_after(number), at.minute(), at.is_late)
            };
            let came_before = (other.request()).is_none_or(|other| place(other) <= place(number));
            other.superseded_by.as_ref() == Some(&pin.name) && came_before
        });
        let (later, replaced): (Vec<_>, Vec<_>) =
            replaced.partition(|other| other.name.starts_with("later:"));
        let replaced = if replaced.is_empty() { later } else { replaced };
        let levels = replaced
            .into_iter()
            .filter_map(|other| self.pin_level(at, seen, other, depth + 1));
        levels.max().map(|level| level.min(request.level))
    }
}
