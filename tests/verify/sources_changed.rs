//! The sources, read again.

use std::{collections::BTreeSet, fs};

use pinferry::engine::{
    progress::Unwatched,
    stop::{StopFlag, StopReason},
    verify::{MismatchCode, VerifyError, VerifyRequest, verify},
};

use crate::{
    engine::{Engine, on_both_engines},
    fixture::{migrated, migrated_alone},
};

on_both_engines! {
    a_source_that_changed_since_is_found_with_its_record
    a_login_under_the_lock_changes_nothing
    a_source_that_is_gone_is_an_error_before_cut_over
    a_request_to_stop_ends_the_reading
    a_known_pin_is_looked_up_and_one_that_stands_otherwise_is_found
}

fn a_source_that_changed_since_is_found_with_its_record(engine: Engine) {
    let place = migrated_alone(engine);
    assert!(place.verify().unwrap().passed());
    let database = rusqlite::Connection::open(place.folder().join("sportello.db")).unwrap();
    let smallest = "SELECT min(legacy_id) FROM pin WHERE source = 'sportello'";
    let migrated = place.raw().texts(smallest).remove(0);
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

fn a_login_under_the_lock_changes_nothing(engine: Engine) {
    let place = migrated_alone(engine);
    let database = rusqlite::Connection::open(place.folder().join("sportello.db")).unwrap();
    let changed = database
        .execute("UPDATE pin_sportello SET ultimo_accesso = '2013-11-03'", [])
        .unwrap();
    assert!(changed > 1);
    let found = place.verify().unwrap();
    assert!(found.passed(), "{:#?}", found.mismatches);
}

fn a_source_that_is_gone_is_an_error_before_cut_over(engine: Engine) {
    let place = migrated_alone(engine);
    fs::remove_file(place.folder().join("inps.csv")).unwrap();
    assert!(matches!(
        place.verify(),
        Err(VerifyError::Source { name, .. }) if name == "inps"
    ));
}

fn a_request_to_stop_ends_the_reading(engine: Engine) {
    let place = migrated(engine);
    let stop = StopFlag::default();
    stop.request(StopReason::Interrupted);
    let request = VerifyRequest {
        settings: &place.settings,
        rules: &place.rules,
        target: &place.settings.target,
        run_id: 1,
        unsettled: &|| Ok(BTreeSet::new()),
        verdicts: None,
        progress: &Unwatched,
        stop: &stop,
    };
    assert!(matches!(verify(&request), Err(VerifyError::Stopped(_))));
}

fn a_known_pin_is_looked_up_and_one_that_stands_otherwise_is_found(engine: Engine) {
    let mut place = migrated(engine);
    let known = "SELECT source || ':' || legacy_id || ';' || credential_scheme || ';' || credential
        FROM pin WHERE status = 'active' LIMIT 1";
    let known = place.raw().texts(known).remove(0);
    let file = place.folder().join("canary.csv");
    place.settings.canary = Some(file.clone());
    fs::write(&file, format!("id;scheme;hash;salt\n{known};\n")).unwrap();
    let found = place.verify().unwrap();
    assert!(
        found.passed() && found.canaries == 1,
        "{:#?}",
        found.mismatches
    );
    fs::write(&file, format!("id;scheme;hash;salt\n{known}0;\n")).unwrap();
    let found = place.verify().unwrap();
    assert_eq!(found.mismatches[0].code, MismatchCode::Canary);
    fs::write(&file, "id;scheme\n").unwrap();
    assert!(matches!(place.verify(), Err(VerifyError::Canary { .. })));
}
