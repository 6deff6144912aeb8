//! A run and its partitions, as the target keeps them.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::phase::RunPhase;
use crate::domain::{catalogue::Catalogue, digest::Digest, known_codes::KnownCode, tally::Tally};

/// What a new run fixes.
#[derive(Clone, Copy, Debug)]
pub struct NewRun<'a> {
    /// The date of judgement.
    pub as_of: Date,
    /// What the judge sees, key by key, by hash.
    pub fixed: &'a BTreeMap<String, String>,
    /// The sources, in order of precedence.
    pub sources: &'a [NewSource],
    /// The profiles.
    pub catalogue: &'a Catalogue,
    /// Codes of people who stand in a target in use.
    pub codes: &'a [KnownCode],
}

/// A source of a new run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSource {
    /// Its name.
    pub name: String,
    /// Where it is, without secrets.
    pub location: String,
}

/// A row of `run`, with its sources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRow {
    /// Its id.
    pub run_id: i64,
    /// Where it stands.
    pub phase: RunPhase,
    /// The date of judgement.
    pub as_of: Date,
    /// What the judge sees, key by key, by hash.
    pub fixed: BTreeMap<String, String>,
    /// Whether the target held no person and no quarantine when the run was created.
    pub target_fresh: bool,
    /// The first id reserved, once ids are.
    pub id_base: Option<i64>,
    /// The first id after those reserved.
    pub id_end: Option<i64>,
    /// The digest, final at cut-over.
    pub digest: Option<Digest>,
    /// Database time.
    pub created_at: String,
    /// Database time.
    pub cut_over_at: Option<String>,
    /// Database time at which the run was finished or aborted.
    pub finished_at: Option<String>,
    /// In order of precedence.
    pub sources: Vec<RunSourceRow>,
}

impl RunRow {
    /// The fingerprint of each source, by name, in order of precedence.
    #[must_use]
    pub fn fingerprints(&self) -> Vec<(String, Option<Digest>)> {
        self.sources
            .iter()
            .map(|source| (source.name.clone(), source.fingerprint))
            .collect()
    }
}

/// A row of `run_source`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunSourceRow {
    /// Its name.
    pub name: String,
    /// Where it is, without secrets.
    pub location: String,
    /// What was read, once it was.
    pub fingerprint: Option<Digest>,
    /// How many records were read, once they were.
    pub records: Option<u64>,
}

/// A range of sort keys to be loaded by one worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPartition {
    /// From 0, in the order of the keys.
    pub no: u32,
    /// The first key that may be in it.
    pub key_from: Vec<u8>,
    /// The first key that is not; none for the last partition.
    pub key_to: Option<Vec<u8>>,
    /// Records before its first in the whole order.
    pub first_position: u64,
}

/// A row of `run_partition`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionRow {
    /// From 0, in the order of the keys.
    pub no: u32,
    /// The first key that may be in it.
    pub key_from: Vec<u8>,
    /// The first key that is not; none for the last partition.
    pub key_to: Option<Vec<u8>>,
    /// Records before its first in the whole order.
    pub first_position: u64,
    /// Records before the first that is not committed.
    pub position: u64,
    /// Key of the last record committed, empty before the first.
    pub cursor: Vec<u8>,
    /// Whether all of it is committed.
    pub done: bool,
    /// What was committed.
    pub tally: Tally,
}
