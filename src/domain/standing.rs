//! Records of people who already stand in a live target: the target wins (rule 10).

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    fmt,
};

use jiff::civil::Date;

use super::{
    case::{self, Decision, Verdict},
    delegations::delegations,
    finding::{FindingKind, FindingRow},
    findings::{self, Neighbours},
    fiscal_code::FiscalCode,
    folding,
    grants::grants,
    identity,
    legacy_record::LegacyRecord,
    person::{old_codes, person_rows, pin},
    raw_record::RawRecord,
    rows::{DelegationRow, FiscalCodeRow, GrantRow, PinRef, PinRow},
    rules::Rules,
    sort_key::Base,
    status::Level,
    survivor::Place,
};

/// A person as the live target holds them. Its `Debug` is masked.
#[derive(Clone, PartialEq, Eq)]
pub struct StandingPerson {
    /// The current code.
    pub fiscal_code: FiscalCode,
    /// Every code that leads to the person, the current one included.
    pub codes: BTreeSet<String>,
    /// As the target spells it.
    pub surname: String,
    /// As the target spells it.
    pub given_name: Option<String>,
    /// Date of birth.
    pub birth_date: Option<Date>,
    /// The active, suspended or pending PIN.
    pub live_pin: Option<StandingPin>,
    /// Profile and entity of every grant, ended ones included.
    pub grants: BTreeSet<(String, String)>,
    /// Guardians.
    pub guardians: BTreeSet<FiscalCode>,
    /// What was found about the person already.
    pub findings: BTreeSet<FindingKind>,
}

/// The active, suspended or pending PIN of a person in the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandingPin {
    /// Its source.
    pub source: String,
    /// Its id there.
    pub legacy_id: String,
    /// Level.
    pub level: Level,
    /// Date of last use.
    pub last_used_on: Option<Date>,
}

/// The people of a live target whom some cases meet.
#[derive(Debug, Default)]
pub struct StandingPeople {
    people: Vec<StandingPerson>,
    by_code: HashMap<String, usize>,
    /// Current codes of people in the target, by what their omocodia siblings have in common.
    siblings: HashMap<Base, HashSet<FiscalCode>>,
}

/// What is added to a person in the target; nothing that stands is changed.
#[derive(Debug, PartialEq, Eq)]
pub struct Joining<'a> {
    /// The person's current code in the target.
    pub fiscal_code: FiscalCode,
    /// Codes that did not lead to the person yet.
    pub codes: Vec<FiscalCodeRow<'a>>,
    /// Retired PINs and history, in the order of the survivor rule.
    pub pins: Vec<PinRow<'a>>,
    /// Grants of profiles and entities the person never had.
    pub grants: Vec<GrantRow<'a>>,
    /// Guardians the person has not.
    pub delegations: Vec<DelegationRow>,
    /// What was not found about the person before.
    pub findings: Vec<FindingRow<'a>>,
}

/// What becomes of records that meet a live target.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct StandingDecision<'a> {
    /// People new to the target, and what is quarantined.
    pub decision: Decision<'a>,
    /// What people in the target are given.
    pub joining: Vec<Joining<'a>>,
}

/// Judges whole cases against the people of the target whose codes, or omocodia siblings of theirs, occur in
/// them. A standing person's PIN stays, so that records join as retired or history even where it has none; a
/// grant that exists is never touched. Records that disagree with the person on who it is are quarantined,
/// the person never.
#[must_use]
pub fn decide_standing<'a>(
    records: &[RawRecord<'a>],
    standing: &'a StandingPeople,
    rules: &'a Rules,
) -> StandingDecision<'a> {
    let mut verdict = Verdict::new(rules);
    let accepted = verdict.accept(records);
    let mut decided = StandingDecision::default();
    for (group, neighbours) in case::groups(&accepted) {
        let records: Vec<&LegacyRecord<'a>> = group.iter().map(|one| &one.record).collect();
        let code = records[0].fiscal_code;
        let neighbours = if standing.has_sibling(code) {
            Neighbours::Omocodia
        } else {
            neighbours
        };
        let person = standing.of(code);
        let conflict = identity::conflict(records.iter().copied())
            .or_else(|| person.and_then(|person| conflict(person, &records)));
        match (conflict, person) {
            (Some(detail), _) => verdict.conflict(group, &detail),
            (None, Some(person)) => {
                let joining = join(person, &records, neighbours, rules);
                decided.joining.push(joining);
            }
            (None, None) => {
                let people = &mut decided.decision.people;
                people.push(person_rows(&records, neighbours, rules));
            }
        }
    }
    decided.decision.quarantined = verdict.rows();
    decided
}

impl StandingPeople {
    /// These people, and the current codes of others who may be omocodia siblings.
    #[must_use]
    pub fn new(people: Vec<StandingPerson>, others: impl IntoIterator<Item = FiscalCode>) -> Self {
        let mut by_code = HashMap::new();
        let mut siblings: HashMap<Base, HashSet<FiscalCode>> = HashMap::new();
        for (at, person) in people.iter().enumerate() {
            by_code.extend(person.codes.iter().map(|code| (code.clone(), at)));
        }
        let current = people.iter().map(|person| person.fiscal_code);
        for code in current.chain(others) {
            siblings.entry(code.base()).or_default().insert(code);
        }
        Self {
            people,
            by_code,
            siblings,
        }
    }

    fn of(&self, code: FiscalCode) -> Option<&StandingPerson> {
        Some(&self.people[*self.by_code.get(code.as_str())?])
    }

    fn has_sibling(&self, code: FiscalCode) -> bool {
        let alike = self.siblings.get(&code.base());
        alike.is_some_and(|codes| codes.iter().any(|other| *other != code))
    }
}

/// Like records among themselves, only those written with the person's code are compared with the person.
fn conflict(person: &StandingPerson, records: &[&LegacyRecord<'_>]) -> Option<String> {
    let written_alike = records
        .iter()
        .filter(|record| *record.written_code == *person.fiscal_code.as_str());
    let agrees = |record: &LegacyRecord<'_>| {
        let given_name =
            |name: Option<&str>| folding::folded(name.unwrap_or_default()).into_owned();
        let births = (record.birth_date, person.birth_date);
        folding::same(record.surname, &person.surname)
            && given_name(record.given_name) == given_name(person.given_name.as_deref())
            && !matches!(births, (Some(theirs), Some(known)) if theirs != known)
    };
    let disagrees = written_alike.copied().any(|record| !agrees(record));
    disagrees.then(|| "the record disagrees with the person the target holds".to_owned())
}

fn join<'a>(
    person: &'a StandingPerson,
    records: &[&LegacyRecord<'a>],
    neighbours: Neighbours,
    rules: &'a Rules,
) -> Joining<'a> {
    let live_pin = person.live_pin.as_ref().map(|pin| PinRef {
        source: &pin.source,
        legacy_id: &pin.legacy_id,
    });
    let pins = records
        .iter()
        .map(|record| pin(record, Place::Later, live_pin, rules))
        .collect();
    let mut grants = grants(records, rules);
    grants.retain(|grant| {
        let key = (grant.profile.to_owned(), grant.entity.to_string());
        !person.grants.contains(&key)
    });
    let mut delegations = delegations(records.iter().copied(), rules);
    delegations.retain(|row| !person.guardians.contains(&row.guardian_fiscal_code));
    let codes = old_codes(records[0].fiscal_code, rules)
        .filter(|row| !person.codes.contains(&*row.fiscal_code))
        .collect();
    Joining {
        fiscal_code: person.fiscal_code,
        codes,
        pins,
        findings: findings(person, records, &grants, neighbours, rules),
        grants,
        delegations,
    }
}

/// What the joining records give rise to, where it was not found about the person before.
fn findings<'a>(
    person: &StandingPerson,
    records: &[&LegacyRecord<'a>],
    grants: &[GrantRow<'_>],
    neighbours: Neighbours,
    rules: &'a Rules,
) -> Vec<FindingRow<'a>> {
    let pin = person.live_pin.as_ref();
    let retired = || {
        let candidates = records.iter().copied();
        candidates.filter(|record| record.status.is_candidate())
    };
    let applies = |kind: FindingKind| match kind {
        FindingKind::OmocodiaPair => neighbours == Neighbours::Omocodia,
        FindingKind::EntityIgnored => records.iter().any(|record| record.entity_ignored),
        FindingKind::HalvesOpen => records
            .iter()
            .any(|record| findings::has_open_halves(record)),
        FindingKind::PendingUpgradeLost => {
            pin.is_some_and(|pin| findings::upgrade_lost(pin.level, retired()))
        }
        FindingKind::LastUsedPinRetired => {
            pin.is_some_and(|pin| findings::last_used_retired(pin.last_used_on, retired()))
        }
        FindingKind::BelowMinimumLevel => findings::below_minimum(grants, rules),
        // These speak of the person as a whole, whom the target knows already.
        FindingKind::NameCodeMismatch
        | FindingKind::BirthDateMismatch
        | FindingKind::MinorWithoutGuardian
        | FindingKind::GuardianOfAdult
        | FindingKind::PinExpired
        | FindingKind::NumericCode => false,
    };
    FindingKind::ALL
        .iter()
        .filter(|kind| !person.findings.contains(kind) && applies(**kind))
        .map(|kind| FindingRow {
            kind: *kind,
            source: &rules.source(records[0].source).name,
            legacy_id: records[0].legacy_id,
        })
        .collect()
}

impl fmt::Debug for StandingPerson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StandingPerson(****)")
    }
}
