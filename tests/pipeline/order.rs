//! The whole order, once as the engine gives it and once as the simplest program makes it.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
};

use pinferry::{
    config::settings::SourceSettings,
    domain::{
        content::compare_content,
        duplicates,
        raw_record::{RawRecord, SourceIndex},
        record_id::record_id,
        rules::Rules,
        sort_key::{self, NOBODY},
    },
    engine::{cursor::Cursor, extract::Extracted, partition::Partition},
    source,
};

/// One case as a test sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) position: u64,
    pub(crate) duplicate: Option<u32>,
    /// Of each record: source, id, all its fields.
    pub(crate) records: Vec<(u16, String, String)>,
}

fn shown(record: &RawRecord<'_>, rules: &Rules) -> (u16, String, String) {
    let id = record_id(record, rules).into_owned();
    (record.source.0, id, record.fields.join("|"))
}

/// What is left of a partition, each case with the cursor after it.
pub(crate) fn partition(
    extracted: &Extracted,
    partition: &Partition,
    after: Option<&Cursor>,
    rules: &Rules,
) -> Vec<(Seen, Cursor)> {
    let mut cases = extracted.cases(partition, after).expect("cases");
    let mut seen = Vec::new();
    while let Some(case) = cases.next_case().expect("a case") {
        let records = case.records().iter().map(|record| shown(record, rules));
        let one = Seen {
            position: case.position(),
            duplicate: case.duplicate(),
            records: records.collect(),
        };
        seen.push((one, case.cursor()));
    }
    seen
}

/// All partitions one after the other.
pub(crate) fn whole(extracted: &Extracted, partitions: usize, rules: &Rules) -> Vec<Seen> {
    let boundaries = extracted.boundaries(partitions);
    assert!(boundaries.len() < partitions, "not more than asked for");
    let partitions = extracted.split(&boundaries, rules).expect("partitions");
    let mut all = Vec::new();
    for one in &partitions {
        let cases = partition(extracted, one, None, rules);
        let records: usize = cases.iter().map(|(case, _)| case.records.len()).sum();
        assert_eq!(
            records as u64, one.records,
            "the partition says how many it has"
        );
        all.extend(cases.into_iter().map(|(case, _)| case));
    }
    all
}

/// The order as the design says it, made in memory without any of the engine.
pub(crate) fn expected(sources: &[SourceSettings], rules: &Rules) -> Vec<Seen> {
    let mut encoded = Vec::new();
    for (settings, index) in sources.iter().zip(0..) {
        let read = source::read(
            settings,
            SourceIndex(index),
            &BTreeSet::new(),
            &mut |record| {
                let mut bytes = Vec::new();
                record.encode(&mut bytes);
                encoded.push(bytes);
                ControlFlow::Continue(())
            },
        );
        read.expect("a source");
    }
    let decode = |bytes: &'static [u8]| RawRecord::decode(bytes).expect("a record");
    let mut records: Vec<RawRecord<'static>> = encoded
        .into_iter()
        .map(|bytes| decode(bytes.leak()))
        .collect();
    records.sort_by(|a, b| {
        let key = |record| (sort_key::of(record, rules), record_id(record, rules));
        key(a).cmp(&key(b)).then_with(|| compare_content(a, b))
    });
    let mut by_id: BTreeMap<(u16, String), Vec<usize>> = BTreeMap::new();
    for (at, record) in records.iter().enumerate() {
        let id = record_id(record, rules).into_owned();
        by_id.entry((record.source.0, id)).or_default().push(at);
    }
    let mut left_out = BTreeSet::new();
    let mut duplicates = Vec::new();
    for group in by_id.into_values().filter(|group| group.len() > 1) {
        let copies: Vec<_> = group.iter().map(|at| records[*at]).collect();
        for (copy, number) in duplicates::settle(&copies).quarantined {
            left_out.insert(group[copy]);
            duplicates.push((records[group[copy]], number));
        }
    }
    let mut all: Vec<Seen> = Vec::new();
    let mut last = None;
    let mut position = 0;
    let judged = records
        .iter()
        .enumerate()
        .filter(|(at, _)| !left_out.contains(at));
    for (_, record) in judged {
        let base = sort_key::of(record, rules).base();
        match all.last_mut() {
            Some(case) if last == Some(base) && base != NOBODY => {
                case.records.push(shown(record, rules));
            }
            _ => all.push(Seen {
                position,
                duplicate: None,
                records: vec![shown(record, rules)],
            }),
        }
        last = Some(base);
        position += 1;
    }
    for (record, number) in duplicates {
        all.push(Seen {
            position,
            duplicate: Some(number),
            records: vec![shown(&record, rules)],
        });
        position += 1;
    }
    all
}
