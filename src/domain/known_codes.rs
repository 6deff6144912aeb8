//! The links table where people stand in a live target already: the target wins.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use super::links::Links;

/// A code of somebody who stands in the target.
#[derive(Clone, PartialEq, Eq)]
pub struct KnownCode {
    /// The code; an old one may be of no valid form.
    pub code: String,
    /// The person's current code in the target.
    pub leads_to: String,
    /// Whether the target leads from the one to the other already.
    pub known: bool,
}

/// The links say of people who stand apart in the target that they are one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the links table makes one person of several who stand in the target, in {people} cases")]
pub struct TornLinks {
    /// How many times.
    pub people: usize,
}

impl Links {
    /// Every code this table names.
    #[must_use]
    pub fn codes(&self) -> BTreeSet<&str> {
        let pairs = self.pairs().into_iter();
        let named = pairs.flat_map(|(old, new)| [old, new]);
        named.filter(|code| !code.is_empty()).collect()
    }

    /// What changes in this table because people stand in the target. `known` holds where codes of the target
    /// lead: every old one, and those among [`Links::codes`].
    ///
    /// # Errors
    /// Codes that lead to one another stand for different people there.
    pub fn met(&self, known: &BTreeMap<String, String>) -> Result<Vec<KnownCode>, TornLinks> {
        let mut linked: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        let mut named = BTreeSet::new();
        for (old, new) in self.pairs() {
            named.insert(old);
            if !new.is_empty() {
                named.insert(new);
                linked.entry(new).or_default().extend([old, new]);
            }
        }
        let mut met = Vec::new();
        let mut torn = TornLinks { people: 0 };
        for codes in linked.values() {
            let people: BTreeSet<&str> = (codes.iter())
                .filter_map(|code| known.get(*code).map(String::as_str))
                .collect();
            match (people.first(), people.len()) {
                (None, _) => {}
                (Some(current), 1) => {
                    met.extend((codes.iter().filter(|code| *code != current)).map(|code| {
                        KnownCode {
                            code: (*code).to_owned(),
                            leads_to: (*current).to_owned(),
                            known: known.contains_key(*code),
                        }
                    }))
                }
                (Some(_), _) => torn.people += 1,
            }
        }
        if torn.people > 0 {
            return Err(torn);
        }
        let unnamed = known
            .iter()
            .filter(|(code, _)| !named.contains(code.as_str()));
        met.extend(
            (unnamed.filter(|(code, current)| code != current)).map(|(code, current)| KnownCode {
                code: code.clone(),
                leads_to: current.clone(),
                known: true,
            }),
        );
        Ok(met)
    }

    /// The table with what [`Links::met`] changes in it.
    #[must_use]
    pub fn meeting(&self, met: &[KnownCode]) -> Self {
        let people: BTreeSet<&str> = met.iter().map(|code| code.leads_to.as_str()).collect();
        let changed: BTreeSet<&str> = met.iter().map(|code| code.code.as_str()).collect();
        let kept = (self.pairs().into_iter())
            .filter(|(old, _)| !people.contains(old) && !changed.contains(old));
        let met = met
            .iter()
            .map(|code| (code.code.as_str(), code.leads_to.as_str()));
        let pairs = kept.chain(met).map(|(old, new)| (0, old, new));
        Self::from_pairs(pairs).expect("every chain has one step, and no code two")
    }
}

impl fmt::Debug for KnownCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KnownCode(****)")
    }
}
