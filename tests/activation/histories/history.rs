//! What may happen to one person: legacy records, a first and perhaps a later run, and what counters write.

use std::fmt;

/// Profiles of the alphabet; the last one needs an entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Profile {
    Cit,
    Cdl,
    Pat,
}

impl Profile {
    pub(super) const ALL: [Self; 3] = [Self::Cit, Self::Cdl, Self::Pat];

    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::Cit => "CIT",
            Self::Cdl => "CDL",
            Self::Pat => "PAT",
        }
    }

    pub(super) const fn entity(self) -> &'static str {
        match self {
            Self::Cit | Self::Cdl => "",
            Self::Pat => "E1",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    Ordinary,
    Dispositive,
}

/// What a person has, of the best to the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Active,
    Suspended,
    Pending,
    Revoked,
}

/// When something was issued or accepted, in minutes of the day on which counters worked; long before it, or on the
/// next day.
pub(super) type Minute = i64;

pub(super) const LONG_AGO: Minute = -1_000_000;
pub(super) const NEXT_DAY: Minute = 24 * 60;

/// A moment of the counters' day: so many ten minutes after nine, and whether in the middle of that minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) slot: u8,
    pub(super) is_late: bool,
}

impl Moment {
    pub(super) const fn minute(self) -> Minute {
        9 * 60 + 10 * self.slot as Minute
    }
}

/// Under which code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Code {
    Own,
    /// One that leads to it.
    Old,
}

/// A legacy record.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) profile: Profile,
    pub(super) status: Status,
    pub(super) level: Level,
    /// Of a pending one.
    pub(super) halves: u8,
    /// Issued on the day after the counters', and not years ago.
    pub(super) is_new: bool,
    pub(super) code: Code,
    /// Without a date, so that it is quarantined.
    pub(super) is_undated: bool,
}

impl Record {
    pub(super) const fn issued(&self) -> Minute {
        if self.is_new { NEXT_DAY } else { LONG_AGO }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    NewPin,
    FurtherProfile,
    Replacement,
    Revocation,
    Suspension,
}

impl Kind {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::NewPin => "new_pin",
            Self::FurtherProfile => "further_profile",
            Self::Replacement => "replacement",
            Self::Revocation => "revocation",
            Self::Suspension => "suspension",
        }
    }

    pub(super) const fn takes_away(self) -> bool {
        matches!(self, Self::Revocation | Self::Suspension)
    }

    pub(super) const fn brings_pin(self) -> bool {
        matches!(self, Self::NewPin | Self::Replacement)
    }

    pub(super) const fn asks_for_grant(self) -> bool {
        matches!(self, Self::NewPin | Self::FurtherProfile)
    }
}

/// Whose name stands beside the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Name {
    Own,
    /// None, which only what takes away may do.
    Nobody,
    /// Somebody else's.
    Other,
}

#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) kind: Kind,
    pub(super) at: Moment,
    /// None: all there is, of what takes away.
    pub(super) profile: Option<Profile>,
    pub(super) level: Level,
    pub(super) halves: u8,
    /// Its office's day comes later than that of others.
    pub(super) waits_for_day: bool,
    pub(super) code: Code,
    pub(super) name: Name,
}

/// Of which PIN a half was sent.
#[derive(Clone, Copy, Debug)]
pub(super) enum Sent {
    /// Of the request with this number among those that bring PINs, modulo their number.
    Request(u8),
    /// Of that migrated record of the first source.
    First(u8),
    /// Of that of the later one.
    Later(u8),
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Receipt {
    pub(super) of: Sent,
    pub(super) is_second: bool,
    pub(super) is_delivered: bool,
}

#[derive(Clone, Debug)]
pub(super) enum Line {
    Request(Request),
    Receipt(Receipt),
}

#[derive(Clone, Debug)]
pub(super) enum Step {
    /// A line handed in, in the file of the line before it, or in one of its own.
    HandIn {
        line: Line,
        in_same_file: bool,
    },
    /// The last file once more.
    Again,
    Drain,
    /// The day that later offices wait for.
    DayComes,
    /// While a run is held: of a record of its source.
    TakeUnderLock {
        record: u8,
        at: Moment,
        for_good: bool,
    },
}

/// Where a history is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    BeforeRun,
    Held,
    Live,
    LaterHeld,
    LaterLive,
}

impl Stage {
    pub(super) const ALL: [Self; 5] = [
        Self::BeforeRun,
        Self::Held,
        Self::Live,
        Self::LaterHeld,
        Self::LaterLive,
    ];
}

#[derive(Clone, Debug)]
pub(super) struct History {
    pub(super) first: Vec<Record>,
    /// Of the source that comes later; where it is none, no run does.
    pub(super) later: Vec<Record>,
    /// Whether counters know which code the old one led to.
    pub(super) counters_know_links: bool,
    /// Whether the old code leads to the own one only since the later run.
    pub(super) is_linked_later: bool,
    /// Whether all that may be waited for comes in the end: the day, and the halves of all PINs.
    pub(super) comes_to_an_end: bool,
    /// What happens in each stage.
    pub(super) steps: [Vec<Step>; 5],
}

impl History {
    pub(super) fn has_later_run(&self) -> bool {
        !self.later.is_empty()
    }

    /// What really happens, where a generated step makes no sense at its place.
    pub(super) fn settled(mut self) -> Self {
        let is_there = |records: &[Record]| records.iter().any(|record| !record.is_undated);
        let stands_first = is_there(&self.first);
        self.is_linked_later &= is_there(&self.later);
        if !self.has_later_run() {
            for stage in [Stage::LaterHeld, Stage::LaterLive] {
                let steps = std::mem::take(&mut self.steps[stage as usize]);
                self.steps[Stage::Live as usize].extend(steps);
            }
        }
        let linked_later = self.is_linked_later;
        for record in &mut self.first {
            if linked_later {
                record.code = Code::Own;
            }
        }
        for (stage, steps) in Stage::ALL.into_iter().zip(&mut self.steps) {
            steps.retain_mut(|step| match step {
                Step::HandIn {
                    line: Line::Request(request),
                    ..
                } => {
                    // Whoever is nobody yet has one code: under two he would be two people.
                    if !stands_first || linked_later && !request.kind.takes_away() {
                        request.code = Code::Own;
                    }
                    let takes_away = request.kind.takes_away();
                    if !takes_away && request.name == Name::Nobody {
                        request.name = Name::Own;
                    }
                    // Under a wrong name somebody else would be entered.
                    if !stands_first && !takes_away {
                        request.name = Name::Own;
                    }
                    if !takes_away && request.profile.is_none() {
                        request.profile = Some(Profile::Cit);
                    }
                    true
                }
                Step::TakeUnderLock { .. } => matches!(stage, Stage::Held | Stage::LaterHeld),
                Step::HandIn { .. } | Step::Again | Step::Drain | Step::DayComes => true,
            });
        }
        self
    }

    /// What comes in the end.
    pub(super) fn end(&self) -> Vec<Step> {
        let halves = 0..u8::try_from(self.bringing_pins().len()).unwrap_or(u8::MAX);
        let receipt = |(of, is_second)| Step::HandIn {
            line: Line::Receipt(Receipt {
                of: Sent::Request(of),
                is_second,
                is_delivered: true,
            }),
            in_same_file: true,
        };
        let both = halves.flat_map(|of| [(of, false), (of, true)]);
        let end = [Step::Drain, Step::DayComes].into_iter();
        end.chain(both.map(receipt))
            .filter(|_| self.comes_to_an_end)
            .collect()
    }

    /// All requests, in the order in which they are handed in.
    pub(super) fn requests(&self) -> Vec<&Request> {
        let steps = self.steps.iter().flatten();
        steps
            .filter_map(|step| match step {
                Step::HandIn {
                    line: Line::Request(request),
                    ..
                } => Some(request),
                _another => None,
            })
            .collect()
    }

    /// The numbers of those that bring PINs.
    pub(super) fn bringing_pins(&self) -> Vec<usize> {
        let requests = self.requests();
        let brings = |at: &usize| requests[*at].kind.brings_pin();
        (0..requests.len()).filter(brings).collect()
    }

    /// Whether something is taken away under the lock of that run.
    pub(super) fn is_captured(&self, stage: Stage) -> bool {
        let mut steps = self.steps[stage as usize].iter();
        steps.any(|step| matches!(step, Step::TakeUnderLock { .. }))
    }
}

impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, records) in [("inps", &self.first), ("later", &self.later)] {
            for (at, record) in records.iter().enumerate() {
                writeln!(f, "  {name}:{} {record:?}", at + 1)?;
            }
        }
        writeln!(
            f,
            "  counters know links: {}, linked later: {}, comes to an end: {}",
            self.counters_know_links, self.is_linked_later, self.comes_to_an_end
        )?;
        let mut number = 0;
        for (stage, steps) in Stage::ALL.into_iter().zip(&self.steps) {
            if stage > Stage::Live && !self.has_later_run() {
                continue;
            }
            writeln!(f, "  {stage:?}")?;
            for step in steps {
                if let Step::HandIn {
                    line: Line::Request(request),
                    in_same_file,
                } = step
                {
                    let joins = if *in_same_file { "+" } else { "" };
                    writeln!(f, "    {joins}Q{number} {request:?}")?;
                    number += 1;
                } else {
                    writeln!(f, "    {step:?}")?;
                }
            }
        }
        Ok(())
    }
}
