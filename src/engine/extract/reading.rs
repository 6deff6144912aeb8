//! Reads the sources one after the other while other threads sort what was read.

use std::{
    mem,
    ops::ControlFlow,
    panic,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use crossbeam_channel::{Receiver, Sender};

use super::{
    ExtractError,
    seen::{SeenId, SeenIds},
};
use crate::{
    config::settings::SourceSettings,
    domain::{
        raw_record::{Head, RawRecord, SourceIndex},
        record_id::record_id,
        rules::Rules,
        sort_key,
    },
    engine::{
        budget::Budget,
        progress::Progress,
        sort::{Key, RunBuffer, RunStore},
        stop::StopFlag,
    },
    source::{self, ReadSummary},
};

/// Records between two looks at the stop flag.
const POLL_RECORDS: u32 = 4096;

/// What reading needs beside the sources.
pub(super) struct Reading<'a> {
    pub rules: &'a Rules,
    /// Columns that may change meanwhile, which do not count for the fingerprints.
    pub allow_columns: &'a [String],
    pub budget: &'a Budget,
    pub id_hash: fn(&[u8]) -> u64,
    pub progress: &'a dyn Progress,
    pub stop: &'a StopFlag,
}

impl Reading<'_> {
    /// Reads every source into sorted runs, and notes the ids; returns how many records there are as well.
    pub(super) fn run(
        &self,
        sources: &[SourceSettings],
        store: &RunStore,
        seen: &Mutex<SeenIds>,
    ) -> Result<(Vec<ReadSummary>, u64), ExtractError> {
        let (full, to_sort) = crossbeam_channel::bounded(1);
        let (sorted, free) = crossbeam_channel::bounded(self.budget.buffers);
        let new_buffer = || RunBuffer::new(self.budget.buffer_bytes);
        for _ in 1..self.budget.buffers {
            sorted
                .send(new_buffer())
                .expect("the channel has room for all");
        }
        let failed = AtomicBool::new(false);
        thread::scope(|scope| {
            let sorters: Vec<_> = (0..self.budget.sorters)
                .map(|_| {
                    let (to_sort, sorted) = (to_sort.clone(), sorted.clone());
                    let failed = &failed;
                    scope.spawn(move || {
                        let outcome = self.sort(&to_sort, &sorted, store, seen);
                        failed.fetch_or(outcome.is_err(), Ordering::Relaxed);
                        outcome
                    })
                })
                .collect();
            drop((to_sort, sorted));
            let intake = Intake {
                reading: self,
                buffer: new_buffer(),
                full,
                free,
                failed: &failed,
                ordinal: 0,
            };
            let summaries = self.read(sources, intake);
            for sorter in sorters {
                match sorter.join() {
                    Ok(outcome) => outcome?,
                    Err(panic) => panic::resume_unwind(panic),
                }
            }
            summaries.map_err(|refusal| refusal.expect("a sorter that gave up said why"))
        })
    }

    fn read(
        &self,
        sources: &[SourceSettings],
        mut intake: Intake<'_>,
    ) -> Result<(Vec<ReadSummary>, u64), Refusal> {
        let mut summaries = Vec::with_capacity(sources.len());
        for (settings, index) in sources.iter().zip(0..) {
            let mut refused = None;
            let read = source::read_compact(
                settings,
                SourceIndex(index),
                &settings.changing_fields(self.allow_columns),
                &mut |record, compact| match intake.take(record, compact) {
                    Ok(()) => ControlFlow::Continue(()),
                    Err(refusal) => {
                        refused = Some(refusal);
                        ControlFlow::Break(())
                    }
                },
            );
            if let Some(refusal) = refused {
                return Err(refusal);
            }
            let read = read.map_err(ExtractError::from)?;
            refuse_empty(settings, &read)?;
            summaries.push(read);
        }
        let records = intake.finish()?;
        Ok((summaries, records))
    }

    /// Sorts buffers and hands them back until the reader has gone.
    fn sort(
        &self,
        to_sort: &Receiver<RunBuffer>,
        sorted: &Sender<RunBuffer>,
        store: &RunStore,
        seen: &Mutex<SeenIds>,
    ) -> Result<(), ExtractError> {
        let mut ids = Vec::new();
        for mut buffer in to_sort {
            ids.clear();
            buffer.sort(|entry| {
                let head = Head::of(entry.body)?;
                let hash = (self.id_hash)(entry.id);
                ids.push(SeenId::new(hash, head.source, entry.ordinal));
                let key = sort_key::of_compact(&head, entry.id, self.rules)?;
                Ok(Key::from(key))
            })?;
            let noted = seen
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .extend(&ids);
            noted?;
            store.keep(&mut buffer)?;
            // A reader that has gone needs no more buffers; what it sent is still to be sorted.
            sorted.send(buffer).ok();
        }
        Ok(())
    }
}

/// Why no more records are taken; a sorter that gave up says so itself.
type Refusal = Option<ExtractError>;

/// Where records go as they are read.
struct Intake<'a> {
    reading: &'a Reading<'a>,
    buffer: RunBuffer,
    full: Sender<RunBuffer>,
    free: Receiver<RunBuffer>,
    failed: &'a AtomicBool,
    ordinal: u32,
}

impl Intake<'_> {
    fn take(&mut self, record: &RawRecord<'_>, compact: &[u8]) -> Result<(), Refusal> {
        if self.ordinal.is_multiple_of(POLL_RECORDS) && self.ordinal > 0 {
            self.reading.progress.advance(u64::from(POLL_RECORDS));
            if let Some(reason) = self.reading.stop.requested() {
                return Err(Some(ExtractError::Stopped(reason)));
            }
        }
        if self.buffer.is_full() {
            let free = self.free.recv().map_err(|_| None)?;
            self.hand_over(free)?;
        }
        let id = record_id(record, self.reading.rules);
        let pushed = self.buffer.push(self.ordinal, id.as_bytes(), compact);
        pushed.map_err(|_| ExtractError::RecordTooLarge {
            index: record.source,
            number: record.number,
        })?;
        self.ordinal = (self.ordinal.checked_add(1)).ok_or(ExtractError::TooManyRecords)?;
        Ok(())
    }

    /// Hands the last buffer over; returns how many records there were.
    fn finish(mut self) -> Result<u64, Refusal> {
        self.hand_over(RunBuffer::new(0))?;
        let rest = self.ordinal % POLL_RECORDS;
        self.reading.progress.advance(u64::from(rest));
        Ok(u64::from(self.ordinal))
    }

    fn hand_over(&mut self, free: RunBuffer) -> Result<(), Refusal> {
        if self.failed.load(Ordering::Relaxed) {
            return Err(None);
        }
        let full = mem::replace(&mut self.buffer, free);
        self.full.send(full).map_err(|_| None)
    }
}

/// Refuses a source without a record, unless its sender says that it has none.
pub(in crate::engine) fn refuse_empty(
    settings: &SourceSettings,
    read: &ReadSummary,
) -> Result<(), ExtractError> {
    if read.records == 0 && settings.records != Some(0) {
        return Err(ExtractError::NoRecords {
            source_name: settings.rules.name.clone(),
        });
    }
    Ok(())
}
