//! How long a run will take, and whether its window holds it.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use super::status::vocabulary;

vocabulary! {
    /// A part of a run that takes time.
    Stage {
        /// Engaging the management lock.
        Lock = "lock",
        /// Reading and sorting the sources.
        Read = "read",
        /// Judging and committing.
        Load = "load",
        /// Building indexes and keys.
        Index = "index",
        /// Reading everything back.
        Verify = "verify",
        /// The cut-over and the sealing of the legacy.
        CutOver = "cut_over",
    }
}

vocabulary! {
    /// What a run is to fit into.
    Against {
        /// A maintenance window.
        Window = "window",
        /// The time that the lock is said to last, where no window was named.
        Expected = "lock_expected",
    }
}

vocabulary! {
    /// Whether a window holds a run.
    Fits {
        /// Even where it takes as long as it may.
        Yes = "yes",
        /// Where it takes as long as it most likely does, and not where it takes longer.
        Maybe = "maybe",
        /// Most likely not.
        No = "no",
    }
}

/// The same work on the same machine takes so much of its usual time in a good hour, and in a bad one. Two shared cores
/// took the same file from 0.6 to 1.3 times the median of a day.
const HOURS: (f64, f64) = (0.7, 1.5);
/// What took so much longer or shorter with another number of records is not known to grow in line: a tenfold number
/// may take as much longer for each record.
const GROWTH: f64 = 0.3;
/// Runs of fewer records say nothing about one of many: what does not depend on them weighs too much.
const RECORDS_RATIO_MIN: f64 = 0.02;

/// So much time, in seconds: as little as this, most likely, as much as this.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Seconds {
    /// In a good hour.
    pub low: f64,
    /// Most likely.
    pub likely: f64,
    /// In a bad hour.
    pub high: f64,
}

impl Seconds {
    const fn new(low: f64, likely: f64, high: f64) -> Self {
        Self { low, likely, high }
    }

    fn times(self, factor: f64) -> Self {
        Self::new(self.low * factor, self.likely * factor, self.high * factor)
    }

    /// To the millisecond.
    fn rounded(self) -> Self {
        let [low, likely, high] =
            [self.low, self.likely, self.high].map(|seconds| (seconds * 1e3).round() / 1e3);
        Self { low, likely, high }
    }

    fn plus(self, other: Self) -> Self {
        Self::new(
            self.low + other.low,
            self.likely + other.likely,
            self.high + other.high,
        )
    }
}

/// What a stage of an earlier run took.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Timing {
    /// The stage.
    pub stage: Stage,
    /// From its begin to its end, with one process at work all the time.
    pub took: Duration,
    /// Records of that run.
    pub records: u64,
}

/// What is to be done, and what is known of this machine.
#[derive(Clone, Copy, Debug)]
pub struct Job {
    /// Records of the sources.
    pub records: u64,
    /// How long this dry run read and judged them.
    pub dry_run: Duration,
    /// Whether the target holds people of earlier runs.
    pub target: TargetKind,
    /// How long the work may take.
    pub window: Duration,
    /// Who says so.
    pub against: Against,
}

/// What is written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetKind {
    /// An empty SQLite file.
    FreshSqlite,
    /// An empty PostgreSQL database.
    FreshPostgres,
    /// One with people in it, whose indexes and keys stand.
    InUse,
}

/// How long a run will take.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Forecast {
    /// Earlier runs into this target that tell; where there are none, it is derived from the dry run alone.
    pub measured_runs: usize,
    /// By stage.
    pub stages: BTreeMap<Stage, Seconds>,
    /// In all.
    pub seconds: Seconds,
    /// How long it may take.
    pub window_seconds: u64,
    /// Who says so.
    pub against: Against,
    /// Whether that is long enough.
    pub fits: Fits,
}

impl Forecast {
    /// From the stages that earlier runs into the same target, in the same state, took.
    #[must_use]
    pub fn of(job: &Job, earlier: &[Vec<Timing>]) -> Self {
        let tells = |timing: &&Timing| {
            timing.records as f64 >= job.records as f64 * RECORDS_RATIO_MIN && timing.records > 0
        };
        let telling = |run: &&Vec<Timing>| run.iter().any(|timing| tells(&timing));
        let mut stages = BTreeMap::new();
        for &stage in Stage::ALL {
            let timings = earlier.iter().flatten().filter(tells);
            let timings: Vec<_> = timings.filter(|timing| timing.stage == stage).collect();
            let seconds = if timings.is_empty() {
                derived(stage, job)
            } else {
                measured(job.records, &timings)
            };
            stages.insert(stage, seconds.rounded());
        }
        let all = stages.values().copied();
        let seconds = all.fold(Seconds::default(), Seconds::plus).rounded();
        let window = job.window.as_secs_f64();
        Self {
            measured_runs: earlier.iter().filter(telling).count(),
            fits: match seconds {
                Seconds { high, .. } if high <= window => Fits::Yes,
                Seconds { likely, .. } if likely <= window => Fits::Maybe,
                _longer => Fits::No,
            },
            stages,
            seconds,
            window_seconds: job.window.as_secs(),
            against: job.against,
        }
    }
}

/// From the same stage of earlier runs; at least one.
fn measured(records: u64, timings: &[&Timing]) -> Seconds {
    let scaled = |timing: &&Timing| {
        let took = timing.took.as_secs_f64();
        if matches!(timing.stage, Stage::Lock | Stage::CutOver) {
            return Seconds::new(took, took, took);
        }
        let ratio = records as f64 / timing.records as f64;
        let beyond = 1.0 + GROWTH * ratio.log10().abs();
        let likely = took * ratio;
        Seconds::new(likely / beyond, likely, likely * beyond)
    };
    let mut all: Vec<_> = timings.iter().map(scaled).collect();
    all.sort_by(|one, other| one.likely.total_cmp(&other.likely));
    let low = all.iter().map(|one| one.low).fold(f64::INFINITY, f64::min);
    let high = all.iter().map(|one| one.high).fold(0.0, f64::max);
    let likely = (all[(all.len() - 1) / 2].likely + all[all.len() / 2].likely) / 2.0;
    Seconds::new(low * HOURS.0, likely, high * HOURS.1)
}

/// From the dry run, which did all the reading and judging: what the rest took beside it where both were measured, with 2
/// million records on two cores (`benches/README.md`). Other disks and servers differ, hence the wide range.
fn derived(stage: Stage, job: &Job) -> Seconds {
    let moment = Seconds::new(0.0, 1.0, 10.0);
    let factors = match (stage, job.target) {
        (Stage::Lock | Stage::CutOver, _) => return moment,
        (Stage::Read, _) => Seconds::new(0.2, 0.4, 0.9),
        (Stage::Load, TargetKind::FreshSqlite) => Seconds::new(1.8, 3.7, 8.0),
        (Stage::Index, TargetKind::FreshSqlite) => Seconds::new(0.9, 1.9, 4.5),
        (Stage::Verify, TargetKind::FreshSqlite) => Seconds::new(0.8, 1.5, 3.5),
        (Stage::Load, TargetKind::FreshPostgres) => Seconds::new(1.2, 2.5, 6.0),
        (Stage::Index | Stage::Verify, TargetKind::FreshPostgres) => Seconds::new(1.3, 2.6, 6.0),
        (Stage::Load, TargetKind::InUse) => Seconds::new(4.0, 12.0, 40.0),
        (Stage::Index, TargetKind::InUse) => Seconds::new(0.0, 0.1, 1.0),
        (Stage::Verify, TargetKind::InUse) => Seconds::new(1.0, 4.0, 12.0),
    };
    factors.times(job.dry_run.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Against, Fits, Forecast, Job, Stage, TargetKind, Timing};

    fn job(window: u64) -> Job {
        Job {
            records: 2_000_000,
            dry_run: Duration::from_secs(5),
            target: TargetKind::FreshPostgres,
            window: Duration::from_secs(window),
            against: Against::Window,
        }
    }

    fn run(records: u64, seconds: [u64; 6]) -> Vec<Timing> {
        let stages = Stage::ALL.iter().zip(seconds);
        let timing = |(stage, seconds): (&Stage, u64)| Timing {
            stage: *stage,
            took: Duration::from_secs(seconds),
            records,
        };
        stages.map(timing).collect()
    }

    #[test]
    fn earlier_runs_tell_how_long_each_stage_takes() {
        let earlier = [
            run(2_000_000, [1, 2, 10, 12, 12, 1]),
            run(2_000_000, [1, 2, 14, 16, 14, 1]),
            run(2_000_000, [1, 2, 11, 13, 13, 1]),
        ];
        let forecast = Forecast::of(&job(3_600), &earlier);
        assert_eq!(forecast.measured_runs, 3);
        assert_eq!(forecast.stages[&Stage::Load].likely, 11.0);
        assert_eq!(forecast.seconds.likely, 41.0);
        assert!(forecast.seconds.low < 38.0 && forecast.seconds.high > 48.0);
        assert_eq!(forecast.fits, Fits::Yes);
        assert_eq!(Forecast::of(&job(50), &earlier).fits, Fits::Maybe);
        assert_eq!(Forecast::of(&job(40), &earlier).fits, Fits::No);
    }

    #[test]
    fn fewer_records_tell_less_of_many_and_very_few_nothing() {
        let of = |records| {
            let stages = [0, 2, 10, 12, 12, 0].map(|seconds| seconds * records / 2_000_000);
            Forecast::of(&job(3_600), &[run(records, stages)])
        };
        let width = |forecast: &Forecast| forecast.seconds.high / forecast.seconds.low;
        let (same, half, few) = (of(2_000_000), of(1_000_000), of(20_000));
        assert_eq!(same.seconds.likely, half.seconds.likely);
        assert!(width(&half) > width(&same));
        assert_eq!((half.measured_runs, few.measured_runs), (1, 0));
        assert_eq!(few, Forecast::of(&job(3_600), &[]));
    }

    #[test]
    fn what_was_never_measured_is_derived_from_the_dry_run_with_a_wide_range() {
        let measured = Forecast::of(&job(3_600), &[run(2_000_000, [1, 2, 12, 14, 13, 1])]);
        let derived = Forecast::of(&job(3_600), &[]);
        assert_eq!(derived.measured_runs, 0);
        let inside = derived.seconds.low..derived.seconds.high;
        assert!(inside.contains(&measured.seconds.likely), "{derived:?}");
        assert!(inside.start < measured.seconds.low && measured.seconds.high < inside.end);
        // A stage that no run came to the end of is derived too.
        let mut begun = run(2_000_000, [1, 2, 12, 14, 13, 1]);
        begun.truncate(3);
        let partly = Forecast::of(&job(3_600), &[begun]);
        assert_eq!(
            partly.stages[&Stage::Verify],
            derived.stages[&Stage::Verify]
        );
        assert_eq!(partly.stages[&Stage::Load], measured.stages[&Stage::Load]);
    }
}
