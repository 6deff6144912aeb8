//! Columns that hold JSON of our own.

use super::StoreError;

/// JSON of a value of our own.
pub(super) fn json<T: serde::Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Damaged {
        what: format!("a value that has no JSON ({error})"),
    })
}

/// A value of our own from its JSON.
pub(super) fn parse<T: serde::de::DeserializeOwned>(
    text: &str,
    column: &str,
) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::Damaged {
        what: format!("JSON in {column} ({error})"),
    })
}
