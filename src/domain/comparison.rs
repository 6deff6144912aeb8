//! Two dry runs beside each other: which records left quarantine, and which came into it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_128;

use super::{
    case::Decision, quarantine::Reason, record_id::RESERVED, record_name::shown_id, rows::PinRow,
    standing::StandingDecision,
};

/// Quarantined records by source and id. Copies of one id are one record here; an id that has the form of a fiscal
/// code goes by its hash.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Quarantined(BTreeMap<String, BTreeMap<String, Reason>>);

impl Quarantined {
    fn insert(&mut self, source: &str, legacy_id: &str, reason: Reason) {
        if !self.0.contains_key(source) {
            self.0.insert(source.to_owned(), BTreeMap::new());
        }
        let of_source = self.0.get_mut(source).expect("was just inserted");
        put(of_source, name(legacy_id), reason);
    }

    fn merge(&mut self, other: Self) {
        for (source, theirs) in other.0 {
            let mine = self.0.entry(source).or_default();
            (theirs.into_iter()).for_each(|(name, reason)| put(mine, name, reason));
        }
    }

    fn get(&self, source: &str, name: &str) -> Option<Reason> {
        self.0.get(source)?.get(name).copied()
    }

    fn of(&self, source: &str, legacy_id: &str) -> Option<Reason> {
        let of_source = self.0.get(source)?;
        of_source.get(&name(legacy_id)).copied()
    }

    fn iter(&self) -> impl Iterator<Item = (&str, &str, Reason)> {
        self.0.iter().flat_map(|(source, names)| {
            (names.iter()).map(move |(name, reason)| (source.as_str(), name.as_str(), *reason))
        })
    }
}

/// Of copies the first reason in the order of reasons stands, whichever comes first.
fn put(names: &mut BTreeMap<String, Reason>, name: String, reason: Reason) {
    let known = names.entry(name).or_insert(reason);
    *known = reason.min(*known);
}

fn name(legacy_id: &str) -> String {
    if shown_id(legacy_id) == legacy_id {
        return legacy_id.to_owned();
    }
    format!("~{:032x}", xxh3_128(legacy_id.as_bytes()))
}

/// Whether a record goes by its line, for want of an id: in another file this is another record. One that goes by its
/// hash has sixteen digits.
fn goes_by_line(name: &str) -> bool {
    let line = name.strip_prefix(RESERVED).unwrap_or_default();
    (1..16).contains(&line.len()) && line.bytes().all(|byte| byte.is_ascii_digit())
}

/// What is noted of everything judged, for this comparison and the next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Watch {
    /// Records in quarantine.
    pub quarantined: Quarantined,
    /// Records that are migrated, and were in quarantine earlier.
    mended: Quarantined,
}

impl Watch {
    /// Notes what becomes of a case; `earlier` is what was quarantined then.
    pub fn add(&mut self, decision: &Decision<'_>, earlier: Option<&Quarantined>) {
        for row in &decision.quarantined {
            self.quarantined
                .insert(row.source, &row.legacy_id, row.reason);
        }
        for person in &decision.people {
            self.add_pins(&person.pins, earlier);
        }
    }

    /// The same where people stand in the target already.
    pub fn add_standing(&mut self, decided: &StandingDecision<'_>, earlier: Option<&Quarantined>) {
        self.add(&decided.decision, earlier);
        for joining in &decided.joining {
            self.add_pins(&joining.pins, earlier);
        }
    }

    fn add_pins(&mut self, pins: &[PinRow<'_>], earlier: Option<&Quarantined>) {
        let Some(earlier) = earlier else { return };
        for pin in pins {
            if let Some(reason) = earlier.of(pin.source, pin.legacy_id) {
                self.mended.insert(pin.source, pin.legacy_id, reason);
            }
        }
    }

    /// Adds what was noted of other records.
    pub fn merge(&mut self, other: Self) {
        self.quarantined.merge(other.quarantined);
        self.mended.merge(other.mended);
    }

    /// What changed since.
    #[must_use]
    pub fn compare(&self, earlier: &Quarantined) -> Comparison {
        let mut comparison = Comparison::default();
        for (at, quarantined) in [earlier, &self.quarantined].into_iter().enumerate() {
            for (source, _, reason) in quarantined.iter().filter(|(_, name, _)| goes_by_line(name))
            {
                let of_source = comparison.by_line.entry(source.to_owned()).or_default();
                of_source.entry(reason).or_default()[at] += 1;
            }
        }
        for (source, name, then) in earlier.iter().filter(|(_, name, _)| !goes_by_line(name)) {
            let record = format!("{source}:{name}");
            match self.quarantined.get(source, name) {
                Some(now) if now == then => comparison.unchanged += 1,
                Some(now) => {
                    comparison.otherwise.insert(record, [then, now]);
                }
                None if self.mended.get(source, name).is_some() => {
                    comparison.mended.insert(record, then);
                }
                None => {
                    comparison.gone.insert(record, then);
                }
            }
        }
        let added = (self.quarantined.iter())
            .filter(|(source, name, _)| !goes_by_line(name) && earlier.get(source, name).is_none());
        comparison.added =
            (added.map(|(source, name, now)| (format!("{source}:{name}"), now))).collect();
        comparison
    }
}

/// What changed in quarantine between two dry runs: records by `source:id`, with their reasons.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comparison {
    /// Quarantined then, migrated now.
    pub mended: BTreeMap<String, Reason>,
    /// Quarantined then, and no longer in the source.
    pub gone: BTreeMap<String, Reason>,
    /// Quarantined now, and not then.
    pub added: BTreeMap<String, Reason>,
    /// Quarantined then and now, for another reason: then, now.
    pub otherwise: BTreeMap<String, [Reason; 2]>,
    /// Quarantined for the same reason.
    pub unchanged: u64,
    /// Records without an id of their own, by source and reason, how many: then, now. Two files cannot tell which is
    /// which.
    pub by_line: BTreeMap<String, BTreeMap<Reason, [u64; 2]>>,
}

#[cfg(test)]
mod tests {
    use super::{Comparison, Quarantined, Reason, Watch};

    #[test]
    fn every_record_that_was_or_is_quarantined_is_told_once() {
        let mut earlier = Quarantined::default();
        for id in ["clean", "gone", "other", "same", "RSSMRA70A01H501S"] {
            earlier.insert("inps", id, Reason::DateInvalid);
        }
        let mut watch = Watch::default();
        watch.mended.insert("inps", "clean", Reason::DateInvalid);
        for (id, reason) in [
            ("other", Reason::EntityMissing),
            ("same", Reason::DateInvalid),
            ("dirty", Reason::IdentityMissing),
            ("RSSMRA70A01H501S", Reason::DateInvalid),
        ] {
            watch.quarantined.insert("inps", id, reason);
        }
        let of = |name: &str, reason| [(format!("inps:{name}"), reason)].into();
        let expected = Comparison {
            mended: of("clean", Reason::DateInvalid),
            gone: of("gone", Reason::DateInvalid),
            added: of("dirty", Reason::IdentityMissing),
            otherwise: [(
                "inps:other".to_owned(),
                [Reason::DateInvalid, Reason::EntityMissing],
            )]
            .into(),
            unchanged: 2,
            by_line: [].into(),
        };
        assert_eq!(watch.compare(&earlier), expected);
        let kept = serde_json::to_string(&watch.quarantined).expect("JSON");
        assert!(!kept.contains("RSSMRA"), "{kept}");
        let back: Quarantined = serde_json::from_str(&kept).expect("JSON");
        assert_eq!(back, watch.quarantined);
    }

    #[test]
    fn of_copies_the_first_reason_stands_whatever_comes_first() {
        let reasons = [Reason::DateInvalid, Reason::DuplicateId];
        let mut forwards = Quarantined::default();
        let mut backwards = Quarantined::default();
        for (one, other) in reasons.iter().zip(reasons.iter().rev()) {
            forwards.insert("inps", "twice", *one);
            backwards.insert("inps", "twice", *other);
        }
        assert_eq!(forwards, backwards);
        assert_eq!(forwards.of("inps", "twice"), Some(Reason::DuplicateId));
    }
}
