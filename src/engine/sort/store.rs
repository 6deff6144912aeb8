//! Where sorted runs are kept while more are being made.

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use super::{
    buffer::RunBuffer,
    entry::Key,
    merge::Merge,
    run::{Run, SpillWriter, SpilledRun},
    spill::SpillFile,
};
use crate::engine::extract::ExtractError;

/// Keeps runs in memory as far as the budget goes and spills what comes after.
pub(in crate::engine) struct RunStore {
    folder: PathBuf,
    memory_left: AtomicU64,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    runs: Vec<Run>,
    file: Option<Arc<SpillFile>>,
}

impl RunStore {
    /// Spills to `folder`, which is not touched before.
    pub(in crate::engine) fn new(folder: PathBuf, memory_bytes: u64) -> Self {
        Self {
            folder,
            memory_left: AtomicU64::new(memory_bytes),
            kept: Mutex::default(),
        }
    }

    /// Keeps the records of a sorted buffer, which is empty afterwards.
    pub(in crate::engine) fn keep(&self, buffer: &mut RunBuffer) -> Result<(), ExtractError> {
        if buffer.len() == 0 {
            return Ok(());
        }
        let wanted = buffer.memory_bytes();
        let taken = self
            .memory_left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                left.checked_sub(wanted)
            });
        let run = match taken {
            Ok(_) => Run::Memory(buffer.packed()),
            Err(_) => Run::Spilled(SpilledRun::from_buffer(buffer, self.file()?)?),
        };
        self.lock().runs.push(run);
        buffer.clear();
        Ok(())
    }

    /// The memory that is not taken yet.
    pub(in crate::engine) fn memory_left(&self) -> u64 {
        self.memory_left.load(Ordering::Relaxed)
    }

    /// All runs, of which at most `most_spilled` are spilled: more are merged, level by level, into fewer.
    /// Readers share `read_bytes`; `proceed` is asked now and then whether to go on.
    pub(in crate::engine) fn into_runs(
        self,
        most_spilled: usize,
        read_bytes: usize,
        proceed: &dyn Fn() -> Result<(), ExtractError>,
    ) -> Result<Vec<Run>, ExtractError> {
        let kept = self
            .kept
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        let (mut spilled, mut runs): (Vec<_>, Vec<_>) =
            (kept.runs.into_iter()).partition(|run| matches!(run, Run::Spilled(_)));
        drop(kept.file);
        let most = most_spilled.max(2);
        while spilled.len() > most {
            let file = Arc::new(SpillFile::create(&self.folder)?);
            let mut merged = Vec::with_capacity(spilled.len().div_ceil(most));
            for group in spilled.chunks(most) {
                merged.push(merge_group(group, &file, read_bytes / most, proceed)?);
            }
            spilled = merged;
        }
        runs.append(&mut spilled);
        Ok(runs)
    }

    fn file(&self) -> Result<Arc<SpillFile>, ExtractError> {
        let mut kept = self.lock();
        if let Some(file) = &kept.file {
            return Ok(Arc::clone(file));
        }
        let file = Arc::new(SpillFile::create(&self.folder)?);
        kept.file = Some(Arc::clone(&file));
        Ok(file)
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn merge_group(
    group: &[Run],
    file: &Arc<SpillFile>,
    read_bytes: usize,
    proceed: &dyn Fn() -> Result<(), ExtractError>,
) -> Result<Run, ExtractError> {
    let spilled = group.iter().map(|run| match run {
        Run::Spilled(run) => run.bytes(),
        Run::Memory(_) => 0,
    });
    let mut writer = SpillWriter::new(Arc::clone(file), spilled.sum());
    let mut merge = Merge::open(group, Key::START, Key::END, read_bytes)?;
    let mut count = 0_u64;
    while let Some(entry) = merge.head() {
        writer.push(&entry)?;
        merge.advance()?;
        count += 1;
        if count.is_multiple_of(4096) {
            proceed()?;
        }
    }
    Ok(Run::Spilled(writer.finish()?))
}
