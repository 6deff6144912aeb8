//! Finds the records that make the sums differ: the slow way, taken only when they do.

use std::ops::ControlFlow;

use super::{
    carried::{Reading, Renames, plain},
    error::VerifyError,
    leftovers::hash_payload,
    mismatch::{MismatchCode, Mismatches, record_name},
    request::{Unsettled, VerifyRequest},
    sources::{changing, hash_raw, readings},
};
use crate::{
    domain::{
        digest::RowHash,
        field::Field,
        raw_record::{RawRecord, Shape, SourceIndex},
    },
    source,
    store::read_back::{
        Quarantined, ReadBack, ReadBackError, RunState, Snapshot, find_pin, find_quarantined,
    },
};

/// Records that may have changed under the lock while verification reads. Whatever differs beyond that is no work of an
/// office's.
const MOST_CHANGED: usize = 100_000;

/// How one record stands in the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    AsRead,
    Otherwise,
    QuarantinedOtherwise,
    Missing,
    /// In quarantine among copies, or without an id to find it by.
    Unknown,
}

/// Compares every record of a source with its row, and notes those that differ.
pub(super) fn localise(
    request: &VerifyRequest<'_>,
    (snapshot, run): (&Snapshot, &RunState),
    at: usize,
    out: &mut Mismatches,
) -> Result<(), VerifyError> {
    let name = &run.sources[at].source;
    let settings = &request.settings.sources[at];
    let renames = Renames::new(request.rules);
    let reading = readings(request.settings, request.rules, &renames)[at];
    let target = snapshot.open()?;
    let mut hash = RowHash::default();
    let mut failure = None;
    let mut differing: Vec<(&'static str, String)> = Vec::new();
    let mut beyond = 0_u64;
    let index = SourceIndex(u16::try_from(at).unwrap_or(u16::MAX));
    let excluded = changing(request.settings, settings);
    source::read(settings, index, &excluded, &mut |record| {
        let what = match standing(&target, &reading, record, &mut hash) {
            Ok(Standing::AsRead | Standing::Unknown) => return ControlFlow::Continue(()),
            Ok(Standing::Otherwise) => "records that stand in pin otherwise than they were read",
            Ok(Standing::QuarantinedOtherwise) => {
                "records that stand in quarantine otherwise than they were read"
            }
            Ok(Standing::Missing) => "records that stand neither in pin nor in quarantine",
            Err(error) => {
                failure = Some(error);
                return ControlFlow::Break(());
            }
        };
        let id = given_id(record);
        if differing.len() < MOST_CHANGED {
            differing.push((what, id.to_owned()));
        } else {
            beyond += 1;
            let example = Some(record_name(name, id));
            out.add(MismatchCode::NotCarried, name, what, example);
        }
        ControlFlow::Continue(())
    })
    .map_err(|source| VerifyError::Source {
        name: name.clone(),
        source: Box::new(source),
    })?;
    if let Some(error) = failure {
        return Err(error.into());
    }
    let unsettled = if differing.is_empty() {
        Unsettled::new()
    } else {
        (request.unsettled)()?
    };
    let (waits, found): (Vec<_>, Vec<_>) = (differing.into_iter())
        .map(|(what, id)| (what, (name.clone(), id)))
        .partition(|(_, record)| unsettled.contains(record));
    for (what, (_, id)) in &found {
        let example = Some(record_name(name, id));
        out.add(MismatchCode::NotCarried, name, what, example);
    }
    // Records that wait to be judged again explain the difference, as far as a sum can tell.
    if found.is_empty() && waits.is_empty() && beyond == 0 {
        out.add(
            MismatchCode::NotCarried,
            name,
            "payloads in quarantine, or rows of pin, that are no record of the source",
            None,
        );
    }
    Ok(())
}

/// The id a record gives itself; a row that could not be taken apart gives none, and holds everything where
/// others hold their id.
fn given_id<'a>(record: &RawRecord<'a>) -> &'a str {
    match record.shape {
        Shape::Row => plain(record.get(Field::LegacyId)),
        Shape::Malformed => "",
    }
}

fn standing(
    target: &ReadBack,
    reading: &Reading<'_>,
    record: &RawRecord<'_>,
    hash: &mut RowHash,
) -> Result<Standing, ReadBackError> {
    let id = given_id(record);
    let source = &reading.source.name;
    if let Some(found) = find_pin(target, source, id)? {
        let expected = hash_raw(reading, record, hash);
        let standing = reading.hash_pin(&found.pins, 0, &found.fiscal_code, hash);
        return Ok(if standing == expected {
            Standing::AsRead
        } else {
            Standing::Otherwise
        });
    }
    // What has no id of its own, or one that is spelled otherwise, can only be in quarantine.
    if id.is_empty() || id.starts_with('@') || id.chars().any(char::is_control) {
        return Ok(Standing::Unknown);
    }
    Ok(match find_quarantined(target, source, id)? {
        Quarantined::No => Standing::Missing,
        Quarantined::Copies => Standing::Unknown,
        Quarantined::Once { payload } => {
            let expected = hash_raw(reading, record, hash);
            if hash_payload(reading, id, &payload, hash) == Some(expected) {
                Standing::AsRead
            } else {
                Standing::QuarantinedOtherwise
            }
        }
    })
}
