//! `pause`, `resume`, `throttle`: what is asked of a run under way from another terminal.

use std::num::NonZeroU64;

use clap::Args;
use serde_json::json;

use super::{Context, actor::actor, failure::Failure};
use crate::{
    engine::control::{Controlled, ask},
    exit::Exit,
    store::Ask,
    ui::terminal::Format,
};

/// Let a run under way write nothing more until `resume`; it keeps lease and lock
#[derive(Debug, Args)]
#[command(after_long_help = "\
It takes effect before the next chunk, index or phase; what has begun is finished first, a verification too. The run
stays paused when its process dies: the next `run` waits as the one before did, and goes on when somebody types
`pinferry resume`. While it waits a window closes as ever, and signals end it. Not after cut-over.")]
pub(super) struct Pause {
    /// Why; it goes into the audit log
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true
    )]
    reason: String,
}

/// Let a paused run go on
#[derive(Debug, Args)]
pub(super) struct Resume {}

/// Let a run under way write at most so many records a second
#[derive(Debug, Args)]
#[command(after_long_help = "\
It takes effect before the next chunk, and lasts until `pinferry throttle off` or the end of the run, whatever becomes of
its process. A chunk is written at once and followed by the pause that makes up for it: for a steadier load give `run` a
smaller --chunk-records.")]
pub(super) struct Throttle {
    /// Records a second, or `off`
    #[arg(value_name = "RATE|off", value_parser = rate)]
    rate: Rate,
}

#[derive(Clone, Copy, Debug)]
struct Rate(Option<NonZeroU64>);

/// A number of records a second, or `off`.
fn rate(text: &str) -> Result<Rate, String> {
    if text == "off" {
        return Ok(Rate(None));
    }
    let number: Option<u32> = text.parse().ok();
    let number = number.and_then(|number| NonZeroU64::new(number.into()));
    (number.map(|rate| Rate(Some(rate))))
        .ok_or_else(|| "write a number of records a second from 1 up, or off".to_owned())
}

impl Pause {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        change(context, Ask::Pause, &self.reason)
    }
}

impl Resume {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        change(context, Ask::Resume, "")
    }
}

impl Throttle {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        change(context, Ask::Throttle(self.rate.0), "")
    }
}

fn change(context: &Context, what: Ask, reason: &str) -> Result<Exit, Failure> {
    let settings = context.settings(Vec::new())?;
    let controlled = ask(&settings, what, (&actor(), reason))?;
    let terminal = &context.terminal;
    let paused = controlled.control.paused.as_ref();
    if terminal.format() == Format::Json {
        terminal.json(&json!({
            "run_id": controlled.run_id,
            "changed": !controlled.was_so,
            "paused_at": paused.map(|paused| &paused.at),
            "paused_by": paused.map(|paused| &paused.by),
            "records_per_second": controlled.control.records_per_second,
        }))?;
    }
    terminal.say(&said(what, &controlled));
    if paused.is_some() {
        terminal.next("`pinferry resume` lets it go on; `pinferry status` says where it stands");
    }
    Ok(Exit::Done)
}

fn said(what: Ask, controlled: &Controlled) -> String {
    let run = format!("run {}", controlled.run_id);
    match (what, &controlled.control.paused, controlled.was_so) {
        (Ask::Pause, Some(paused), true) => {
            format!(
                "{run} is paused already, since {} by {}",
                paused.at, paused.by
            )
        }
        (Ask::Pause, _, _) => format!(
            "{run} pauses before its next chunk, index or phase; the lease and the management lock are kept"
        ),
        (Ask::Resume, _, true) => format!("{run} is not paused"),
        (Ask::Resume, _, false) => {
            format!("{run} goes on; if no process works on it, type `pinferry run`")
        }
        (Ask::Throttle(Some(rate)), _, _) => {
            format!("{run} writes at most {rate} records a second from its next chunk on")
        }
        (Ask::Throttle(None), _, _) => format!("{run} is not throttled"),
    }
}

#[cfg(test)]
mod tests {
    use super::rate;

    #[test]
    fn a_rate_is_a_number_of_records_or_off() {
        for (text, expected) in [
            ("1", Some(Some(1))),
            ("5000", Some(Some(5000))),
            ("off", Some(None)),
            ("0", None),
            ("-1", None),
            ("1.5", None),
            ("none", None),
            ("99999999999", None),
        ] {
            let found = rate(text).ok().map(|rate| rate.0.map(u64::from));
            assert_eq!(found, expected, "{text}");
        }
    }
}
