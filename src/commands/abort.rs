//! `abort`: before cut-over, back to an open legacy.

use clap::Args;
use serde_json::json;

use super::{Context, failure::Failure, job::work, lock};
use crate::{
    domain::span::span,
    engine::{
        abort::{AbortCost, Aborted, Cost, Kept, QueueLeft, abort, cost},
        take_back::TakenBack,
    },
    exit::Exit,
    store::RunRow,
    ui::terminal::{Format, OutputError, Terminal},
};

/// Before cut-over: take the run back, hand diverted PINs back, release the lock
#[derive(Debug, Args)]
pub(super) struct Abort {
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

impl Abort {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let settings = context.settings(Vec::new())?;
        let terminal = &context.terminal;
        let cost = match work(context, &settings, cost)? {
            Cost::LockLeft(run) => {
                terminal.say(&format!(
                    "run {} is aborted already, and yet the legacy is locked in its name, by a process that had been \
                     stopped or from a backup: that lock is released",
                    run.run_id
                ));
                None
            }
            Cost::Nothing(run) => {
                terminal.say("the newest run is aborted already: the legacy is open");
                document(terminal, &run, None, 0, &[])?;
                return Ok(Exit::Done);
            }
            Cost::Of(cost) => Some(cost),
        };
        if let Some(cost) = &cost {
            tell(cost, terminal);
        }
        if !self.yes {
            terminal.confirm("abort this run?")?;
        }
        let aborted = work(context, &settings, abort)?;
        let queue = cost.map(|cost| cost.queue);
        document(
            terminal,
            &aborted.run,
            queue,
            aborted.handed_back,
            &aborted.kept,
        )?;
        Ok(show(&aborted, terminal))
    }
}

/// What it costs.
fn tell(cost: &AbortCost, terminal: &Terminal) {
    terminal.say(&format!(
        "run {}, phase {}: {} committed records are taken out of the target, {} diverted PINs go back \
         into the legacy, and the lock is released; it takes about {}",
        cost.run.run_id,
        cost.run.phase,
        cost.records,
        cost.diverted,
        span(cost.takes.as_secs_f64())
    ));
    if cost.queue.waiting > 0 {
        terminal.say(&queue_left(&cost.queue));
    }
    for administrator in &cost.administrators {
        terminal.say(&format!(
            "the lock that is released is not the run's own: {administrator}"
        ));
    }
}

/// What becomes of the requests that wait.
fn queue_left(queue: &QueueLeft) -> String {
    let stay = format!(
        "{} requests of the counters wait in the queue and stay there",
        queue.waiting
    );
    match (queue.has_model, queue.taking) {
        (true, _) => {
            format!("{stay}: once this run is aborted `pinferry activate` goes on with them")
        }
        (false, 0) => format!("{stay} until another run is cut over and finished"),
        (false, taking) => format!(
            "{stay} until another run is cut over and finished; {taking} of them take rights away: do that in the \
             offices' application as well, which is open then"
        ),
    }
}

/// What was done, for programs.
fn document(
    terminal: &Terminal,
    run: &RunRow,
    queue: Option<QueueLeft>,
    handed_back: u64,
    kept: &[Kept],
) -> Result<(), OutputError> {
    match terminal.format() {
        Format::Json => terminal.json(&json!({
            "run_id": run.run_id, "phase": run.phase, "handed_back": handed_back,
            "kept": kept, "requests_waiting": queue.map(|queue| queue.waiting),
        })),
        Format::Table => Ok(()),
    }
}

/// What the end of its window cost a run.
pub(super) fn show_taken_back(taken_back: &TakenBack, terminal: &Terminal) {
    if let Some(cost) = &taken_back.cost {
        terminal.say(&format!(
            "the window closes before cut-over: {} records that were loaded are taken back",
            cost.records
        ));
        if cost.queue.waiting > 0 {
            terminal.say(&queue_left(&cost.queue));
        }
    }
    if show(&taken_back.aborted, terminal) == Exit::Done {
        terminal.next("`pinferry run` begins anew in the next window");
    }
}

fn show(aborted: &Aborted, terminal: &Terminal) -> Exit {
    match aborted.stopped {
        Some(reason) => {
            terminal.say("the management lock is still held");
            terminal.next("`pinferry abort` goes on from here");
            return reason.exit();
        }
        None => terminal.say(&format!(
            "run {} is aborted: the legacy is open again, {} diverted PINs went back into it",
            aborted.run.run_id, aborted.handed_back
        )),
    }
    for (source, remains) in &aborted.remains {
        lock::left_behind(terminal, source, remains);
    }
    for Kept { table, pins } in &aborted.kept {
        for pin in pins {
            terminal.say(&format!(
                "diverted PIN {} was not accepted by the legacy ({}); it is kept in table {table}",
                pin.seq, pin.why
            ));
        }
    }
    if aborted.kept.is_empty() {
        Exit::Done
    } else {
        terminal.next("insert the PINs named above by hand, then drop the table they are kept in");
        Exit::Failed
    }
}
