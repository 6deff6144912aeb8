//! Progress: a bar where somebody watches, a line every few seconds where nobody does.

use std::{
    fmt::Write,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressFinish, ProgressState, ProgressStyle};

use super::{service, table::grouped, terminal::Terminal};
use crate::{
    domain::span::span,
    engine::progress::{Phase, Progress},
};

/// How often a line is written where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// Shows the phases of the work on a terminal.
#[derive(Debug)]
pub struct Watcher {
    terminal: Terminal,
    running: Mutex<Option<Running>>,
}

/// The phase that is under way.
#[derive(Debug)]
struct Running {
    phase: Phase,
    total: Option<u64>,
    done: u64,
    since: Instant,
    last_line: Instant,
    bar: Option<ProgressBar>,
}

impl Watcher {
    /// Nothing is under way yet.
    #[must_use]
    pub fn new(terminal: Terminal) -> Self {
        Self {
            terminal,
            running: Mutex::new(None),
        }
    }

    /// The last phase is over; its bar gives way to a line.
    pub fn finish(&self) {
        if let Some(running) = self.lock().take() {
            self.close(&running);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn close(&self, running: &Running) {
        if let Some(bar) = &running.bar {
            bar.finish_and_clear();
        }
        self.terminal.say(&running.closing_line());
    }

    fn bar(&self, phase: Phase, total: Option<u64>) -> ProgressBar {
        let template = match total {
            Some(_) => "{msg:>8} {wide_bar:.cyan/blue} {human_pos}/{human_len} {rate} {eta}",
            None => "{msg:>8} {spinner} {human_pos} {rate} {elapsed}",
        };
        let style = ProgressStyle::with_template(template)
            .unwrap_or_else(|_| ProgressStyle::default_bar())
            .with_key("rate", |state: &ProgressState, out: &mut dyn Write| {
                // A bar that cannot be drawn is no failure of the work.
                let _ = write!(out, "{:.0}/s", state.per_sec());
            });
        let bar = match total {
            Some(total) => ProgressBar::new(total),
            None => ProgressBar::new_spinner(),
        };
        let bar = self.terminal.bars().add(bar.with_style(style));
        bar.set_message(phase.as_str());
        bar.enable_steady_tick(Duration::from_millis(200));
        bar.with_finish(ProgressFinish::AndClear)
    }
}

impl Progress for Watcher {
    fn begin(&self, phase: Phase, total: Option<u64>) {
        self.finish();
        service::status(phase.as_str());
        let now = Instant::now();
        let bar = self.terminal.has_bars().then(|| self.bar(phase, total));
        let begun = Running {
            phase,
            total,
            done: 0,
            since: now,
            last_line: now,
            bar,
        };
        *self.lock() = Some(begun);
    }

    fn advance(&self, units: u64) {
        let mut guard = self.lock();
        let Some(running) = guard.as_mut() else {
            return;
        };
        running.done += units;
        if let Some(bar) = &running.bar {
            bar.set_position(running.done);
        } else if running.last_line.elapsed() >= LINE_EVERY {
            running.last_line = Instant::now();
            let line = running.line();
            drop(guard);
            self.terminal.say(&line);
        }
    }

    fn note(&self, line: &str) {
        self.terminal.say(line);
    }
}

impl Running {
    fn per_second(&self) -> f64 {
        self.done as f64 / self.since.elapsed().as_secs_f64().max(0.001)
    }

    fn line(&self) -> String {
        let rate = self.per_second();
        let (name, done) = (self.phase, shown(self.done));
        match self.total {
            Some(total) if total > 0 => {
                let percent = self.done.saturating_mul(100) / total;
                let left = total.saturating_sub(self.done) as f64 / rate.max(0.001);
                let total = shown(total);
                format!(
                    "{name}: {done} of {total} ({percent} %), {rate:.0}/s, {} left",
                    span(left)
                )
            }
            Some(_) | None => format!("{name}: {done}, {rate:.0}/s"),
        }
    }

    fn closing_line(&self) -> String {
        let took = match self.since.elapsed().as_secs_f64() {
            seconds if seconds < 60.0 => format!("{seconds:.1} s"),
            seconds => span(seconds),
        };
        let name = self.phase;
        match self.done {
            0 => format!("{name}: {took}"),
            done => {
                let rate = self.per_second();
                format!("{name}: {} in {took}, {rate:.0}/s", shown(done))
            }
        }
    }
}

fn shown(number: u64) -> String {
    grouped(i64::try_from(number).unwrap_or(i64::MAX))
}
