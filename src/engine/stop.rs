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

/// What becomes of the work when its window closes before cut-over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AtClose {
    /// It waits for the next window, the management lock held.
    #[default]
    KeepLock,
    /// It is taken back, so that the legacy is open when the window closes.
    TakeBack,
}

/// Shared between whoever may ask to stop, and the engine.
#[derive(Clone, Debug, Default)]
pub struct StopFlag {
    signal: Arc<AtomicU8>,
    window: Arc<Window>,
}

#[derive(Debug, Default)]
struct Window {
    closes: OnceLock<(Timestamp, AtClose)>,
    longest_step_milliseconds: AtomicI64,
    taking_back_milliseconds: AtomicI64,
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
        let signal = &self.signal;
        let _ = signal.compare_exchange(0, value, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// Asks the engine to be done, or stop, before this moment; the first one stands.
    pub fn close_at(&self, closes: Timestamp, at_close: AtClose) {
        let _ = self.window.closes.set((closes, at_close));
    }

    /// The same flag for what is done because the window closes: only signals stop that.
    #[must_use]
    pub fn signals_only(&self) -> Self {
        Self {
            signal: Arc::clone(&self.signal),
            window: Arc::default(),
        }
    }

    /// Notes how long it takes to end what is not left half-way: nothing is begun that would not be done when the
    /// window closes.
    pub fn note_step(&self, took: Duration) {
        let longest = &self.window.longest_step_milliseconds;
        longest.fetch_max(milliseconds(took), Ordering::Relaxed);
    }

    /// Notes how long it would take to take back what is loaded.
    pub fn note_taking_back(&self, takes: Duration) {
        let taking_back = &self.window.taking_back_milliseconds;
        taking_back.fetch_max(milliseconds(takes), Ordering::Relaxed);
    }

    /// The signal that came.
    #[must_use]
    pub fn signal(&self) -> Option<StopReason> {
        match self.signal.load(Ordering::Relaxed) {
            0 => None,
            1 => Some(StopReason::Interrupted),
            _ => Some(StopReason::Terminated),
        }
    }

    /// The reason, once there is one.
    #[must_use]
    pub fn requested(&self) -> Option<StopReason> {
        self.signal().or_else(|| {
            let (closes, at_close) = self.window.closes.get()?;
            let longest = (self.window.longest_step_milliseconds).load(Ordering::Relaxed);
            let taking_back = match at_close {
                AtClose::KeepLock => 0,
                AtClose::TakeBack => (self.window.taking_back_milliseconds).load(Ordering::Relaxed),
            };
            let reserve = RESERVE_MILLISECONDS.max(longest.saturating_add(longest / 2));
            let reserve = reserve.saturating_add(taking_back);
            let left = closes.as_millisecond() - Timestamp::now().as_millisecond();
            (left <= reserve).then_some(StopReason::WindowCloses)
        })
    }
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use std::{thread::sleep, time::Duration};

    use jiff::{SignedDuration, Timestamp};

    use super::{AtClose, StopFlag, StopReason};

    #[test]
    fn what_takes_long_is_not_begun_shortly_before_the_window_closes() {
        let stop = StopFlag::default();
        assert_eq!(stop.requested(), None);
        stop.close_at(
            Timestamp::now() + SignedDuration::from_millis(1_600),
            AtClose::KeepLock,
        );
        assert_eq!(stop.requested(), None);
        stop.note_step(Duration::from_millis(20));
        assert_eq!(stop.requested(), None);
        let long = StopFlag::default();
        long.note_step(Duration::from_millis(900));
        long.close_at(
            Timestamp::now() + SignedDuration::from_millis(1_250),
            AtClose::KeepLock,
        );
        assert_eq!(long.requested(), Some(StopReason::WindowCloses));
        assert_eq!(long.signal(), None);
        stop.request(StopReason::Terminated);
        stop.request(StopReason::Interrupted);
        sleep(Duration::from_millis(700));
        assert_eq!(stop.requested(), Some(StopReason::Terminated));
    }

    #[test]
    fn who_takes_back_what_is_loaded_stops_early_enough_for_that_and_is_then_stopped_by_signals_only()
     {
        let in_five_seconds = || Timestamp::now() + SignedDuration::from_secs(5);
        let (keeping, taking_back) = (StopFlag::default(), StopFlag::default());
        keeping.close_at(in_five_seconds(), AtClose::KeepLock);
        taking_back.close_at(in_five_seconds(), AtClose::TakeBack);
        assert_eq!(taking_back.requested(), None);
        for stop in [&keeping, &taking_back] {
            stop.note_taking_back(Duration::from_secs(7));
        }
        assert_eq!(keeping.requested(), None);
        assert_eq!(taking_back.requested(), Some(StopReason::WindowCloses));
        let signals = taking_back.signals_only();
        assert_eq!(signals.requested(), None);
        taking_back.request(StopReason::Interrupted);
        assert_eq!(signals.requested(), Some(StopReason::Interrupted));
    }
}
