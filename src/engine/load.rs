//! Loading: partitions are judged on some threads and committed on others, chunk by chunk. A target has as many
//! writers as it takes; each has a judge ahead of it, which on SQLite keeps the partitions in order, so that rows
//! are appended.

use std::{collections::BTreeMap, iter, mem, thread};

use crossbeam_channel::{Receiver, Sender, bounded};
use serde_json::json;

use super::{
    cases::Case,
    cursor::Cursor,
    error::RunError,
    extract::{ExtractError, Extracted},
    job::Job,
    judge::{CaseSink, Crew, End, Work, judge},
    partition::{Boundary, Partition},
    progress::{Phase, Unwatched},
    stop::StopReason,
};
use crate::{
    domain::{digest::RowHash, rules::Rules, tally::Tally},
    store::{
        ChunkBuilder, ChunkRows, CommitPoint, Done, Lease, NewPartition, PartitionRow, RunPhase,
        RunRow, Step, Target, Toil, chunk::DanglingSuccessor,
    },
};

/// Chunks that may wait between judge and writer.
const CHUNKS_WAITING: usize = 2;

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
    extracted: &Extracted,
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
                (lane, scope.spawn(|| write(job, hand, lease, places, end)))
            })
            .unzip();
        // All chunks of a partition take the same lane, so that they are committed in order. The lanes close
        // when the judges, who own their senders, end.
        let open = move |partition: &Partition| {
            let lane = &lanes[partition.number % lanes.len()];
            Ok(Loader {
                run_id: run.run_id,
                id_base,
                rules,
                chunk_records: job.settings.run.chunk_records.get(),
                partition_no: partition.number as u32,
                lane: lane.clone(),
                building: Building::new(ChunkBuilder::new(run.run_id)),
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
    written?;
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

/// Commits chunks until no more come.
fn write(
    job: &Job<'_>,
    target: &mut Target,
    lease: &Lease,
    mut places: BTreeMap<u32, Place>,
    lane: LaneEnd,
) -> Result<(), RunError> {
    for chunk in lane.chunks {
        let place = places.entry(chunk.partition_no).or_default();
        let next = chunk.to.unwrap_or_else(|| place.clone());
        let tx = target.begin(lease)?;
        tx.advance(&Step {
            partition_no: chunk.partition_no,
            from: &place.cursor,
            to: &next.cursor,
            position: next.position,
            done: chunk.done,
        })?;
        tx.insert(&chunk.rows)?;
        tx.add_tally(chunk.partition_no, &chunk.tally)?;
        tx.commit(CommitPoint::Chunk)?;
        *place = next;
        job.progress.advance(chunk.records);
        // The judge may have ended already; then its memory is not wanted any more.
        drop(lane.give_back.try_send(chunk.rows));
    }
    Ok(())
}

/// Whole people, ready to be committed.
struct Chunk {
    partition_no: u32,
    rows: ChunkRows,
    tally: Tally,
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
    run_id: i64,
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
    records: u64,
    to: Option<Place>,
}

impl Building {
    fn new(builder: ChunkBuilder) -> Self {
        Self {
            builder,
            tally: Tally::default(),
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
        let decision = case.decide(self.rules);
        let building = &mut self.building;
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
        let builder = match self.lane.spent.try_recv() {
            Ok(rows) => ChunkBuilder::reuse(self.run_id, rows),
            Err(_) => ChunkBuilder::new(self.run_id),
        };
        let built = mem::replace(&mut self.building, Building::new(builder));
        self.lane
            .chunks
            .send(Chunk {
                partition_no: self.partition_no,
                rows: built.builder.finish(),
                tally: built.tally,
                records: built.records,
                to: built.to,
                done,
            })
            .map_err(|_| LoadError::NoWriter)
    }
}
