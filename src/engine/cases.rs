//! The sorted records, case by case.

use super::{
    cursor::Cursor,
    extract::{ExtractError, Extracted},
    partition::Partition,
    sort::{Entry, Key, Merge},
};
use crate::domain::{
    case::{self, Decision},
    raw_record::RawRecord,
    rules::Rules,
};

/// What a record takes while its case is judged, beside its own bytes.
const JUDGED_BYTES: usize = 1 << 10;

/// The cases of one partition, in order. Each is lent until the next one is asked for.
pub struct Cases<'x> {
    extracted: &'x Extracted,
    merge: Merge<'x>,
    zone: Zone,
    position: u64,
    held: Held,
}

/// The records of one case.
struct Held {
    /// Their compact forms one after the other, and where each ends.
    bytes: Vec<u8>,
    ends: Vec<usize>,
    /// Key and id of the last one.
    key: Key,
    id: Vec<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Zone {
    /// Records that are judged; whether duplicates follow.
    Judged { then_duplicates: bool },
    /// Quarantined duplicates; the number of the last copy.
    Duplicates { copy: u32 },
}

/// Records that are judged together, or one quarantined duplicate.
pub struct Case<'c> {
    records: Vec<RawRecord<'c>>,
    copy: Option<u32>,
    position: u64,
    key: Key,
    id: &'c [u8],
}

impl<'c> Case<'c> {
    /// The records, at least one, in the whole order.
    #[must_use]
    pub fn records(&self) -> &[RawRecord<'c>] {
        &self.records
    }

    /// The number of a quarantined duplicate among its copies, from 1.
    #[must_use]
    pub fn duplicate(&self) -> Option<u32> {
        self.copy
    }

    /// Records before its first one in the whole order.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.position
    }

    /// The place after its last record.
    #[must_use]
    pub fn cursor(&self) -> Cursor {
        match (self.copy, self.records.first()) {
            (Some(copy), Some(record)) => Cursor::of_duplicate(record.source, self.id, copy),
            (_, _) => Cursor::of_record(self.key, self.id),
        }
    }

    /// What becomes of it, for people who do not stand in a live target.
    #[must_use]
    pub fn decide<'r>(&self, rules: &'r Rules) -> Decision<'r>
    where
        'c: 'r,
    {
        match self.copy {
            None => case::decide(&self.records, rules),
            Some(copy) => Decision {
                people: Vec::new(),
                quarantined: (self.records.iter())
                    .map(|record| case::quarantine_duplicate(record, copy, rules))
                    .collect(),
            },
        }
    }
}

impl<'x> Cases<'x> {
    pub(super) fn open(
        extracted: &'x Extracted,
        partition: &Partition,
        after: Option<&Cursor>,
    ) -> Result<Self, ExtractError> {
        let (from, to) = partition.keys();
        let then_duplicates = partition.to.is_none();
        let in_duplicates = after.is_some_and(Cursor::is_duplicate);
        let read_bytes = extracted.budget.reader_bytes(extracted.runs.len());
        let mut cases = Self {
            extracted,
            merge: Merge::open(&extracted.runs, from, to, read_bytes)?,
            zone: Zone::Judged { then_duplicates },
            position: partition.first_position,
            held: Held {
                bytes: Vec::new(),
                ends: Vec::new(),
                key: Key::START,
                id: Vec::new(),
            },
        };
        if in_duplicates && then_duplicates {
            cases.enter_duplicates()?;
            cases.position = extracted.records() - extracted.duplicates();
        }
        if let Some(after) = after {
            cases.skip(after)?;
        }
        Ok(cases)
    }

    /// The next case.
    ///
    /// # Errors
    /// A spill file that cannot be read back, or more records of one person than memory allows.
    pub fn next_case(&mut self) -> Result<Option<Case<'_>>, ExtractError> {
        let position = self.position;
        self.gather()?;
        if self.held.ends.is_empty()
            && self.zone
                == (Zone::Judged {
                    then_duplicates: true,
                })
        {
            self.enter_duplicates()?;
            self.gather()?;
        }
        if self.held.ends.is_empty() {
            return Ok(None);
        }
        Ok(Some(Case {
            records: self.held.decode()?,
            copy: match self.zone {
                Zone::Judged { .. } => None,
                Zone::Duplicates { copy } => Some(copy),
            },
            position,
            key: self.held.key,
            id: &self.held.id,
        }))
    }

    /// Takes the records of the next case out of the merge.
    fn gather(&mut self) -> Result<(), ExtractError> {
        let case_bytes = self.extracted.budget.case_bytes;
        let held = &mut self.held;
        held.bytes.clear();
        held.ends.clear();
        while let Some(entry) = self.merge.head() {
            let quarantined = self.extracted.quarantined.contains(entry.ordinal);
            match &mut self.zone {
                Zone::Judged { .. } if quarantined => {}
                Zone::Judged { .. } => {
                    if !held.ends.is_empty() && !held.key.same_case(entry.key) {
                        break;
                    }
                    held.push(&entry);
                    self.position += 1;
                    if held.bytes.len() + held.ends.len() * JUDGED_BYTES > case_bytes {
                        return Err(self.extracted.case_too_large(held.ends.len(), &entry));
                    }
                }
                Zone::Duplicates { .. } if !quarantined => {}
                Zone::Duplicates { copy } => {
                    if !held.ends.is_empty() {
                        break;
                    }
                    *copy = held.next_copy(&entry, *copy);
                    held.push(&entry);
                    self.position += 1;
                }
            }
            self.merge.advance()?;
        }
        Ok(())
    }

    /// Counts, without looking into them, the records up to the place where the work stopped.
    fn skip(&mut self, after: &Cursor) -> Result<(), ExtractError> {
        while let Some(entry) = self.merge.head() {
            let quarantined = self.extracted.quarantined.contains(entry.ordinal);
            match &mut self.zone {
                Zone::Judged { .. } => {
                    if after.compare_record(entry.key, entry.id).is_gt() {
                        break;
                    }
                    self.position += u64::from(!quarantined);
                }
                Zone::Duplicates { .. } if !quarantined => {}
                Zone::Duplicates { copy } => {
                    let source = RawRecord::decode(entry.body)?.source;
                    let next = self.held.next_copy(&entry, *copy);
                    if Cursor::of_duplicate(source, entry.id, next) > *after {
                        break;
                    }
                    *copy = next;
                    self.held.stand_at(&entry);
                    self.position += 1;
                }
            }
            self.merge.advance()?;
        }
        Ok(())
    }

    /// The records that are judged are done; the quarantined duplicates follow.
    fn enter_duplicates(&mut self) -> Result<(), ExtractError> {
        let copies = &self.extracted.copies;
        let read_bytes = self.extracted.budget.reader_bytes(copies.len());
        self.merge = Merge::open(copies, Key::START, Key::END, read_bytes)?;
        self.zone = Zone::Duplicates { copy: 0 };
        Ok(())
    }
}

impl Held {
    fn push(&mut self, entry: &Entry<'_>) {
        self.bytes.extend_from_slice(entry.body);
        self.ends.push(self.bytes.len());
        self.stand_at(entry);
    }

    fn stand_at(&mut self, entry: &Entry<'_>) {
        self.key = entry.key;
        self.id.clear();
        self.id.extend_from_slice(entry.id);
    }

    /// The number of a duplicate that follows copy number `copy` of what was held last.
    fn next_copy(&self, entry: &Entry<'_>, copy: u32) -> u32 {
        if self.key == entry.key && self.id == entry.id {
            copy + 1
        } else {
            1
        }
    }

    fn decode(&self) -> Result<Vec<RawRecord<'_>>, ExtractError> {
        let mut records = Vec::with_capacity(self.ends.len());
        let mut start = 0;
        for end in &self.ends {
            records.push(RawRecord::decode(&self.bytes[start..*end])?);
            start = *end;
        }
        Ok(records)
    }
}
