//! What must hold of the run's own rows: sources, partitions, chains, catalogue, steps.

use std::collections::BTreeMap;

use super::{
    mismatch::{MismatchCode, Mismatches},
    person::Scope,
    request::VerifyRequest,
};
use crate::{
    domain::tally::Tally,
    store::{
        chain, index_steps,
        read_back::{ChainedRow, PartitionState, ProfileState, RunState},
    },
};

/// Checks what the run row says of itself against the configuration it is continued with.
pub(super) fn check_run(request: &VerifyRequest<'_>, run: &RunState, out: &mut Mismatches) {
    use MismatchCode::{Configuration, RunState};
    let records: i64 = run.sources.iter().filter_map(|source| source.records).sum();
    let ids = run.id_base.zip(run.id_end);
    let fixed: Option<BTreeMap<String, String>> = serde_json::from_str(&run.fixed).ok();
    for (holds, code, what) in [
        (
            run.as_of == request.rules.as_of.to_string(),
            Configuration,
            "the date of judgement is not the one given",
        ),
        (
            fixed == Some(request.settings.fixed(request.rules.as_of)),
            Configuration,
            "what the run fixed is not what the configuration gives",
        ),
        (
            has_sources(request, run),
            Configuration,
            "the sources, or their order, are not those of the configuration",
        ),
        (
            ids.is_some_and(|(from, to)| from >= 1 && to - from == records),
            RunState,
            "the ids reserved are not one for each record",
        ),
    ] {
        if !holds {
            out.add(code, "run", what, Some(format!("run {}", run.run_id)));
        }
    }
}

fn has_sources(request: &VerifyRequest<'_>, run: &RunState) -> bool {
    let configured = &request.settings.sources;
    configured.len() == run.sources.len()
        && (0..)
            .zip(run.sources.iter().zip(configured))
            .all(|(precedence, (found, settings))| {
                found.precedence == precedence
                    && found.source == settings.rules.name
                    && found.location == settings.location.shown()
            })
}

/// Checks that partitions follow each other without a gap and are all done. The sum of their tallies, and
/// the same with those of other runs and pinferry's ledger.
pub(super) fn check_partitions(run: &RunState, out: &mut Mismatches) -> (Tally, Tally) {
    let mut sum = Tally::default();
    let records = run.sources.iter().filter_map(|source| source.records).sum();
    for (at, partition) in run.partitions.iter().enumerate() {
        let next = run.partitions.get(at + 1);
        if let Some(what) = partition_fault(partition, at, next, records) {
            let example = Some(format!("partition {}", partition.partition_no));
            out.add(MismatchCode::RunState, "run_partition", what, example);
        }
        add_tally(&mut sum, &partition.tally, "run_partition", out);
    }
    if run.partitions.is_empty() && records > 0 {
        out.add(
            MismatchCode::RunState,
            "run_partition",
            "there are none",
            None,
        );
    }
    let loaded = sum.clone();
    for tally in &run.other_tallies {
        add_tally(&mut sum, tally, "run_partition", out);
    }
    for (_, tally) in &run.ledger {
        add_tally(&mut sum, tally, "digest_ledger", out);
    }
    (loaded, sum)
}

/// Checks that every step is marked, and no other.
pub(super) fn check_steps(request: &VerifyRequest<'_>, run: &RunState, out: &mut Mismatches) {
    let steps = index_steps(request.target).iter();
    let mut expected: Vec<&str> = steps.map(|step| step.name).collect();
    expected.sort_unstable();
    let known = |step: &&String| expected.binary_search(&step.as_str()).is_ok();
    if run.steps.iter().filter(known).count() != expected.len() {
        out.add(
            MismatchCode::RunState,
            "run_step",
            "steps before verification are not marked as done",
            None,
        );
    }
}

fn add_tally(sum: &mut Tally, text: &str, place: &str, out: &mut Mismatches) {
    match serde_json::from_str::<Tally>(text) {
        Ok(tally) => sum.merge(&tally),
        Err(_) => out.add(
            MismatchCode::RunState,
            place,
            "a tally that pinferry does not understand",
            None,
        ),
    }
}

fn partition_fault(
    partition: &PartitionState,
    at: usize,
    next: Option<&PartitionState>,
    records: i64,
) -> Option<&'static str> {
    let end = next.map_or(records, |next| next.first_position);
    let first_is_zero = at > 0 || partition.first_position == 0;
    let bounds = next.map(|next| next.key_from.as_slice());
    let cursor = partition.cursor.as_slice();
    if partition.partition_no != i64::try_from(at).unwrap_or(-1) {
        return Some("its number is out of turn");
    }
    if !partition.done {
        return Some("it is not done");
    }
    if !first_is_zero || partition.first_position > end || partition.position != end {
        return Some("its positions do not follow each other");
    }
    if partition.key_to.as_deref() != bounds {
        return Some("its keys do not follow each other");
    }
    let empty = partition.first_position == end;
    let inside =
        cursor >= partition.key_from.as_slice() && bounds.is_none_or(|key_to| cursor < key_to);
    if !cursor.is_empty() && !inside || cursor.is_empty() && !empty {
        return Some("its cursor is outside its keys");
    }
    None
}

/// Checks a chained log from its first row.
pub(super) fn check_chain(rows: &[ChainedRow], table: &str, out: &mut Mismatches) {
    let mut before = "";
    for (at, row) in rows.iter().enumerate() {
        let columns: Vec<&str> = row.columns.iter().map(String::as_str).collect();
        let in_turn = i64::try_from(at).is_ok_and(|at| row.id == at + 1);
        if chain::link(before, &columns) != row.chain || !in_turn {
            let example = Some(format!("row {}", row.id));
            out.add(
                MismatchCode::Chain,
                table,
                "links that do not follow from the rows",
                example,
            );
        }
        before = &row.chain;
    }
}

/// Compares the catalogue as loaded with the configuration's. A target in use may hold more profiles, and until
/// cut-over keeps those it has as they are.
pub(super) fn check_catalogue(
    request: &VerifyRequest<'_>,
    found: &[ProfileState],
    scope: Scope<'_>,
    out: &mut Mismatches,
) {
    let mut rest: BTreeMap<&str, &ProfileState> = found
        .iter()
        .map(|profile| (profile.profile.as_str(), profile))
        .collect();
    for profile in request.rules.catalogue.profiles() {
        let mut services = profile.services.clone();
        services.sort_unstable();
        services.dedup();
        let equal = rest.remove(profile.code.as_str()).is_some_and(|row| {
            let documents: Option<Vec<String>> = serde_json::from_str(&row.documents).ok();
            scope.is_merging()
                || row.name == profile.name
                    && row.entity_rule == profile.entity.as_str()
                    && row.max_age_days == i64::from(profile.max_age_days)
                    && row.minimum_level == profile.minimum_level.as_str()
                    && documents.as_ref() == Some(&profile.documents)
                    && row.services == services
        });
        if !equal {
            let example = Some(profile.code.clone());
            out.add(
                MismatchCode::Catalogue,
                "profile",
                "profiles that are missing or not as configured",
                example,
            );
        }
    }
    if scope.target_fresh && !rest.is_empty() {
        out.add_many(
            MismatchCode::Catalogue,
            ("profile", "profiles the configuration has not"),
            rest.len() as u64,
            rest.keys().map(|code| (*code).to_owned()),
        );
    }
}
