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

/// Records that go by their line alone: how many now, and by source and reason, then and now.
pub(super) fn by_line(records: &Comparison) -> Change {
    let reasons = (records.by_line.iter()).flat_map(|(source, of)| {
        of.iter()
            .map(move |(reason, counts)| (source, reason, counts))
    });
    Change {
        records: reasons.clone().map(|(.., [_, now])| *now as usize).sum(),
        named: reasons
            .map(|(source, reason, [then, now])| format!("{source} {reason}: {then} > {now}"))
            .collect(),
    }
}

/// The sources that have more or fewer records: by how many more or, less than nothing, fewer; then, now.
pub(super) fn other_counts(compared: &Compared) -> impl Iterator<Item = (&str, i64, [i64; 2])> {
    (compared.counts.iter())
        .map(|(source, [then, now])| (source.as_str(), now - then, [*then, *now]))
        .filter(|(_, more, _)| *more != 0)
}

/// The comparison as people read it.
pub(super) fn text(compared: &Compared) -> String {
    let mut rows = table(&["change", "records", "for example"], &[1]);
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
    let nameless = by_line(&compared.records);
    if !nameless.named.is_empty() {
        rows.add_row([
            "known by line only".to_owned(),
            grouped(nameless.records as i64),
            nameless.named.join(", "),
        ]);
    }
    let mut text = format!(
        "compared with the dry run as of {}\n\n{}",
        compared.as_of,
        render(&rows)
    );
    for (source, more, [then, now]) in other_counts(compared) {
        let way = if more < 0 { "fewer" } else { "more" };
        let [more, then, now] = [more.abs(), then, now].map(grouped);
        text.push_str(&format!(
            "\nsource {source}: {more} records {way} ({then} > {now})"
        ));
    }
    for moved in &compared.moved {
        text.push_str(&format!("\nmoved: {moved}"));
    }
    text
}
