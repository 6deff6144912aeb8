//! How a call of `run` ended, in words and as an exit code.

use super::Lockable;
use crate::{
    commands::{Context, abort, failure::Failure},
    engine::{
        report::Report,
        run::{RunEnd, RunOutcome},
        stop::StopReason,
    },
    exit::Exit,
    store::RunPhase,
    ui::{report, verification},
};

pub(super) fn show(
    outcome: &RunOutcome,
    lockable: Lockable,
    context: &Context,
) -> Result<Exit, Failure> {
    let terminal = &context.terminal;
    let resume = "`pinferry run` goes on from here, `pinferry abort` takes it back";
    let under_way = outcome.run.phase != RunPhase::Created && !outcome.run.phase.is_over();
    if under_way && lockable == Lockable::Some {
        terminal.say("the management lock is still held");
    }
    if let RunEnd::VerificationFailed(found) = &outcome.end {
        verification::show(found, &outcome.run.fingerprints(), terminal)?;
    } else {
        let run = &outcome.run;
        let report = Report::new(
            Some(run.run_id),
            run.phase.as_str(),
            &outcome.tally,
            &run.fingerprints(),
        );
        report::show(&report, None, terminal)?;
    }
    let next = match &outcome.end {
        RunEnd::Finished | RunEnd::WasFinished if outcome.tally.quarantined() > 0 => {
            "`pinferry quarantine list` shows who was left out and why"
        }
        RunEnd::Finished | RunEnd::WasFinished => {
            "`pinferry activate`, from cron every few minutes"
        }
        RunEnd::Held => {
            terminal.say("verified, and held before cut-over as asked");
            resume
        }
        RunEnd::Stopped(reason) => {
            if *reason == StopReason::WindowCloses {
                terminal.say(&format!(
                    "stopped before the window closes; `pinferry abort` would take out {} records that are loaded",
                    outcome.tally.records()
                ));
            }
            resume
        }
        RunEnd::TakenBack(taken_back) => {
            abort::show_taken_back(taken_back, terminal);
            return Ok(outcome.exit());
        }
        RunEnd::TooManyQuarantined { ratio, limit } => {
            terminal.say(&format!(
                "stopped before cut-over: {:.2} % of the records are quarantined, more than \
                 run.max_quarantine_ratio ({:.2} %) accepts",
                ratio * 100.0,
                limit * 100.0
            ));
            "look at `pinferry quarantine list`; then raise run.max_quarantine_ratio and type `pinferry \
             run`, or take it back with `pinferry abort`"
        }
        RunEnd::VerificationFailed(_) => {
            "mend what is named and type `pinferry run` to verify again, or take it back with `pinferry abort`"
        }
    };
    terminal.next(next);
    Ok(outcome.exit())
}
