//! Records of one source that stand under one id, settled exactly and in bounded memory.

use std::{
    panic,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use super::ExtractError;
use crate::{
    domain::{duplicates, raw_record::RawRecord},
    engine::{
        bitmap::Bitmap,
        budget::Budget,
        sort::{Entry, Key, Merge, Run, RunBuffer, RunStore},
    },
};

/// Asked now and then whether to go on.
pub(super) type Proceed<'a> = &'a (dyn Fn() -> Result<(), ExtractError> + Sync);

/// Records between two looks at the stop flag.
const POLL_RECORDS: u64 = 4096;

/// Sorts the candidates out of all runs by source, id and content.
pub(super) fn collect(
    runs: &[Run],
    candidates: &Bitmap,
    store: &RunStore,
    budget: &Budget,
    proceed: Proceed<'_>,
) -> Result<(), ExtractError> {
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..budget.workers.min(budget.buffers))
            .map(|_| scope.spawn(|| collect_some(runs, &next, candidates, store, budget, proceed)))
            .collect();
        let mut outcome = Ok(());
        for worker in workers {
            match worker.join() {
                Ok(done) => outcome = outcome.and(done),
                Err(panic) => panic::resume_unwind(panic),
            }
        }
        outcome
    })
}

/// One thread's share: the runs that no other thread has taken.
fn collect_some(
    runs: &[Run],
    next: &AtomicUsize,
    candidates: &Bitmap,
    store: &RunStore,
    budget: &Budget,
    proceed: Proceed<'_>,
) -> Result<(), ExtractError> {
    let mut buffer = RunBuffer::new(budget.buffer_bytes);
    let mut count = 0_u64;
    while let Some(run) = runs.get(next.fetch_add(1, Ordering::Relaxed)) {
        run.for_each(budget.reader_bytes(1), |entry| {
            count += 1;
            if count.is_multiple_of(POLL_RECORDS) {
                proceed()?;
            }
            if !candidates.contains(entry.ordinal) {
                return Ok(());
            }
            if buffer.is_full() {
                keep(store, &mut buffer)?;
            }
            Ok(buffer.push_entry(entry)?)
        })?;
    }
    keep(store, &mut buffer)
}

fn keep(store: &RunStore, buffer: &mut RunBuffer) -> Result<(), ExtractError> {
    buffer.sort(|entry| {
        let record = RawRecord::decode(entry.body)?;
        Ok(Key::of_copy(record.source, entry.id))
    })?;
    store.keep(buffer)
}

/// Marks the records that are quarantined because others of their source stand under the same id.
/// `copies` are in the order of source, id and content, so that the first and the last of a group tell
/// whether all of it is the same.
pub(super) fn settle(
    copies: &[Run],
    records: u64,
    read_bytes: usize,
    proceed: Proceed<'_>,
) -> Result<Bitmap, ExtractError> {
    let mut quarantined = Bitmap::new(records);
    let mut merge = Merge::open(copies, Key::START, Key::END, read_bytes)?;
    let mut group = Group::default();
    let mut count = 0_u64;
    while let Some(entry) = merge.head() {
        count += 1;
        if count.is_multiple_of(POLL_RECORDS) {
            proceed()?;
        }
        if group.holds(&entry) {
            quarantined.insert(entry.ordinal);
            group.last.clear();
            group.last.extend_from_slice(entry.body);
            group.records += 1;
        } else {
            group.close(&mut quarantined)?;
            group.begin(&entry);
        }
        merge.advance()?;
    }
    group.close(&mut quarantined)?;
    Ok(quarantined)
}

/// The records under one id: the first and the last of them.
#[derive(Default)]
struct Group {
    key: Option<Key>,
    id: Vec<u8>,
    ordinal: u32,
    first: Vec<u8>,
    last: Vec<u8>,
    records: u64,
}

impl Group {
    fn holds(&self, entry: &Entry<'_>) -> bool {
        self.key == Some(entry.key) && self.id == entry.id
    }

    fn begin(&mut self, entry: &Entry<'_>) {
        self.key = Some(entry.key);
        self.ordinal = entry.ordinal;
        self.records = 1;
        for (mine, theirs) in [(&mut self.id, entry.id), (&mut self.first, entry.body)] {
            mine.clear();
            mine.extend_from_slice(theirs);
        }
    }

    /// All but the first are marked already; the first is too, unless it goes on.
    fn close(&self, quarantined: &mut Bitmap) -> Result<(), ExtractError> {
        if self.records < 2 {
            return Ok(());
        }
        let extremes = [
            RawRecord::decode(&self.first)?,
            RawRecord::decode(&self.last)?,
        ];
        if duplicates::settle(&extremes).goes_on.is_none() {
            quarantined.insert(self.ordinal);
        }
        Ok(())
    }
}
