//! The sources, read again.

use std::{collections::BTreeSet, fs};

use pinferry::engine::{
    progress::Unwatched,
    stop::{StopFlag, StopReason},
    verify::{MismatchCode, VerifyError, VerifyRequest, read_sources, verify_with},
};

use crate::fixture::{migrated, migrated_alone};

#[test]
fn a_source_that_changed_since_is_found_with_its_record() {
    let place = migrated_alone();
    assert!(place.verify().unwrap().passed());
    let database = rusqlite::Connection::open(place.folder().join("sportello.db")).unwrap();
    let migrated: String = place
        .raw()
        .query_row(
            "SELECT min(legacy_id) FROM pin WHERE source = 'sportello'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    let changed = database
        .execute(
            "UPDATE pin_sportello SET sede = '9999' WHERE id = ?1",
            [&migrated],
        )
        .unwrap();
    assert_eq!(changed, 1);
    let found = place.verify().unwrap();
    let codes: Vec<_> = found.mismatches.iter().map(|m| m.code).collect();
    assert!(codes.contains(&MismatchCode::SourceChanged), "{codes:?}");
    let carried = found
        .mismatches
        .iter()
        .find(|mismatch| mismatch.code == MismatchCode::NotCarried)
        .unwrap();
    assert_eq!((carried.subject.as_str(), carried.count), ("sportello", 1));
    assert_eq!(carried.examples, [format!("sportello:{migrated}")]);
}

#[test]
fn a_login_under_the_lock_changes_nothing() {
    let place = migrated_alone();
    let database = rusqlite::Connection::open(place.folder().join("sportello.db")).unwrap();
    let changed = database
        .execute("UPDATE pin_sportello SET ultimo_accesso = '2013-11-03'", [])
        .unwrap();
    assert!(changed > 1);
    let found = place.verify().unwrap();
    assert!(found.passed(), "{:#?}", found.mismatches);
}

#[test]
fn a_source_that_is_gone_is_an_error_before_cut_over() {
    let place = migrated_alone();
    fs::remove_file(place.folder().join("inps.csv")).unwrap();
    assert!(matches!(
        place.verify(),
        Err(VerifyError::Source { name, .. }) if name == "inps"
    ));
}

#[test]
fn sources_read_ahead_come_to_the_same() {
    let place = migrated();
    let stop = StopFlag::default();
    let request = VerifyRequest {
        settings: &place.settings,
        rules: &place.rules,
        target: &place.settings.target,
        run_id: 1,
        unsettled: &BTreeSet::new(),
        progress: &Unwatched,
        stop: &stop,
    };
    let sources = read_sources(&request.sources(1_000)).unwrap();
    let found = verify_with(&request, sources).unwrap();
    assert!(found.passed(), "{:#?}", found.mismatches);
    stop.request(StopReason::Interrupted);
    let sources = read_sources(&request.sources(1_000));
    assert!(matches!(sources, Err(VerifyError::Stopped(_))));
}

#[test]
fn a_known_pin_is_looked_up_and_one_that_stands_otherwise_is_found() {
    let mut place = migrated();
    let (source, id, scheme, hash): (String, String, String, String) = place
        .raw()
        .query_row(
            "SELECT source, legacy_id, credential_scheme, credential FROM pin WHERE status = 'active' LIMIT 1",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
        )
        .unwrap();
    let file = place.folder().join("canary.csv");
    place.settings.canary = Some(file.clone());
    fs::write(
        &file,
        format!("id;scheme;hash;salt\n{source}:{id};{scheme};{hash};\n"),
    )
    .unwrap();
    let found = place.verify().unwrap();
    assert!(
        found.passed() && found.canaries == 1,
        "{:#?}",
        found.mismatches
    );
    fs::write(
        &file,
        format!("id;scheme;hash;salt\n{source}:{id};{scheme};other;\n"),
    )
    .unwrap();
    let found = place.verify().unwrap();
    assert_eq!(found.mismatches[0].code, MismatchCode::Canary);
    fs::write(&file, "id;scheme\n").unwrap();
    assert!(matches!(place.verify(), Err(VerifyError::Canary { .. })));
}
