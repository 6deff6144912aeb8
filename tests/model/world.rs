//! The state of the small world: one legacy record, one chunk, one person, and the processes that work on them.

use pinferry::store::RunPhase;

use super::requests::{Known, Person, Ticket};

/// When what happens to the person is accepted: by the counters' clocks, and by the legacy's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Times {
    pub(crate) new_pin: u8,
    pub(crate) revocation: u8,
    pub(crate) diverted: u8,
    /// Of the revocation under the lock.
    pub(crate) captured: u8,
}

impl Times {
    pub(crate) fn of(&self, ticket: Ticket) -> u8 {
        match ticket {
            Ticket::NewPin => self.new_pin,
            Ticket::Revocation => self.revocation,
            Ticket::Diverted => self.diverted,
        }
    }
}

/// The person's legacy record, where it stands or as it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Record {
    Absent,
    Active,
    Revoked,
}

/// The guards of the legacy, all of them this run's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Lock {
    Open,
    Engaged,
    Sealed,
}

/// A row of the capture or the divert table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Caught {
    Nothing,
    Waits,
    Processed,
    /// In the legacy again, by an abort.
    HandedBack,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Legacy {
    pub(crate) record: Record,
    pub(crate) lock: Lock,
    pub(crate) captured: Caught,
    pub(crate) diverted: Caught,
}

impl Legacy {
    pub(crate) fn release(&mut self) {
        self.lock = Lock::Open;
        if self.diverted == Caught::Waits {
            self.diverted = Caught::HandedBack;
        }
    }
}

/// A row of the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Row {
    None,
    Accepted,
    Superseded,
    Done,
    Failed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Target {
    pub(crate) phase: RunPhase,
    pub(crate) epoch: u8,
    /// Whether the lease of that epoch lasts.
    pub(crate) leased: bool,
    /// What the run's only chunk made of the record, once it is committed.
    pub(crate) chunk: Option<Record>,
    /// The event of the replay tells of the revocation under the lock.
    pub(crate) revocation_told: bool,
    pub(crate) queue: [Row; 3],
    pub(crate) person: Person,
    /// How often each request took effect.
    pub(crate) activations: [u8; 3],
}

/// Where a process that works on the run is, between two transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum At {
    /// There is none.
    Gone,
    /// Before it looks at the run's phase.
    Turn,
    /// It saw a phase in which it changes the legacy.
    Saw(RunPhase),
    /// The guards stand; what others did to the run meanwhile is yet to be seen.
    LockMade,
    LockLost,
    LockChecked,
    Extracted(Record),
    /// A captured person, judged again.
    Judged(Record),
    /// The same is committed, and not marked in the legacy.
    Replaced,
    ReadBack {
        passed: bool,
    },
    /// No capture waits.
    Ready,
    Sealed,
    /// It read the divert table.
    Diverted,
    /// What it read is in the queue, and not marked in the legacy.
    Queued,
    /// Taking the run back.
    Aborting,
    Erased,
    Released,
}

/// A process with a lease, or with one that it lost and does not know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Worker {
    pub(crate) at: At,
    pub(crate) epoch: u8,
    pub(crate) verifications: u8,
}

impl Worker {
    pub(crate) const GONE: Self = Self {
        at: At::Gone,
        epoch: 0,
        verifications: 0,
    };
}

/// A drain, inside its transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Drain {
    Gone,
    /// It holds these rows.
    Claimed([bool; 3], Known),
    /// Only where marks are apart from effects: these took effect.
    Unmarked([bool; 3]),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct World {
    pub(crate) times: Times,
    /// What the legacy held before the run.
    pub(crate) before: Record,
    pub(crate) legacy: Legacy,
    pub(crate) target: Target,
    /// Which files the counters handed in and had answers for.
    pub(crate) answered: [bool; 2],
    /// The hour of the requests that wait for one has come.
    pub(crate) day_has_come: bool,
    pub(crate) runners: [Worker; 2],
    pub(crate) aborter: Worker,
    pub(crate) abort_was_asked: bool,
    pub(crate) drains: [Drain; 2],
    /// Crashes and pauses that may yet happen.
    pub(crate) mishaps: u8,
    /// A process died while it locked the legacy.
    pub(crate) died_locking: bool,
    /// A process whose lease another has taken over committed something.
    pub(crate) stale_commit: bool,
    /// The run's phase did not let a runner pass that holds the lease.
    pub(crate) stuck: bool,
}

impl World {
    pub(crate) fn new(before: Record, times: Times, mishaps: u8) -> Self {
        Self {
            times,
            before,
            legacy: Legacy {
                record: before,
                lock: Lock::Open,
                captured: Caught::Nothing,
                diverted: Caught::Nothing,
            },
            target: Target {
                phase: RunPhase::Created,
                epoch: 0,
                leased: false,
                chunk: None,
                revocation_told: false,
                queue: [Row::None; 3],
                person: Person::migrated(Record::Absent),
                activations: [0; 3],
            },
            answered: [false; 2],
            day_has_come: false,
            runners: [Worker::GONE; 2],
            aborter: Worker::GONE,
            abort_was_asked: false,
            drains: [Drain::Gone; 2],
            mishaps,
            died_locking: false,
            stale_commit: false,
            stuck: false,
        }
    }

    /// Processes that are alike are interchangeable.
    pub(crate) fn sorted(mut self) -> Self {
        self.runners.sort_unstable();
        self.drains.sort_unstable();
        self
    }

    /// Takes the lease, if nobody has it.
    pub(crate) fn acquire(&mut self) -> Option<Worker> {
        if self.target.leased {
            return None;
        }
        self.target.leased = true;
        self.target.epoch += 1;
        Some(Worker {
            at: At::Turn,
            epoch: self.target.epoch,
            verifications: 0,
        })
    }

    /// Whether a transaction of this worker begins; every one renews the lease.
    pub(crate) fn begin(&mut self, worker: Worker, is_fenced: bool) -> bool {
        let is_stale = worker.epoch != self.target.epoch;
        if is_stale && is_fenced {
            return false;
        }
        self.stale_commit |= is_stale;
        self.target.leased |= !is_stale;
        true
    }

    /// Gives the lease back.
    pub(crate) fn leave(&mut self, worker: Worker) {
        if worker.epoch == self.target.epoch {
            self.target.leased = false;
        }
    }

    /// The run's next phase, if there is such a step.
    pub(crate) fn pass(&mut self, from: RunPhase, to: RunPhase) -> bool {
        let may = self.target.phase == from && from.may_become(to);
        if may {
            self.target.phase = to;
        }
        may
    }
}
