//! Counts and digests of what was judged; they add up over chunks, partitions and runs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    digest::{Digest, RowHash},
    finding::{FindingKind, FindingRow},
    fiscal_code::FiscalCode,
    quarantine::{QuarantineRow, Reason},
    rows::{DelegationRow, FiscalCodeRow, GrantRow, PersonRow, PersonRows, PinRow},
    standing::Joining,
    status::{GrantStatus, PinStatus},
};

/// The three sums kept of a set of rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digests {
    /// The digest of the contract: every column of the tables person to quarantine.
    pub rows: Digest,
    /// What life never changes: the origin of each migrated PIN, and the quarantine.
    pub origins: Digest,
    /// The findings.
    pub findings: Digest,
}

/// Counts of one source.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceTally {
    /// Records judged.
    pub records: i64,
    /// Of these, rows in `pin`.
    pub pins: i64,
    /// Of these, rows in `quarantine`, by reason.
    pub quarantine: BTreeMap<Reason, i64>,
}

impl SourceTally {
    /// Rows in `quarantine`.
    #[must_use]
    pub fn quarantined(&self) -> i64 {
        self.quarantine.values().sum()
    }
}

/// Counts and digests of judged records. Differences of a replaced person may be negative.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Sums of the rows.
    pub digests: Digests,
    /// Rows in `person`.
    pub persons: i64,
    /// Rows in `pin` by status.
    pub pins: BTreeMap<PinStatus, i64>,
    /// Rows in `profile_grant` by status.
    pub grants: BTreeMap<GrantStatus, i64>,
    /// Rows in `delegation`.
    pub delegations: i64,
    /// Findings by kind.
    pub findings: BTreeMap<FindingKind, i64>,
    /// By source name.
    pub sources: BTreeMap<String, SourceTally>,
}

impl Tally {
    /// Counts a migrated person.
    pub fn add_person(&mut self, rows: &PersonRows<'_>, hash: &mut RowHash) {
        self.add_person_row(rows.fiscal_code, &rows.person, hash);
        let code = rows.fiscal_code.as_str();
        let PersonRows {
            codes,
            pins,
            grants,
            delegations,
            findings,
            ..
        } = rows;
        self.add_codes_and_pins(code, codes, pins, hash);
        self.add_grants(code, grants, delegations, hash);
        self.add_findings(findings, hash);
    }

    /// Counts a row of `person` with nothing that hangs on it.
    pub fn add_person_row(&mut self, code: FiscalCode, row: &PersonRow<'_>, hash: &mut RowHash) {
        self.digests.rows.add(row.digest(code.as_str(), hash));
        self.persons += 1;
    }

    /// Counts what joins a person who stands in the target.
    pub fn add_joining(&mut self, rows: &Joining<'_>, hash: &mut RowHash) {
        let code = rows.fiscal_code.as_str();
        self.add_codes_and_pins(code, &rows.codes, &rows.pins, hash);
        self.add_grants(code, &rows.grants, &rows.delegations, hash);
        self.add_findings(&rows.findings, hash);
    }

    fn add_codes_and_pins(
        &mut self,
        code: &str,
        codes: &[FiscalCodeRow<'_>],
        pins: &[PinRow<'_>],
        hash: &mut RowHash,
    ) {
        let digest = &mut self.digests.rows;
        for row in codes {
            digest.add(row.digest(code, hash));
        }
        for row in pins {
            digest.add(row.digest(code, hash));
            self.digests.origins.add(row.origin_digest(hash));
            *self.pins.entry(row.status).or_default() += 1;
            let source = source_of(&mut self.sources, row.source);
            source.records += 1;
            source.pins += 1;
        }
    }

    fn add_grants(
        &mut self,
        code: &str,
        grants: &[GrantRow<'_>],
        delegations: &[DelegationRow],
        hash: &mut RowHash,
    ) {
        for row in grants {
            self.digests.rows.add(row.digest(code, hash));
            *self.grants.entry(row.status).or_default() += 1;
        }
        for row in delegations {
            self.digests.rows.add(row.digest(code, hash));
        }
        self.delegations += delegations.len() as i64;
    }

    fn add_findings(&mut self, findings: &[FindingRow<'_>], hash: &mut RowHash) {
        for row in findings {
            self.digests.findings.add(row.digest(hash));
            *self.findings.entry(row.kind).or_default() += 1;
        }
    }

    /// Counts a quarantined record.
    pub fn add_quarantined(&mut self, row: &QuarantineRow<'_>, hash: &mut RowHash) {
        let digest = row.digest(hash);
        self.digests.rows.add(digest);
        self.digests.origins.add(digest);
        let source = source_of(&mut self.sources, row.source);
        source.records += 1;
        *source.quarantine.entry(row.reason).or_default() += 1;
    }

    /// Adds another tally.
    pub fn merge(&mut self, other: &Self) {
        self.combine(other, 1);
    }

    /// Takes another tally out again.
    pub fn subtract(&mut self, other: &Self) {
        self.combine(other, -1);
    }

    /// Rows in `quarantine`, all sources together.
    #[must_use]
    pub fn quarantined(&self) -> i64 {
        self.sources.values().map(SourceTally::quarantined).sum()
    }

    /// Records judged, all sources together.
    #[must_use]
    pub fn records(&self) -> i64 {
        self.sources.values().map(|source| source.records).sum()
    }

    fn combine(&mut self, other: &Self, sign: i64) {
        let sums = [
            (&mut self.digests.rows, other.digests.rows),
            (&mut self.digests.origins, other.digests.origins),
            (&mut self.digests.findings, other.digests.findings),
        ];
        for (mine, theirs) in sums {
            if sign > 0 {
                mine.add(theirs.0);
            } else {
                mine.remove(theirs.0);
            }
        }
        self.persons += sign * other.persons;
        self.delegations += sign * other.delegations;
        combine_counts(&mut self.pins, &other.pins, sign);
        combine_counts(&mut self.grants, &other.grants, sign);
        combine_counts(&mut self.findings, &other.findings, sign);
        for (name, theirs) in &other.sources {
            let mine = source_of(&mut self.sources, name);
            mine.records += sign * theirs.records;
            mine.pins += sign * theirs.pins;
            combine_counts(&mut mine.quarantine, &theirs.quarantine, sign);
        }
    }
}

fn source_of<'t>(
    sources: &'t mut BTreeMap<String, SourceTally>,
    name: &str,
) -> &'t mut SourceTally {
    if !sources.contains_key(name) {
        sources.insert(name.to_owned(), SourceTally::default());
    }
    sources.get_mut(name).expect("was just inserted")
}

fn combine_counts<K: Ord + Copy>(
    mine: &mut BTreeMap<K, i64>,
    theirs: &BTreeMap<K, i64>,
    sign: i64,
) {
    for (key, count) in theirs {
        let entry = mine.entry(*key).or_default();
        *entry += sign * count;
        if *entry == 0 {
            mine.remove(key);
        }
    }
}
