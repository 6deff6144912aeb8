//! Merges sorted runs by a tree of losers.

use std::mem;

use super::{
    buffer::RunBuffer,
    entry::{Entry, Key},
    run::{Run, SpillReader},
};
use crate::engine::extract::ExtractError;

/// The records of several runs within a range of keys, in order.
pub(in crate::engine) struct Merge<'r> {
    leaves: Vec<Leaf<'r>>,
    /// The key each leaf stands at; [`Key::END`] when it is exhausted.
    keys: Vec<Key>,
    /// `tree[0]` is the leaf with the least record; the others lost on the way to it.
    tree: Vec<usize>,
    to: Key,
}

enum Leaf<'r> {
    Memory { buffer: &'r RunBuffer, at: usize },
    Spilled(SpillReader<'r>),
}

impl<'r> Merge<'r> {
    /// Merges what is not before `from` and before `to`; each spilled run is read through `read_bytes`.
    pub(in crate::engine) fn open(
        runs: &'r [Run],
        from: Key,
        to: Key,
        read_bytes: usize,
    ) -> Result<Self, ExtractError> {
        let mut leaves = Vec::with_capacity(runs.len());
        for run in runs {
            leaves.push(match run {
                Run::Memory(buffer) => Leaf::Memory {
                    buffer,
                    at: buffer.rank(from),
                },
                Run::Spilled(run) => Leaf::Spilled(SpillReader::seek(run, from, read_bytes)?.0),
            });
        }
        leaves.retain(|leaf| leaf.key() < to);
        let mut merge = Self {
            keys: leaves.iter().map(Leaf::key).collect(),
            tree: vec![0; leaves.len()],
            leaves,
            to,
        };
        merge.build();
        Ok(merge)
    }

    /// The least record that is left.
    pub(in crate::engine) fn head(&self) -> Option<Entry<'_>> {
        let winner = *self.tree.first()?;
        (self.keys[winner] != Key::END).then(|| self.leaves[winner].entry())
    }

    /// Goes to the next record; nothing happens after the last one.
    pub(in crate::engine) fn advance(&mut self) -> Result<(), ExtractError> {
        let Some(&winner) = self.tree.first() else {
            return Ok(());
        };
        if self.keys[winner] == Key::END {
            return Ok(());
        }
        self.leaves[winner].advance()?;
        let key = self.leaves[winner].key();
        self.keys[winner] = if key < self.to { key } else { Key::END };
        self.replay(winner);
        Ok(())
    }

    fn build(&mut self) {
        let leaves = self.leaves.len();
        let mut winners: Vec<usize> = (0..leaves).chain(0..leaves).collect();
        for node in (1..leaves).rev() {
            let (a, b) = (winners[2 * node], winners[2 * node + 1]);
            (winners[node], self.tree[node]) = if self.less(a, b) { (a, b) } else { (b, a) };
        }
        if let Some(top) = self.tree.first_mut() {
            *top = winners[1];
        }
    }

    /// Carries a leaf whose record changed up the tree.
    fn replay(&mut self, leaf: usize) {
        let mut winner = leaf;
        let mut node = (leaf + self.leaves.len()) / 2;
        while node > 0 {
            let rival = self.tree[node];
            if self.less(rival, winner) {
                winner = mem::replace(&mut self.tree[node], winner);
            }
            node /= 2;
        }
        self.tree[0] = winner;
    }

    fn less(&self, a: usize, b: usize) -> bool {
        let (key_a, key_b) = (self.keys[a], self.keys[b]);
        if key_a != key_b || key_a == Key::END {
            return key_a < key_b;
        }
        self.leaves[a]
            .entry()
            .order(&self.leaves[b].entry())
            .is_lt()
    }
}

impl Leaf<'_> {
    fn key(&self) -> Key {
        match self {
            Self::Memory { buffer, at } => buffer.key(*at).unwrap_or(Key::END),
            Self::Spilled(reader) => reader.key(),
        }
    }

    /// The record a leaf that is not exhausted stands at.
    fn entry(&self) -> Entry<'_> {
        match self {
            Self::Memory { buffer, at } => buffer.entry(*at),
            Self::Spilled(reader) => reader.head().expect("a leaf with a key has a record"),
        }
    }

    fn advance(&mut self) -> Result<(), ExtractError> {
        match self {
            Self::Memory { at, .. } => *at += 1,
            Self::Spilled(reader) => reader.advance()?,
        }
        Ok(())
    }
}
