//! Spelling names, texts and conditions in SQL.

pub(super) use crate::source::postgres::open::quoted as name;

/// A text literal.
pub(super) fn text(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}

/// A list of text literals, in parentheses.
pub(super) fn texts<'t>(values: impl Iterator<Item = &'t str>) -> String {
    let values: Vec<String> = values.map(text).collect();
    format!("({})", values.join(", "))
}

/// At least one holds; with none given, false.
pub(super) fn any(conditions: impl Iterator<Item = String>) -> String {
    joined(conditions, " OR ", "false")
}

/// All hold; with none given, true.
pub(super) fn all(conditions: impl Iterator<Item = String>) -> String {
    joined(conditions, " AND ", "true")
}

fn joined(conditions: impl Iterator<Item = String>, by: &str, empty: &str) -> String {
    let conditions: Vec<String> = conditions.collect();
    if conditions.is_empty() {
        empty.to_owned()
    } else {
        format!("({})", conditions.join(by))
    }
}
