//! Whether what the dry run said of every record came true.

use std::{borrow::Cow, path::Path};

use super::{
    error::VerifyError,
    mismatch::{MismatchCode, Mismatches, record_name},
};
use crate::{
    domain::{
        digest::{Digest, RowHash},
        quarantine::Reason,
        status::Disposition,
        verdict::{Outcome, Verdict},
    },
    engine::verdicts::VerdictReader,
    store::read_back::{ReadBack, ReadBackError, Snapshot, find_pin, find_reason, pin},
};

/// How many verdicts, and their sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct VerdictSum {
    pub(super) count: u64,
    sum: Digest,
}

impl VerdictSum {
    /// A row of `pin`.
    pub(super) fn add_pin(
        &mut self,
        source: &str,
        legacy_id: &str,
        disposition: &str,
        hash: &mut RowHash,
    ) {
        // A word nobody knows makes the sums differ, which is right.
        let outcome = Disposition::by_name(disposition).map(Outcome::Migrated);
        self.add((source, legacy_id, 0), outcome, hash);
    }

    /// A row of `quarantine`.
    pub(super) fn add_quarantined(
        &mut self,
        record: (&str, &str, u32),
        reason: &str,
        hash: &mut RowHash,
    ) {
        let outcome = Reason::by_name(reason).map(Outcome::Quarantined);
        self.add(record, outcome, hash);
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.count += other.count;
        self.sum.merge(other.sum);
    }

    fn add(
        &mut self,
        (source, legacy_id, copy): (&str, &str, u32),
        outcome: Option<Outcome>,
        hash: &mut RowHash,
    ) {
        self.count += 1;
        if let Some(outcome) = outcome {
            self.add_verdict(
                &Verdict {
                    source,
                    legacy_id: Cow::Borrowed(legacy_id),
                    copy,
                    outcome,
                },
                hash,
            );
        }
    }

    fn add_verdict(&mut self, verdict: &Verdict<'_>, hash: &mut RowHash) {
        self.sum.add(verdict.digest(hash));
    }
}

/// What the file says, all of it on sources of the run.
pub(super) fn announced<'s>(
    path: &Path,
    sources: impl Iterator<Item = &'s str> + Clone,
) -> Result<VerdictSum, VerifyError> {
    let mut hash = RowHash::default();
    let mut sum = VerdictSum::default();
    each(path, |verdict| {
        let known = sources.clone().any(|source| source == verdict.source);
        sum.count += 1;
        sum.add_verdict(verdict, &mut hash);
        Ok(known
            .then_some(())
            .ok_or("column source is no source of this run"))
    })?;
    Ok(sum)
}

/// Compares every verdict with the row it speaks of: the slow way, taken only when the sums differ.
pub(super) fn localise(
    path: &Path,
    snapshot: &Snapshot,
    (announced, found): (VerdictSum, VerdictSum),
    out: &mut Mismatches,
) -> Result<(), VerifyError> {
    let target = snapshot.open()?;
    let mut missed = false;
    each(path, |verdict| {
        if !came_true(&target, verdict)? {
            missed = true;
            let example = Some(record_name(verdict.source, &verdict.legacy_id));
            let what = "records that ended otherwise than the dry run said";
            out.add(MismatchCode::Verdict, "verdicts", what, example);
        }
        Ok(Ok(()))
    })?;
    let unspoken = found.count.saturating_sub(announced.count);
    if unspoken > 0 || !missed {
        let what = "records the dry run said nothing of, or said something of twice";
        out.add_many(
            MismatchCode::Verdict,
            ("verdicts", what),
            unspoken.max(1),
            [],
        );
    }
    Ok(())
}

/// Every line; the closure may find it wrong.
fn each(
    path: &Path,
    mut take: impl FnMut(&Verdict<'_>) -> Result<Result<(), &'static str>, ReadBackError>,
) -> Result<(), VerifyError> {
    let mut file = VerdictReader::open(path)?;
    loop {
        let wrong = match file.next_verdict()? {
            None => return Ok(()),
            Some(verdict) => take(&verdict)?.err(),
        };
        if let Some(what) = wrong {
            return Err(file.wrong_here(what.to_owned()).into());
        }
    }
}

fn came_true(target: &ReadBack, verdict: &Verdict<'_>) -> Result<bool, ReadBackError> {
    let (source, id) = (verdict.source, verdict.legacy_id.as_ref());
    Ok(match verdict.outcome {
        Outcome::Migrated(disposition) => find_pin(target, source, id)?
            .is_some_and(|found| found.pins.text(0, pin::DISPOSITION) == disposition.as_str()),
        Outcome::Quarantined(reason) => {
            find_reason(target, source, id, verdict.copy)?.as_deref() == Some(reason.as_str())
        }
    })
}
