//! One case: all records that are judged together because their codes differ by omocodia at most.

use std::cmp::Ordering;

use super::{
    findings::Neighbours,
    identity,
    legacy_record::LegacyRecord,
    parse::{self, Rejection, parse},
    payload::payload,
    person::person_rows,
    quarantine::{QuarantineRow, Reason},
    raw_record::{RawRecord, SourceIndex},
    record_id::record_id,
    rows::PersonRows,
    rules::Rules,
    sort_key::Base,
    survivor,
};

/// What becomes of a case.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Decision<'a> {
    /// The people who are migrated, in the order of their codes (omocodia letters as digits first).
    pub people: Vec<PersonRows<'a>>,
    /// The records that are not, ordered by source, id and copy.
    pub quarantined: Vec<QuarantineRow<'a>>,
}

/// A record that passed its own-field rules, and where it came from.
pub(super) struct Accepted<'r, 'a> {
    pub(super) record: LegacyRecord<'a>,
    raw: &'r RawRecord<'a>,
    base: Base,
}

/// Judges one case, or any number of whole cases, in any order. Duplicate ids were settled before; every
/// record ends in exactly one place.
#[must_use]
pub fn decide<'a>(records: &[RawRecord<'a>], rules: &'a Rules) -> Decision<'a> {
    let mut verdict = Verdict::new(rules);
    let accepted = verdict.accept(records);
    // Nearly every case is one person.
    let mut people = Vec::with_capacity(1);
    for (group, neighbours) in groups(&accepted) {
        let records: Vec<&LegacyRecord<'a>> = group.iter().map(|one| &one.record).collect();
        match identity::conflict(records.iter().copied()) {
            Some(detail) => verdict.conflict(group, &detail),
            None => people.push(person_rows(&records, neighbours, rules)),
        }
    }
    Decision {
        people,
        quarantined: verdict.rows(),
    }
}

/// The row of a record that shares its id with others of its source; `copy` counts from 1. A record that
/// would not be known by its own id keeps that reason.
#[must_use]
pub fn quarantine_duplicate<'a>(
    raw: &RawRecord<'a>,
    copy: u32,
    rules: &'a Rules,
) -> QuarantineRow<'a> {
    let rejection = match parse::own_id(raw) {
        Err(rejection) => rejection,
        Ok(_) => Rejection::of(
            Reason::DuplicateId,
            "legacy_id is that of another record of the source",
        ),
    };
    quarantine(raw, copy, rejection, rules)
}

fn quarantine<'a>(
    raw: &RawRecord<'a>,
    copy: u32,
    rejection: Rejection,
    rules: &'a Rules,
) -> QuarantineRow<'a> {
    QuarantineRow {
        source: &rules.source(raw.source).name,
        legacy_id: record_id(raw, rules),
        copy,
        reason: rejection.reason,
        detail: rejection.detail,
        payload: payload(raw),
    }
}

/// Collects what is quarantined while a case is judged.
pub(super) struct Verdict<'a> {
    rules: &'a Rules,
    rows: Vec<(SourceIndex, QuarantineRow<'a>)>,
}

impl<'a> Verdict<'a> {
    pub(super) fn new(rules: &'a Rules) -> Self {
        Self {
            rules,
            rows: Vec::new(),
        }
    }

    /// Parses every record and quarantines those that fail; the others are sorted by person, each person's in
    /// the order of the survivor rule, omocodia siblings next to each other.
    pub(super) fn accept<'r>(&mut self, records: &'r [RawRecord<'a>]) -> Vec<Accepted<'r, 'a>> {
        let mut accepted = Vec::with_capacity(records.len());
        for raw in records {
            match parse(raw, self.rules) {
                Ok(record) => accepted.push(Accepted {
                    base: record.fiscal_code.base(),
                    record,
                    raw,
                }),
                Err(rejection) => self.quarantine(raw, rejection),
            }
        }
        accepted.sort_by(by_person);
        accepted
    }

    /// Quarantines all records of a person on whom they disagree.
    pub(super) fn conflict(&mut self, group: &[Accepted<'_, 'a>], detail: &str) {
        for one in group {
            let detail = detail.to_owned();
            self.quarantine(one.raw, Rejection::of(Reason::IdentityConflict, detail));
        }
    }

    /// The rows in order of source, id and copy.
    pub(super) fn rows(mut self) -> Vec<QuarantineRow<'a>> {
        if self.rows.is_empty() {
            return Vec::new();
        }
        self.rows.sort_by(|(a_source, a), (b_source, b)| {
            let by_id = (a_source, &a.legacy_id).cmp(&(b_source, &b.legacy_id));
            by_id.then_with(|| a.copy.cmp(&b.copy))
        });
        self.rows.into_iter().map(|(_, row)| row).collect()
    }

    fn quarantine(&mut self, raw: &RawRecord<'a>, rejection: Rejection) {
        let row = quarantine(raw, 0, rejection, self.rules);
        self.rows.push((raw.source, row));
    }
}

fn by_person(a: &Accepted<'_, '_>, b: &Accepted<'_, '_>) -> Ordering {
    let by_code = (a.base, a.record.fiscal_code).cmp(&(b.base, b.record.fiscal_code));
    by_code.then_with(|| survivor::order(&a.record, &b.record))
}

/// The people among sorted records, each with word of its omocodia siblings.
pub(super) fn groups<'s, 'r, 'a>(
    accepted: &'s [Accepted<'r, 'a>],
) -> impl Iterator<Item = (&'s [Accepted<'r, 'a>], Neighbours)> {
    accepted.chunk_by(|a, b| a.base == b.base).flat_map(|case| {
        let same = |a: &Accepted<'_, '_>, b: &Accepted<'_, '_>| {
            a.record.fiscal_code == b.record.fiscal_code
        };
        let neighbours = match (case.first(), case.last()) {
            (Some(first), Some(last)) if !same(first, last) => Neighbours::Omocodia,
            _ => Neighbours::None,
        };
        case.chunk_by(same).map(move |group| (group, neighbours))
    })
}
