//! A run that is being filled, or sorted and kept in memory.

use std::num::TryFromIntError;

use super::entry::{Entry, Key};
use crate::domain::raw_record::Damaged;

/// Lengths of id and body before each of them.
const LENGTHS: usize = 4 + 4;

/// Records in an arena, and an index of them that is sorted in place of the records.
pub(in crate::engine) struct RunBuffer {
    arena: Vec<u8>,
    slots: Vec<Slot>,
    capacity_bytes: usize,
}

#[derive(Clone, Copy)]
struct Slot {
    key: Key,
    offset: u32,
    ordinal: u32,
}

impl RunBuffer {
    /// An empty buffer; memory is taken as it fills.
    pub(in crate::engine) fn new(capacity_bytes: usize) -> Self {
        Self {
            arena: Vec::with_capacity(capacity_bytes),
            slots: Vec::new(),
            capacity_bytes,
        }
    }

    /// Forgets the records and keeps the memory.
    pub(in crate::engine) fn clear(&mut self) {
        self.arena.clear();
        self.slots.clear();
    }

    /// Whether another record might exceed the capacity by more than that record.
    pub(in crate::engine) fn is_full(&self) -> bool {
        self.arena.len() + (self.slots.len() + 1) * size_of::<Slot>() >= self.capacity_bytes
    }

    /// Records held.
    pub(in crate::engine) fn len(&self) -> usize {
        self.slots.len()
    }

    /// Bytes of memory that the records take.
    pub(super) fn memory_bytes(&self) -> u64 {
        (self.arena.len() + self.slots.len() * size_of::<Slot>()) as u64
    }

    /// A copy that takes no more memory than it needs, its records in sorted order: whoever merges it reads
    /// from start to end instead of here and there.
    pub(super) fn packed(&self) -> Self {
        let mut arena = Vec::with_capacity(self.arena.len());
        let mut slots = Vec::with_capacity(self.slots.len());
        for slot in &self.slots {
            slots.push(Slot {
                offset: arena.len() as u32,
                ..*slot
            });
            arena.extend_from_slice(slot.bytes(&self.arena));
        }
        Self {
            capacity_bytes: arena.len(),
            arena,
            slots,
        }
    }

    /// Bytes of all ids and bodies with their lengths.
    pub(super) fn arena_bytes(&self) -> u64 {
        self.arena.len() as u64
    }

    /// Adds a record by its compact form; its key is left to [`Self::sort`].
    pub(in crate::engine) fn push(
        &mut self,
        ordinal: u32,
        id: &[u8],
        body: &[u8],
    ) -> Result<(), TryFromIntError> {
        let offset = u32::try_from(self.arena.len())?;
        let id_length = u32::try_from(id.len())?;
        let body_length = u32::try_from(body.len())?;
        self.arena.extend_from_slice(&id_length.to_le_bytes());
        self.arena.extend_from_slice(&body_length.to_le_bytes());
        self.arena.extend_from_slice(id);
        self.arena.extend_from_slice(body);
        self.slots.push(Slot {
            key: Key::START,
            offset,
            ordinal,
        });
        Ok(())
    }

    /// Adds a record of another run; its key is left to [`Self::sort`].
    pub(in crate::engine) fn push_entry(&mut self, entry: &Entry<'_>) -> Result<(), Damaged> {
        let pushed = self.push(entry.ordinal, entry.id, entry.body);
        // It was in a run before, so its lengths fit unless they were damaged.
        pushed.map_err(|_| Damaged)
    }

    /// Gives every record the key `key_of` says, and sorts.
    pub(in crate::engine) fn sort(
        &mut self,
        mut key_of: impl FnMut(&Entry<'_>) -> Result<Key, Damaged>,
    ) -> Result<(), Damaged> {
        let arena = &self.arena;
        for slot in &mut self.slots {
            slot.key = key_of(&slot.entry(arena))?;
        }
        self.slots.sort_unstable_by(|a, b| {
            (a.key.cmp(&b.key)).then_with(|| a.entry(arena).order(&b.entry(arena)))
        });
        Ok(())
    }

    /// The key at a position.
    pub(super) fn key(&self, position: usize) -> Option<Key> {
        self.slots.get(position).map(|slot| slot.key)
    }

    /// The record at a position below [`Self::len`].
    pub(super) fn entry(&self, position: usize) -> Entry<'_> {
        self.slots[position].entry(&self.arena)
    }

    /// All records.
    pub(super) fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        self.slots.iter().map(|slot| slot.entry(&self.arena))
    }

    /// How many records come before `key`.
    pub(super) fn rank(&self, key: Key) -> usize {
        self.slots.partition_point(|slot| slot.key < key)
    }
}

impl Slot {
    fn entry<'a>(&self, arena: &'a [u8]) -> Entry<'a> {
        let at = &arena[self.offset as usize..];
        let (id, body) = lengths(at);
        Entry {
            key: self.key,
            ordinal: self.ordinal,
            id: &at[LENGTHS..LENGTHS + id],
            body: &at[LENGTHS + id..LENGTHS + id + body],
        }
    }

    /// The lengths, the id and the body.
    fn bytes<'a>(&self, arena: &'a [u8]) -> &'a [u8] {
        let at = &arena[self.offset as usize..];
        let (id, body) = lengths(at);
        &at[..LENGTHS + id + body]
    }
}

fn lengths(at: &[u8]) -> (usize, usize) {
    let length =
        |from: usize| u32::from_le_bytes([at[from], at[from + 1], at[from + 2], at[from + 3]]);
    (length(0) as usize, length(4) as usize)
}
