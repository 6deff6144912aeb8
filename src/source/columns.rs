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
    /// Letter by letter, else ASCII letters of either case (PostgreSQL, which folds names that are not quoted).
    ExactFirst,
}

impl Naming {
    /// Where a column stands among those found, if once; if more than once, `Err`.
    fn position(self, found: &[String], column: &str) -> Result<Option<usize>, Repeated> {
        let only = |same: &dyn Fn(&str) -> bool| {
            let mut at = (0..found.len()).filter(|&at| same(&found[at]));
            match (at.next(), at.next()) {
                (_, Some(_)) => Err(Repeated),
                (position, None) => Ok(position),
            }
        };
        let exact = || only(&|name| name == column);
        let any_case = || only(&|name| name.eq_ignore_ascii_case(column));
        match self {
            Self::Exact => exact(),
            Self::AnyCase => any_case(),
            Self::ExactFirst => match exact()? {
                None => any_case(),
                position => Ok(position),
            },
        }
    }
}

/// More than one column has the name.
struct Repeated;

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
        match naming.position(found, column) {
            Err(Repeated) => repeated.push(column.to_owned()),
            Ok(Some(position)) => positions.push((field, position)),
            Ok(None) if may_be_absent(field, column) => {}
            Ok(None) => missing.push((field, column.to_owned())),
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

/// Position of each mapped field that is found at all, and found once.
pub(super) fn found_columns(
    settings: &SourceSettings,
    found: &[String],
    naming: Naming,
) -> BTreeMap<Field, usize> {
    let position = |(field, column): (Field, &str)| match naming.position(found, column) {
        Ok(Some(position)) => Some((field, position)),
        Ok(None) | Err(Repeated) => None,
    };
    wanted(settings).into_iter().filter_map(position).collect()
}

/// The columns of mapped fields that are not found, though they should be.
pub(super) fn lacking(settings: &SourceSettings, found: impl Fn(Field) -> bool) -> Vec<&str> {
    (settings.columns.iter())
        .filter(|(field, column)| !column.is_empty() && !may_be_absent(**field, column))
        .filter(|(field, _)| !found(**field))
        .map(|(_, column)| column.as_str())
        .collect()
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
