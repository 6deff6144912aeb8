//! What a report shows beside the counts of the ledger: where the records are from, and which ones to look at.

use std::{borrow::Cow, collections::BTreeMap};

use serde::{Deserialize, Serialize};

use super::{
    case::Decision,
    finding::{FindingKind, FindingRow},
    quarantine::{QuarantineRow, Reason},
    record_name::shown_id,
    rows::{GrantRow, PinRow},
    standing::StandingDecision,
    status::GrantStatus,
};

/// Records named for each reason and each finding.
pub const EXAMPLES_MAX: usize = 5;

/// Offices told apart; a column that holds something else than offices is not to fill the memory.
const OFFICES_MAX: usize = 100_000;

/// Longer than any code of an office: such a text is something else, and is not shown.
const OFFICE_CHARS_MAX: usize = 16;

/// Records named as examples, first by source and id: which they are does not depend on who judged what.
pub type Examples = BTreeMap<String, String>;

/// What was seen of everything judged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Survey {
    /// New people by the number of their legacy PINs.
    pub persons_by_pins: BTreeMap<u32, i64>,
    /// By code.
    pub profiles: BTreeMap<String, ProfileSurvey>,
    /// By code; empty for records without one.
    pub offices: BTreeMap<String, OfficeSurvey>,
    /// By reason, `source:id` and what exactly was wrong.
    pub quarantine_examples: BTreeMap<Reason, Examples>,
    /// By kind, `source:id` of the person's first record, and nothing more to say.
    pub finding_examples: BTreeMap<FindingKind, Examples>,
}

/// One profile, before and after.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileSurvey {
    /// Migrated legacy PINs that carry it.
    pub records: i64,
    /// Grants of it, by status.
    pub grants: BTreeMap<GrantStatus, i64>,
}

/// One office.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfficeSurvey {
    /// Its records.
    pub records: i64,
    /// Of these, the quarantined ones.
    pub quarantined: i64,
    /// Findings about people whose first record is its own.
    pub findings: i64,
}

/// The fields of a quarantined record that say whose it is.
#[derive(Deserialize)]
struct Place<'a> {
    #[serde(borrow, default)]
    office: Cow<'a, str>,
}

impl Survey {
    /// Adds what becomes of a case.
    pub fn add(&mut self, decision: &Decision<'_>) {
        for person in &decision.people {
            let pins = u32::try_from(person.pins.len()).unwrap_or(u32::MAX);
            *self.persons_by_pins.entry(pins).or_default() += 1;
            self.add_person(&person.pins, &person.grants, &person.findings);
        }
        for row in &decision.quarantined {
            self.add_quarantined(row);
        }
    }

    /// The same where people stand in the target already.
    pub fn add_standing(&mut self, decided: &StandingDecision<'_>) {
        self.add(&decided.decision);
        for joining in &decided.joining {
            self.add_person(&joining.pins, &joining.grants, &joining.findings);
        }
    }

    /// Adds what was seen of other records.
    pub fn merge(&mut self, other: Self) {
        for (pins, persons) in other.persons_by_pins {
            *self.persons_by_pins.entry(pins).or_default() += persons;
        }
        for (code, theirs) in other.profiles {
            let mine = self.profiles.entry(code).or_default();
            mine.records += theirs.records;
            for (status, count) in theirs.grants {
                *mine.grants.entry(status).or_default() += count;
            }
        }
        for (code, theirs) in other.offices {
            let mine = office(&mut self.offices, &code);
            mine.records += theirs.records;
            mine.quarantined += theirs.quarantined;
            mine.findings += theirs.findings;
        }
        for (reason, theirs) in other.quarantine_examples {
            let mine = self.quarantine_examples.entry(reason).or_default();
            theirs
                .into_iter()
                .for_each(|(name, why)| keep(mine, name, why));
        }
        for (kind, theirs) in other.finding_examples {
            let mine = self.finding_examples.entry(kind).or_default();
            theirs
                .into_iter()
                .for_each(|(name, why)| keep(mine, name, why));
        }
    }

    fn add_person(
        &mut self,
        pins: &[PinRow<'_>],
        grants: &[GrantRow<'_>],
        findings: &[FindingRow<'_>],
    ) {
        for pin in pins {
            self.profile(pin.legacy_profile).records += 1;
            self.office(pin.office.unwrap_or_default()).records += 1;
        }
        for grant in grants {
            let of_profile = self.profile(grant.profile);
            *of_profile.grants.entry(grant.status).or_default() += 1;
        }
        for finding in findings {
            let first = (pins.iter())
                .find(|pin| (pin.source, pin.legacy_id) == (finding.source, finding.legacy_id));
            let of_office = first.and_then(|pin| pin.office).unwrap_or_default();
            self.office(of_office).findings += 1;
            self.add_example(finding.kind, finding.source, finding.legacy_id);
        }
    }

    fn add_quarantined(&mut self, row: &QuarantineRow<'_>) {
        self.add_left_out(
            (row.source, &row.legacy_id),
            row.reason,
            &row.detail,
            &row.payload,
        );
    }

    /// Adds a record in quarantine: its source and id, why it is there, what exactly was wrong, and what was read.
    pub fn add_left_out(
        &mut self,
        (source, legacy_id): (&str, &str),
        reason: Reason,
        detail: &str,
        payload: &str,
    ) {
        // A malformed row has no fields, and so no office.
        let place: Option<Place<'_>> = serde_json::from_str(payload).ok();
        let code = place.map(|place| place.office).unwrap_or_default();
        let of_office = office(&mut self.offices, code.trim());
        of_office.records += 1;
        of_office.quarantined += 1;
        let examples = self.quarantine_examples.entry(reason).or_default();
        keep(examples, name(source, legacy_id), detail.to_owned());
    }

    /// Adds a person of a finding as an example of it, by the source and id of its first record.
    pub fn add_example(&mut self, kind: FindingKind, source: &str, legacy_id: &str) {
        let examples = self.finding_examples.entry(kind).or_default();
        keep(examples, name(source, legacy_id), String::new());
    }

    /// What is counted of an office; of all others together where it is no code, or one too many.
    pub fn office(&mut self, code: &str) -> &mut OfficeSurvey {
        office(&mut self.offices, code)
    }

    /// What is counted of a profile.
    pub fn profile(&mut self, code: &str) -> &mut ProfileSurvey {
        profile(&mut self.profiles, code)
    }
}

/// A record as reports name it.
fn name(source: &str, legacy_id: &str) -> String {
    format!("{source}:{}", shown_id(legacy_id))
}

fn keep(examples: &mut Examples, name: String, why: String) {
    let is_among = |last: &String| name < *last;
    if examples.len() < EXAMPLES_MAX
        || examples
            .last_key_value()
            .is_some_and(|(last, _)| is_among(last))
    {
        // Masked ids and copies share a name: what is said of them must not depend on who comes first.
        let said = examples.entry(name).or_insert_with(|| why.clone());
        if why < *said {
            *said = why;
        }
        if examples.len() > EXAMPLES_MAX {
            examples.pop_last();
        }
    }
}

fn profile<'p>(
    profiles: &'p mut BTreeMap<String, ProfileSurvey>,
    code: &str,
) -> &'p mut ProfileSurvey {
    if !profiles.contains_key(code) {
        profiles.insert(code.to_owned(), ProfileSurvey::default());
    }
    profiles.get_mut(code).expect("was just inserted")
}

/// What is too long for a code, or could be a person's, is counted without being named; so is one office too many.
fn office<'o>(offices: &'o mut BTreeMap<String, OfficeSurvey>, code: &str) -> &'o mut OfficeSurvey {
    const OTHER: &str = "*";
    let is_code = code.chars().count() <= OFFICE_CHARS_MAX && shown_id(code) == code;
    let known = is_code && (offices.contains_key(code) || offices.len() < OFFICES_MAX);
    let code = if known { code } else { OTHER };
    if !offices.contains_key(code) {
        offices.insert(code.to_owned(), OfficeSurvey::default());
    }
    offices.get_mut(code).expect("was just inserted")
}

#[cfg(test)]
mod tests {
    use super::{Examples, OFFICES_MAX, OfficeSurvey, Survey, keep, office};

    #[test]
    fn the_same_examples_are_kept_whatever_comes_first() {
        let names: Vec<_> = (0..20).map(|n| format!("inps:{n:02}")).collect();
        let mut forwards = Examples::new();
        let mut backwards = Examples::new();
        for (one, other) in names.iter().zip(names.iter().rev()) {
            keep(&mut forwards, one.clone(), String::new());
            keep(&mut backwards, other.clone(), String::new());
        }
        assert_eq!(forwards, backwards);
        assert_eq!(forwards.into_keys().collect::<Vec<_>>(), names[..5]);
    }

    #[test]
    fn what_is_no_office_is_counted_without_being_named() {
        let mut survey = Survey::default();
        for code in [
            "0700",
            "RSSMRA70A01H501S",
            "Rossi Mario, via Verdi 1",
            "0700",
        ] {
            office(&mut survey.offices, code).records += 1;
        }
        let records = |code: &str| survey.offices.get(code).map(|of: &OfficeSurvey| of.records);
        assert_eq!((records("0700"), records("*")), (Some(2), Some(2)));
        assert_eq!(survey.offices.len(), 2);
        for n in 0..OFFICES_MAX * 2 {
            office(&mut survey.offices, &n.to_string()).records += 1;
        }
        assert!(survey.offices.len() <= OFFICES_MAX + 1);
        let counted: i64 = survey.offices.values().map(|of| of.records).sum();
        assert_eq!(counted, 4 + 2 * OFFICES_MAX as i64);
    }
}
