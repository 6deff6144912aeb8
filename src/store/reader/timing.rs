//! How long the stages of earlier runs took.

use jiff::Timestamp;
use serde::Deserialize;

use super::Reader;
use crate::{
    domain::forecast::{Stage, Timing},
    store::{
        RunPhase, RunRow, StoreError,
        database::{damaged, values},
        json::parse,
    },
};

/// An event of a run that begins or ends a stage.
#[derive(Clone, Copy, Debug)]
enum Mark {
    /// A process took the lease: nobody knows since when nobody had worked.
    Acquired,
    /// The run passed to another phase.
    Passed(Passed),
}

#[derive(Clone, Copy, Debug, Deserialize)]
struct Passed {
    from: RunPhase,
    to: RunPhase,
}

impl Reader {
    /// The stages of a run that one process did from begin to end, and that nobody held up.
    ///
    /// # Errors
    /// When the database fails or holds what this program does not understand.
    pub fn timings(&self, run: &RunRow) -> Result<Vec<Timing>, StoreError> {
        let rows = self.database.rows(
            "read the times of a run",
            "SELECT at, event, detail FROM run_event
             WHERE run_id = ?1 AND event IN ('lease.acquired', 'run.phase') ORDER BY event_id",
            values![run.run_id],
        )?;
        let held_up = self.held_up(run.run_id)?;
        let mut marks = Vec::with_capacity(rows.len());
        for row in rows {
            let at = time(&row.get::<String>(0)?)?;
            if held_up.is_some_and(|since| at >= since) {
                break;
            }
            let mark = match row.get::<String>(1)?.as_str() {
                "run.phase" => Mark::Passed(parse(&row.get::<String>(2)?, "run_event.detail")?),
                _acquired => Mark::Acquired,
            };
            marks.push((at, mark));
        }
        let records = run.sources.iter().filter_map(|source| source.records).sum();
        Ok(stages(&marks, records))
    }

    /// When an administrator first asked the run to pause or to go slower.
    fn held_up(&self, run_id: i64) -> Result<Option<Timestamp>, StoreError> {
        let of = self.database.json_text("detail", "run_id");
        let row = self.database.row(
            "read the times of a run",
            &format!(
                "SELECT at FROM audit_event WHERE action IN ('run.paused', 'run.throttled')
                     AND CAST({of} AS TEXT) = ?1 ORDER BY audit_id LIMIT 1"
            ),
            values![&run_id.to_string()],
        )?;
        row.map(|row| time(&row.get::<String>(0)?)).transpose()
    }
}

fn time(text: &str) -> Result<Timestamp, StoreError> {
    text.parse().map_err(|_| damaged("an event without a time"))
}

fn stages(marks: &[(Timestamp, Mark)], records: u64) -> Vec<Timing> {
    let mut timings = Vec::new();
    let mut since = None;
    for (number, &(at, mark)) in marks.iter().enumerate() {
        let Mark::Passed(passed) = mark else {
            since = (number == 0).then_some(at);
            continue;
        };
        let took = since.and_then(|since| at.duration_since(since).try_into().ok());
        if let (Some(stage), Some(took)) = (ended(passed), took) {
            timings.push(Timing {
                stage,
                took,
                records,
            });
        }
        // The cut-over and the sealing count as one.
        if passed.to != RunPhase::CutOver {
            since = Some(at);
        }
    }
    timings
}

/// The stage that this ends.
const fn ended(passed: Passed) -> Option<Stage> {
    match (passed.from, passed.to) {
        (RunPhase::Created, RunPhase::Locked) => Some(Stage::Lock),
        (RunPhase::Locked, RunPhase::Loading) => Some(Stage::Read),
        (RunPhase::Loading, RunPhase::Loaded) => Some(Stage::Load),
        (RunPhase::Loaded, RunPhase::Indexed) => Some(Stage::Index),
        (RunPhase::Indexed, RunPhase::Verified | RunPhase::VerificationFailed) => {
            Some(Stage::Verify)
        }
        (RunPhase::CutOver, RunPhase::Finished) => Some(Stage::CutOver),
        _no_end => None,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::Timestamp;

    use super::{Mark, Passed, RunPhase as P, Stage, stages};

    fn told(marks: &[(i64, Option<(P, P)>)]) -> Vec<(Stage, Duration)> {
        let mark = |(second, passed): &(i64, Option<(P, P)>)| {
            let at = Timestamp::from_second(*second).expect("a time");
            let mark = passed.map_or(Mark::Acquired, |(from, to)| {
                Mark::Passed(Passed { from, to })
            });
            (at, mark)
        };
        let marks: Vec<_> = marks.iter().map(mark).collect();
        let timings = stages(&marks, 7);
        assert!(timings.iter().all(|timing| timing.records == 7));
        let timings = timings.iter();
        timings.map(|timing| (timing.stage, timing.took)).collect()
    }

    #[test]
    fn a_run_that_was_not_interrupted_tells_of_every_stage() {
        let seconds = Duration::from_secs;
        let run = told(&[
            (100, None),
            (102, Some((P::Created, P::Locked))),
            (105, Some((P::Locked, P::Loading))),
            (120, Some((P::Loading, P::Loaded))),
            (130, Some((P::Loaded, P::Indexed))),
            (145, Some((P::Indexed, P::Verified))),
            (146, Some((P::Verified, P::CutOver))),
            (148, Some((P::CutOver, P::Finished))),
        ]);
        let expected = [
            (Stage::Lock, seconds(2)),
            (Stage::Read, seconds(3)),
            (Stage::Load, seconds(15)),
            (Stage::Index, seconds(10)),
            (Stage::Verify, seconds(15)),
            (Stage::CutOver, seconds(3)),
        ];
        assert_eq!(run, expected);
    }

    #[test]
    fn a_stage_in_which_another_process_took_over_tells_nothing() {
        let run = told(&[
            (100, None),
            (101, Some((P::Created, P::Locked))),
            (102, Some((P::Locked, P::Loading))),
            (9_000, None),
            (9_020, Some((P::Loading, P::Loaded))),
            (9_030, Some((P::Loaded, P::Indexed))),
            (9_040, Some((P::Indexed, P::Aborting))),
            (9_050, Some((P::Aborting, P::Aborted))),
        ]);
        let stages: Vec<_> = run.into_iter().map(|(stage, _)| stage).collect();
        assert_eq!(stages, [Stage::Lock, Stage::Read, Stage::Index]);
    }
}
