//! A process of `pinferry run`, transaction by transaction.

use pinferry::store::RunPhase;

use super::{
    counter,
    protocol::{Flaw, Protocol},
    requests::{Person, Ticket},
    world::{At, Caught, Lock, Record, Worker, World},
};

/// Verifications by one process, after which what is captured is left for later.
const MOST_VERIFICATIONS: u8 = 3;

/// The administrator types `pinferry run`.
pub(crate) fn start(world: &mut World) -> bool {
    let phase = world.target.phase;
    let Some(slot) = (world.runners.iter()).position(|runner| runner.at == At::Gone) else {
        return false;
    };
    if phase.is_over() || phase == RunPhase::Aborting {
        return false;
    }
    let Some(worker) = world.acquire() else {
        return false;
    };
    world.runners[slot] = worker;
    true
}

/// One transaction, or what lies between two, of a process that is there.
pub(crate) fn step(protocol: &Protocol, world: &mut World, slot: usize) -> bool {
    let mut worker = world.runners[slot];
    worker.at = match worker.at {
        At::Gone => return false,
        At::Turn => turn(protocol, world, &mut worker),
        At::Saw(phase) => change_legacy(protocol, world, worker, phase),
        At::Extracted(record) => write(protocol, world, worker, |world| commit(world, record)),
        At::Judged(record) => write(protocol, world, worker, |world| {
            if protocol.has(Flaw::ReplaysNobody) {
                return At::Replaced;
            }
            world.target.revocation_told = !protocol.has(Flaw::ReplaysTellNothing);
            replace(world, record);
            At::Replaced
        }),
        At::Replaced => {
            world.legacy.captured = Caught::Processed;
            match world.target.phase {
                RunPhase::CutOver => At::Sealed,
                _before_cut_over => At::Turn,
            }
        }
        at @ (At::LockMade | At::LockChecked | At::LockLost) => lock(protocol, world, worker, at),
        At::ReadBack { passed } => {
            worker.verifications = MOST_VERIFICATIONS.min(worker.verifications + 1);
            write(protocol, world, worker, |world| verdict(world, passed))
        }
        At::Ready => to(protocol, world, worker, RunPhase::CutOver),
        at @ (At::Sealed | At::Diverted | At::Queued) => drain_legacy(protocol, world, worker, at),
        At::Aborting | At::Erased | At::Released => unreachable!("a runner takes nothing back"),
    };
    if worker.at == At::Gone {
        world.leave(worker);
        worker = Worker::GONE;
    }
    world.runners[slot] = worker;
    true
}

/// A transaction under the lease; without it the process ends.
fn write(
    protocol: &Protocol,
    world: &mut World,
    worker: Worker,
    change: impl FnOnce(&mut World) -> At,
) -> At {
    if world.begin(worker, !protocol.has(Flaw::CommitsUnfenced)) {
        change(world)
    } else {
        At::Gone
    }
}

fn to(protocol: &Protocol, world: &mut World, worker: Worker, next: RunPhase) -> At {
    write(protocol, world, worker, |world| {
        if world.pass(world.target.phase, next) {
            At::Turn
        } else {
            world.stuck = true;
            At::Gone
        }
    })
}

/// What the phase asks for; as far as it is one transaction on the target, that.
fn turn(protocol: &Protocol, world: &mut World, worker: &mut Worker) -> At {
    let is_locked = world.legacy.lock == Lock::Engaged;
    match world.target.phase {
        phase @ (RunPhase::Created | RunPhase::Locked | RunPhase::CutOver) => At::Saw(phase),
        RunPhase::Loading if !is_locked => At::Gone,
        RunPhase::Loading if world.target.chunk.is_none() => At::Extracted(world.legacy.record),
        RunPhase::Loading => to(protocol, world, *worker, RunPhase::Loaded),
        RunPhase::Loaded => to(protocol, world, *worker, RunPhase::Indexed),
        RunPhase::Indexed | RunPhase::VerificationFailed => read_back(world),
        RunPhase::Verified if worker.verifications == 0 => read_back(world),
        RunPhase::Verified if !is_locked => At::Gone,
        RunPhase::Verified
            if worker.verifications < MOST_VERIFICATIONS
                && world.legacy.captured == Caught::Waits =>
        {
            to(protocol, world, *worker, RunPhase::Indexed)
        }
        RunPhase::Verified => At::Ready,
        RunPhase::Finished | RunPhase::Aborting | RunPhase::Aborted => At::Gone,
    }
}

/// Guards are made, or sealed, after the phase was read: who is paused between the two does not know what the
/// others did.
fn change_legacy(protocol: &Protocol, world: &mut World, worker: Worker, phase: RunPhase) -> At {
    match (phase, world.legacy.lock) {
        (RunPhase::Created, Lock::Open | Lock::Engaged) | (RunPhase::Locked, Lock::Open) => {
            world.legacy.lock = Lock::Engaged;
            At::LockMade
        }
        (RunPhase::Locked, Lock::Engaged) => to(protocol, world, worker, RunPhase::Loading),
        (RunPhase::CutOver, _any) => {
            world.legacy.lock = Lock::Sealed;
            At::Sealed
        }
        _sealed_by_others => At::Gone,
    }
}

fn lock(protocol: &Protocol, world: &mut World, worker: Worker, at: At) -> At {
    match at {
        At::LockMade if protocol.has(Flaw::LocksForTheAborted) => At::LockChecked,
        At::LockMade if world.begin(worker, true) => At::LockChecked,
        At::LockMade => At::LockLost,
        At::LockLost => {
            if let RunPhase::Aborting | RunPhase::Aborted = world.target.phase {
                world.legacy.release();
            }
            At::Gone
        }
        _checked => match world.target.phase {
            RunPhase::Created => to(protocol, world, worker, RunPhase::Locked),
            _locked_again => write(protocol, world, worker, |_| At::Turn),
        },
    }
}

fn commit(world: &mut World, record: Record) -> At {
    // The cursor moves once.
    if world.target.chunk.is_none() {
        replace(world, record);
    }
    At::Turn
}

/// What the run made of the person, whatever it was before, gives way.
fn replace(world: &mut World, record: Record) {
    world.target.chunk = Some(record);
    world.target.person = Person::migrated(record);
}

/// Captures are replayed first; what is captured meanwhile is read as not settled.
fn read_back(world: &World) -> At {
    let legacy = &world.legacy;
    match (legacy.lock, legacy.captured) {
        (Lock::Open | Lock::Sealed, _any) => At::Gone,
        (Lock::Engaged, Caught::Waits) => At::Judged(legacy.record),
        (Lock::Engaged, _settled) => At::ReadBack {
            passed: world.target.chunk == Some(legacy.record),
        },
    }
}

fn verdict(world: &mut World, passed: bool) -> At {
    let (phase, verdict) = match passed {
        true => (world.target.phase, RunPhase::Verified),
        false => (world.target.phase, RunPhase::VerificationFailed),
    };
    if (phase == verdict || world.pass(phase, verdict)) && passed {
        At::Turn
    } else {
        At::Gone
    }
}

/// Once the legacy is sealed: first captures, then diverted PINs, then the end.
fn drain_legacy(protocol: &Protocol, world: &mut World, worker: Worker, at: At) -> At {
    let marks_first = protocol.has(Flaw::MarksBeforeItQueues);
    match at {
        At::Sealed if world.legacy.captured == Caught::Waits => At::Judged(world.legacy.record),
        At::Sealed
            if world.legacy.diverted == Caught::Waits
                && !protocol.has(Flaw::ForgetsTheDiverted) =>
        {
            if marks_first {
                world.legacy.diverted = Caught::Processed;
            }
            At::Diverted
        }
        At::Diverted => write(protocol, world, worker, |world| {
            counter::take_in(protocol, world, Ticket::Diverted);
            At::Queued
        }),
        At::Queued => {
            world.legacy.diverted = Caught::Processed;
            At::Sealed
        }
        _all_drained => to(protocol, world, worker, RunPhase::Finished),
    }
}
