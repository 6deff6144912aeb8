//! What becomes of the person by the documents: one event after the other in the order of acceptance, whatever came in
//! when. It knows nothing of queues, drains or rows.
//!
//! Where two orders of arrival come to two ends by the documents it takes from the target which it was: a request that
//! was done before what overtakes it came in took effect and was taken away again, one that gave its place to another
//! had none.

use std::collections::BTreeMap;

use super::history::{History, Kind, LONG_AGO, Level, Minute, Profile, Record, Request, Status};

/// A PIN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pin {
    pub(super) name: String,
    pub(super) status: Status,
    pub(super) level: Level,
    /// Of a migrated one.
    record: Option<usize>,
    /// When it was issued or asked for; one that replaced another goes back to that one.
    pub(super) came: Minute,
    superseded_by: Option<String>,
}

/// Where revoked is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Grant {
    pub(super) status: Status,
    pub(super) level: Level,
}

/// A migrated record, by its name and as the run found it.
#[derive(Clone, Debug)]
pub(super) struct Migrated {
    pub(super) name: String,
    pub(super) record: Record,
    /// Whether all of a pending PIN is delivered by the end.
    pub(super) is_whole: bool,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Person {
    records: Vec<Migrated>,
    pub(super) pin: Option<Pin>,
    retired: Vec<Pin>,
    pub(super) grants: BTreeMap<Profile, Grant>,
}

/// Something that happens to a person, in the order of acceptance.
#[derive(Clone, Copy, Debug)]
pub(super) struct Happens<'h> {
    pub(super) number: usize,
    pub(super) request: &'h Request,
}

/// All requests in the order of acceptance: what takes away comes after what was accepted at the same minute.
pub(super) fn in_order(history: &History) -> Vec<Happens<'_>> {
    let requests = history.requests().into_iter().enumerate();
    let mut happens: Vec<_> = requests
        .map(|(number, request)| Happens { number, request })
        .collect();
    happens.sort_by_key(|one| place(one.number, one.request));
    happens
}

pub(super) fn place(number: usize, request: &Request) -> (Minute, bool, bool, usize) {
    let takes_away = request.kind.takes_away();
    let is_late = request.at.is_late && !takes_away;
    (request.at.minute(), takes_away, is_late, number)
}

impl Person {
    /// As migrated (rules 5 and 6), with what was delivered since; nobody without records.
    pub(super) fn migrated(records: Vec<Migrated>) -> Option<Self> {
        if records.is_empty() {
            return None;
        }
        let mut person = Self::default();
        let mut candidates: Vec<_> = (records.iter().enumerate())
            .filter(|(_, one)| one.record.status != Status::Revoked)
            .collect();
        candidates.sort_by_key(|(at, one)| {
            let record = &one.record;
            let is_newer = std::cmp::Reverse((record.level, record.is_new));
            (rank(record.status), is_newer, *at)
        });
        let survivor = candidates.first().map(|(_, one)| one.name.clone());
        for (at, one) in candidates {
            let is_survivor = Some(&one.name) == survivor.as_ref();
            let pin = Pin {
                name: one.name.clone(),
                status: one.now(),
                level: one.record.level,
                record: Some(at),
                came: one.record.issued(),
                superseded_by: survivor.clone().filter(|_| !is_survivor),
            };
            match is_survivor {
                true => person.pin = Some(pin),
                false => person.retired.push(pin),
            }
        }
        for profile in Profile::ALL {
            if let Some(grant) = granted(&records, profile) {
                person.grants.insert(profile, grant);
            }
        }
        person.records = records;
        Some(person)
    }

    /// Gives a profile that a later source brings to somebody who never had it (rule 10), and one that waits for a delivery
    /// where a PIN that it brings for it is delivered: the source raises nothing, the delivery does.
    pub(super) fn join(&mut self, records: Vec<Migrated>, had: impl Fn(Profile) -> bool) {
        for profile in Profile::ALL {
            if let Some(grant) = granted(&records, profile).filter(|_| !had(profile)) {
                self.grants.insert(profile, grant);
            } else if let Some(grant) = self.grants.get_mut(&profile)
                && let Some(delivered) = delivered(&records, profile)
                && grant.status == Status::Pending
            {
                grant.status = Status::Active;
                grant.level = grant.level.min(delivered);
            }
        }
        self.records.extend(records);
    }

    /// A request that gives, and takes effect.
    pub(super) fn given(&mut self, number: usize, request: &Request) {
        match (request.kind, request.profile) {
            (Kind::NewPin, Some(profile)) => {
                self.grant(profile, request.level);
                let came = request.at.minute();
                self.put((number, came), request.level, Status::Active);
            }
            (Kind::FurtherProfile, Some(profile)) => {
                // Where nobody has a PIN by now it was given before that was taken away.
                let most = self.pin.as_ref().map_or(request.level, |pin| pin.level);
                self.grant(profile, request.level.min(most));
            }
            (Kind::Replacement, _) => self.replace((number, request.at.minute()), request.level),
            (Kind::NewPin | Kind::FurtherProfile | Kind::Revocation | Kind::Suspension, _) => {}
        }
    }

    /// An active grant is raised and never lowered; any other becomes active as it was documented anew.
    fn grant(&mut self, profile: Profile, level: Level) {
        let held = self.grants.get(&profile).copied();
        let level = match held {
            Some(held) if held.status == Status::Active => held.level.max(level),
            Some(_) | None => level,
        };
        let status = Status::Active;
        self.grants.insert(profile, Grant { status, level });
    }

    fn put(&mut self, (number, came): (usize, Minute), level: Level, status: Status) {
        let name = format!("activation:Q{number}");
        if let Some(mut present) = self.pin.take() {
            present.superseded_by = Some(name.clone());
            self.retired.push(present);
        }
        self.pin = Some(Pin {
            name,
            status,
            level,
            record: None,
            came,
            superseded_by: None,
        });
    }

    /// Never above the present PIN, and suspended where that is; with it comes what waited for the delivery of a pending
    /// one.
    fn replace(&mut self, (number, at): (usize, Minute), level: Level) {
        let Some(present) = self.pin.clone() else {
            return;
        };
        let level = level.min(present.level);
        let status = match present.status {
            Status::Suspended => Status::Suspended,
            Status::Active | Status::Pending | Status::Revoked => Status::Active,
        };
        if let (Status::Pending, Some(record)) = (present.status, present.record) {
            let profile = self.records[record].record.profile;
            if let Some(grant) = self.grants.get_mut(&profile)
                && grant.status == Status::Pending
            {
                grant.status = Status::Active;
                grant.level = grant.level.min(level);
            }
        }
        self.put((number, present.came.min(at)), level, status);
    }

    /// What takes away.
    pub(super) fn taken(&mut self, request: &Request) {
        let (at, gone) = (request.at.minute(), request.kind);
        let profiles: Vec<_> = self.grants.keys().copied().collect();
        for profile in profiles {
            if request.profile.is_none_or(|meant| meant == profile) {
                self.take_grant(profile, at, gone);
            }
        }
        let Some(pin) = self.pin.clone().filter(|_| request.profile.is_none()) else {
            return;
        };
        if pin.came > at {
            return;
        }
        // A PIN that the legacy issued later comes in the place of the one it gave way to.
        let gave_way = self.retired.iter().filter(|retired| {
            self.leads_to(retired, &pin.name)
                && retired.status != Status::Revoked
                && retired.came > at
        });
        let next = gave_way.max_by_key(|retired| {
            let better = std::cmp::Reverse(rank(retired.status));
            (retired.record.is_none(), better, retired.level)
        });
        let next = next.cloned();
        if let Some(mut next) = next {
            self.retired.retain(|retired| retired.name != next.name);
            next.superseded_by = None;
            self.pin = Some(next);
        } else if gone == Kind::Revocation {
            self.pin = None;
        } else if let Some(pin) = &mut self.pin {
            pin.status = Status::Suspended;
        }
    }

    fn leads_to(&self, retired: &Pin, pin: &str) -> bool {
        let next = retired.superseded_by.as_deref();
        next.is_some_and(|name| {
            let mut others = self.retired.iter();
            name == pin || others.any(|other| other.name == name && self.leads_to(other, pin))
        })
    }

    /// One that a later record was issued for stays, at that one's level.
    pub(super) fn take_grant(&mut self, profile: Profile, at: Minute, gone: Kind) {
        let Some(grant) = self.grants.get_mut(&profile) else {
            return;
        };
        let later = self.records.iter().filter(|one| {
            let record = &one.record;
            let speaks = one.now() == grant.status
                || record.status == Status::Pending
                    && grant.status == Status::Active
                    && one.is_whole;
            record.profile == profile
                && record.issued() > at
                && record.issued() > LONG_AGO
                && speaks
        });
        if let Some(level) = later.map(|one| one.record.level).max() {
            grant.level = grant.level.min(level);
            return;
        }
        grant.status = match (gone, grant.status) {
            (Kind::Revocation, _) | (_, Status::Revoked) => Status::Revoked,
            (_, Status::Active | Status::Pending | Status::Suspended) => Status::Suspended,
        };
    }
}

impl Migrated {
    /// As it is with what was delivered.
    fn now(&self) -> Status {
        match self.record.status {
            Status::Pending if self.is_whole => Status::Active,
            status => status,
        }
    }
}

const fn rank(status: Status) -> u8 {
    match status {
        Status::Active => 0,
        Status::Suspended => 1,
        Status::Pending => 2,
        Status::Revoked => 3,
    }
}

/// The grant that records of a profile make: as the best is, at the highest level among those.
fn granted(all: &[Migrated], profile: Profile) -> Option<Grant> {
    let records = all.iter().filter(|one| one.record.profile == profile);
    let best = (records.clone().map(|one| one.record.status)).min_by_key(|status| rank(*status))?;
    let best_ones = records.filter(|one| one.record.status == best);
    let level = best_ones.map(|one| one.record.level).max()?;
    let delivered = (best == Status::Pending).then(|| delivered(all, profile));
    Some(match delivered.flatten() {
        Some(delivered) => Grant {
            status: Status::Active,
            level: level.min(delivered),
        },
        None => Grant {
            status: best,
            level,
        },
    })
}

/// The highest level of the pending PINs for a profile that are delivered.
fn delivered(records: &[Migrated], profile: Profile) -> Option<Level> {
    let pending = records.iter().filter(|one| {
        let record = &one.record;
        record.profile == profile && record.status == Status::Pending && one.is_whole
    });
    pending.map(|one| one.record.level).max()
}
