//! After cut-over life goes on.

use std::time::Duration;

use pinferry::{
    engine::verify::MismatchCode,
    store::{CommitPoint, Intent, RunPhase, Target},
};

use crate::{
    engine::{Engine, on_both_engines},
    fixture::{Place, migrated, pass},
    values::of,
};

fn cut_over(engine: Engine) -> Place {
    let place = migrated(engine);
    let mut target = Target::open(&place.settings.target, Intent::MustExist).unwrap();
    let lease = target
        .acquire(1, "host:1", Duration::from_secs(60))
        .unwrap();
    pass(&mut target, &lease, RunPhase::Indexed, RunPhase::Verified);
    let digest = target.tally(1).unwrap().digests.rows;
    let tx = target.begin(&lease).unwrap();
    tx.cut_over(digest).unwrap();
    tx.commit(CommitPoint::CutOver).unwrap();
    target.release(lease).unwrap();
    place
}

on_both_engines! {
    nothing_is_found_right_after_cut_over
    what_life_may_change_is_told_and_fails_nothing
    what_life_never_changes_fails_even_then
}

fn nothing_is_found_right_after_cut_over(engine: Engine) {
    let found = cut_over(engine).verify().unwrap();
    assert!(found.passed(), "{:#?}", found.mismatches);
    assert!(found.changed_since.is_empty(), "{:#?}", found.changed_since);
}

fn what_life_may_change_is_told_and_fails_nothing(engine: Engine) {
    for change in [
        "UPDATE person SET email = 'new@example.org' WHERE person_id = (SELECT min(person_id) FROM person)",
        "UPDATE pin SET last_used_on = '2013-12-01' WHERE status = 'active'",
        "UPDATE pin SET status = 'revoked' WHERE pin_id = (SELECT min(pin_id) FROM pin WHERE status = 'active')",
        "DELETE FROM profile_grant WHERE status = 'ended'",
    ] {
        let place = cut_over(engine);
        place.raw().must(&of(engine, change));
        let found = place.verify().unwrap();
        assert!(found.passed(), "{change}: {:#?}", found.mismatches);
        let codes: Vec<_> = found.changed_since.iter().map(|m| m.code).collect();
        assert!(
            codes.contains(&MismatchCode::RowsDigest),
            "{change}: {codes:?}"
        );
    }
}

fn what_life_never_changes_fails_even_then(engine: Engine) {
    for change in [
        "UPDATE pin SET legacy_profile = 'MED' WHERE pin_id = (SELECT min(pin_id) FROM pin)",
        "UPDATE pin SET issued_on = '2001-01-01' WHERE pin_id = (SELECT min(pin_id) FROM pin)",
        "DELETE FROM quarantine WHERE {row} = (SELECT min({row}) FROM quarantine)",
        "UPDATE quarantine SET detail = 'x' WHERE {row} = (SELECT min({row}) FROM quarantine)",
        "UPDATE run SET digest = '00000000000000000000000000000000'",
        "UPDATE model_state SET model = 'legacy'",
        "UPDATE run_event SET detail = '{}' WHERE event_id = (SELECT max(event_id) FROM run_event)",
        "UPDATE run_source SET records = records + 1",
    ] {
        let place = cut_over(engine);
        place.raw().must(&of(engine, change));
        let found = place.verify().unwrap();
        assert!(!found.passed(), "{change}");
    }
}
