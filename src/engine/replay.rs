//! Captured changes: the lock let a tightening through, so the person is judged again.
//!
//! Before cut-over the difference goes to the first partition's account, afterwards to the ledger. Judging a
//! person again is idempotent: a process killed between the commit here and the mark in the legacy judges
//! once more and changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::{
    batch::{self, Batch},
    cases::Case,
    drain,
    error::RunError,
    extract::{ExtractError, Extracted, extract},
    job::Job,
    progress::Phase,
    stop::StopReason,
    taken,
    verify::Unsettled,
};
use crate::{
    domain::{
        digest::RowHash,
        field::Field,
        fiscal_code::FiscalCode,
        normalise,
        raw_record::{RawRecord, SourceIndex},
        record_id::record_id,
        rules::Rules,
        sort_key::{self, Base, NOBODY},
        tally::Tally,
    },
    source::lock::{Capture, LockError, Locks, RawFields},
    store::{
        Account, CapturedChange, ChunkBuilder, CommitPoint, Lease, Met, RunPhase, RunRow, Target,
        activation::{CAPTURES_REPLAYED, TakenUnderLock},
    },
};

/// Captures that are dealt with in one transaction.
const CAPTURES_A_ROUND: u32 = 10_000;

/// Rounds before a verification. Each reads the sources again, and whoever changes meanwhile is left to the next one, or
/// to the drain after cut-over, when nobody changes any more.
pub(super) const ROUNDS_BEFORE_CUT_OVER: usize = 3;

/// Rounds once the legacy is sealed. More changes than this in one night are no tightenings but somebody at work.
pub(super) const MOST_ROUNDS: usize = 100;

/// How a replay ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Replayed {
    /// No capture is left.
    All,
    /// Others came meanwhile, as often as was asked.
    SoFar,
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
) -> Result<Unsettled, LockError> {
    let round = Round::collect(job, rules, locks)?;
    let name = |index: SourceIndex| rules.sources[usize::from(index.0)].name.clone();
    Ok(round
        .records
        .into_iter()
        .map(|(source, id)| (name(source), id))
        .collect())
}

/// Judges every captured person again, from the sources as they are now; at most so many times, while others come.
pub(super) fn replay(
    job: &Job<'_>,
    rules: &Rules,
    run: &RunRow,
    target: &mut Target,
    lease: &Lease,
    locks: &Locks,
    rounds: usize,
) -> Result<Replayed, RunError> {
    for _ in 0..rounds {
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
        let again = Again::collect(&round, rules, &extracted)?;
        again.commit(job, rules, run, (target, lease), &round)?;
        for (source, seqs) in &round.seqs {
            if let Some(locked) = locks.of(source) {
                locked.mark_processed(seqs)?;
            }
        }
    }
    Ok(Replayed::SoFar)
}

/// The captures of one round, and whom they concern.
struct Round {
    captures: usize,
    /// By source name.
    seqs: BTreeMap<String, Vec<i64>>,
    people: BTreeSet<Base>,
    records: BTreeSet<(SourceIndex, String)>,
    /// For the requests that were accepted before.
    taken: TakenUnderLock,
    /// To be told.
    changes: Vec<CapturedChange>,
}

impl Round {
    fn collect(job: &Job<'_>, rules: &Rules, locks: &Locks) -> Result<Self, LockError> {
        let mut round = Self {
            captures: 0,
            seqs: BTreeMap::new(),
            people: BTreeSet::new(),
            records: BTreeSet::new(),
            taken: TakenUnderLock::default(),
            changes: Vec::new(),
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
        self.changes.extend(change(capture, source, name, rules));
        taken::add(capture, source, rules, &mut self.taken);
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

/// The people of a round, to be judged again.
struct Again {
    cases: Batch,
    codes: BTreeSet<FiscalCode>,
    records: BTreeSet<Record>,
}

impl Again {
    fn collect(round: &Round, rules: &Rules, extracted: &Extracted) -> Result<Self, ExtractError> {
        let mut again = Self {
            cases: Batch::default(),
            codes: BTreeSet::new(),
            records: round.records.clone(),
        };
        for partition in extracted.split(&[], rules)? {
            let mut cases = extracted.cases(&partition, None)?;
            while let Some(case) = cases.next_case()? {
                if round.concerns(&case, &again.records, rules) {
                    for record in case.records() {
                        again.codes.extend(sort_key::holder(record, rules));
                        again.records.insert(name_of(record, rules));
                    }
                    again.cases.push(&case);
                }
            }
        }
        Ok(again)
    }

    /// Takes out what the run made of them and puts in what they come to now, in one transaction.
    fn commit(
        self,
        job: &Job<'_>,
        rules: &Rules,
        run: &RunRow,
        (target, lease): (&mut Target, &Lease),
        round: &Round,
    ) -> Result<(), RunError> {
        let id_base = run.id_base.ok_or(RunError::NoIds { run_id: run.run_id })?;
        let codes: Vec<_> = self.codes.iter().copied().collect();
        let name = |source: &SourceIndex| rules.sources[usize::from(source.0)].name.as_str();
        let records: Vec<_> = (self.records.iter())
            .map(|(source, id)| (name(source), id.as_str()))
            .collect();
        let tx = target.begin(lease)?;
        let is_live = run.phase == RunPhase::CutOver && !run.target_fresh;
        if is_live {
            // Revocations of these people take effect already, each before this or after it.
            tx.hold_model()?;
        }
        // Whoever was given ids keeps them.
        let first_pin_ids = tx.first_pin_ids(&codes)?;
        let standing = tx.standing_tally(&codes, &records)?;
        tx.take_out(&codes, &records)?;
        let met = match run.target_fresh {
            true => Met::default(),
            false => tx.meet(&self.cases.codes(rules)?, &tx.lettered()?)?,
        };
        let mut builder = ChunkBuilder::new(run.run_id);
        let (mut difference, mut hash) = (Tally::default(), RowHash::default());
        self.cases.judge(&met, rules, |position, decided| {
            let next_id = id_base + position.cast_signed();
            let first_pin_id = |code| first_pin_ids.get(&code).copied();
            batch::count(decided, &mut difference, &mut hash);
            batch::build(decided, next_id, first_pin_id, &met, &mut builder).map_err(RunError::from)
        })?;
        difference.subtract(&standing);
        let account = match run.phase {
            RunPhase::CutOver => Account::Ledger("capture"),
            _before_cut_over => Account::Partition(0),
        };
        tx.put_in(&builder.finish(), account, &difference)?;
        if is_live {
            drain::take_away_again(job, rules, &tx)?;
        }
        let detail = json!({
            "captures": round.captures,
            "people": codes.len(),
            "revoked": round.taken.revoked,
            "suspended": round.taken.suspended,
        });
        tx.keep_captured(&round.changes)?;
        tx.event(CAPTURES_REPLAYED, &detail)?;
        tx.commit(CommitPoint::Replace)?;
        Ok(())
    }
}

fn name_of(record: &RawRecord<'_>, rules: &Rules) -> Record {
    (record.source, record_id(record, rules).into_owned())
}

/// What to tell of a capture.
fn change(
    capture: &Capture,
    source: SourceIndex,
    name: &str,
    rules: &Rules,
) -> Option<CapturedChange> {
    let status = |image: &RawFields| taken::status(image, source, rules);
    let (before, after) = (capture.before.as_ref(), capture.after.as_ref());
    let record = after.or(before)?.record(source, 0);
    let differs = |field: &Field| {
        let both = before.zip(after);
        both.is_some_and(|(before, after)| {
            let at = field.index();
            normalise::trimmed(&before.fields[at]) != normalise::trimmed(&after.fields[at])
        })
    };
    Some(CapturedChange {
        source: name.to_owned(),
        legacy_id: record_id(&record, rules).into_owned(),
        // A clock that cannot be read is told where it matters, when requests are held against it.
        at: capture.at.parse().ok()?,
        seq: capture.seq,
        fields: Field::ALL.iter().copied().filter(differs).collect(),
        before: before.and_then(status),
        after: after.and_then(status),
    })
}
