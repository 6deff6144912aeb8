//! Compares what was read with what was committed.

use std::collections::BTreeMap;

use super::{
    Begun, Stage,
    error::VerifyError,
    localise,
    mismatch::{MismatchCode, Mismatches},
    request::VerifyRequest,
    sources::SourceRead,
    target::Read,
    verdicts,
    verification::{Verification, split},
};
use crate::{
    domain::{
        digest::Digest,
        tally::{SourceTally, Tally},
    },
    store::read_back::{PinIndexRead, RunState, Snapshot},
};

/// Compares, and says where what differs.
pub(super) fn compare(
    request: &VerifyRequest<'_>,
    begun: Begun,
    read: Read,
) -> Result<Verification, VerifyError> {
    let Begun {
        target,
        run,
        stage,
        mut mismatches,
        readable: _,
    } = begun;
    let found = found(&run, &read);
    let out = &mut mismatches;
    let merging = stage == Stage::BeforeCutOver && !run.target_fresh;
    compare_digests(&read.rest.committed, &found, out);
    compare_counts(&read.rest.committed, &found, out);
    let mut own = Mismatches::default();
    if merging {
        compare_own(&read, &found, &mut own);
    }
    if stage == Stage::AfterCutOver {
        compare_final_digest(&run, &read, out);
    }
    compare_indexes(&read, out);
    compare_records(&run, &found, &read, out);
    if let Some(sources) = &read.sources {
        compare_fingerprints(&run, &sources.sources, out);
        if stage == Stage::BeforeCutOver {
            compare_carried(
                request,
                (target.snapshot(), &run),
                &read,
                &sources.sources,
                out,
            )?;
        }
    }
    compare_verdicts(request, target.snapshot(), &read, out)?;
    mismatches.merge(read.rest.mismatches);
    mismatches.merge(read.rest.leftovers.mismatches);
    mismatches.merge(read.people.mismatches);
    let (mut mismatches, changed_since) =
        split(mismatches.into_list(stage), stage, run.target_fresh);
    mismatches.extend(own.into_list(stage));
    let mut ledger = BTreeMap::new();
    for (cause, _) in &run.ledger {
        *ledger.entry(cause.clone()).or_default() += 1;
    }
    Ok(Verification {
        run_id: run.run_id,
        phase: run.phase,
        mismatches,
        changed_since,
        ledger,
        found,
        canaries: read.rest.canaries,
        verdicts: read.rest.verdicts.count,
        notes: read.notes,
    })
}

/// Counts and digests as they stand.
fn found(run: &RunState, read: &Read) -> Tally {
    let (people, leftovers) = (&read.people, &read.rest.leftovers);
    let mut found = Tally {
        digests: people.digests,
        persons: people.persons,
        pins: people.pins.clone(),
        grants: people.grants.clone(),
        delegations: people.delegations,
        findings: leftovers.finding_kinds.clone(),
        sources: BTreeMap::new(),
    };
    found.digests.rows.merge(leftovers.quarantine);
    found.digests.origins.merge(leftovers.quarantine);
    found.digests.findings = leftovers.findings;
    for (at, source) in run.sources.iter().enumerate() {
        let pins = people.sources.get(at).map_or(0, |(pins, _)| *pins);
        let quarantine = leftovers
            .sources
            .get(at)
            .map(|sums| sums.reasons.clone())
            .unwrap_or_default();
        let mut tally = SourceTally {
            records: pins,
            pins,
            quarantine,
        };
        tally.records += tally.quarantined();
        found.sources.insert(source.source.clone(), tally);
    }
    found
}

/// What a later run has loaded is nobody else's yet, whatever life does to those who stood before.
fn compare_own(read: &Read, found: &Tally, out: &mut Mismatches) {
    let mut own = read.people.own.clone();
    own.merge(&read.rest.leftovers.own);
    // Nobody else has rows of its sources.
    own.sources.clone_from(&found.sources);
    compare_digests(&read.rest.loaded, &own, out);
    compare_counts(&read.rest.loaded, &own, out);
}

fn compare_digests(committed: &Tally, found: &Tally, out: &mut Mismatches) {
    let committed = &committed.digests;
    for (code, subject, what, expected, found) in [
        (
            MismatchCode::RowsDigest,
            "person, fiscal_code, pin, profile_grant, delegation, quarantine",
            "the digest of the rows is not the one that was committed",
            committed.rows,
            found.digests.rows,
        ),
        (
            MismatchCode::OriginsDigest,
            "pin, quarantine",
            "the digest of the origins is not the one that was committed",
            committed.origins,
            found.digests.origins,
        ),
        (
            MismatchCode::FindingsDigest,
            "finding",
            "the digest of the findings is not the one that was committed",
            committed.findings,
            found.digests.findings,
        ),
    ] {
        differs(out, (code, subject, what), expected, found);
    }
}

fn compare_final_digest(run: &RunState, read: &Read, out: &mut Mismatches) {
    let stored = run.digest.as_deref().unwrap_or("none");
    let loaded = read.rest.loaded.digests.rows.to_string();
    if stored != loaded {
        out.add(
            MismatchCode::FinalDigest,
            "run",
            "the final digest is not the sum of the partitions",
            Some(format!("stored {stored}, partitions {loaded}")),
        );
    }
}

fn differs(
    out: &mut Mismatches,
    (code, subject, what): (MismatchCode, &str, &str),
    expected: Digest,
    found: Digest,
) {
    if expected != found {
        let example = Some(format!("committed {expected}, found {found}"));
        out.add(code, subject, what, example);
    }
}

fn compare_counts(committed: &Tally, found: &Tally, out: &mut Mismatches) {
    let mut compare = |table: &str, of: &str, expected: i64, found: i64| {
        if expected != found {
            let example = format!("{of}: committed {expected}, found {found}");
            out.add_many(
                MismatchCode::Counts,
                (table, "not as many rows as were committed"),
                expected.abs_diff(found),
                [example],
            );
        }
    };
    compare("person", "all", committed.persons, found.persons);
    compare(
        "delegation",
        "all",
        committed.delegations,
        found.delegations,
    );
    each(&committed.pins, &found.pins, |key, one, two| {
        compare("pin", key.as_str(), one, two);
    });
    each(&committed.grants, &found.grants, |key, one, two| {
        compare("profile_grant", key.as_str(), one, two);
    });
    each(&committed.findings, &found.findings, |key, one, two| {
        compare("finding", key.as_str(), one, two);
    });
    for (name, theirs) in &found.sources {
        let nothing = SourceTally::default();
        let mine = committed.sources.get(name).unwrap_or(&nothing);
        compare(name, "pin", mine.pins, theirs.pins);
        each(&mine.quarantine, &theirs.quarantine, |reason, one, two| {
            compare(name, reason.as_str(), one, two);
        });
    }
}

fn each<K: Ord + Copy>(
    one: &BTreeMap<K, i64>,
    two: &BTreeMap<K, i64>,
    mut compare: impl FnMut(K, i64, i64),
) {
    let only_two = two.keys().filter(|key| !one.contains_key(*key));
    for key in one.keys().chain(only_two) {
        let count = |map: &BTreeMap<K, i64>| map.get(key).copied().unwrap_or(0);
        compare(*key, count(one), count(two));
    }
}

fn compare_indexes(read: &Read, out: &mut Mismatches) {
    let (people, rest) = (&read.people, &read.rest);
    let codes = &rest.codes;
    if codes.sum != people.code_sum || codes.current + codes.old != people.codes {
        out.add(
            MismatchCode::IndexContent,
            "fiscal_code_person",
            "the index does not hold what its table holds",
            None,
        );
    }
    if codes.current != people.persons || codes.old != people.old_codes {
        let example = format!(
            "{} people, {} current codes, {} old ones",
            people.persons, codes.current, codes.old
        );
        out.add_many(
            MismatchCode::CurrentCode,
            (
                "fiscal_code",
                "people without exactly one current fiscal code",
            ),
            people.persons.abs_diff(codes.current),
            [example],
        );
    }
    let pins = PinIndexRead {
        rows: people.pins.values().sum(),
        sum: people.pin_sum,
    };
    if rest.source_index != pins {
        out.add(
            MismatchCode::IndexContent,
            "pin_source",
            "the index does not hold what its table holds, or a PIN belongs to nobody",
            None,
        );
    }
}

/// Conservation: records read = rows in `pin` + rows in `quarantine` that were not replayed.
fn compare_records(run: &RunState, found: &Tally, read: &Read, out: &mut Mismatches) {
    for (at, source) in run.sources.iter().enumerate() {
        let Some(tally) = found.sources.get(&source.source) else {
            continue;
        };
        let replayed = read.rest.leftovers.sources.get(at);
        let replayed = replayed.map_or(0, |sums| sums.replayed);
        let standing = tally.records - replayed;
        if source.records != Some(standing) {
            let records = source.records.unwrap_or(0);
            out.add_many(
                MismatchCode::Conservation,
                (
                    &source.source,
                    "records read are not rows in pin plus rows in quarantine",
                ),
                records.abs_diff(standing),
                [format!(
                    "records {records}, pin {}, quarantine {}",
                    tally.pins,
                    tally.quarantined() - replayed
                )],
            );
        }
    }
}

fn compare_fingerprints(run: &RunState, sources: &[SourceRead], out: &mut Mismatches) {
    for (source, read) in run.sources.iter().zip(sources) {
        let summary = read.summary;
        let (stored, found) = (
            source.fingerprint.as_deref().unwrap_or("none"),
            summary.fingerprint.to_string(),
        );
        let records = u64::try_from(source.records.unwrap_or(0)).unwrap_or(0);
        if stored != found || records != summary.records {
            out.add_many(
                MismatchCode::SourceChanged,
                (&source.source, "the source is not what the run read"),
                records.abs_diff(summary.records).max(1),
                [format!(
                    "run: {records} records, fingerprint {stored}; now: {} records, fingerprint {found}",
                    summary.records
                )],
            );
        }
    }
}

fn compare_verdicts(
    request: &VerifyRequest<'_>,
    snapshot: &Snapshot,
    read: &Read,
    out: &mut Mismatches,
) -> Result<(), VerifyError> {
    let Some(path) = request.verdicts else {
        return Ok(());
    };
    let mut found = read.people.verdicts;
    found.merge(read.rest.leftovers.verdicts);
    let announced = read.rest.verdicts;
    if found != announced {
        verdicts::localise(path, snapshot, (announced, found), out)?;
    }
    Ok(())
}

fn compare_carried(
    request: &VerifyRequest<'_>,
    (snapshot, run): (&Snapshot, &RunState),
    read: &Read,
    sources: &[SourceRead],
    out: &mut Mismatches,
) -> Result<(), VerifyError> {
    for (at, source) in sources.iter().enumerate() {
        let mut standing = read.people.sources[at].1;
        standing.merge(read.rest.leftovers.sources[at].carried);
        if standing != source.carried {
            localise::localise(request, (snapshot, run), at, out)?;
        }
    }
    Ok(())
}
