//! Named steps at which the crash tests kill the process.
//!
//! In a build with the feature `failpoints`, `PINFERRY_FAILPOINT=NAME` or `NAME:N` makes the process kill
//! itself with SIGKILL when it reaches the step for the first (or the N-th) time. Without the feature a
//! step costs nothing and the variable means nothing.

/// Marks a step.
#[cfg(not(feature = "failpoints"))]
#[inline(always)]
pub fn reached(_name: &str) {}

/// Marks a step, and dies there when asked to.
#[cfg(feature = "failpoints")]
pub fn reached(name: &str) {
    use std::sync::atomic::{AtomicU64, Ordering};
    static HITS: AtomicU64 = AtomicU64::new(0);
    let Ok(wanted) = std::env::var("PINFERRY_FAILPOINT") else {
        return;
    };
    let (step, count) = match wanted.split_once(':') {
        Some((step, count)) => (step, count.parse().unwrap_or(1)),
        None => (wanted.as_str(), 1),
    };
    if step == name && HITS.fetch_add(1, Ordering::Relaxed) + 1 == count {
        let _ =
            rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
        loop {
            std::thread::park();
        }
    }
}
