//! A sorted run, in memory or in a spill file.

use std::{mem, sync::Arc};

use super::{
    buffer::RunBuffer,
    entry::{Entry, Key},
    spill::SpillFile,
};
use crate::{domain::raw_record::Damaged, engine::extract::ExtractError};

/// Key, ordinal, and the lengths of id and body before both of them.
const HEADER: usize = 24 + 4 + 4 + 4;
/// Distance of the entries in the sparse index of a spilled run.
const BLOCK_BYTES: u64 = 64 << 10;
/// What is written at once.
const WRITE_BYTES: usize = 512 << 10;

/// A sorted run.
pub(in crate::engine) enum Run {
    /// Kept in memory.
    Memory(RunBuffer),
    /// Written to a spill file.
    Spilled(SpilledRun),
}

/// A sorted run in a spill file.
pub(in crate::engine) struct SpilledRun {
    file: Arc<SpillFile>,
    start: u64,
    end: u64,
    entries: u64,
    blocks: Vec<Block>,
}

/// Where about every 64 KiB of a spilled run begin.
#[derive(Clone, Copy)]
struct Block {
    key: Key,
    offset: u64,
    entries_before: u64,
}

impl Run {
    /// How many records come before `key`.
    pub(in crate::engine) fn rank(&self, key: Key) -> Result<u64, ExtractError> {
        match self {
            Self::Memory(buffer) => Ok(buffer.rank(key) as u64),
            Self::Spilled(run) => Ok(SpillReader::seek(run, key, BLOCK_BYTES as usize)?.1),
        }
    }

    /// Adds keys at about even distances, each with the number of records it stands for.
    pub(in crate::engine) fn sample(&self, keys: &mut Vec<(Key, u64)>) {
        /// Records of a run in memory that one key stands for.
        const STRIDE: usize = 256;
        match self {
            Self::Memory(buffer) => {
                for start in (0..buffer.len()).step_by(STRIDE) {
                    let weight = STRIDE.min(buffer.len() - start) as u64;
                    keys.extend(buffer.key(start).map(|key| (key, weight)));
                }
            }
            Self::Spilled(run) => {
                let befores = run.blocks.iter().skip(1).map(|block| block.entries_before);
                let ends = befores.chain([run.entries]);
                for (block, end) in run.blocks.iter().zip(ends) {
                    keys.push((block.key, end - block.entries_before));
                }
            }
        }
    }

    /// Hands every record to `visit`, in order.
    pub(in crate::engine) fn for_each(
        &self,
        read_bytes: usize,
        mut visit: impl FnMut(&Entry<'_>) -> Result<(), ExtractError>,
    ) -> Result<(), ExtractError> {
        match self {
            Self::Memory(buffer) => buffer.entries().try_for_each(|entry| visit(&entry)),
            Self::Spilled(run) => {
                let mut reader = SpillReader::open(run, run.start, read_bytes)?;
                while let Some(entry) = reader.head() {
                    visit(&entry)?;
                    reader.advance()?;
                }
                Ok(())
            }
        }
    }
}

impl SpilledRun {
    /// Writes a sorted buffer out.
    pub(super) fn from_buffer(
        buffer: &RunBuffer,
        file: Arc<SpillFile>,
    ) -> Result<Self, ExtractError> {
        // A buffer holds the lengths of id and body too, but neither key nor ordinal.
        let bytes = buffer.arena_bytes() + buffer.len() as u64 * (24 + 4);
        let mut writer = SpillWriter::new(file, bytes);
        for entry in buffer.entries() {
            writer.push(&entry)?;
        }
        writer.finish()
    }

    /// Bytes in the file.
    pub(super) fn bytes(&self) -> u64 {
        self.end - self.start
    }
}

/// Writes one run to its reserved place.
pub(super) struct SpillWriter {
    run: SpilledRun,
    reserved_end: u64,
    buffer: Vec<u8>,
}

impl SpillWriter {
    /// Reserves `bytes` in `file`.
    pub(super) fn new(file: Arc<SpillFile>, bytes: u64) -> Self {
        let start = file.reserve(bytes);
        Self {
            run: SpilledRun {
                file,
                start,
                end: start,
                entries: 0,
                blocks: Vec::new(),
            },
            reserved_end: start + bytes,
            buffer: Vec::with_capacity(WRITE_BYTES),
        }
    }

    /// Appends the next record.
    pub(super) fn push(&mut self, entry: &Entry<'_>) -> Result<(), ExtractError> {
        let run = &mut self.run;
        let offset = run.end + self.buffer.len() as u64;
        let last = run.blocks.last();
        if last.is_none_or(|last| offset - last.offset >= BLOCK_BYTES) {
            run.blocks.push(Block {
                key: entry.key,
                offset,
                entries_before: run.entries,
            });
        }
        run.entries += 1;
        self.buffer.extend_from_slice(&entry.key.to_bytes());
        for number in [
            entry.ordinal,
            entry.id.len() as u32,
            entry.body.len() as u32,
        ] {
            self.buffer.extend_from_slice(&number.to_le_bytes());
        }
        self.buffer.extend_from_slice(entry.id);
        self.buffer.extend_from_slice(entry.body);
        if self.buffer.len() >= WRITE_BYTES {
            self.flush()?;
        }
        Ok(())
    }

    /// Writes the rest.
    pub(super) fn finish(mut self) -> Result<SpilledRun, ExtractError> {
        self.flush()?;
        assert_eq!(
            self.run.end, self.reserved_end,
            "a spilled run fills the place reserved for it"
        );
        Ok(self.run)
    }

    fn flush(&mut self) -> Result<(), ExtractError> {
        self.run.file.write(&self.buffer, self.run.end)?;
        self.run.end += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }
}

/// Reads a spilled run from some record on, through a buffer of its own.
pub(super) struct SpillReader<'r> {
    run: &'r SpilledRun,
    /// Where the buffer's last byte ends in the file.
    next: u64,
    buffer: Vec<u8>,
    /// The head: where it begins, its key, ordinal and lengths; of length 0 at the end of the run.
    at: usize,
    key: Key,
    ordinal: u32,
    id_length: usize,
    body_length: usize,
    length: usize,
    filled: usize,
}

impl<'r> SpillReader<'r> {
    /// Begins with the record at `offset`.
    fn open(run: &'r SpilledRun, offset: u64, read_bytes: usize) -> Result<Self, ExtractError> {
        let mut reader = Self {
            run,
            next: offset,
            buffer: vec![0; read_bytes.max(HEADER)],
            at: 0,
            key: Key::END,
            ordinal: 0,
            id_length: 0,
            body_length: 0,
            length: 0,
            filled: 0,
        };
        reader.load()?;
        Ok(reader)
    }

    /// Begins with the first record not before `key`; says how many are before it as well.
    pub(super) fn seek(
        run: &'r SpilledRun,
        key: Key,
        read_bytes: usize,
    ) -> Result<(Self, u64), ExtractError> {
        // Records equal to the first key of a block may begin in the block before it.
        let after = run.blocks.partition_point(|block| block.key < key);
        let Some(block) = after.checked_sub(1).map(|at| run.blocks[at]) else {
            return Ok((Self::open(run, run.start, read_bytes)?, 0));
        };
        let mut reader = Self::open(run, block.offset, read_bytes)?;
        let mut before = block.entries_before;
        while reader.length > 0 && reader.key < key {
            before += 1;
            reader.advance()?;
        }
        Ok((reader, before))
    }

    /// The record it stands at.
    pub(super) fn head(&self) -> Option<Entry<'_>> {
        (self.length > 0).then(|| {
            let id = self.at + HEADER;
            let body = id + self.id_length;
            Entry {
                key: self.key,
                ordinal: self.ordinal,
                id: &self.buffer[id..body],
                body: &self.buffer[body..body + self.body_length],
            }
        })
    }

    /// The key it stands at; [`Key::END`] after the last record.
    pub(super) fn key(&self) -> Key {
        self.key
    }

    /// Goes to the next record.
    pub(super) fn advance(&mut self) -> Result<(), ExtractError> {
        self.at += mem::take(&mut self.length);
        self.load()
    }

    /// Where the head begins in the file.
    fn offset(&self) -> u64 {
        self.next - (self.filled - self.at) as u64
    }

    fn load(&mut self) -> Result<(), ExtractError> {
        self.key = Key::END;
        if self.offset() == self.run.end {
            return Ok(());
        }
        self.ensure(HEADER)?;
        let header = &self.buffer[self.at..self.at + HEADER];
        let number = |from: usize| {
            u32::from_le_bytes([
                header[from],
                header[from + 1],
                header[from + 2],
                header[from + 3],
            ])
        };
        let mut key = [0; 24];
        key.copy_from_slice(&header[..24]);
        let key = Key::from(crate::domain::sort_key::SortKey(key));
        self.ordinal = number(24);
        self.id_length = number(28) as usize;
        self.body_length = number(32) as usize;
        let length = HEADER + self.id_length + self.body_length;
        self.ensure(length)?;
        self.key = key;
        self.length = length;
        Ok(())
    }

    /// Brings so many bytes from the head on into the buffer.
    fn ensure(&mut self, bytes: usize) -> Result<(), ExtractError> {
        let held = self.filled - self.at;
        if held >= bytes {
            return Ok(());
        }
        let rest = self.run.end - self.next;
        if rest < (bytes - held) as u64 {
            return Err(Damaged.into());
        }
        self.buffer.copy_within(self.at..self.filled, 0);
        if self.buffer.len() < bytes {
            self.buffer.resize(bytes, 0);
        }
        let room = (self.buffer.len() - held).min(usize::try_from(rest).unwrap_or(usize::MAX));
        let place = &mut self.buffer[held..held + room];
        self.run.file.read(place, self.next)?;
        self.next += room as u64;
        (self.at, self.filled) = (0, held + room);
        Ok(())
    }
}
