//! Reads and judges sources in memory, without the engine.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
};

use pinferry::{
    config::settings::SourceSettings,
    domain::{
        case, duplicates,
        quarantine::QuarantineRow,
        raw_record::{RawRecord, SourceIndex},
        record_id::record_id,
        rows::PersonRows,
        rules::Rules,
    },
    source,
};

/// All records of the sources, in the compact form.
pub(crate) fn records(sources: &[SourceSettings]) -> Vec<Vec<u8>> {
    let mut records = Vec::new();
    for (index, settings) in (0..).zip(sources) {
        let sink = &mut |record: &RawRecord<'_>| {
            let mut bytes = Vec::new();
            record.encode(&mut bytes);
            records.push(bytes);
            ControlFlow::Continue(())
        };
        source::read(settings, SourceIndex(index), &BTreeSet::new(), sink).expect("readable");
    }
    records
}

/// Gives every person and every quarantined record to the visitors.
pub(crate) fn judge(
    records: &[Vec<u8>],
    rules: &Rules,
    mut person: impl FnMut(&PersonRows<'_>),
    mut quarantined: impl FnMut(&QuarantineRow<'_>),
) {
    let mut by_id: BTreeMap<(SourceIndex, String), Vec<RawRecord<'_>>> = BTreeMap::new();
    for record in records {
        let record = RawRecord::decode(record).expect("whole");
        let id = record_id(&record, rules).into_owned();
        by_id.entry((record.source, id)).or_default().push(record);
    }
    let mut alone = Vec::new();
    for copies in by_id.values() {
        let settled = duplicates::settle(copies);
        alone.extend(settled.goes_on.map(|at| copies[at]));
        for (at, copy) in settled.quarantined {
            quarantined(&case::quarantine_duplicate(&copies[at], copy, rules));
        }
    }
    let decision = case::decide(&alone, rules);
    decision.people.iter().for_each(&mut person);
    decision.quarantined.iter().for_each(&mut quarantined);
}
