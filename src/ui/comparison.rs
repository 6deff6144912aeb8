//! What changed since an earlier dry run, as a table.

use std::collections::BTreeMap;

use super::table::{grouped, render, table};
use crate::{
    domain::{comparison::Comparison, quarantine::Reason},
    engine::report::Compared,
};

/// Records named in each line.
const NAMED_MAX: usize = 5;

/// One way in which records changed.
pub(super) struct Change {
    /// How many.
    pub(super) records: usize,
    /// The first of them, with the reason.
    pub(super) named: Vec<String>,
}

/// The ways in which records changed: mended, gone, added, quarantined for another reason.
pub(super) fn changes(records: &Comparison) -> [Change; 4] {
    let change = |of: &BTreeMap<String, Reason>| Change {
        records: of.len(),
        named: (of.iter().take(NAMED_MAX))
            .map(|(name, reason)| format!("{name} ({reason})"))
            .collect(),
    };
    [
        change(&records.mended),
        change(&records.gone),
        change(&records.added),
        Change {
            records: records.otherwise.len(),
            named: (records.otherwise.iter().take(NAMED_MAX))
                .map(|(name, [then, now])| format!("{name} ({then} > {now})"))
                .collect(),
        },
    ]
}

/// The comparison as people read it.
pub(super) fn text(compared: &Compared) -> String {
    let title = format!("since {}", compared.as_of);
    let mut rows = table(&[&title, "records", "for example"], &[1]);
    let labels = [
        "mended",
        "gone from the source",
        "newly quarantined",
        "for another reason",
    ];
    for (label, change) in labels.into_iter().zip(changes(&compared.records)) {
        rows.add_row([
            label.to_owned(),
            grouped(change.records as i64),
            change.named.join(", "),
        ]);
    }
    let unchanged = i64::try_from(compared.records.unchanged).unwrap_or(i64::MAX);
    rows.add_row(["as before".to_owned(), grouped(unchanged), String::new()]);
    let mut text = render(&rows);
    for moved in &compared.moved {
        text.push_str(&format!("\nmoved: {moved}"));
    }
    text
}
