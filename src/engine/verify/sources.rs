//! Reads the sources again: their fingerprints, what each record must carry over, and what it says of its
//! person.

use std::{borrow::Cow, collections::BTreeSet, mem, ops::ControlFlow, panic, thread};

use crossbeam_channel::Sender;

use super::{
    batch::Batch,
    carried::{Reading, Renames, capitals, day, plain},
    error::VerifyError,
    facts::{Fact, Facts, code_key, date_key, names_key, record_key, text_key},
    request::VerifyRequest,
};
use crate::{
    config::settings::{Settings, SourceSettings},
    domain::{
        digest::{Digest, RowHash},
        field::Field,
        raw_record::{RawRecord, Shape, SourceIndex},
        rules::Rules,
    },
    source::{self, ReadSummary},
};

/// What the sources say, all of them read to the end.
#[derive(Debug)]
pub(super) struct SourcesRead {
    pub(super) sources: Vec<SourceRead>,
    pub(super) facts: Facts,
}

/// One source, read to the end.
#[derive(Clone, Copy, Debug)]
pub(super) struct SourceRead {
    pub(super) summary: ReadSummary,
    /// Sum of what its records carry over.
    pub(super) carried: Digest,
}

/// Records between two looks at the stop flag.
pub(super) const STRIDE: u64 = 4_096;

/// Reads every source to its end, of which the run read so many records.
pub(super) fn read_sources(
    request: &VerifyRequest<'_>,
    records: u64,
) -> Result<SourcesRead, VerifyError> {
    let memory = request.settings.run.memory_bytes / 4 * 3;
    let mut facts = Facts::within(records, memory);
    let mut sources = Vec::with_capacity(request.settings.sources.len());
    let renames = Renames::new(request.rules);
    let readings = readings(request.settings, request.rules, &renames);
    for (at, reading) in readings.into_iter().enumerate() {
        sources.push(read_source(request, at, reading, &mut facts)?);
    }
    facts.sort();
    Ok(SourcesRead { sources, facts })
}

/// How the values of each source are understood.
pub(super) fn readings<'r>(
    settings: &Settings,
    rules: &'r Rules,
    renames: &'r Renames<'r>,
) -> Vec<Reading<'r>> {
    settings
        .sources
        .iter()
        .zip(&rules.sources)
        .map(|(settings_of, source)| Reading {
            rules,
            source,
            renames,
            last_used_may_change: changing(settings, settings_of).contains(&Field::LastUsedOn),
        })
        .collect()
}

/// The mapped fields that may change under the lock.
pub(super) fn changing(settings: &Settings, source: &SourceSettings) -> BTreeSet<Field> {
    source.changing_fields(&settings.lock.allow_columns)
}

/// Batches that may wait to be looked at.
const WAITING: usize = 2;

/// One thread reads, another one looks at what was read.
fn read_source(
    request: &VerifyRequest<'_>,
    at: usize,
    reading: Reading<'_>,
    facts: &mut Facts,
) -> Result<SourceRead, VerifyError> {
    let mut pass = Pass {
        reading,
        at,
        facts,
        hash: RowHash::default(),
        buffer: String::new(),
        carried: Digest::default(),
    };
    let (sender, batches) = crossbeam_channel::bounded::<Batch>(WAITING);
    let (read, looked) = thread::scope(|threads| {
        let pass = &mut pass;
        // The channel's end goes with the thread: whoever still reads must not wait for one that has failed.
        let looker = threads.spawn(move || {
            batches
                .into_iter()
                .try_for_each(|batch| batch.each(|record| pass.take(record)))
        });
        (stream(request, at, sender), looker.join())
    });
    let summary = read?;
    looked.unwrap_or_else(|panic| panic::resume_unwind(panic))?;
    Ok(SourceRead {
        summary,
        carried: pass.carried,
    })
}

/// Hands all records of a source over.
fn stream(
    request: &VerifyRequest<'_>,
    at: usize,
    sender: Sender<Batch>,
) -> Result<ReadSummary, VerifyError> {
    let settings = &request.settings.sources[at];
    let changing = changing(request.settings, settings);
    let index = SourceIndex(u16::try_from(at).unwrap_or(u16::MAX));
    let mut batch = Batch::new();
    let mut read = 0_u64;
    let summary = source::read_compact(settings, index, &changing, &mut |_, compact| {
        batch.push(compact);
        read += 1;
        if read.is_multiple_of(STRIDE) {
            request.progress.advance(STRIDE);
            if request.stop.requested().is_some() {
                return ControlFlow::Break(());
            }
        }
        if batch.is_full() && sender.send(mem::replace(&mut batch, Batch::new())).is_err() {
            // Whoever looks has gone, and says why.
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    })
    .map_err(|source| VerifyError::Source {
        name: settings.rules.name.clone(),
        source: Box::new(source),
    })?;
    sender.send(batch).ok();
    request.progress.advance(read % STRIDE);
    match request.stop.requested() {
        Some(reason) => Err(VerifyError::Stopped(reason)),
        None => Ok(summary),
    }
}

/// One source on its way.
struct Pass<'p, 'f> {
    reading: Reading<'p>,
    at: usize,
    facts: &'f mut Facts,
    hash: RowHash,
    buffer: String,
    carried: Digest,
}

impl Pass<'_, '_> {
    fn take(&mut self, record: &RawRecord<'_>) {
        self.carried
            .add(hash_raw(&self.reading, record, &mut self.hash));
        match record.shape {
            Shape::Row => self.take_facts(record),
            Shape::Malformed => {}
        }
    }

    fn take_facts(&mut self, record: &RawRecord<'_>) {
        let renames = self.reading.renames;
        let written = capitals(record.get(Field::FiscalCode));
        let code = renames.follow(Cow::Borrowed(&written));
        let key = code_key(&code);
        if !self.facts.keeps(key) {
            return;
        }
        let guardian = renames.follow(capitals(record.get(Field::GuardianFiscalCode)));
        self.facts.add(Fact {
            code: key,
            record: record_key(self.at, plain(record.get(Field::LegacyId))),
            names: names_key(
                plain(record.get(Field::Surname)),
                plain(record.get(Field::GivenName)),
                &mut self.buffer,
            ),
            birth_date: date_key(day(record.get(Field::BirthDate))),
            email: text_key(plain(record.get(Field::Email))),
            phone: text_key(plain(record.get(Field::Phone))),
            guardian: text_key(&guardian),
            expires_on: date_key(day(record.get(Field::ExpiresOn))),
            written_current: written == code,
        });
    }
}

/// Hash of what a record as read carries over.
pub(super) fn hash_raw(reading: &Reading<'_>, record: &RawRecord<'_>, hash: &mut RowHash) -> u128 {
    match record.shape {
        Shape::Row => reading.hash_record(Some(record.number), &record.fields, hash),
        Shape::Malformed => reading.hash_malformed(Some(record.number), record.fields[0], hash),
    }
}
