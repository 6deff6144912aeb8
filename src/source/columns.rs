//! Which column of a source feeds which field.

use std::collections::BTreeMap;

use super::SourceMistake;
use crate::{config::settings::SourceSettings, domain::field::Field};

/// How a source compares the names of columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Naming {
    /// Letter by letter (CSV).
    Exact,
    /// ASCII letters of either case are the same (SQLite).
    AnyCase,
}

impl Naming {
    fn same(self, one: &str, other: &str) -> bool {
        match self {
            Self::Exact => one == other,
            Self::AnyCase => one.eq_ignore_ascii_case(other),
        }
    }
}

/// The column each field is mapped to; a field mapped to "" is absent.
fn wanted(settings: &SourceSettings) -> BTreeMap<Field, &str> {
    Field::ALL
        .into_iter()
        .filter_map(|field| {
            let mapped = settings.columns.get(&field).map(String::as_str);
            Some((field, mapped.or(field.default_column())?))
        })
        .filter(|(_, column)| !column.is_empty())
        .collect()
}

/// The columns whose absence is no mistake: the halves under their default name, for a legacy without them.
fn may_be_absent(field: Field, column: &str) -> bool {
    field == Field::HalvesDelivered && field.default_column() == Some(column)
}

/// Position of each mapped field among the columns of `place`.
pub(super) fn resolve(
    settings: &SourceSettings,
    place: &str,
    found: &[String],
    naming: Naming,
) -> Result<Vec<(Field, usize)>, Vec<SourceMistake>> {
    let (mut positions, mut missing, mut repeated) = (Vec::new(), Vec::new(), Vec::new());
    for (field, column) in wanted(settings) {
        let mut at = (0..found.len()).filter(|&at| naming.same(&found[at], column));
        match (at.next(), at.next()) {
            (Some(_), Some(_)) => repeated.push(column.to_owned()),
            (Some(position), None) => positions.push((field, position)),
            (None, _) if may_be_absent(field, column) => {}
            (None, _) => missing.push((field, column.to_owned())),
        }
    }
    let mut mistakes = Vec::new();
    if !missing.is_empty() {
        mistakes.push(SourceMistake::MissingColumns {
            place: place.to_owned(),
            missing,
            found: found.to_vec(),
        });
    }
    if !repeated.is_empty() {
        mistakes.push(SourceMistake::RepeatedColumns {
            place: place.to_owned(),
            columns: repeated,
        });
    }
    if mistakes.is_empty() {
        Ok(positions)
    } else {
        Err(mistakes)
    }
}

/// The columns nothing is mapped to.
pub(super) fn unmapped(settings: &SourceSettings, found: &[String]) -> Vec<String> {
    let wanted = wanted(settings);
    found
        .iter()
        .filter(|name| {
            !wanted
                .values()
                .any(|column| column.eq_ignore_ascii_case(name))
        })
        .cloned()
        .collect()
}
