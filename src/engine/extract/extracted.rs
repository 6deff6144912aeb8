//! The sources, sorted.

use super::ExtractError;
use crate::{
    domain::{raw_record::RawRecord, rules::Rules, sort_key},
    engine::{
        bitmap::Bitmap,
        budget::Budget,
        cases::Cases,
        cursor::Cursor,
        partition::{Boundary, Partition},
        sort::{Entry, Key, Merge, Run},
    },
    source::ReadSummary,
};

/// Everything that was read, in memory and spill files, which go when this is dropped.
///
/// The whole order is: people by code, records that belong to nobody, quarantined duplicates by source, id
/// and copy. It does not depend on the order of reading.
pub struct Extracted {
    /// By source: its name and what was read of it.
    pub sources: Vec<(String, ReadSummary)>,
    pub(in crate::engine) runs: Vec<Run>,
    /// Records that share, or seemed to share, their id with others.
    pub(in crate::engine) copies: Vec<Run>,
    pub(in crate::engine) quarantined: Bitmap,
    pub(in crate::engine) budget: Budget,
    records: u64,
}

impl Extracted {
    pub(super) fn new(
        sources: Vec<(String, ReadSummary)>,
        records: u64,
        runs: Vec<Run>,
        copies: Vec<Run>,
        quarantined: Bitmap,
        budget: Budget,
    ) -> Self {
        Self {
            sources,
            runs,
            copies,
            quarantined,
            budget,
            records,
        }
    }

    /// Records of all sources together.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.records
    }

    /// Of these, the ones quarantined because others of their source have the same id.
    #[must_use]
    pub fn duplicates(&self) -> u64 {
        self.quarantined.ones()
    }

    /// Up to `partitions - 1` boundaries between about equal parts. They depend on how the memory was used,
    /// so a run keeps the ones it began with.
    #[must_use]
    pub fn boundaries(&self, partitions: usize) -> Vec<Boundary> {
        let mut samples = Vec::new();
        for run in &self.runs {
            run.sample(&mut samples);
        }
        samples.sort_unstable();
        let total: u64 = samples.iter().map(|(_, weight)| weight).sum();
        let share = total.div_ceil(partitions.max(1) as u64).max(1);
        let mut boundaries = Vec::new();
        let (mut before, mut next) = (0, share);
        // Nothing is before the least case, so no partition begins there.
        let mut last = samples.first().map(|(key, _)| key.case_start());
        for (key, weight) in samples {
            let start = key.case_start();
            if before >= next && last.is_some_and(|last| last < start) {
                boundaries.push(Boundary(start));
                last = Some(start);
                next = (before / share + 1) * share;
            }
            before += weight;
        }
        boundaries
    }

    /// The partitions that ascending `boundaries` make, with their exact positions.
    ///
    /// # Errors
    /// A spill file that cannot be read back.
    pub fn split(
        &self,
        boundaries: &[Boundary],
        rules: &Rules,
    ) -> Result<Vec<Partition>, ExtractError> {
        let quarantined = self.quarantined_before(boundaries, rules)?;
        let mut partitions = Vec::with_capacity(boundaries.len() + 1);
        let (mut from, mut first_position) = (None, 0);
        for (boundary, quarantined) in boundaries.iter().zip(quarantined) {
            let mut position = 0;
            for run in &self.runs {
                position += run.rank(boundary.0)?;
            }
            position -= quarantined;
            partitions.push(Partition {
                number: partitions.len(),
                from,
                to: Some(*boundary),
                first_position,
                records: position - first_position,
            });
            (from, first_position) = (Some(*boundary), position);
        }
        partitions.push(Partition {
            number: partitions.len(),
            from,
            to: None,
            first_position,
            records: self.records - first_position,
        });
        Ok(partitions)
    }

    /// The cases of a partition in order, from its start or after what is done already.
    ///
    /// # Errors
    /// A spill file that cannot be read back.
    pub fn cases(
        &self,
        partition: &Partition,
        after: Option<&Cursor>,
    ) -> Result<Cases<'_>, ExtractError> {
        Cases::open(self, partition, after)
    }

    /// Says of whom there are too many records without saying who it is.
    pub(in crate::engine) fn case_too_large(
        &self,
        records: usize,
        last: &Entry<'_>,
    ) -> ExtractError {
        match RawRecord::decode(last.body) {
            Ok(record) => ExtractError::CaseTooLarge {
                records,
                source_name: self.sources[usize::from(record.source.0)].0.clone(),
                number: record.number,
            },
            Err(damaged) => damaged.into(),
        }
    }

    /// By boundary: how many records before it are quarantined duplicates, which the runs still hold.
    fn quarantined_before(
        &self,
        boundaries: &[Boundary],
        rules: &Rules,
    ) -> Result<Vec<u64>, ExtractError> {
        let mut counts = vec![0; boundaries.len() + 1];
        let read_bytes = self.budget.reader_bytes(self.copies.len());
        let mut merge = Merge::open(&self.copies, Key::START, Key::END, read_bytes)?;
        while let Some(entry) = merge.head() {
            if self.quarantined.contains(entry.ordinal) {
                let record = RawRecord::decode(entry.body)?;
                let key = Key::from(sort_key::of(&record, rules));
                counts[boundaries.partition_point(|boundary| boundary.0 <= key)] += 1;
            }
            merge.advance()?;
        }
        let mut sum = 0;
        for count in &mut counts {
            sum += *count;
            *count = sum;
        }
        Ok(counts)
    }
}
