//! What quarantine keeps of a record: everything, as it was read.

use super::{
    field::Field,
    raw_record::{RawRecord, Shape},
};

/// A JSON object of canonical field names with the raw values in canonical order, empty ones left out; for a
/// malformed row `{"row":[…]}`.
#[must_use]
pub fn payload(raw: &RawRecord<'_>) -> String {
    if raw.shape == Shape::Malformed {
        return format!("{{\"row\":{}}}", raw.fields[0]);
    }
    let mut json = String::with_capacity(512);
    for field in Field::ALL {
        let value = raw.get(field);
        if value.is_empty() {
            continue;
        }
        json.push(if json.is_empty() { '{' } else { ',' });
        json.push('"');
        json.push_str(field.name());
        json.push_str("\":");
        // A string is always valid JSON once it is quoted.
        json.push_str(&serde_json::Value::from(value).to_string());
    }
    if json.is_empty() {
        json.push('{');
    }
    json.push('}');
    json
}
