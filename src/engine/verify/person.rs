//! Reads one person after the other: digests, counts, and what must hold of the rows of each.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    carried::Reading,
    derivation::Derivation,
    mismatch::{MismatchCode, Mismatches, record_name},
    row_digests,
    verdicts::VerdictSum,
};
use crate::{
    domain::{
        digest::{Digest, RowHash},
        status::{GrantStatus, PinStatus},
        tally::{Digests, Tally},
    },
    store::read_back::{IndexSum, PersonRead, RowSet, code, grant, pin},
};

/// What is known of the run while people are read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scope<'v> {
    /// How the values of each source are understood.
    pub(super) readings: &'v [Reading<'v>],
    /// The run.
    pub(super) run_id: i64,
    /// Whether the target holds the rows of this run alone.
    pub(super) target_fresh: bool,
    /// The ids reserved, the second excluded.
    pub(super) ids: (i64, i64),
    /// Before cut-over nothing but this run has written.
    pub(super) before_cut_over: bool,
    /// The sources of all runs.
    pub(super) all_sources: &'v BTreeSet<String>,
    /// Codes that this run gives people who stood before it.
    pub(super) added_codes: &'v BTreeSet<String>,
    /// What is summed of each row that an index should know.
    pub(super) index_sum: IndexSum,
    /// Whether the verdict on each record is summed.
    pub(super) verdicts: bool,
    /// What the judge must have made of each person, where that is checked.
    pub(super) derivation: Option<&'v Derivation<'v>>,
}

impl Scope<'_> {
    /// Whether the run merges into a target in use, and is not a part of it yet: its rows are its own, and those
    /// of earlier runs are life's.
    pub(super) fn is_merging(&self) -> bool {
        self.before_cut_over && !self.target_fresh
    }
}

/// Sums over people, of one thread or of all.
#[derive(Debug, Default)]
pub(super) struct PeopleSums {
    pub(super) digests: Digests,
    /// Of these, what belongs to the run.
    pub(super) own: Tally,
    pub(super) persons: i64,
    pub(super) pins: BTreeMap<PinStatus, i64>,
    pub(super) grants: BTreeMap<GrantStatus, i64>,
    pub(super) delegations: i64,
    /// By position of the source: rows in `pin`, and the sum of what they carry.
    pub(super) sources: Vec<(i64, Digest)>,
    /// Codes, those beyond the first of a person, and what an index on them should add up to.
    pub(super) codes: i64,
    pub(super) old_codes: i64,
    pub(super) code_sum: u128,
    /// What an index on (legacy_id, source) should add up to.
    pub(super) pin_sum: u128,
    /// Where the records of the sources ended.
    pub(super) verdicts: VerdictSum,
    pub(super) mismatches: Mismatches,
}

impl PeopleSums {
    pub(super) fn new(sources: usize) -> Self {
        Self {
            sources: vec![(0, Digest::default()); sources],
            ..Self::default()
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.digests.rows.merge(other.digests.rows);
        self.digests.origins.merge(other.digests.origins);
        self.own.merge(&other.own);
        self.persons += other.persons;
        self.delegations += other.delegations;
        for (status, count) in other.pins {
            *self.pins.entry(status).or_default() += count;
        }
        for (status, count) in other.grants {
            *self.grants.entry(status).or_default() += count;
        }
        for (mine, theirs) in self.sources.iter_mut().zip(other.sources) {
            mine.0 += theirs.0;
            mine.1.merge(theirs.1);
        }
        self.codes += other.codes;
        self.old_codes += other.old_codes;
        self.code_sum = self.code_sum.wrapping_add(other.code_sum);
        self.pin_sum = self.pin_sum.wrapping_add(other.pin_sum);
        self.verdicts.merge(other.verdicts);
        self.mismatches.merge(other.mismatches);
    }
}

/// Takes people in, one by one.
#[derive(Debug)]
pub(super) struct PeopleReader<'v> {
    scope: Scope<'v>,
    pub(super) sums: PeopleSums,
    hash: RowHash,
    bytes: Vec<u8>,
    successor: String,
}

impl<'v> PeopleReader<'v> {
    pub(super) fn new(scope: Scope<'v>) -> Self {
        Self {
            scope,
            sums: PeopleSums::new(scope.readings.len()),
            hash: RowHash::default(),
            bytes: Vec::new(),
            successor: String::new(),
        }
    }

    /// Takes one person in.
    pub(super) fn take(&mut self, read: &PersonRead) {
        if read.person.is_empty() {
            self.note_orphans(read);
            return;
        }
        let current = self.current_code(read);
        let own = self.is_own(&read.person, 0);
        self.sums.persons += 1;
        self.sums.own.persons += i64::from(own);
        let digest = row_digests::person_row(read, current, &mut self.hash);
        self.add(digest, own);
        self.take_codes(read, current, own);
        self.take_pins(read, current);
        self.take_grants(read, current);
        for row in 0..read.delegations.len() {
            let digest =
                row_digests::delegation_row(&read.delegations, row, current, &mut self.hash);
            let own = self.is_own(&read.delegations, row);
            self.add(digest, own);
            self.sums.delegations += 1;
            self.sums.own.delegations += i64::from(own);
        }
        self.check_owners(read);
        if let Some(derivation) = self.scope.derivation {
            derivation.check(read, current, &mut self.sums.mismatches);
        }
    }

    fn is_own(&self, rows: &RowSet, row: usize) -> bool {
        rows.keys(row).run_id == self.scope.run_id
    }

    fn add(&mut self, digest: u128, own: bool) {
        self.sums.digests.rows.add(digest);
        if own {
            self.sums.own.digests.rows.add(digest);
        }
    }

    fn note(&mut self, code: MismatchCode, subject: &str, what: &str, read: &PersonRead) {
        self.sums
            .mismatches
            .add(code, subject, what, Some(name_of(read)));
    }

    fn note_orphans(&mut self, read: &PersonRead) {
        for (rows, table) in [
            (&read.codes, "fiscal_code"),
            (&read.pins, "pin"),
            (&read.grants, "profile_grant"),
            (&read.delegations, "delegation"),
        ] {
            if !rows.is_empty() {
                self.note(
                    MismatchCode::Orphan,
                    table,
                    "rows of a person that does not exist",
                    read,
                );
            }
        }
    }

    fn current_code<'r>(&mut self, read: &'r PersonRead) -> &'r str {
        let mut current =
            (0..read.codes.len()).filter(|row| read.codes.text(*row, code::CURRENT) == "1");
        let first = current.next();
        if first.is_none() || current.next().is_some() {
            self.note(
                MismatchCode::CurrentCode,
                "fiscal_code",
                "people without exactly one current fiscal code",
                read,
            );
        }
        first.map_or("", |row| read.codes.text(row, code::FISCAL_CODE))
    }

    fn take_codes(&mut self, read: &PersonRead, current: &str, own_person: bool) {
        for row in 0..read.codes.len() {
            let text = read.codes.text(row, code::FISCAL_CODE);
            let digest = row_digests::code_row(&read.codes, row, current, &mut self.hash);
            self.add(digest, own_person || self.scope.added_codes.contains(text));
            self.sums.codes += 1;
            self.sums.old_codes += i64::from(read.codes.text(row, code::CURRENT) != "1");
            let index_sum = self.scope.index_sum;
            let known = index_sum.of([text, ""], read.person_id, &mut self.bytes);
            self.sums.code_sum = self.sums.code_sum.wrapping_add(known);
        }
    }

    fn take_pins(&mut self, read: &PersonRead, current: &str) {
        let pins = &read.pins;
        let mut live = 0;
        for row in 0..pins.len() {
            let keys = pins.keys(row);
            let successor = keys
                .refers_to
                .map(|successor| self.successor(read, successor));
            if successor == Some(false) {
                self.note(
                    MismatchCode::Survivor,
                    "pin",
                    "superseded by a PIN of somebody else",
                    read,
                );
            }
            let successor = successor.map(|_| self.successor.as_str());
            let digest = row_digests::pin_row(pins, row, current, successor, &mut self.hash);
            let own = self.is_own(pins, row);
            self.add(digest, own);
            self.take_origin(read, row, current);
            if let Some(status) = PinStatus::by_name(pins.text(row, pin::STATUS)) {
                *self.sums.pins.entry(status).or_default() += 1;
                if own {
                    *self.sums.own.pins.entry(status).or_default() += 1;
                }
                live += i32::from(matches!(
                    status,
                    PinStatus::Active | PinStatus::Suspended | PinStatus::Pending
                ));
            }
        }
        if live > 1 {
            self.note(
                MismatchCode::LivePins,
                "pin",
                "people with more than one PIN in use",
                read,
            );
        }
        if pins.is_empty() {
            self.note(MismatchCode::NoPin, "person", "people without a PIN", read);
        }
    }

    /// The source's own PINs, and those of activations: the rest is life's.
    fn take_origin(&mut self, read: &PersonRead, row: usize, current: &str) {
        let pins = &read.pins;
        let (source, id) = (pins.text(row, pin::SOURCE), pins.text(row, pin::LEGACY_ID));
        let index_sum = self.scope.index_sum;
        let known = index_sum.of([id, source], pins.keys(row).id, &mut self.bytes);
        self.sums.pin_sum = self.sums.pin_sum.wrapping_add(known);
        let at = self
            .scope
            .readings
            .iter()
            .position(|reading| reading.source.name == source);
        let known = source == ACTIVATION || self.scope.all_sources.contains(source);
        let alone = self.scope.before_cut_over && self.scope.target_fresh;
        if !known && !alone {
            return;
        }
        let origin = row_digests::pin_origin(pins, row, &mut self.hash);
        self.sums.digests.origins.add(origin);
        if self.is_own(pins, row) {
            self.sums.own.digests.origins.add(origin);
        }
        if let Some(at) = at {
            let carried = self.scope.readings[at].hash_pin(pins, row, current, &mut self.hash);
            let (count, sum) = &mut self.sums.sources[at];
            *count += 1;
            sum.add(carried);
            if self.scope.verdicts {
                let disposition = pins.text(row, pin::DISPOSITION);
                let verdicts = &mut self.sums.verdicts;
                verdicts.add_pin(source, id, disposition, &mut self.hash);
            }
        } else if alone || self.is_own(pins, row) && self.scope.before_cut_over {
            self.note(
                MismatchCode::NotCarried,
                "pin",
                "PINs of a source the run has not",
                read,
            );
        }
    }

    /// Spells the PIN a retired one points to; whether it is one of the same person.
    fn successor(&mut self, read: &PersonRead, pin_id: i64) -> bool {
        self.successor.clear();
        let pins = &read.pins;
        let found = (0..pins.len()).find(|row| pins.keys(*row).id == pin_id);
        if let Some(row) = found {
            self.successor.push_str(pins.text(row, pin::SOURCE));
            self.successor.push(':');
            self.successor.push_str(pins.text(row, pin::LEGACY_ID));
        }
        found.is_some()
    }

    fn take_grants(&mut self, read: &PersonRead, current: &str) {
        let grants = &read.grants;
        for row in 0..grants.len() {
            let digest = row_digests::grant_row(grants, row, current, &mut self.hash);
            let own = self.is_own(grants, row);
            self.add(digest, own);
            if let Some(status) = GrantStatus::by_name(grants.text(row, grant::STATUS)) {
                *self.sums.grants.entry(status).or_default() += 1;
                if own {
                    *self.sums.own.grants.entry(status).or_default() += 1;
                }
            }
            // Other runs have catalogues of their own.
            if !own {
                continue;
            }
            let catalogue = self.scope.readings.first().map(|r| &r.rules.catalogue);
            let profile = grants.text(row, grant::PROFILE);
            if catalogue.is_some_and(|catalogue| catalogue.find(profile).is_none()) {
                self.note(
                    MismatchCode::UnknownProfile,
                    "profile_grant",
                    "grants of a profile the catalogue has not",
                    read,
                );
            }
        }
    }

    /// Before cut-over, every row of a fresh target is this run's, and in one in use all that hangs on people of
    /// this run; every id of its own is one of those reserved.
    fn check_owners(&mut self, read: &PersonRead) {
        if !self.scope.before_cut_over {
            return;
        }
        let run_id = self.scope.run_id;
        let (from, to) = self.scope.ids;
        let reserved = |id: i64| (from..to).contains(&id);
        let own_person = self.is_own(&read.person, 0);
        let pins = &read.pins;
        let own_pins = (0..pins.len()).filter(|row| pins.keys(*row).run_id == run_id);
        if own_person && !reserved(read.person_id)
            || own_pins.into_iter().any(|row| !reserved(pins.keys(row).id))
        {
            self.note(
                MismatchCode::ForeignRun,
                "run",
                "ids that the run has not reserved",
                read,
            );
        }
        if !own_person && !self.scope.target_fresh {
            return;
        }
        for (rows, table) in [
            (&read.person, "person"),
            (&read.pins, "pin"),
            (&read.grants, "profile_grant"),
            (&read.delegations, "delegation"),
        ] {
            if (0..rows.len()).any(|row| rows.keys(row).run_id != run_id) {
                self.note(MismatchCode::ForeignRun, table, "rows of another run", read);
            }
        }
    }
}

/// The source of PINs issued by delayed activations.
pub(super) const ACTIVATION: &str = "activation";

/// A person is named by one of its records; without any, by nothing that says who it is.
pub(super) fn name_of(read: &PersonRead) -> String {
    if read.pins.is_empty() {
        return format!("person {}", read.person_id);
    }
    record_name(
        read.pins.text(0, pin::SOURCE),
        read.pins.text(0, pin::LEGACY_ID),
    )
}
