//! Named steps at which the crash tests kill the process.
//!
//! In a build with the feature `failpoints`, `PINFERRY_FAILPOINT=NAME` or `NAME:N` makes the process kill
//! itself with SIGKILL when it reaches the step for the first (or the N-th) time, and `@FILE` when it reaches
//! the first step that the file names, one a line: the line goes, so that the next process gets further.
//! Without the feature a step costs nothing and the variable means nothing.

/// What kind of work reaches a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Locking, running, taking requests in, activating.
    Job,
    /// Aborting.
    Abort,
    /// What only an administrator does by hand.
    ByHand,
}

/// A step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailStep {
    /// Its name: a noun and what happens to it.
    pub name: &'static str,
    /// What reaches it.
    pub stage: Stage,
}

const fn of(stage: Stage, name: &'static str) -> FailStep {
    FailStep { name, stage }
}

/// Every step.
pub const STEPS: &[FailStep] = &[
    of(Stage::Job, "target.create"),
    of(Stage::Job, "target.drafted"),
    of(Stage::Job, "target.created"),
    of(Stage::Job, "run.create"),
    of(Stage::Job, "run.commit"),
    of(Stage::Job, "run.created"),
    of(Stage::Job, "lease.acquire"),
    of(Stage::Job, "lease.acquired"),
    of(Stage::Job, "lease.release"),
    of(Stage::Job, "lease.released"),
    of(Stage::Job, "lock.engage"),
    of(Stage::Job, "lock.engaged"),
    of(Stage::Job, "phase.commit"),
    of(Stage::Job, "phase.committed"),
    of(Stage::Job, "layout.commit"),
    of(Stage::Job, "layout.committed"),
    of(Stage::Job, "chunk.rows"),
    of(Stage::Job, "chunk.commit"),
    of(Stage::Job, "chunk.committed"),
    of(Stage::Job, "index.build"),
    of(Stage::Job, "index.built"),
    of(Stage::Job, "index.commit"),
    of(Stage::Job, "index.committed"),
    of(Stage::Job, "replace.rows"),
    of(Stage::Job, "replace.commit"),
    of(Stage::Job, "replace.committed"),
    of(Stage::Job, "capture.mark"),
    of(Stage::Job, "capture.marked"),
    of(Stage::Job, "verify.begin"),
    of(Stage::Job, "verify.read"),
    of(Stage::Job, "verify.done"),
    of(Stage::Job, "verdict.commit"),
    of(Stage::Job, "verdict.committed"),
    of(Stage::Job, "cut_over.begin"),
    of(Stage::Job, "cut_over.commit"),
    of(Stage::Job, "cut_over.committed"),
    of(Stage::Job, "lock.seal"),
    of(Stage::Job, "lock.sealed"),
    of(Stage::Job, "divert.commit"),
    of(Stage::Job, "divert.committed"),
    of(Stage::Job, "divert.mark"),
    of(Stage::Job, "divert.marked"),
    of(Stage::Job, "finish.commit"),
    of(Stage::Job, "finish.committed"),
    of(Stage::Job, "intake.commit"),
    of(Stage::Job, "intake.committed"),
    of(Stage::Job, "result.write"),
    of(Stage::Job, "file.rename"),
    of(Stage::Job, "file.renamed"),
    of(Stage::Job, "activation.begin"),
    of(Stage::Job, "activation.claimed"),
    of(Stage::Job, "activation.effect"),
    of(Stage::Job, "activation.commit"),
    of(Stage::Job, "activation.committed"),
    of(Stage::Abort, "erase.rows"),
    of(Stage::Abort, "erase.commit"),
    of(Stage::Abort, "erase.committed"),
    of(Stage::Abort, "abort.release"),
    of(Stage::Abort, "abort.released"),
    of(Stage::Abort, "lock.release"),
    of(Stage::Abort, "lock.released"),
    of(Stage::Abort, "lock.sweep"),
    of(Stage::Abort, "lock.swept"),
    of(Stage::Abort, "aborted.commit"),
    of(Stage::Abort, "aborted.committed"),
    of(Stage::ByHand, "notices.written"),
    of(Stage::ByHand, "notices.rename"),
    of(Stage::ByHand, "notices.renamed"),
    of(Stage::ByHand, "schema.migrate"),
    of(Stage::ByHand, "schema.migrated"),
    of(Stage::ByHand, "lock.give_back"),
    of(Stage::ByHand, "lock.given_back"),
    of(Stage::ByHand, "audit.commit"),
    of(Stage::ByHand, "audit.committed"),
    of(Stage::ByHand, "lock.break"),
    of(Stage::ByHand, "lock.broken"),
];

/// Marks a step.
#[cfg(not(feature = "failpoints"))]
#[inline(always)]
pub fn reached(_name: &str) {}

/// Marks a step, and dies there when asked to.
#[cfg(feature = "failpoints")]
pub fn reached(name: &str) {
    use std::sync::atomic::{AtomicU64, Ordering};
    static HITS: AtomicU64 = AtomicU64::new(0);
    assert!(
        STEPS.iter().any(|step| step.name == name),
        "{name} is not in the list of steps"
    );
    let Ok(wanted) = std::env::var("PINFERRY_FAILPOINT") else {
        return;
    };
    if let Some(file) = wanted.strip_prefix('@') {
        strike_out(name, std::path::Path::new(file), die);
        return;
    }
    let (step, count) = match wanted.split_once(':') {
        Some((step, count)) => (step, count.parse().unwrap_or(1)),
        None => (wanted.as_str(), 1),
    };
    if step == name && HITS.fetch_add(1, Ordering::Relaxed) + 1 == count {
        die();
    }
}

/// Takes the first line that names the step out of the file; `then` what follows from it, before another thread may.
#[cfg(feature = "failpoints")]
fn strike_out(name: &str, file: &std::path::Path, then: impl FnOnce()) {
    static ONE_AT_A_TIME: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let Ok(_alone) = ONE_AT_A_TIME.lock() else {
        return;
    };
    let steps = std::fs::read_to_string(file).unwrap_or_default();
    let mut left: Vec<&str> = steps.lines().collect();
    let Some(at) = left.iter().position(|step| *step == name) else {
        return;
    };
    left.remove(at);
    if std::fs::write(file, left.join("\n")).is_ok() {
        then();
    }
}

#[cfg(feature = "failpoints")]
fn die() {
    let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    loop {
        std::thread::park();
    }
}
