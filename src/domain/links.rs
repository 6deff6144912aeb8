//! The authoritative table of renamed and discarded fiscal codes.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fmt,
};

use super::{
    fiscal_code::{FiscalCode, InvalidFiscalCode},
    normalise,
};

/// Renamed codes, resolved transitively, and discarded ones. Its `Debug` is masked.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Links {
    /// Old code to where it leads in the end.
    ends: HashMap<String, End>,
    /// Final code to every old code that leads to it, in byte order.
    old_codes: HashMap<String, Vec<String>>,
}

/// Where an old code leads in the end.
#[derive(Clone, PartialEq, Eq)]
struct End {
    /// The last code of the chain; of no valid form perhaps.
    text: String,
    code: Result<FiscalCode, InvalidFiscalCode>,
    fate: Fate,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Current,
    Discarded,
}

/// Why a record cannot be counted under the code it is written with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnusableCode {
    /// It is no valid code, after renaming.
    #[error(transparent)]
    Invalid(InvalidFiscalCode),
    /// The links file discards it.
    #[error("the links file discards it")]
    Discarded,
}

/// A mistake in the table of links.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum LinkMistake {
    /// A line without an old code.
    #[error("line {line}: the old code is empty")]
    OldMissing {
        /// Line number.
        line: u64,
    },
    /// One old code with two different new ones.
    #[error("line {line}: its old code already has another new code on line {first_line}")]
    Conflict {
        /// Line number.
        line: u64,
        /// Where the old code stands first.
        first_line: u64,
    },
    /// A chain of renamings that comes back to where it began.
    #[error("line {line}: following its new code leads back to its old code")]
    Cycle {
        /// The earliest line of the cycle.
        line: u64,
    },
}

/// One line of the table, by its old code.
struct Line {
    number: u64,
    new: String,
}

impl Links {
    /// Builds the table from (line number, old, new) with an empty `new` for a discarded code. Codes are
    /// trimmed and taken in upper case; a repeated line is no mistake.
    ///
    /// # Errors
    /// Every mistake, in order of lines: a line without an old code, two different new codes for one old
    /// code, a cycle.
    pub fn from_pairs<O: AsRef<str>, N: AsRef<str>>(
        pairs: impl IntoIterator<Item = (u64, O, N)>,
    ) -> Result<Self, Vec<LinkMistake>> {
        let mut mistakes = Vec::new();
        let mut lines: BTreeMap<String, Line> = BTreeMap::new();
        for (number, old, new) in pairs {
            let old = normalise::code(old.as_ref()).into_owned();
            let new = normalise::code(new.as_ref()).into_owned();
            if old.is_empty() {
                mistakes.push(LinkMistake::OldMissing { line: number });
                continue;
            }
            let first = lines.entry(old).or_insert_with(|| Line {
                number,
                new: new.clone(),
            });
            if first.new != new {
                mistakes.push(LinkMistake::Conflict {
                    line: number,
                    first_line: first.number,
                });
            }
        }
        let ends = follow(&lines, &mut mistakes);
        if !mistakes.is_empty() {
            mistakes.sort_unstable();
            return Err(mistakes);
        }
        let mut old_codes: HashMap<String, Vec<String>> = HashMap::new();
        // In the order of the lines' old codes, so that each list is in byte order.
        for old in lines.into_keys() {
            if let Some(end) = ends.get(&old).filter(|end| end.fate == Fate::Current) {
                old_codes.entry(end.text.clone()).or_default().push(old);
            }
        }
        Ok(Self { ends, old_codes })
    }

    /// The code that counts for what is written: trimmed, in upper case, renamed, then judged.
    ///
    /// # Errors
    /// The code is not valid after renaming, or else discarded.
    pub fn current_code(&self, written: &str) -> Result<FiscalCode, UnusableCode> {
        match self.end(written) {
            None => FiscalCode::normalised(written).map_err(UnusableCode::Invalid),
            Some(end) => match (end.code, end.fate) {
                (Err(invalid), _) => Err(UnusableCode::Invalid(invalid)),
                (Ok(_), Fate::Discarded) => Err(UnusableCode::Discarded),
                (Ok(code), Fate::Current) => Ok(code),
            },
        }
    }

    /// Every old code that leads to `code`, in byte order.
    #[must_use]
    pub fn old_codes(&self, code: &str) -> &[String] {
        self.old_codes.get(code).map_or(&[], Vec::as_slice)
    }

    /// How many old codes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether no code was renamed or discarded.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Every old code with the code it leads to in the end, empty for a discarded one, in byte order: what
    /// the judge sees of the table, whatever the order and the steps of the file.
    #[must_use]
    pub fn pairs(&self) -> Vec<(&str, &str)> {
        let mut pairs: Vec<(&str, &str)> = self
            .ends
            .iter()
            .map(|(old, end)| match end.fate {
                Fate::Current => (old.as_str(), end.text.as_str()),
                Fate::Discarded => (old.as_str(), ""),
            })
            .collect();
        pairs.sort_unstable();
        pairs
    }

    fn end(&self, written: &str) -> Option<&End> {
        if self.ends.is_empty() {
            return None;
        }
        self.ends.get(&*normalise::code(written))
    }
}

impl fmt::Debug for Links {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Links({} old codes)", self.ends.len())
    }
}

/// Follows every chain to its end; each line is walked over once.
fn follow(lines: &BTreeMap<String, Line>, mistakes: &mut Vec<LinkMistake>) -> HashMap<String, End> {
    let mut ends: HashMap<String, End> = HashMap::with_capacity(lines.len());
    // Codes whose chain runs into a cycle that was reported.
    let mut endless: HashSet<&str> = HashSet::new();
    for start in lines.keys() {
        let mut path: Vec<&str> = Vec::new();
        let mut on_path: HashMap<&str, usize> = HashMap::new();
        let mut at = start.as_str();
        let end = loop {
            if let Some(end) = ends.get(at) {
                break Some(end.clone());
            }
            if endless.contains(at) {
                break None;
            }
            if let Some(cycle_start) = on_path.get(at) {
                let cycle = path[*cycle_start..].iter();
                if let Some(line) = cycle.map(|code| lines[*code].number).min() {
                    mistakes.push(LinkMistake::Cycle { line });
                }
                break None;
            }
            let Some(line) = lines.get(at) else {
                break Some(End::new(at, Fate::Current));
            };
            on_path.insert(at, path.len());
            path.push(at);
            if line.new.is_empty() {
                break Some(End::new(at, Fate::Discarded));
            }
            at = &line.new;
        };
        match end {
            Some(end) => ends.extend(path.iter().map(|code| ((*code).to_owned(), end.clone()))),
            None => endless.extend(path),
        }
    }
    ends
}

impl End {
    fn new(text: &str, fate: Fate) -> Self {
        Self {
            text: text.to_owned(),
            code: text.parse(),
            fate,
        }
    }
}
