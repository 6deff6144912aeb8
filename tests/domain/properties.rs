//! Properties over generated dirty data: conservation, independence of order, idempotence, rights that
//! never grow.

use std::collections::{BTreeMap, BTreeSet};

use pinferry::domain::{
    case::{Decision, decide, quarantine_duplicate},
    content::compare_content,
    digest::RowHash,
    duplicates,
    field::{FIELDS, Field},
    raw_record::{Head, RawRecord},
    record_id::record_id,
    rules::Rules,
    sort_key::{self, NOBODY},
    status::{GrantStatus, Level, PinStatus},
    tally::Tally,
};
use proptest::prelude::*;

use super::support::{Legacy, expand, rules_with_links};

/// One code of two people renamed into the other's, one discarded, one renamed to nonsense.
const LINKS: &str = "VRDLCU70C10L219*;RSSMRA80A01H501*\nBNCLRA85B41F205*;\nVECCHIO;NUOVO";

/// Someone else with the same letters by omocodia, a body, and codes that the links know.
const CODES: [&str; 9] = [
    "RSSMRA80A01H501*",
    "RSSMRA80A01H501*",
    "RSSMRA80A01H50M*",
    " rssmra80a01h501u",
    "VRDLCU70C10L219*",
    "BNCLRA85B41F205*",
    "00000000018",
    "VECCHIO",
    "?",
];

fn any_of(values: &'static [&'static str]) -> impl Strategy<Value = &'static str> {
    prop::sample::select(values)
}

/// A record with few distinct values, so that ids, codes, profiles and dates meet often.
fn legacy() -> impl Strategy<Value = Legacy> {
    let who = (
        any_of(&[
            "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", " 1", "", "@1",
        ]),
        any_of(&CODES),
        any_of(&["ROSSI", "ROSSI", "Rossi", "RÒSSI", "VERDI"]),
        any_of(&[
            "1980-01-01",
            "1980-01-01",
            "",
            "1980-01-01 00:00",
            "1980-02-30",
        ]),
        0_u16..2,
    );
    let what = (
        any_of(&["CIT", "CIT", "cit", "PAT", "CDL", "?"]),
        any_of(&["", "E1", "e1", "E2"]),
        any_of(&["A", "A", "S", "P", "R", "C", "?"]),
        any_of(&["ORD", "DISP", "disp"]),
        any_of(&["hash", "hash", "hash", ""]),
    );
    let when = (
        any_of(&["2010-01-01", "2011-01-01", ""]),
        any_of(&["", "2013-10-01", "2013-10-02"]),
        any_of(&["", "1", "2"]),
        any_of(&["", "", "00000000018", "RSSMRA80A01H501*"]),
        any_of(&["", "", "x\u{1}"]),
    );
    (who, what, when).prop_map(|(who, what, when)| {
        let mut legacy = Legacy::new(0);
        legacy.source = who.4;
        for (field, value) in [
            (Field::LegacyId, who.0),
            (Field::FiscalCode, who.1),
            (Field::Surname, who.2),
            (Field::BirthDate, who.3),
            (Field::Profile, what.0),
            (Field::Entity, what.1),
            (Field::Status, what.2),
            (Field::Level, what.3),
            (Field::Credential, what.4),
            (Field::IssuedOn, when.0),
            (Field::LastUsedOn, when.1),
            (Field::HalvesDelivered, when.2),
            (Field::GuardianFiscalCode, when.3),
            (Field::Office, when.4),
        ] {
            legacy.set(field, value);
        }
        legacy
    })
}

/// Records as they stand in their sources: numbered there in the order of reading.
fn legacies() -> impl Strategy<Value = Vec<Legacy>> {
    prop::collection::vec(legacy(), 0..24).prop_map(|mut records| {
        for (number, record) in (1..).zip(&mut records) {
            record.number = number;
        }
        records
    })
}

/// What the engine does in bounded memory: settles duplicates per source and id, then judges each case.
fn judge<'a>(raws: &[RawRecord<'a>], rules: &'a Rules) -> Decision<'a> {
    let mut by_id: BTreeMap<_, Vec<RawRecord<'a>>> = BTreeMap::new();
    for raw in raws {
        let id = record_id(raw, rules).into_owned();
        by_id.entry((raw.source, id)).or_default().push(*raw);
    }
    let mut decision = Decision::default();
    let mut cases: BTreeMap<_, Vec<RawRecord<'a>>> = BTreeMap::new();
    for ((source, id), copies) in by_id {
        let settled = duplicates::settle(&copies);
        for (position, copy) in settled.quarantined {
            let row = quarantine_duplicate(&copies[position], copy, rules);
            decision.quarantined.push(row);
        }
        if let Some(goes_on) = settled.goes_on {
            let raw = copies[goes_on];
            let base = sort_key::of(&raw, rules).base();
            // Records of nobody are judged alone.
            let alone = (base == NOBODY).then_some((source, id));
            cases.entry((base, alone)).or_default().push(raw);
        }
    }
    for case in cases.values() {
        let mut judged = decide(case, rules);
        decision.people.append(&mut judged.people);
        decision.quarantined.append(&mut judged.quarantined);
    }
    decision
        .quarantined
        .sort_by(|a, b| (a.source, &a.legacy_id, a.copy).cmp(&(b.source, &b.legacy_id, b.copy)));
    decision
}

fn tally(decision: &Decision<'_>) -> Tally {
    let (mut tally, mut hash) = (Tally::default(), RowHash::default());
    for rows in &decision.people {
        tally.add_person(rows, &mut hash);
    }
    for row in &decision.quarantined {
        tally.add_quarantined(row, &mut hash);
    }
    tally
}

type Access = (String, &'static str, String, Level);

/// What the records that were migrated opened in the legacy model: each active one its own profile. Written
/// from the raw text, without the parser.
fn access_before(raws: &[RawRecord<'_>], migrated: &BTreeSet<(u16, String)>) -> BTreeSet<Access> {
    let text = |raw: &RawRecord<'_>, field| raw.get(field).trim().to_uppercase();
    let active = raws.iter().filter(|raw| {
        let id = raw.get(Field::LegacyId).trim().to_owned();
        migrated.contains(&(raw.source.0, id)) && text(raw, Field::Status) == "A"
    });
    active
        .flat_map(|raw| {
            let old = expand("VRDLCU70C10L219*");
            let code = text(raw, Field::FiscalCode).replace(&old, &expand("RSSMRA80A01H501*"));
            let profile = match text(raw, Field::Profile).as_str() {
                "CIT" => "CIT",
                "PAT" => "PAT",
                _ => "CDL",
            };
            let entity = match profile {
                "CIT" => String::new(),
                _ => text(raw, Field::Entity),
            };
            let up_to = match text(raw, Field::Level).as_str() {
                "DISP" => Level::Dispositive,
                _ => Level::Ordinary,
            };
            let levels = Level::ALL.iter().filter(move |level| **level <= up_to);
            levels.map(move |level| (code.clone(), profile, entity.clone(), *level))
        })
        .collect()
}

/// What the new model opens: active grants of people with an active PIN, up to the lower level of both.
fn access_after(decision: &Decision<'_>) -> BTreeSet<Access> {
    let mut access = BTreeSet::new();
    for rows in &decision.people {
        let Some(pin) = rows.pins.iter().find(|pin| pin.status == PinStatus::Active) else {
            continue;
        };
        let active = rows
            .grants
            .iter()
            .filter(|grant| grant.status == GrantStatus::Active);
        for grant in active {
            let profile = match grant.profile {
                "CIT" => "CIT",
                "PAT" => "PAT",
                _ => "CDL",
            };
            for level in Level::ALL {
                if *level <= grant.level.min(pin.level) {
                    let code = rows.fiscal_code.as_str().to_owned();
                    access.insert((code, profile, grant.entity.to_string(), *level));
                }
            }
        }
    }
    access
}

fn migrated(decision: &Decision<'_>) -> BTreeSet<(u16, String)> {
    let pins = decision.people.iter().flat_map(|rows| &rows.pins);
    pins.map(|pin| (u16::from(pin.source == "ente"), pin.legacy_id.to_owned()))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn every_record_ends_in_one_place(records in legacies()) {
        let rules = rules_with_links(LINKS);
        let raws: Vec<_> = records.iter().map(Legacy::raw).collect();
        let decision = judge(&raws, &rules);
        let tally = tally(&decision);
        for (index, source) in (0..).zip(&rules.sources) {
            let read = raws.iter().filter(|raw| raw.source.0 == index).count() as i64;
            let counts = tally.sources.get(&source.name).cloned().unwrap_or_default();
            prop_assert_eq!(read, counts.pins + counts.quarantined());
        }
        // The keys of the tables hold too.
        let mut keys = BTreeSet::new();
        for row in &decision.quarantined {
            prop_assert!(keys.insert((row.source, row.legacy_id.to_string(), row.copy)));
        }
        prop_assert_eq!(migrated(&decision).len() as i64, tally.pins.values().sum::<i64>());
        for rows in &decision.people {
            let live = rows.pins.iter().filter(|pin| {
                matches!(pin.status, PinStatus::Active | PinStatus::Suspended | PinStatus::Pending)
            });
            prop_assert!(live.count() <= 1);
        }
    }

    #[test]
    fn the_order_of_reading_never_matters(
        (records, shuffled) in legacies().prop_flat_map(|records| {
            (Just(records.clone()), Just(records).prop_shuffle())
        })
    ) {
        // Numbers name what has no id, so they stay with their records; else they play no part.
        let rules = rules_with_links(LINKS);
        let raws: Vec<_> = records.iter().map(Legacy::raw).collect();
        let others: Vec<_> = shuffled.iter().map(Legacy::raw).collect();
        let (one, other) = (judge(&raws, &rules), judge(&others, &rules));
        prop_assert!(one == other);
        prop_assert_eq!(tally(&one), tally(&other));
        // Judging many whole cases in one go says the same.
        let survivors: Vec<_> = others
            .iter()
            .filter(|raw| migrated(&one).contains(&(raw.source.0, raw.get(Field::LegacyId).trim().to_owned())))
            .copied()
            .collect();
        let mut seen = BTreeSet::new();
        let survivors: Vec<_> = survivors
            .into_iter()
            .filter(|raw| seen.insert((raw.source, raw.get(Field::LegacyId).trim())))
            .collect();
        prop_assert!(without_siblings(decide(&survivors, &rules)) == without_siblings(one));
    }

    #[test]
    fn rights_never_grow_and_none_of_the_migrated_are_lost(records in legacies()) {
        let rules = rules_with_links(LINKS);
        let raws: Vec<_> = records.iter().map(Legacy::raw).collect();
        let decision = judge(&raws, &rules);
        let before = access_before(&raws, &migrated(&decision));
        prop_assert_eq!(access_after(&decision), before);
    }

    #[test]
    fn content_is_totally_ordered(records in prop::collection::vec(legacy(), 3)) {
        let [a, b, c] = [records[0].raw(), records[1].raw(), records[2].raw()];
        prop_assert_eq!(compare_content(&a, &b), compare_content(&b, &a).reverse());
        if compare_content(&a, &b).is_le() && compare_content(&b, &c).is_le() {
            prop_assert!(compare_content(&a, &c).is_le());
        }
        prop_assert_eq!(compare_content(&a, &b).is_eq(), a.fields == b.fields);
    }

    #[test]
    fn a_compact_record_reads_back_as_it_was(
        mut record in legacy(),
        malformed in any::<bool>(),
        email in "x{0,300}",
    ) {
        if malformed {
            record = Legacy::parse(record.number, "malformed=[\"x\"]");
        }
        let mut raw = record.raw();
        raw.fields[Field::Email.index()] = &email;
        let mut bytes = Vec::new();
        raw.encode(&mut bytes);
        let back = RawRecord::decode(&bytes).expect("one whole record");
        let holds_control = raw.fields.iter().any(|text| text.contains(char::is_control));
        prop_assert!(!(back.clean && holds_control));
        raw.clean = back.clean;
        prop_assert!(back == raw);

        let rules = rules_with_links(LINKS);
        let id = record_id(&raw, &rules);
        let key = Head::of(&bytes).and_then(|head| sort_key::of_compact(&head, id.as_bytes(), &rules));
        prop_assert!(key.is_ok_and(|key| key == sort_key::of(&raw, &rules)));

        bytes.push(b'x');
        prop_assert!(RawRecord::decode(&bytes).is_err());
    }

    #[test]
    fn content_with_fields_left_out_is_that_of_a_record_without_them(
        record in legacy(),
        email in "x{0,300}",
        left_out in 0..1_u32 << FIELDS,
    ) {
        let mut raw = record.raw();
        raw.fields[Field::Email.index()] = &email;
        let content = |raw: &RawRecord<'_>| {
            let mut compact = Vec::new();
            raw.encode(&mut compact);
            RawRecord::content(&compact).to_vec()
        };
        let mut found = content(&raw);
        raw.leave_out(left_out, &mut found);

        raw.invalid &= !left_out;
        for (at, field) in raw.fields.iter_mut().enumerate() {
            if left_out & (1 << at) != 0 {
                *field = "";
            }
        }
        prop_assert_eq!(found, content(&raw));
    }
}

/// People without what depends on others of their case, and only those.
fn without_siblings(mut decision: Decision<'_>) -> Vec<pinferry::domain::rows::PersonRows<'_>> {
    use pinferry::domain::finding::FindingKind;
    for rows in &mut decision.people {
        rows.findings
            .retain(|finding| finding.kind != FindingKind::OmocodiaPair);
    }
    decision.people
}
