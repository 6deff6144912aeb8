//! Whether records written with one code speak of one person.

use super::{folding, legacy_record::LegacyRecord};

/// Names the fields on which records written with the same code (before renaming) disagree, as the detail of
/// a quarantine row; `None` where all agree. Surname and given name are compared folded, birth dates where
/// both are present; a given name that only some records have is a disagreement.
#[must_use]
pub fn conflict<'r, 'a: 'r>(
    records: impl ExactSizeIterator<Item = &'r LegacyRecord<'a>>,
) -> Option<String> {
    if records.len() < 2 {
        return None;
    }
    let mut records: Vec<_> = records.collect();
    records.sort_by(|a, b| a.written_code.cmp(&b.written_code));
    let (mut surname, mut given_name, mut birth_date) = (false, false, false);
    for alike in records.chunk_by(|a, b| a.written_code == b.written_code) {
        let first = alike[0];
        let known_date = alike.iter().find_map(|record| record.birth_date);
        for record in alike {
            surname |= !folding::same(first.surname, record.surname);
            given_name |= !same_given_name(first.given_name, record.given_name);
            birth_date |= record.birth_date.is_some() && record.birth_date != known_date;
        }
    }
    let fields = [
        (surname, "surname"),
        (given_name, "given_name"),
        (birth_date, "birth_date"),
    ];
    let fields: Vec<_> = fields.into_iter().filter(|(differs, _)| *differs).collect();
    let fields: Vec<_> = fields.into_iter().map(|(_, name)| name).collect();
    (!fields.is_empty()).then(|| {
        let fields = fields.join(", ");
        format!("records written with the same fiscal code disagree on {fields}")
    })
}

fn same_given_name(a: Option<&str>, b: Option<&str>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => folding::same(a, b),
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    }
}
