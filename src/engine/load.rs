//! Loading: partitions are judged on some threads and committed on others, chunk by chunk. A target has as many
//! writers as it takes; each has a judge ahead of it, which on SQLite keeps the partitions in order, so that rows
//! are appended. Into a target in use the writers judge themselves, in the transaction that holds the people whom the
//! records meet.

use std::{
    collections::{BTreeMap, BTreeSet},
    iter, mem,
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::Instant,
};

use crossbeam_channel::{Receiver, Sender, bounded};
use serde_json::json;

use super::{
    abort,
    batch::{self, Batch},
    cases::Case,
    cursor::Cursor,
    error::RunError,
    extract::{ExtractError, Extracted},
    gate::Gate,
    job::Job,
    judge::{CaseSink, Crew, End, Work, judge},
    partition::{Boundary, Partition},
    progress::{Phase, Unwatched},
    stop::StopReason,
};
use crate::{
    domain::{digest::RowHash, fiscal_code::FiscalCode, rules::Rules, tally::Tally},
    store::{
        ChunkBuilder, ChunkRows, CommitPoint, Done, Lease, LeasedTx, Lettered, NewPartition,
        PartitionRow, RunPhase, RunRow, Step, StoreError, Target, Toil, chunk::DanglingSuccessor,
    },
};

/// Chunks that may wait between judge and writer.
const CHUNKS_WAITING: usize = 2;

/// Attempts at a chunk that others get in the way of.
const MOST_ATTEMPTS: u32 = 5;

/// Whether a part of the work ran to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progressed {
    /// It did.
    ToTheEnd,
    /// What was begun is settled; the rest waits for the next process.
    Until(StopReason),
}

/// Keeps what was read, reserves ids and lays the partitions out, in the transaction that begins the load.
pub(super) fn lay_out(
    job: &Job<'_>,
    rules: &Rules,
    target: &mut Target,
    lease: &Lease,
    extracted: &Extracted,
) -> Result<(), RunError> {
    let boundaries = extracted.boundaries(job.settings.run.workers);
    let partitions: Vec<_> = extracted
        .split(&boundaries, rules)?
        .iter()
        .zip(0..)
        .map(|(partition, no)| NewPartition {
            no,
            key_from: partition
                .from
                .map_or(Vec::new(), |from| from.to_bytes().into()),
            key_to: partition.to.map(|to| to.to_bytes().into()),
            first_position: partition.first_position,
        })
        .collect();
    let tx = target.begin(lease)?;
    for (name, summary) in &extracted.sources {
        tx.set_source(name, summary.fingerprint, summary.records)?;
    }
    tx.reserve_ids(extracted.records())?;
    tx.create_partitions(&partitions)?;
    tx.pause_vacuum()?;
    let detail = json!({ "records": extracted.records(), "partitions": partitions.len() });
    tx.event("load.laid_out", &detail)?;
    tx.set_phase(RunPhase::Locked, RunPhase::Loading)?;
    tx.commit(CommitPoint::Layout)?;
    Ok(())
}

/// Judges and commits whatever the partitions have not committed yet.
pub(super) fn load(
    job: &Job<'_>,
    rules: &Rules,
    run: &RunRow,
    target: &mut Target,
    lease: &Lease,
    (extracted, gate): (&Extracted, &Gate),
) -> Result<Progressed, RunError> {
    let rows = target.partitions(run.run_id)?;
    let committed: u64 = rows
        .iter()
        .map(|row| row.position - row.first_position)
        .sum();
    job.progress.begin(Phase::Load, Some(extracted.records()));
    job.progress.advance(committed);
    let work = outstanding(&rows, rules, extracted)?;
    let id_base = run.id_base.ok_or(RunError::NoIds { run_id: run.run_id })?;
    let places: BTreeMap<_, _> = rows
        .into_iter()
        .map(|row| {
            (
                row.no,
                Place {
                    cursor: row.cursor,
                    position: row.position,
                },
            )
        })
        .collect();
    let lettered = match run.target_fresh {
        true => Lettered::default(),
        false => target.begin(lease)?.lettered()?,
    };
    let writing = Writing {
        job,
        lease,
        rules,
        gate,
        id_base,
        target_fresh: run.target_fresh,
        lettered: &lettered,
        loaded: &AtomicU64::new(committed),
    };
    let mut crew = target.crew(lease, job.settings.run.workers, Toil::Load)?;
    let hands: Vec<_> = iter::once(target).chain(&mut crew).collect();
    let judges = Crew {
        workers: hands.len(),
        progress: &Unwatched,
        stop: job.stop,
    };
    let (judged, written) = thread::scope(|scope| {
        let (lanes, writers): (Vec<_>, Vec<_>) = hands
            .into_iter()
            .map(|hand| {
                let (lane, end) = Lane::new();
                let places = places.clone();
                (lane, scope.spawn(move || writing.all(hand, places, end)))
            })
            .unzip();
        // All chunks of a partition take the same lane, so that they are committed in order. The lanes close
        // when the judges, who own their senders, end.
        let open = move |partition: &Partition| {
            let lane = &lanes[partition.number % lanes.len()];
            Ok(Loader {
                run,
                id_base,
                rules,
                chunk_records: job.settings.run.chunk_records.get(),
                partition_no: partition.number as u32,
                lane: lane.clone(),
                building: Building::of(run, None),
                hash: RowHash::default(),
            })
        };
        let judged = judge(extracted, work, judges, open).map(drop);
        let written = writers.into_iter().map(|writer| {
            let written = writer.join();
            written.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });
        (judged, written.collect::<Result<Vec<_>, _>>())
    });
    // What a writer met is the cause, what the judges met is that nobody listens any more.
    if let Some(reason) = written?.into_iter().flatten().next() {
        return Ok(Progressed::Until(reason));
    }
    match judged {
        Ok(()) => Ok(Progressed::ToTheEnd),
        Err(LoadError::Extract(ExtractError::Stopped(reason))) => Ok(Progressed::Until(reason)),
        Err(error) => Err(error.into()),
    }
}

/// The way of chunks from a judge to a writer, and of their spent memory back.
#[derive(Clone)]
struct Lane {
    chunks: Sender<Chunk>,
    spent: Receiver<ChunkRows>,
}

/// The writer's end of a lane.
struct LaneEnd {
    chunks: Receiver<Chunk>,
    give_back: Sender<ChunkRows>,
}

impl Lane {
    fn new() -> (Self, LaneEnd) {
        let (sender, chunks) = bounded(CHUNKS_WAITING);
        let (give_back, spent) = bounded(CHUNKS_WAITING + 1);
        let lane = Self {
            chunks: sender,
            spent,
        };
        (lane, LaneEnd { chunks, give_back })
    }
}

/// What is left of every partition that is not done.
fn outstanding(
    rows: &[PartitionRow],
    rules: &Rules,
    extracted: &Extracted,
) -> Result<Vec<Work>, RunError> {
    let boundaries: Vec<Boundary> = rows
        .iter()
        .filter_map(|row| row.key_to.as_deref())
        .map(Boundary::try_from)
        .collect::<Result<_, _>>()?;
    let mut work = Vec::new();
    for (row, partition) in rows.iter().zip(extracted.split(&boundaries, rules)?) {
        if !row.done {
            let after = match row.cursor.as_slice() {
                [] => None,
                cursor => Some(Cursor::try_from(cursor)?),
            };
            work.push(Work { partition, after });
        }
    }
    Ok(work)
}

/// What every writer needs.
#[derive(Clone, Copy)]
struct Writing<'w> {
    job: &'w Job<'w>,
    lease: &'w Lease,
    rules: &'w Rules,
    gate: &'w Gate,
    id_base: i64,
    target_fresh: bool,
    lettered: &'w Lettered,
    /// Records that are committed, by all writers.
    loaded: &'w AtomicU64,
}

impl Writing<'_> {
    /// Commits chunks until no more come, or it is to stop while it waits.
    fn all(
        self,
        target: &mut Target,
        mut places: BTreeMap<u32, Place>,
        lane: LaneEnd,
    ) -> Result<Option<StopReason>, RunError> {
        for chunk in lane.chunks {
            let run_id = self.lease.run_id();
            let stopped = (self.gate).pass(self.job, target, run_id, chunk.records)?;
            if stopped.is_some() {
                return Ok(stopped);
            }
            let begun = Instant::now();
            let place = places.entry(chunk.partition_no).or_default();
            let next = chunk.to.clone().unwrap_or_else(|| place.clone());
            match &chunk.cases {
                None => {
                    let tx = self.advance(target, &chunk, place, &next)?;
                    tx.insert(&chunk.rows)?;
                    tx.add_tally(chunk.partition_no, &chunk.tally)?;
                    tx.commit(CommitPoint::Chunk)?;
                }
                Some(cases) => self.merge(target, &chunk, cases, (place, &next))?,
            }
            *place = next;
            self.job.progress.advance(chunk.records);
            let loaded = self.loaded.fetch_add(chunk.records, Ordering::Relaxed) + chunk.records;
            (self.job.stop).note_taking_back(abort::takes(loaded, self.target_fresh));
            // Those that wait in the lane, and the one a judge is at, are committed too before the writer stops.
            (self.job.stop).note_step(begun.elapsed() * (CHUNKS_WAITING as u32 + 2));
            // The judge may have ended already; then its memory is not wanted any more.
            drop(lane.give_back.try_send(chunk.rows));
        }
        Ok(None)
    }

    fn advance<'t>(
        &self,
        target: &'t mut Target,
        chunk: &Chunk,
        place: &Place,
        next: &Place,
    ) -> Result<LeasedTx<'t>, StoreError>
    where
        Self: 't,
    {
        let tx = target.begin(self.lease)?;
        tx.advance(&Step {
            partition_no: chunk.partition_no,
            from: &place.cursor,
            to: &next.cursor,
            position: next.position,
            done: chunk.done,
        })?;
        Ok(tx)
    }

    /// Judges and commits cases in a target in use. Others write there too: a transaction that somebody got in
    /// the way of left nothing, and is tried again.
    fn merge(
        &self,
        target: &mut Target,
        chunk: &Chunk,
        cases: &Batch,
        (place, next): (&Place, &Place),
    ) -> Result<(), RunError> {
        let codes = cases.codes(self.rules)?;
        for attempt in 1..MOST_ATTEMPTS {
            match self.merge_once(target, chunk, cases, &codes, (place, next)) {
                Err(RunError::Store(error)) if error.is_conflict() || error.refuses_row() => {
                    tracing::warn!(event = "chunk.again", %error, attempt);
                }
                merged => return merged,
            }
        }
        self.merge_once(target, chunk, cases, &codes, (place, next))
    }

    fn merge_once(
        &self,
        target: &mut Target,
        chunk: &Chunk,
        cases: &Batch,
        codes: &BTreeSet<FiscalCode>,
        (place, next): (&Place, &Place),
    ) -> Result<(), RunError> {
        let tx = self.advance(target, chunk, place, next)?;
        let met = tx.meet(codes, self.lettered)?;
        let mut builder = ChunkBuilder::new(tx.run_id());
        let (mut tally, mut hash) = (Tally::default(), RowHash::default());
        cases.judge(&met, self.rules, |position, decided| {
            let next_id = self.id_base + position.cast_signed();
            batch::count(decided, &mut tally, &mut hash);
            batch::build(decided, next_id, |_| None, &met, &mut builder).map_err(RunError::from)
        })?;
        tx.insert(&builder.finish())?;
        tx.add_tally(chunk.partition_no, &tally)?;
        tx.commit(CommitPoint::Chunk)?;
        Ok(())
    }
}

/// Whole people, ready to be committed.
struct Chunk {
    partition_no: u32,
    rows: ChunkRows,
    tally: Tally,
    /// For a target in use, what is judged by whom it meets there; rows come of it only then.
    cases: Option<Batch>,
    records: u64,
    /// Where it takes the partition; nowhere when it holds nothing.
    to: Option<Place>,
    done: Done,
}

/// Where a partition stands.
#[derive(Clone, Default)]
struct Place {
    cursor: Vec<u8>,
    /// Records before the first that is not committed.
    position: u64,
}

/// Collects the cases of one partition into chunks.
struct Loader<'a> {
    run: &'a RunRow,
    id_base: i64,
    rules: &'a Rules,
    chunk_records: u64,
    partition_no: u32,
    lane: Lane,
    building: Building,
    hash: RowHash,
}

struct Building {
    builder: ChunkBuilder,
    tally: Tally,
    cases: Option<Batch>,
    records: u64,
    to: Option<Place>,
}

impl Building {
    /// The next chunk, in memory of an earlier one where there is some.
    fn of(run: &RunRow, spent: Option<ChunkRows>) -> Self {
        let builder = match spent {
            Some(rows) => ChunkBuilder::reuse(run.run_id, rows),
            None => ChunkBuilder::new(run.run_id),
        };
        Self {
            builder,
            tally: Tally::default(),
            cases: (!run.target_fresh).then(Batch::default),
            records: 0,
            to: None,
        }
    }
}

/// Why judging for the load ended early.
#[derive(Debug, thiserror::Error)]
pub(super) enum LoadError {
    #[error(transparent)]
    Extract(#[from] ExtractError),
    #[error(transparent)]
    Dangling(#[from] DanglingSuccessor),
    #[error("the writer has ended")]
    NoWriter,
}

impl From<LoadError> for RunError {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Extract(error) => error.into(),
            LoadError::Dangling(error) => Self::Store(error.into()),
            LoadError::NoWriter => Self::NoWriter,
        }
    }
}

impl CaseSink for Loader<'_> {
    type Error = LoadError;

    fn case(&mut self, case: &Case<'_>) -> Result<(), LoadError> {
        let records = case.records().len() as u64;
        let building = &mut self.building;
        if let Some(cases) = &mut building.cases {
            cases.push(case);
        } else {
            let decision = case.decide(self.rules);
            let mut first_id = self.id_base + case.position().cast_signed();
            for person in &decision.people {
                building.builder.push_person(first_id, person)?;
                building.tally.add_person(person, &mut self.hash);
                first_id += person.pins.len() as i64;
            }
            for row in &decision.quarantined {
                building.builder.push_quarantine(row);
                building.tally.add_quarantined(row, &mut self.hash);
            }
        }
        building.records += records;
        building.to = Some(Place {
            cursor: case.cursor().as_bytes().to_vec(),
            position: case.position() + records,
        });
        if building.records >= self.chunk_records {
            self.hand_over(Done::NotYet)?;
        }
        Ok(())
    }

    fn end(&mut self, end: End) -> Result<(), LoadError> {
        match end {
            End::Complete => self.hand_over(Done::Done),
            End::Stopped(_) if self.building.records == 0 => Ok(()),
            End::Stopped(_) => self.hand_over(Done::NotYet),
        }
    }
}

impl Loader<'_> {
    fn hand_over(&mut self, done: Done) -> Result<(), LoadError> {
        let next = Building::of(self.run, self.lane.spent.try_recv().ok());
        let built = mem::replace(&mut self.building, next);
        self.lane
            .chunks
            .send(Chunk {
                partition_no: self.partition_no,
                rows: built.builder.finish(),
                tally: built.tally,
                cases: built.cases,
                records: built.records,
                to: built.to,
                done,
            })
            .map_err(|_| LoadError::NoWriter)
    }
}
