//! The state as it changes: redrawn where somebody watches, a line for every change where nobody does.

use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};

use super::{
    state,
    table::grouped,
    terminal::{OutputError, Terminal},
};
use crate::{
    domain::span::span,
    engine::state::{ProgressState, State},
    store::RunPhase,
};

/// Looks at a job, one after the other.
#[derive(Debug)]
pub struct LiveState {
    terminal: Terminal,
    screen: Option<Screen>,
    pace: Option<Pace>,
    /// The last line, where nobody watches.
    last: String,
}

/// What is on the screen: words, a bar for each partition, words.
#[derive(Debug)]
struct Screen {
    head: ProgressBar,
    bars: Vec<ProgressBar>,
    foot: ProgressBar,
}

/// Since when how much was done in a phase.
#[derive(Debug)]
struct Pace {
    phase: RunPhase,
    since: Instant,
    done: u64,
}

/// How fast the work goes on, in units a second, and how many seconds are left.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Speed {
    rate: f64,
    left: Option<f64>,
}

impl LiveState {
    /// Nothing is shown yet.
    #[must_use]
    pub fn new(terminal: Terminal) -> Self {
        Self {
            screen: terminal.is_seen().then(|| Screen::new(&terminal)),
            terminal,
            pace: None,
            last: String::new(),
        }
    }

    /// Shows how it is now.
    ///
    /// # Errors
    /// Standard output failed.
    pub fn show(&mut self, state: &State) -> Result<(), OutputError> {
        let speed = self.speed(state);
        if let Some(screen) = &mut self.screen {
            screen.show(&self.terminal, state, speed);
            return Ok(());
        }
        let line = line(state, speed);
        if line != self.last {
            self.terminal.text(&line)?;
            self.last = line;
        }
        Ok(())
    }

    /// Leaves the last state where it can be read on.
    ///
    /// # Errors
    /// Standard output failed.
    pub fn end(mut self, state: &State) -> Result<(), OutputError> {
        if let Some(screen) = self.screen.take() {
            screen.clear();
        }
        self.terminal.text(&state::text(state))
    }

    fn speed(&mut self, state: &State) -> Option<Speed> {
        let (done, all) = work(state)?;
        let phase = state.run_phase?;
        let pace = self.pace.take().filter(|pace| pace.phase == phase);
        let pace = self.pace.insert(pace.unwrap_or_else(|| Pace {
            phase,
            since: Instant::now(),
            done,
        }));
        Speed::of(
            done.saturating_sub(pace.done),
            all.saturating_sub(done),
            pace.since.elapsed().as_secs_f64(),
        )
    }
}

impl Speed {
    fn of(done: u64, rest: u64, seconds: f64) -> Option<Self> {
        let rate = done as f64 / seconds;
        (seconds >= 1.0).then(|| Self {
            rate,
            left: (done > 0).then(|| rest as f64 / rate),
        })
    }

    fn text(self) -> String {
        match self.left {
            Some(left) => format!(
                "{}/s, {} left",
                grouped(self.rate.round() as i64),
                span(left)
            ),
            None => "nothing moves".to_owned(),
        }
    }
}

impl Screen {
    fn new(terminal: &Terminal) -> Self {
        let text = ProgressStyle::with_template("{msg}");
        let text = text.unwrap_or_else(|_| ProgressStyle::default_bar());
        let words = || {
            terminal
                .bars()
                .add(ProgressBar::no_length().with_style(text.clone()))
        };
        Self {
            head: words(),
            bars: Vec::new(),
            foot: words(),
        }
    }

    fn show(&mut self, terminal: &Terminal, state: &State, speed: Option<Speed>) {
        let mut head = state::head(state);
        head.extend(phase(state, speed));
        self.head.set_message(head.join("\n"));
        let partitions = state
            .progress
            .iter()
            .flat_map(|progress| &progress.partitions);
        let partitions: Vec<_> = partitions.collect();
        while self.bars.len() > partitions.len() {
            self.bars
                .pop()
                .iter()
                .for_each(ProgressBar::finish_and_clear);
        }
        while self.bars.len() < partitions.len() {
            let style = ProgressStyle::with_template(
                "{prefix:>6} {bar:40.cyan/blue} {percent:>3} %  {human_pos} of {human_len}",
            );
            let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
            let bar = ProgressBar::new(0).with_style(style);
            let bar = terminal.bars().insert_before(&self.foot, bar);
            bar.set_prefix((self.bars.len() + 1).to_string());
            self.bars.push(bar);
        }
        for (bar, partition) in self.bars.iter().zip(partitions) {
            bar.set_length(partition.records);
            bar.set_position(partition.committed);
        }
        self.foot.set_message(state::foot(state).join("\n"));
    }

    fn clear(self) {
        for bar in self.bars.iter().chain([&self.head, &self.foot]) {
            bar.finish_and_clear();
        }
    }
}

/// What is done and what there is to do, where that can be counted.
fn work(state: &State) -> Option<(u64, u64)> {
    let progress = state.progress.as_ref()?;
    match state.run_phase? {
        RunPhase::Loading => {
            let committed = progress.partitions.iter().map(|one| one.committed).sum();
            Some((committed, state.records_expected?))
        }
        RunPhase::Loaded => Some((progress.steps_done.unsigned_abs(), progress.steps as u64)),
        _uncounted => None,
    }
}

/// Since when the run is in its phase, and how it gets on.
fn phase(state: &State, speed: Option<Speed>) -> Option<String> {
    let ProgressState {
        phase_since,
        steps,
        steps_done,
        ..
    } = state.progress.as_ref()?;
    let mut line = format!("{} since {phase_since}", state.report.phase);
    if state.run_phase == Some(RunPhase::Loaded) {
        line.push_str(&format!(", {steps_done} of {steps} indexes and keys"));
    }
    if let Some(speed) = speed {
        line.push_str(&format!(", {}", speed.text()));
    }
    Some(line)
}

/// The same in one line that has no clock in it: it is written again when something changed.
fn line(state: &State, speed: Option<Speed>) -> String {
    let Some(run_id) = state.report.run_id else {
        return format!("no run yet; next: {}", state.next);
    };
    let mut line = format!("run {run_id}: {}", state.report.phase);
    if let Some((done, all)) = work(state) {
        let number = |count: u64| grouped(i64::try_from(count).unwrap_or(i64::MAX));
        let percent = done.saturating_mul(100) / all.max(1);
        line.push_str(&format!(
            ", {} of {} ({percent} %)",
            number(done),
            number(all)
        ));
    }
    if let Some(speed) = speed {
        line.push_str(&format!(", {}", speed.text()));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::Speed;

    #[test]
    fn what_is_left_is_told_by_what_was_done_since_the_first_look() {
        assert_eq!(Speed::of(10, 90, 0.5), None);
        let speed = Speed::of(3_000, 6_000, 2.0).expect("a speed");
        assert_eq!(speed.text(), "1 500/s, 4 s left");
        let stuck = Speed::of(0, 6_000, 4.0).expect("a speed");
        assert_eq!(stuck.text(), "nothing moves");
    }
}
