//! Captured changes: the lock let a tightening through, so the person is judged again.
//!
//! Before cut-over the difference goes to the first partition's account, afterwards to the ledger. Judging a
//! person again is idempotent: a process killed between the commit here and the mark in the legacy judges
//! once more and changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::{
    cases::Case,
    error::RunError,
    extract::{ExtractError, Extracted, extract},
    job::Job,
    progress::Phase,
    stop::StopReason,
};
use crate::{
    domain::{
        digest::RowHash,
        fiscal_code::FiscalCode,
        raw_record::{RawRecord, SourceIndex},
        record_id::record_id,
        rules::Rules,
        sort_key::{self, Base, NOBODY},
        tally::Tally,
    },
    source::lock::{Capture, Locks},
    store::{Account, ChunkBuilder, CommitPoint, Lease, Replacement, RunPhase, RunRow, Target},
};

/// Captures that are dealt with in one transaction.
const CAPTURES_A_ROUND: u32 = 10_000;

/// Rounds in one call. More changes than this in one night are no tightenings but somebody at work.
const MOST_ROUNDS: usize = 100;

/// How a replay ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Replayed {
    /// No capture is left.
    All,
    /// A signal came.
    Stopped(StopReason),
}

/// Whether a capture waits.
pub(super) fn is_due(locks: &Locks) -> Result<bool, RunError> {
    for locked in locks.iter() {
        if !locked.captures(1)?.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// (source, id) of the records whose captured change was not replayed yet.
pub(super) fn unsettled(
    job: &Job<'_>,
    rules: &Rules,
    locks: &Locks,
) -> Result<BTreeSet<(String, String)>, RunError> {
    let round = Round::collect(job, rules, locks)?;
    let name = |index: SourceIndex| rules.sources[usize::from(index.0)].name.clone();
    Ok(round
        .records
        .into_iter()
        .map(|(source, id)| (name(source), id))
        .collect())
}

/// Judges every captured person again, from the sources as they are now.
pub(super) fn replay(
    job: &Job<'_>,
    rules: &Rules,
    run: &RunRow,
    target: &mut Target,
    lease: &Lease,
    locks: &Locks,
) -> Result<Replayed, RunError> {
    for _ in 0..MOST_ROUNDS {
        let round = Round::collect(job, rules, locks)?;
        if round.captures == 0 {
            return Ok(Replayed::All);
        }
        job.progress.begin(Phase::Replay, None);
        let extracted = match extract(
            &job.settings.sources,
            rules,
            &job.settings.lock.allow_columns,
            &job.settings.run,
            job.progress,
            job.stop,
        ) {
            Err(ExtractError::Stopped(reason)) => return Ok(Replayed::Stopped(reason)),
            extracted => extracted?,
        };
        let again = Again::judge(&round, rules, run, target, &extracted)?;
        again.commit(run, target, lease, round.captures)?;
        for (source, seqs) in &round.seqs {
            if let Some(locked) = locks.of(source) {
                locked.mark_processed(seqs)?;
            }
        }
    }
    Err(RunError::CapturesWithoutEnd {
        rounds: MOST_ROUNDS,
    })
}

/// The captures of one round, and whom they concern.
struct Round {
    captures: usize,
    /// By source name.
    seqs: BTreeMap<String, Vec<i64>>,
    people: BTreeSet<Base>,
    records: BTreeSet<(SourceIndex, String)>,
}

impl Round {
    fn collect(job: &Job<'_>, rules: &Rules, locks: &Locks) -> Result<Self, RunError> {
        let mut round = Self {
            captures: 0,
            seqs: BTreeMap::new(),
            people: BTreeSet::new(),
            records: BTreeSet::new(),
        };
        for (source, index) in job.settings.sources.iter().zip(0..) {
            let Some(locked) = locks.of(&source.rules.name) else {
                continue;
            };
            for capture in locked.captures(CAPTURES_A_ROUND)? {
                round.add(SourceIndex(index), &source.rules.name, &capture, rules);
            }
        }
        Ok(round)
    }

    fn add(&mut self, source: SourceIndex, name: &str, capture: &Capture, rules: &Rules) {
        self.seqs
            .entry(name.to_owned())
            .or_default()
            .push(capture.seq);
        for image in [&capture.before, &capture.after].into_iter().flatten() {
            let record = image.record(source, 0);
            let base = sort_key::of(&record, rules).base();
            if base != NOBODY {
                self.people.insert(base);
            }
            let id = record_id(&record, rules).into_owned();
            self.records.insert((source, id));
        }
        self.captures += 1;
    }

    fn concerns(&self, case: &Case<'_>, records: &BTreeSet<Record>, rules: &Rules) -> bool {
        case.records().iter().any(|record| {
            let alone = case.duplicate().is_some();
            let base = sort_key::of(record, rules).base();
            if !alone && base != NOBODY {
                return self.people.contains(&base);
            }
            let id = (record.source, record_id(record, rules).into_owned());
            self.records.contains(&id) || records.contains(&id)
        })
    }
}

type Record = (SourceIndex, String);

/// What the people of a round come to when they are judged again.
struct Again {
    builder: ChunkBuilder,
    tally: Tally,
    codes: BTreeSet<FiscalCode>,
    records: BTreeSet<Record>,
    names: Vec<String>,
}

impl Again {
    fn judge(
        round: &Round,
        rules: &Rules,
        run: &RunRow,
        target: &Target,
        extracted: &Extracted,
    ) -> Result<Self, RunError> {
        let mut again = Self {
            builder: ChunkBuilder::new(run.run_id),
            tally: Tally::default(),
            codes: BTreeSet::new(),
            records: round.records.clone(),
            names: rules
                .sources
                .iter()
                .map(|source| source.name.clone())
                .collect(),
        };
        let id_base = run.id_base.ok_or(RunError::NoIds { run_id: run.run_id })?;
        let mut hash = RowHash::default();
        for partition in extracted.split(&[], rules)? {
            let mut cases = extracted.cases(&partition, None)?;
            while let Some(case) = cases.next_case()? {
                if round.concerns(&case, &again.records, rules) {
                    again.add(&case, rules, id_base, target, &mut hash)?;
                }
            }
        }
        Ok(again)
    }

    fn add(
        &mut self,
        case: &Case<'_>,
        rules: &Rules,
        id_base: i64,
        target: &Target,
        hash: &mut RowHash,
    ) -> Result<(), RunError> {
        for record in case.records() {
            self.codes.extend(sort_key::holder(record, rules));
            self.records.insert(name_of(record, rules));
        }
        let decision = case.decide(rules);
        let mut next_id = id_base + case.position().cast_signed();
        for person in &decision.people {
            // Who stands already keeps his ids.
            let first_id = match target.standing(person.fiscal_code)? {
                Some(standing) => standing.person_id,
                None => next_id,
            };
            self.builder
                .push_person(first_id, person)
                .map_err(crate::store::StoreError::from)?;
            self.tally.add_person(person, hash);
            next_id += person.pins.len() as i64;
        }
        for row in &decision.quarantined {
            self.builder.push_quarantine(row);
            self.tally.add_quarantined(row, hash);
        }
        Ok(())
    }

    fn commit(
        self,
        run: &RunRow,
        target: &mut Target,
        lease: &Lease,
        captures: usize,
    ) -> Result<(), RunError> {
        let codes: Vec<_> = self.codes.into_iter().collect();
        let records: Vec<_> = self
            .records
            .iter()
            .map(|(source, id)| (self.names[usize::from(source.0)].as_str(), id.as_str()))
            .collect();
        let tx = target.begin(lease)?;
        let mut difference = self.tally;
        difference.subtract(&tx.standing_tally(&codes, &records)?);
        let account = match run.phase {
            RunPhase::CutOver => Account::Ledger("capture"),
            _before_cut_over => Account::Partition(0),
        };
        tx.replace_people(&Replacement {
            codes: &codes,
            records: &records,
            rows: &self.builder.finish(),
            account,
            difference: &difference,
        })?;
        let detail = json!({ "captures": captures, "people": codes.len() });
        tx.event("captures.replayed", &detail)?;
        tx.commit(CommitPoint::Replace)?;
        Ok(())
    }
}

fn name_of(record: &RawRecord<'_>, rules: &Rules) -> Record {
    (record.source, record_id(record, rules).into_owned())
}
