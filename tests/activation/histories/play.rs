//! Plays a history, and notes what the target had after each thing that happened.

use super::{
    history::{History, Line, Minute, Stage, Step},
    place::{Place, Which},
    seen::Seen,
};
use crate::town::Engine;

/// Something that happened to the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    HandedIn,
    Drained,
    DayCame,
    Held,
    CutOver,
}

/// What was taken away under the lock of a run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Captured {
    pub(super) stage: Stage,
    pub(super) record: usize,
    pub(super) at: Minute,
    pub(super) for_good: bool,
}

/// What happened, and what was seen after it.
#[derive(Debug, Default)]
pub(super) struct Played {
    pub(super) moments: Vec<(Event, Seen)>,
    /// Of each request, after how many things it was handed in, and whether what took away came in the same file.
    pub(super) handed_in: Vec<usize>,
    /// Things that were files with something that takes away.
    pub(super) takings: Vec<usize>,
    /// Of each delivered half that was handed in: of which PIN, and whether the second.
    pub(super) delivered: Vec<(String, bool)>,
    pub(super) captured: Vec<Captured>,
    /// When each run was cut over.
    pub(super) cut_over: [Option<usize>; 2],
    /// When the day came.
    pub(super) day: Option<usize>,
}

impl Played {
    pub(super) fn last(&self) -> &Seen {
        &self.moments.last().expect("a run").1
    }

    /// After how many things a request was seen as done first.
    pub(super) fn done_after(&self, request: usize) -> Option<usize> {
        let mut moments = self.moments.iter();
        moments.position(|(_, seen)| seen.is_done(request))
    }

    /// Whether the delivered halves that were handed in make a PIN whole, of which so many were delivered before.
    pub(super) fn is_whole(&self, pin: &str, halves: u8) -> bool {
        let has = |second: bool| {
            halves == 2
                || halves == 1 && !second
                || (self.delivered.iter()).any(|(of, is_second)| of == pin && *is_second == second)
        };
        has(false) && has(true)
    }
}

/// A file that is written line by line.
#[derive(Default)]
struct File {
    lines: Vec<String>,
    requests: usize,
    takes_away: bool,
}

struct Player<'h> {
    history: &'h History,
    place: Place,
    file: File,
    last_file: (Vec<String>, bool),
    requests: usize,
    receipts: usize,
    played: Played,
}

/// Plays it to its end, after which all that is due is drained.
///
/// # Errors
/// What the program said, where it failed at something.
pub(super) fn play(history: &History, engine: Engine) -> Result<Played, String> {
    let captured = [Stage::Held, Stage::LaterHeld].map(|stage| history.is_captured(stage));
    let mut player = Player {
        history,
        place: Place::of(history, captured, engine),
        file: File::default(),
        last_file: (Vec::new(), false),
        requests: 0,
        receipts: 0,
        played: Played::default(),
    };
    player.place.migrate()?;
    for stage in Stage::ALL {
        if stage > Stage::Live && !history.has_later_run() {
            break;
        }
        player.stage(stage)?;
    }
    for step in history.end() {
        player.step(Stage::LaterLive, &step)?;
    }
    player.drain()?;
    // Once more for what waited for somebody whom the first one entered.
    player.drain()?;
    let before = player.played.last().clone();
    if player.place.drain()? != 0 || player.place.seen() != before {
        return Err("a further drain changes something".to_owned());
    }
    player.place.verify()?;
    Ok(player.played)
}

impl Player<'_> {
    fn stage(&mut self, stage: Stage) -> Result<(), String> {
        match stage {
            Stage::BeforeRun => {}
            Stage::Held | Stage::LaterHeld => {
                if stage == Stage::LaterHeld {
                    self.place.which = Which::Later;
                }
                if !self.history.steps[stage as usize].is_empty() {
                    self.place.hold()?;
                }
                self.note(Event::Held);
            }
            Stage::Live | Stage::LaterLive => {
                self.place.cut_over()?;
                let run = usize::from(stage == Stage::LaterLive);
                self.played.cut_over[run] = Some(self.played.moments.len());
                self.note(Event::CutOver);
            }
        }
        for step in &self.history.steps[stage as usize] {
            self.step(stage, step)?;
        }
        self.hand_in()
    }

    fn note(&mut self, event: Event) {
        self.played.moments.push((event, self.place.seen()));
    }

    fn step(&mut self, stage: Stage, step: &Step) -> Result<(), String> {
        if !matches!(
            step,
            Step::HandIn {
                in_same_file: true,
                ..
            }
        ) {
            self.hand_in()?;
        }
        match step {
            Step::HandIn { line, .. } => self.write(line),
            Step::Again => {
                if !self.last_file.0.is_empty() {
                    self.place.hand_in(&self.last_file.0)?;
                    if self.last_file.1 {
                        self.played.takings.push(self.played.moments.len());
                    }
                    self.note(Event::HandedIn);
                }
            }
            Step::Drain => self.drain()?,
            Step::DayComes => {
                self.place.day_comes();
                self.played.day.get_or_insert(self.played.moments.len());
                self.note(Event::DayCame);
            }
            Step::TakeUnderLock {
                record,
                at,
                for_good,
            } => {
                let record = usize::from(*record);
                if self.place.take_under_lock(record, *at, *for_good) {
                    self.played.captured.push(Captured {
                        stage,
                        record,
                        at: at.minute(),
                        for_good: *for_good,
                    });
                }
            }
        }
        Ok(())
    }

    fn write(&mut self, line: &Line) {
        match line {
            Line::Request(request) => {
                let number = self.requests;
                self.requests += 1;
                let line = self.place.request(number, request);
                self.file.lines.push(line);
                self.file.requests += 1;
                self.file.takes_away |= request.kind.takes_away();
            }
            Line::Receipt(receipt) => {
                let requests = self.history.bringing_pins();
                self.receipts += 1;
                let line = self.place.receipt(self.receipts, receipt, &requests);
                let Some((line, of)) = line else { return };
                self.file.lines.push(line);
                if receipt.is_delivered {
                    self.played.delivered.push((of, receipt.is_second));
                }
            }
        }
    }

    /// Hands in what was written.
    fn hand_in(&mut self) -> Result<(), String> {
        let file = std::mem::take(&mut self.file);
        if file.lines.is_empty() {
            return Ok(());
        }
        self.place.hand_in(&file.lines)?;
        let at = self.played.moments.len();
        let handed_in = std::iter::repeat_n(at, file.requests);
        self.played.handed_in.extend(handed_in);
        if file.takes_away {
            self.played.takings.push(at);
        }
        self.note(Event::HandedIn);
        self.last_file = (file.lines, file.takes_away);
        Ok(())
    }

    fn drain(&mut self) -> Result<(), String> {
        self.hand_in()?;
        self.place.drain()?;
        self.note(Event::Drained);
        Ok(())
    }
}
