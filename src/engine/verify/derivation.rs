//! What the judge must have made of a person, worked out a second time from the records that stand in `pin`
//! (which are compared with the sources on their own) and from what the sources say beyond them.

use std::{
    cmp::{Ordering, Reverse},
    collections::BTreeMap,
};

use super::{
    facts::{Fact, Facts, code_key, date_key, names_key, record_key, text_key},
    mismatch::{MismatchCode, Mismatches},
    person::name_of,
    request::Unsettled,
};
use crate::{
    domain::rules::Rules,
    store::read_back::{PersonRead, RowSet, code, delegation, grant, person, pin},
};

/// What the rules make of people.
#[derive(Debug)]
pub(super) struct Derivation<'v> {
    facts: &'v Facts,
    pub(super) rules: &'v Rules,
    pub(super) run_id: i64,
    /// Position of each source by its name.
    sources: BTreeMap<&'v str, usize>,
    /// The latest expiry of somebody to whom this profile is actively granted.
    latest_expiry: BTreeMap<&'v str, u32>,
    /// Records that changed under the lock and were not judged again yet.
    unsettled: &'v Unsettled,
}

/// A record as it stands in `pin`.
#[derive(Clone, Copy)]
pub(super) struct Record<'p> {
    pub(super) row: usize,
    /// 0 active, 1 suspended, 2 pending, 3 revoked or ceased.
    pub(super) rank: u8,
    ordinary: bool,
    last_used_on: &'p str,
    issued_on: &'p str,
    precedence: usize,
    legacy_id: &'p str,
    pub(super) profile: &'p str,
    pub(super) entity: &'p str,
    fact: Option<Fact>,
}

pub(super) const OVER: u8 = 3;

impl<'p> Record<'p> {
    /// Records of one grant are neighbours, the one that gives its status and date first.
    pub(super) fn grant_order(&self) -> (&'p str, &'p str, u8, &'p str, usize, &'p str) {
        (
            self.profile,
            self.entity,
            self.rank,
            self.issued_on,
            self.precedence,
            self.legacy_id,
        )
    }

    /// Whether the best records of one grant are all ordinary.
    pub(super) fn is_ordinary(group: &[Self]) -> bool {
        let best = group.iter().filter(|record| record.rank == group[0].rank);
        best.into_iter().all(|record| record.ordinary)
    }

    /// Whether this record, the first of its grant, makes the grant what it is.
    pub(super) fn makes(&self, read: &PersonRead, row: usize, level: &str) -> bool {
        let grants = &read.grants;
        grants.text(row, grant::PROFILE) == self.profile
            && grants.text(row, grant::ENTITY) == self.entity
            && grants.text(row, grant::STATUS)
                == ["active", "suspended", "pending", "ended"][usize::from(self.rank)]
            && grants.text(row, grant::LEVEL) == level
            && grants.text(row, grant::VALID_FROM) == self.issued_on
            && names_record(grants.text(row, grant::EVIDENCE), &read.pins, self)
    }

    /// Hash of the guardian's code, 0 for none.
    pub(super) fn guardian(&self) -> u32 {
        self.fact.map_or(0, |fact| fact.guardian)
    }
}

impl<'v> Derivation<'v> {
    pub(super) fn new(
        rules: &'v Rules,
        facts: &'v Facts,
        run_id: i64,
        unsettled: &'v Unsettled,
    ) -> Self {
        let latest_expiry = rules
            .catalogue
            .profiles()
            .iter()
            .map(|profile| {
                let days = jiff::Span::new().days(i64::from(profile.max_age_days));
                let latest = rules.as_of.saturating_add(days);
                (profile.code.as_str(), date_key(&latest.to_string()))
            })
            .collect();
        let names = rules.sources.iter().map(|source| source.name.as_str());
        Self {
            facts,
            rules,
            run_id,
            sources: names.zip(0..).collect(),
            latest_expiry,
            unsettled,
        }
    }

    /// Compares a person with what its records make of it.
    pub(super) fn check(&self, read: &PersonRead, current: &str, out: &mut Mismatches) {
        let pins = &read.pins;
        if self.is_unsettled(pins) {
            return;
        }
        let key = code_key(current);
        let known = self.facts.keeps(key).then(|| self.facts.of(key));
        let mut records = self.records(pins, known.unwrap_or_default());
        records.sort_unstable_by(by_survivor_rule);
        if records.len() < pins.len() {
            self.check_joined(read, current, &records, out);
            if known.is_some() {
                self.check_expiry(read, &records, out);
                self.check_joined_delegations(read, &records, out);
            }
            return;
        }
        if records.is_empty() {
            return;
        }
        self.check_old_codes(read, current, out);
        check_survivor(read, &records, out);
        check_grants(read, &mut records.clone(), out);
        check_access(read, &records, out);
        if known.is_some() {
            self.check_expiry(read, &records, out);
            check_delegations(read, &records, out);
            // Among themselves in the same order, those written with the current code come first.
            records.sort_by_key(|record| !record.fact.is_some_and(|fact| fact.written_current));
            check_details(read, &records, out);
        }
    }

    fn is_unsettled(&self, pins: &RowSet) -> bool {
        !self.unsettled.is_empty()
            && (0..pins.len()).any(|row| {
                let name = [pin::SOURCE, pin::LEGACY_ID].map(|at| pins.text(row, at).to_owned());
                self.unsettled.contains(&name.into())
            })
    }

    /// The run's own.
    fn records<'p>(&self, pins: &'p RowSet, facts: &[Fact]) -> Vec<Record<'p>> {
        (0..pins.len())
            .filter(|row| pins.keys(*row).run_id == self.run_id)
            .map(|row| {
                let source = pins.text(row, pin::SOURCE);
                let precedence = self.sources.get(source).copied().unwrap_or(usize::MAX);
                let legacy_id = pins.text(row, pin::LEGACY_ID);
                let key = record_key(precedence, legacy_id);
                Record {
                    row,
                    rank: match pins.text(row, pin::LEGACY_STATUS) {
                        "active" => 0,
                        "suspended" => 1,
                        "pending" => 2,
                        _ => OVER,
                    },
                    ordinary: pins.text(row, pin::LEVEL) != "dispositive",
                    last_used_on: pins.text(row, pin::LAST_USED_ON),
                    issued_on: pins.text(row, pin::ISSUED_ON),
                    precedence,
                    legacy_id,
                    profile: pins.text(row, pin::LEGACY_PROFILE),
                    entity: pins.text(row, pin::LEGACY_ENTITY),
                    fact: facts.iter().find(|fact| fact.record == key).copied(),
                }
            })
            .collect()
    }

    /// Every old code that leads to the person stays findable, and no other.
    fn check_old_codes(&self, read: &PersonRead, current: &str, out: &mut Mismatches) {
        let codes = &read.codes;
        let mut found: Vec<&str> = (0..codes.len())
            .filter(|row| codes.text(*row, code::CURRENT) != "1")
            .map(|row| codes.text(row, code::FISCAL_CODE))
            .collect();
        found.sort_unstable();
        if found != self.rules.links.old_codes(current) {
            note(
                out,
                MismatchCode::CurrentCode,
                "fiscal_code",
                "old codes are not those of the links file",
                read,
            );
        }
    }

    fn check_expiry(&self, read: &PersonRead, records: &[Record<'_>], out: &mut Mismatches) {
        let grants = &read.grants;
        let latest = (0..grants.len())
            .filter(|row| grants.text(*row, grant::STATUS) == "active")
            .filter_map(|row| self.latest_expiry.get(grants.text(row, grant::PROFILE)))
            .min()
            .copied();
        for record in records {
            let Some(fact) = record.fact else { continue };
            let own = (fact.expires_on != 0).then_some(fact.expires_on);
            let survivor = read.pins.text(record.row, pin::DISPOSITION) == "survivor";
            let expected = if survivor {
                own.into_iter().chain(latest).min()
            } else {
                own
            };
            let found = date_key(read.pins.text(record.row, pin::EXPIRES_ON));
            if expected.unwrap_or(0) != found {
                note(
                    out,
                    MismatchCode::Expiry,
                    "pin",
                    "expires_on is not what the record and the profiles make it",
                    read,
                );
            }
        }
    }
}

pub(super) fn note(
    out: &mut Mismatches,
    code: MismatchCode,
    table: &str,
    what: &str,
    read: &PersonRead,
) {
    out.add(code, table, what, Some(name_of(read)));
}

/// Active before suspended before pending before the rest; dispositive first; then the latest used, the
/// latest issued, the earlier source, the smaller id.
fn by_survivor_rule(one: &Record<'_>, other: &Record<'_>) -> Ordering {
    let key = |record: &Record<'_>| (record.rank, record.ordinary);
    key(one)
        .cmp(&key(other))
        .then_with(|| Reverse(one.last_used_on).cmp(&Reverse(other.last_used_on)))
        .then_with(|| Reverse(one.issued_on).cmp(&Reverse(other.issued_on)))
        .then_with(|| one.precedence.cmp(&other.precedence))
        .then_with(|| one.legacy_id.cmp(other.legacy_id))
}

fn check_survivor(read: &PersonRead, records: &[Record<'_>], out: &mut Mismatches) {
    let pins = &read.pins;
    let survivor = records.first().filter(|record| record.rank < OVER);
    let survivor_id = survivor.map(|record| pins.keys(record.row).id);
    for (place, record) in records.iter().enumerate() {
        let legacy_status = pins.text(record.row, pin::LEGACY_STATUS);
        let expected = if record.rank == OVER {
            (legacy_status, "history", None)
        } else if place == 0 {
            (legacy_status, "survivor", None)
        } else {
            ("retired", "retired", survivor_id)
        };
        let found = (
            pins.text(record.row, pin::STATUS),
            pins.text(record.row, pin::DISPOSITION),
            pins.keys(record.row).refers_to,
        );
        if expected != found {
            note(
                out,
                MismatchCode::Survivor,
                "pin",
                "status, disposition or superseded_by are not what the records make them",
                read,
            );
        }
    }
}

/// One grant per profile and entity: best status, highest level among those of that status, earliest issue.
fn check_grants(read: &PersonRead, records: &mut [Record<'_>], out: &mut Mismatches) {
    records.sort_unstable_by_key(Record::grant_order);
    let grants = &read.grants;
    let mut row = 0;
    let mut equal = true;
    for group in records.chunk_by(|a, b| (a.profile, a.entity) == (b.profile, b.entity)) {
        let level = level(Record::is_ordinary(group));
        equal = equal && row < grants.len() && group[0].makes(read, row, level);
        row += 1;
    }
    if !equal || row != grants.len() {
        note(
            out,
            MismatchCode::Grant,
            "profile_grant",
            "grants are not what the records make them",
            read,
        );
    }
}

pub(super) fn level(ordinary: bool) -> &'static str {
    if ordinary { "ordinary" } else { "dispositive" }
}

/// Whether the evidence is `legacy:SOURCE:ID` of this record.
pub(super) fn names_record(evidence: &str, pins: &RowSet, record: &Record<'_>) -> bool {
    evidence
        .strip_prefix("legacy:")
        .and_then(|rest| rest.strip_prefix(pins.text(record.row, pin::SOURCE)))
        .and_then(|rest| rest.strip_prefix(':'))
        .is_some_and(|id| id == record.legacy_id)
}

/// What the active records opened before, and what the view opens now.
fn check_access(read: &PersonRead, records: &[Record<'_>], out: &mut Mismatches) {
    let mut before: BTreeMap<(&str, &str), bool> = BTreeMap::new();
    for record in records.iter().filter(|record| record.rank == 0) {
        *before
            .entry((record.profile, record.entity))
            .or_insert(true) &= record.ordinary;
    }
    let mut after: BTreeMap<(&str, &str), bool> = BTreeMap::new();
    let (pins, grants) = (&read.pins, &read.grants);
    for pin in (0..pins.len()).filter(|row| pins.text(*row, pin::STATUS) == "active") {
        let ordinary_pin = pins.text(pin, pin::LEVEL) != "dispositive";
        for row in (0..grants.len()).filter(|row| grants.text(*row, grant::STATUS) == "active") {
            let key = (
                grants.text(row, grant::PROFILE),
                grants.text(row, grant::ENTITY),
            );
            let ordinary = ordinary_pin || grants.text(row, grant::LEVEL) != "dispositive";
            *after.entry(key).or_insert(true) &= ordinary;
        }
    }
    if before != after {
        note(
            out,
            MismatchCode::Access,
            "effective_access",
            "people who may do more or less than before",
            read,
        );
    }
}

/// One delegation per guardian named by a record in use, with the first such record as evidence.
fn check_delegations(read: &PersonRead, records: &[Record<'_>], out: &mut Mismatches) {
    let mut expected: Vec<(u32, &Record<'_>)> = Vec::new();
    for record in records.iter().filter(|record| record.rank < OVER) {
        let Some(fact) = record.fact else { continue };
        let known = |(guardian, _): &(u32, &Record<'_>)| *guardian == fact.guardian;
        if fact.guardian != 0 && !expected.iter().any(known) {
            expected.push((fact.guardian, record));
        }
    }
    let delegations = &read.delegations;
    let all_named = expected.iter().all(|(guardian, record)| {
        (0..delegations.len()).any(|row| {
            text_key(delegations.text(row, delegation::GUARDIAN)) == *guardian
                && names_record(
                    delegations.text(row, delegation::EVIDENCE),
                    &read.pins,
                    record,
                )
        })
    });
    if !all_named || expected.len() != delegations.len() {
        note(
            out,
            MismatchCode::Delegation,
            "delegation",
            "delegations are not what the records make them",
            read,
        );
    }
}

/// Names as the first record writes them; birth date and contacts each from the first that has one.
fn check_details(read: &PersonRead, records: &[Record<'_>], out: &mut Mismatches) {
    let mut facts = records.iter().filter_map(|record| record.fact);
    let Some(first) = facts.next() else {
        note(
            out,
            MismatchCode::NotCarried,
            "pin",
            "PINs whose record the source has not",
            read,
        );
        return;
    };
    let mut expected = first;
    for fact in facts {
        for (mine, theirs) in [
            (&mut expected.birth_date, fact.birth_date),
            (&mut expected.email, fact.email),
            (&mut expected.phone, fact.phone),
        ] {
            if *mine == 0 {
                *mine = theirs;
            }
        }
    }
    let row = &read.person;
    let names = names_key(
        row.text(0, person::SURNAME),
        row.text(0, person::GIVEN_NAME),
        &mut String::new(),
    );
    let found = (
        names,
        date_key(row.text(0, person::BIRTH_DATE)),
        text_key(row.text(0, person::EMAIL)),
        text_key(row.text(0, person::PHONE)),
    );
    let expected = (
        expected.names,
        expected.birth_date,
        expected.email,
        expected.phone,
    );
    if found != expected {
        note(
            out,
            MismatchCode::PersonDetails,
            "person",
            "names, birth date or contacts are not what the records say",
            read,
        );
    }
}
