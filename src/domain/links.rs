//! The authoritative table of renamed and discarded fiscal codes.

use std::collections::BTreeMap;

/// Renamed codes, resolved transitively, and discarded ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Links {
    /// Old code to where it leads.
    targets: BTreeMap<String, Target>,
    /// Final code to every old code that leads to it, in order.
    old_codes: BTreeMap<String, Vec<String>>,
}

/// Where an old code leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// To this code in the end.
    Renamed(String),
    /// Nowhere: the code was discarded.
    Discarded,
}

impl Links {
    /// Where `code` leads, if it is an old one.
    #[must_use]
    pub fn resolve(&self, code: &str) -> Option<&Target> {
        self.targets.get(code)
    }

    /// Every old code that leads to `code`.
    #[must_use]
    pub fn old_codes(&self, code: &str) -> &[String] {
        self.old_codes.get(code).map_or(&[], Vec::as_slice)
    }
}
