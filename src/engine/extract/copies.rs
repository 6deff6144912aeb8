//! Records of one source that stand under one id, settled exactly and in bounded memory.

use super::ExtractError;
use crate::{
    domain::{duplicates, raw_record::RawRecord},
    engine::{
        bitmap::Bitmap,
        budget::Budget,
        sort::{Entry, Key, Merge, Run, RunBuffer, RunStore},
    },
};

/// Records between two looks at the stop flag.
const POLL_RECORDS: u64 = 4096;

/// Sorts the candidates out of all runs by source, id and content.
pub(super) fn collect(
    runs: &[Run],
    candidates: &Bitmap,
    store: &RunStore,
    budget: &Budget,
    proceed: &dyn Fn() -> Result<(), ExtractError>,
) -> Result<(), ExtractError> {
    let mut buffer = RunBuffer::new(budget.buffer_bytes);
    let mut count = 0_u64;
    for run in runs {
        run.for_each(budget.reader_bytes(1), |entry| {
            count += 1;
            if count.is_multiple_of(POLL_RECORDS) {
                proceed()?;
            }
            if !candidates.contains(entry.ordinal) {
                return Ok(());
            }
            if buffer.is_full() {
                let empty = || RunBuffer::new(budget.buffer_bytes);
                let full = std::mem::replace(&mut buffer, RunBuffer::new(0));
                buffer = keep(store, full)?.unwrap_or_else(empty);
            }
            Ok(buffer.push_entry(entry)?)
        })?;
    }
    keep(store, buffer).map(drop)
}

fn keep(store: &RunStore, mut buffer: RunBuffer) -> Result<Option<RunBuffer>, ExtractError> {
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
    proceed: &dyn Fn() -> Result<(), ExtractError>,
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
