//! All that can happen in the small world, and what must hold whatever happens.

use pinferry::store::RunPhase;
use stateright::{Model, Property};

use super::{
    abort, counter, drain, legacy, oracle,
    requests::{Decisions, Ticket},
    runner,
    world::{At, Caught, Drain, Lock, Row, World},
};

/// A mistake the program could make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// A transaction does not ask whether the lease is still its own.
    CommitsUnfenced,
    /// Who locks the legacy does not look whether its run was aborted meanwhile.
    LocksForTheAborted,
    /// An abort opens the legacy before it says so in the target.
    UnlocksFirst,
    /// A replay marks captures, and judges nobody again.
    ReplaysNobody,
    /// A replay does not say what was revoked.
    ReplaysTellNothing,
    /// Diverted PINs are marked in the legacy before they are in the queue.
    MarksBeforeItQueues,
    /// A run ends without looking into the divert table.
    ForgetsTheDiverted,
    /// What comes in later takes the place of what was accepted later.
    SupersedesByArrival,
    /// The queue takes a request it has in again.
    ForgetsWhatItTook,
    /// A drain does not ask whether the run is finished.
    ActivatesAtOnce,
    /// A drain does not ask whether the day has come.
    IgnoresTheDay,
    /// A drain takes people whom another one has.
    ClaimsTogether,
    /// Done-marks are a transaction of their own.
    MarksApart,
}

/// One thing that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Happening {
    StartRun,
    Run(usize),
    AbortIsAsked,
    AbortAgain,
    ReleaseWhatWasLeft,
    Abort,
    Claim(usize),
    Activate(usize),
    HandIn(Ticket),
    HandInUnanswered(Ticket),
    LegacyRevokes,
    LegacyIssues,
    DayComes,
    RunnerDies(usize),
    RunnerIsPaused(usize),
    AborterDies,
    AborterIsPaused,
    DrainDies(usize),
}

impl Happening {
    /// What happens by itself: processes go on, cron starts drains, and the administrator types what `status` says.
    const OF_ITSELF: [Self; 10] = [
        Self::StartRun,
        Self::Run(0),
        Self::Run(1),
        Self::AbortAgain,
        Self::ReleaseWhatWasLeft,
        Self::Abort,
        Self::Claim(0),
        Self::Claim(1),
        Self::Activate(0),
        Self::Activate(1),
    ];

    /// What may happen or not.
    const BY_CHANCE: [Self; 16] = [
        Self::AbortIsAsked,
        Self::HandIn(Ticket::NewPin),
        Self::HandIn(Ticket::Revocation),
        Self::HandInUnanswered(Ticket::NewPin),
        Self::HandInUnanswered(Ticket::Revocation),
        Self::LegacyRevokes,
        Self::LegacyIssues,
        Self::DayComes,
        Self::RunnerDies(0),
        Self::RunnerDies(1),
        Self::RunnerIsPaused(0),
        Self::RunnerIsPaused(1),
        Self::AborterDies,
        Self::AborterIsPaused,
        Self::DrainDies(0),
        Self::DrainDies(1),
    ];
}

/// The protocol as it is, or with a flaw.
#[derive(Default)]
pub(crate) struct Protocol {
    pub(crate) worlds: Vec<World>,
    pub(crate) flaw: Option<Flaw>,
    pub(crate) decisions: Decisions,
}

impl Protocol {
    pub(crate) fn has(&self, flaw: Flaw) -> bool {
        self.flaw == Some(flaw)
    }

    /// The world after that, if it can happen.
    pub(crate) fn after(&self, world: &World, happening: Happening) -> Option<World> {
        let mut next = *world;
        let happens = match happening {
            Happening::StartRun => runner::start(&mut next),
            Happening::Run(slot) => runner::step(self, &mut next, slot),
            Happening::AbortIsAsked => {
                let is_asked = !world.abort_was_asked && abort::start(self, &mut next);
                next.abort_was_asked |= is_asked;
                is_asked
            }
            Happening::AbortAgain => {
                world.target.phase == RunPhase::Aborting && abort::start(self, &mut next)
            }
            Happening::ReleaseWhatWasLeft => abort::release_what_was_left(&mut next),
            Happening::Abort => abort::step(self, &mut next),
            Happening::Claim(slot) => drain::claim(self, &mut next, slot),
            Happening::Activate(slot) => drain::commit(self, &mut next, slot),
            Happening::HandIn(ticket) => counter::hand_in(self, &mut next, ticket),
            Happening::HandInUnanswered(ticket) => {
                counter::hand_in_unanswered(self, &mut next, ticket)
            }
            Happening::LegacyRevokes => legacy::revoke(&mut next),
            Happening::LegacyIssues => legacy::issue(&mut next),
            Happening::DayComes => !std::mem::replace(&mut next.day_has_come, true),
            _mishap => mishap(&mut next, happening),
        };
        happens.then(|| next.sorted())
    }

    /// Whether nothing happens by itself any more.
    fn rests(&self, world: &World) -> bool {
        (Happening::OF_ITSELF.iter()).all(|happening| self.after(world, *happening).is_none())
    }
}

/// A process dies, or sleeps until its lease has run out.
fn mishap(world: &mut World, happening: Happening) -> bool {
    if world.mishaps == 0 {
        return false;
    }
    world.mishaps -= 1;
    let (worker, dies) = match happening {
        Happening::RunnerDies(slot) => (&mut world.runners[slot], true),
        Happening::RunnerIsPaused(slot) => (&mut world.runners[slot], false),
        Happening::AborterDies => (&mut world.aborter, true),
        Happening::AborterIsPaused => (&mut world.aborter, false),
        Happening::DrainDies(slot) => {
            let was_there = world.drains[slot] != Drain::Gone;
            world.drains[slot] = Drain::Gone;
            return was_there;
        }
        _no_mishap => return false,
    };
    let victim = *worker;
    if dies {
        *worker = super::world::Worker::GONE;
    }
    let holds = victim.epoch == world.target.epoch && world.target.leased;
    if holds {
        world.target.leased = false;
    }
    world.died_locking |= dies && matches!(victim.at, At::LockMade | At::LockLost);
    victim.at != At::Gone && (dies || holds)
}

impl Model for Protocol {
    type State = World;
    type Action = Happening;

    fn init_states(&self) -> Vec<World> {
        self.worlds.clone()
    }

    fn actions(&self, world: &World, actions: &mut Vec<Happening>) {
        let all = Happening::OF_ITSELF.iter().chain(&Happening::BY_CHANCE);
        actions.extend(all.filter(|happening| self.after(world, **happening).is_some()));
    }

    fn next_state(&self, world: &World, happening: Happening) -> Option<World> {
        self.after(world, happening)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(NO_STALE_COMMIT, |_, world: &World| !world.stale_commit),
            Property::always(THE_LOCK_STANDS, |_, world: &World| the_lock_stands(world)),
            Property::always(NOTHING_LOST, |_, world: &World| nothing_is_lost(world)),
            Property::always(ONCE, |_, world: &World| {
                world.target.activations.iter().all(|times| *times < 2)
            }),
            Property::always(NOT_BEFORE_CUT_OVER, |_, world: &World| {
                world.target.phase == RunPhase::Finished || world.target.activations == [0; 3]
            }),
            Property::always(NOT_BEFORE_ITS_DAY, |_, world: &World| {
                let [new_pin, _, diverted] = world.target.activations;
                world.day_has_come || (new_pin, diverted) == (0, 0)
            }),
            Property::always(NEVER_STUCK, |_, world: &World| !world.stuck),
            Property::always(VERIFIES, |_, world: &World| {
                world.target.phase != RunPhase::VerificationFailed
            }),
            Property::always(NO_RIGHT_LEFT, |protocol: &Self, world: &World| {
                !is_settled(world)
                    || oracle::is_to_have_access(world)
                    || !protocol.gives_access(world)
            }),
            Property::always(NO_RIGHT_MISSING, |protocol: &Self, world: &World| {
                !is_settled(world)
                    || !oracle::is_to_have_access(world)
                    || protocol.gives_access(world)
            }),
            Property::always(EVERYTHING_ENDS, |protocol: &Self, world: &World| {
                has_ended(protocol, world) || !protocol.rests(world)
            }),
            Property::sometimes("a run is finished", |_, world: &World| is_settled(world)),
            Property::sometimes("a run is aborted", |_, world: &World| {
                world.target.phase == RunPhase::Aborted
            }),
        ]
    }
}

pub(crate) const NO_STALE_COMMIT: &str = "nothing of a stale epoch is committed";
pub(crate) const THE_LOCK_STANDS: &str = "the lock stands as long as the run rests on it";
pub(crate) const NOTHING_LOST: &str = "no request is lost";
pub(crate) const ONCE: &str = "nothing takes effect twice";
pub(crate) const NOT_BEFORE_CUT_OVER: &str = "nothing takes effect before cut-over";
pub(crate) const NOT_BEFORE_ITS_DAY: &str = "nothing takes effect before its day";
pub(crate) const NEVER_STUCK: &str = "every phase has the step that a runner takes";
pub(crate) const VERIFIES: &str = "every verification passes";
pub(crate) const NO_RIGHT_LEFT: &str = "whoever was revoked last has no access";
pub(crate) const NO_RIGHT_MISSING: &str = "whoever was accepted last has access";
pub(crate) const EVERYTHING_ENDS: &str = "every run ends, and what is due is settled";

impl Protocol {
    fn gives_access(&self, world: &World) -> bool {
        self.decisions.has_access(&world.times, world.target.person)
    }
}

fn the_lock_stands(world: &World) -> bool {
    match world.target.phase {
        RunPhase::Created | RunPhase::Aborting | RunPhase::Aborted | RunPhase::Locked => true,
        RunPhase::Loading
        | RunPhase::Loaded
        | RunPhase::Indexed
        | RunPhase::Verified
        | RunPhase::VerificationFailed => world.legacy.lock == Lock::Engaged,
        RunPhase::CutOver => world.legacy.lock != Lock::Open,
        RunPhase::Finished => world.legacy.lock == Lock::Sealed,
    }
}

/// Accepted requests are in the queue, or where the legacy keeps them.
fn nothing_is_lost(world: &World) -> bool {
    let queued = |ticket: Ticket| world.target.queue[ticket as usize] != Row::None;
    let answered = [Ticket::NewPin, Ticket::Revocation];
    let counters =
        (answered.into_iter()).all(|ticket| !world.answered[ticket as usize] || queued(ticket));
    let is_over = world.target.phase == RunPhase::Finished;
    let diverted = match world.legacy.diverted {
        Caught::Nothing | Caught::HandedBack => true,
        Caught::Waits => !is_over && world.legacy.lock != Lock::Open || queued(Ticket::Diverted),
        Caught::Processed => queued(Ticket::Diverted),
    };
    counters && diverted
}

/// The run is finished, and nothing waits in the queue.
fn is_settled(world: &World) -> bool {
    world.target.phase == RunPhase::Finished && !world.target.queue.contains(&Row::Accepted)
}

fn has_ended(protocol: &Protocol, world: &World) -> bool {
    match world.target.phase {
        RunPhase::Finished => {
            let is_any_due = Ticket::ALL
                .iter()
                .any(|ticket| drain::is_due(protocol, world, *ticket));
            world.legacy.lock == Lock::Sealed
                && world.legacy.captured != Caught::Waits
                && world.legacy.diverted != Caught::Waits
                && !is_any_due
        }
        RunPhase::Aborted => world.legacy.lock == Lock::Open,
        _under_way => false,
    }
}
