//! The ids seen so far, as hashes, in bounded memory.

use std::path::PathBuf;

use super::ExtractError;
use crate::{
    domain::raw_record::SourceIndex,
    engine::{bitmap::Bitmap, sort::SpillFile},
};

/// Ids are fanned out by the first byte of their hash.
const BUCKETS: usize = 256;
const ENTRY_BYTES: usize = size_of::<u128>();

/// One id seen: its hash, then its source, then the record's ordinal; 16 bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::engine) struct SeenId(u128);

impl SeenId {
    /// Notes that a record of `source` stands under an id with this hash.
    pub(in crate::engine) fn new(hash: u64, source: SourceIndex, ordinal: u32) -> Self {
        Self(u128::from(hash) << 64 | u128::from(source.0) << 48 | u128::from(ordinal))
    }

    fn bucket(self) -> usize {
        (self.0 >> 120) as usize
    }

    fn ordinal(self) -> u32 {
        self.0 as u32
    }

    fn may_equal(self, other: Self) -> bool {
        self.0 >> 48 == other.0 >> 48
    }
}

/// All ids seen, in memory as far as the budget goes and in a spill file beyond.
pub(in crate::engine) struct SeenIds {
    folder: PathBuf,
    memory_bytes: usize,
    held: usize,
    buckets: Vec<Vec<SeenId>>,
    /// By bucket: where pieces of it were spilled to, and how many bytes.
    pieces: Vec<Vec<(u64, usize)>>,
    file: Option<SpillFile>,
}

impl SeenIds {
    /// Spills to `folder`, which is not touched before.
    pub(in crate::engine) fn new(folder: PathBuf, memory_bytes: usize) -> Self {
        Self {
            folder,
            memory_bytes,
            held: 0,
            buckets: vec![Vec::new(); BUCKETS],
            pieces: vec![Vec::new(); BUCKETS],
            file: None,
        }
    }

    /// Adds ids.
    pub(in crate::engine) fn extend(&mut self, ids: &[SeenId]) -> Result<(), ExtractError> {
        for id in ids {
            self.buckets[id.bucket()].push(*id);
        }
        self.held += ids.len();
        if self.held * ENTRY_BYTES > self.memory_bytes {
            self.spill()?;
        }
        Ok(())
    }

    /// The records, out of `records`, that may share their id with another one of their source. Records
    /// whose ids only have the same hash may be among them.
    pub(in crate::engine) fn candidates(mut self, records: u64) -> Result<Bitmap, ExtractError> {
        let mut candidates = Bitmap::new(records);
        let mut bytes = Vec::new();
        for at in 0..BUCKETS {
            let mut bucket = std::mem::take(&mut self.buckets[at]);
            let spilled: usize = self.pieces[at].iter().map(|(_, bytes)| bytes).sum();
            // So many ids under one byte of the hash are mostly one id over and over. Whoever settles the
            // candidates looks at the ids themselves, so taking too many is safe.
            let crowded = bucket.len() * ENTRY_BYTES + spilled > self.memory_bytes;
            for (offset, length) in &self.pieces[at] {
                let file = self.file.as_ref().expect("pieces are in a file");
                bytes.resize(*length, 0);
                file.read(&mut bytes, *offset)?;
                let ids = bytes.as_chunks().0.iter();
                let ids = ids.map(|id| SeenId(u128::from_le_bytes(*id)));
                if crowded {
                    ids.for_each(|id| candidates.insert(id.ordinal()));
                } else {
                    bucket.extend(ids);
                }
            }
            if crowded {
                bucket.iter().for_each(|id| candidates.insert(id.ordinal()));
                continue;
            }
            bucket.sort_unstable();
            for pair in bucket.windows(2).filter(|pair| pair[0].may_equal(pair[1])) {
                candidates.insert(pair[0].ordinal());
                candidates.insert(pair[1].ordinal());
            }
        }
        Ok(candidates)
    }

    fn spill(&mut self) -> Result<(), ExtractError> {
        let file = match self.file.take() {
            Some(file) => file,
            None => SpillFile::create(&self.folder)?,
        };
        let file = self.file.insert(file);
        let mut bytes = Vec::new();
        for (bucket, pieces) in self.buckets.iter_mut().zip(&mut self.pieces) {
            bytes.clear();
            for id in bucket.drain(..) {
                bytes.extend_from_slice(&id.0.to_le_bytes());
            }
            let offset = file.reserve(bytes.len() as u64);
            file.write(&bytes, offset)?;
            pieces.push((offset, bytes.len()));
        }
        self.held = 0;
        Ok(())
    }
}
