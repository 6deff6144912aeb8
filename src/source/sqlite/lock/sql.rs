//! Spelling names and texts in SQL.

/// An identifier, quoted.
pub(super) fn name(identifier: &str) -> String {
    format!("\"{}\"", identifier.replace('"', "\"\""))
}

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
    let conditions: Vec<String> = conditions.collect();
    if conditions.is_empty() {
        "0".to_owned()
    } else {
        format!("({})", conditions.join(" OR "))
    }
}

/// All hold; with none given, true.
pub(super) fn all(conditions: impl Iterator<Item = String>) -> String {
    let conditions: Vec<String> = conditions.collect();
    if conditions.is_empty() {
        "1".to_owned()
    } else {
        format!("({})", conditions.join(" AND "))
    }
}
