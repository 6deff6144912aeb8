//! What a grant or a delegation rests on.

use super::{legacy_record::LegacyRecord, rules::Rules};

/// `legacy:<source>:<legacy_id>`.
#[must_use]
pub fn legacy(record: &LegacyRecord<'_>, rules: &Rules) -> String {
    let source = &rules.source(record.source).name;
    ["legacy:", source, ":", record.legacy_id].concat()
}
