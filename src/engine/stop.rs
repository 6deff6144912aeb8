//! A request from outside to stop at the next settled chunk, and the end of a window.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicI64, AtomicU8, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;

use crate::exit::Exit;

/// Before the end of a window nothing is begun for this long, or half as long again as the longest step so far.
const RESERVE_MILLISECONDS: i64 = 1_000;

/// Why the work was asked to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopReason {
    /// SIGINT.
    Interrupted,
    /// SIGTERM.
    Terminated,
    /// The window is about to close.
    WindowCloses,
}

impl StopReason {
    /// How the program ends because of it.
    #[must_use]
    pub const fn exit(self) -> Exit {
        match self {
            Self::Interrupted => Exit::Interrupted,
            Self::Terminated => Exit::Terminated,
            Self::WindowCloses => Exit::Stopped,
        }
    }
}

/// Shared between whoever may ask to stop, and the engine.
#[derive(Clone, Debug, Default)]
pub struct StopFlag(Arc<Asked>);

#[derive(Debug, Default)]
struct Asked {
    signal: AtomicU8,
    closes: OnceLock<Timestamp>,
    longest_step_milliseconds: AtomicI64,
}

impl StopFlag {
    /// Asks the engine to stop because of a signal; the first one stands.
    pub fn request(&self, reason: StopReason) {
        let value = match reason {
            StopReason::Interrupted => 1,
            StopReason::Terminated => 2,
            StopReason::WindowCloses => return,
        };
        // A later signal does not change the reason.
        let signal = &self.0.signal;
        let _ = signal.compare_exchange(0, value, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// Asks the engine to be done, or stop, before this moment; the first one stands.
    pub fn close_at(&self, closes: Timestamp) {
        let _ = self.0.closes.set(closes);
    }

    /// Notes how long it takes to end what is not left half-way: nothing is begun that would not be done when the
    /// window closes.
    pub fn note_step(&self, took: Duration) {
        let took = i64::try_from(took.as_millis()).unwrap_or(i64::MAX);
        let longest = &self.0.longest_step_milliseconds;
        longest.fetch_max(took, Ordering::Relaxed);
    }

    /// The signal that came.
    #[must_use]
    pub fn signal(&self) -> Option<StopReason> {
        match self.0.signal.load(Ordering::Relaxed) {
            0 => None,
            1 => Some(StopReason::Interrupted),
            _ => Some(StopReason::Terminated),
        }
    }

    /// The reason, once there is one.
    #[must_use]
    pub fn requested(&self) -> Option<StopReason> {
        self.signal().or_else(|| {
            let closes = self.0.closes.get()?;
            let longest = self.0.longest_step_milliseconds.load(Ordering::Relaxed);
            let reserve = RESERVE_MILLISECONDS.max(longest.saturating_add(longest / 2));
            let left = closes.as_millisecond() - Timestamp::now().as_millisecond();
            (left <= reserve).then_some(StopReason::WindowCloses)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::{thread::sleep, time::Duration};

    use jiff::{SignedDuration, Timestamp};

    use super::{StopFlag, StopReason};

    #[test]
    fn what_takes_long_is_not_begun_shortly_before_the_window_closes() {
        let stop = StopFlag::default();
        assert_eq!(stop.requested(), None);
        stop.close_at(Timestamp::now() + SignedDuration::from_millis(1_600));
        assert_eq!(stop.requested(), None);
        stop.note_step(Duration::from_millis(20));
        assert_eq!(stop.requested(), None);
        let long = StopFlag::default();
        long.note_step(Duration::from_millis(900));
        long.close_at(Timestamp::now() + SignedDuration::from_millis(1_250));
        assert_eq!(long.requested(), Some(StopReason::WindowCloses));
        assert_eq!(long.signal(), None);
        stop.request(StopReason::Terminated);
        stop.request(StopReason::Interrupted);
        sleep(Duration::from_millis(700));
        assert_eq!(stop.requested(), Some(StopReason::Terminated));
    }
}
