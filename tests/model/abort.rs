//! A process of `pinferry abort`.

use pinferry::store::RunPhase;

use super::{
    protocol::{Flaw, Protocol},
    world::{At, Lock, Worker, World},
};

/// The administrator types it: because he wants to, or to end what was begun.
pub(crate) fn start(protocol: &Protocol, world: &mut World) -> bool {
    let phase = world.target.phase;
    if world.aborter.at != At::Gone {
        return false;
    }
    if !phase.may_become(RunPhase::Aborting) && phase != RunPhase::Aborting {
        return false;
    }
    let Some(worker) = world.acquire() else {
        return false;
    };
    if protocol.has(Flaw::UnlocksFirst) {
        world.legacy.release();
    }
    world.aborter = worker;
    true
}

/// The same command where the run is aborted, and its lock stands since somebody died while making it.
pub(crate) fn release_what_was_left(world: &mut World) -> bool {
    let is_left = world.target.phase == RunPhase::Aborted && world.legacy.lock == Lock::Engaged;
    if is_left && world.died_locking {
        world.legacy.release();
        return true;
    }
    false
}

/// One transaction of it.
pub(crate) fn step(protocol: &Protocol, world: &mut World) -> bool {
    let mut worker = world.aborter;
    let at = worker.at;
    if at == At::Gone {
        return false;
    }
    // Guards are not in the target: nothing there tells whether the lease lasts.
    let is_ours = at == At::Erased || world.begin(worker, !protocol.has(Flaw::CommitsUnfenced));
    worker.at = match at {
        _lost if !is_ours => At::Gone,
        At::Turn if world.target.phase == RunPhase::Aborting => At::Aborting,
        At::Turn if world.pass(world.target.phase, RunPhase::Aborting) => At::Aborting,
        At::Aborting => {
            world.target.chunk = None;
            world.target.person = super::requests::Person::migrated(super::world::Record::Absent);
            world.target.revocation_told = false;
            At::Erased
        }
        At::Erased => {
            world.legacy.release();
            At::Released
        }
        At::Released => {
            world.pass(RunPhase::Aborting, RunPhase::Aborted);
            At::Gone
        }
        _refused => At::Gone,
    };
    if worker.at == At::Gone {
        world.leave(worker);
        worker = Worker::GONE;
    }
    world.aborter = worker;
    true
}
