//! New PINs that are queued instead of refused.

use pinferry::{
    domain::field::Field,
    source::lock::{Leftovers, LockError},
};

use crate::support::{Legacy, insert, run_one};

#[test]
fn every_kind_of_new_pin_is_caught_without_an_error() {
    for (at, verb) in [
        "INSERT",
        "INSERT OR IGNORE",
        "INSERT OR REPLACE",
        "INSERT OR FAIL",
    ]
    .iter()
    .enumerate()
    {
        let legacy = Legacy::diverting();
        let locked = legacy.engage();
        legacy.assert_passes(&insert(verb, "9", "P"));
        assert_eq!(
            legacy.text("SELECT count(*) FROM pin_legacy"),
            "4",
            "{verb}"
        );
        let diverted = locked.diverted(10).expect("diverted");
        assert_eq!(diverted.len(), 1, "{at}");
        assert_eq!(diverted[0].row.fields[Field::LegacyId.index()], "9");
        assert_eq!(diverted[0].row.fields[Field::Status.index()], "P");
        assert!(!format!("{diverted:?}").contains("CF9"));
        locked
            .mark_diverted_processed(&[diverted[0].seq])
            .expect("marked");
        assert!(locked.diverted(10).expect("diverted").is_empty());
    }
}

#[test]
fn an_upsert_is_a_new_pin_or_a_tightening_never_one_for_the_other() {
    let legacy = Legacy::diverting();
    legacy.engage();
    let revoke = " ON CONFLICT (id) DO UPDATE SET stato = 'R'";
    legacy.assert_passes(&format!("{}{revoke}", insert("INSERT", "1", "R")));
    assert_eq!(legacy.waiting(), "0");
    assert_eq!(
        legacy.text("SELECT stato FROM pin_legacy WHERE id = '1'"),
        "R"
    );
    legacy.assert_passes(&format!("{}{revoke}", insert("INSERT", "9", "A")));
    assert_eq!(legacy.waiting(), "1");
    legacy.assert_refused(&format!(
        "{} ON CONFLICT (id) DO UPDATE SET stato = 'A'",
        insert("INSERT", "2", "A")
    ));
    legacy.assert_refused(&insert("INSERT OR REPLACE", "2", "R"));
}

#[test]
fn a_revocation_by_another_unique_key_is_not_mistaken_for_a_new_pin() {
    let mut legacy = Legacy::diverting();
    legacy.assert_passes("CREATE UNIQUE INDEX g ON pin_legacy (gettone)");
    legacy.engage();
    legacy.assert_passes(
        "INSERT INTO pin_legacy (id, gettone, stato) VALUES ('new', 'g1', 'R')
           ON CONFLICT (gettone) DO UPDATE SET stato = 'R'",
    );
    assert_eq!(legacy.waiting(), "0");
    assert_eq!(
        legacy.text("SELECT stato FROM pin_legacy WHERE id = '1'"),
        "R"
    );

    legacy = Legacy::diverting();
    legacy.assert_passes("CREATE UNIQUE INDEX g ON pin_legacy (gettone) WHERE stato IN ('A', 'S')");
    legacy.engage();
    legacy.assert_passes(
        "INSERT INTO pin_legacy (id, gettone, stato) VALUES ('new', 'g1', 'A')
           ON CONFLICT (gettone) WHERE stato IN ('A', 'S') DO UPDATE SET stato = 'R'",
    );
    assert_eq!(legacy.waiting(), "0");
    assert_eq!(
        legacy.text("SELECT stato FROM pin_legacy WHERE id = '1'"),
        "R"
    );
}

#[test]
fn the_same_new_pin_a_second_time_is_refused() {
    let legacy = Legacy::diverting();
    legacy.engage();
    legacy.assert_passes(&insert("INSERT", "9", "A"));
    legacy.assert_refused(&insert("INSERT", "9", "A"));
    legacy.assert_refused(&insert("INSERT OR IGNORE", "9", "R"));
    assert_eq!(legacy.waiting(), "1");
}

#[test]
fn an_id_the_database_would_choose_stays_open() {
    let mut legacy = Legacy::with("id INTEGER PRIMARY KEY AUTOINCREMENT", ")");
    legacy.lock.mode = pinferry::config::settings::LockMode::Divert;
    let locked = legacy.engage();
    legacy.assert_passes("INSERT INTO pin_legacy (cognome, stato) VALUES ('Verdi', 'P')");
    legacy.assert_passes("INSERT INTO pin_legacy (cognome, stato) VALUES ('Neri', 'P')");
    let diverted = locked.diverted(10).expect("diverted");
    assert_eq!(diverted.len(), 2);
    assert_eq!(diverted[0].row.fields[Field::LegacyId.index()], "");
    let released = locked
        .release(Leftovers::HandBack(&|_| Ok(())))
        .expect("released");
    assert_eq!(released.handed_back, 2);
    assert_eq!(
        legacy.text("SELECT group_concat(id) FROM pin_legacy WHERE cognome IN ('Verdi', 'Neri')"),
        "5,6"
    );
}

#[test]
fn a_diverted_pin_the_legacy_would_not_take_is_kept_and_reported() {
    let mut legacy = Legacy::with("id TEXT PRIMARY KEY", ", CHECK (cognome <> 'Nessuno'))");
    legacy.lock.mode = pinferry::config::settings::LockMode::Divert;
    let locked = legacy.engage();
    legacy
        .assert_passes("INSERT INTO pin_legacy (id, cognome, stato) VALUES ('8', 'Nessuno', 'A')");
    legacy.assert_passes(&insert("INSERT", "9", "A"));
    let released = locked
        .release(Leftovers::HandBack(&|_| Ok(())))
        .expect("released");
    assert_eq!(released.handed_back, 1);
    assert_eq!(released.not_handed_back.len(), 1);
    let kept = released.kept_in.expect("a table");
    assert_eq!(
        legacy.text(&format!(
            "SELECT count(*) FROM \"{kept}\" WHERE processed_at IS NULL"
        )),
        "1"
    );
    legacy.engage();
}

#[test]
fn an_incomplete_new_pin_gets_the_tables_own_error() {
    let mut legacy = Legacy::with(
        "id TEXT NOT NULL PRIMARY KEY, vero TEXT NOT NULL DEFAULT 'x'",
        ")",
    );
    legacy.lock.mode = pinferry::config::settings::LockMode::Divert;
    legacy.engage();
    let error = legacy
        .run("INSERT INTO pin_legacy (id, vero) VALUES ('9', NULL)")
        .expect_err("incomplete");
    assert!(error.contains("NOT NULL"), "{error}");
    legacy.assert_passes("INSERT INTO pin_legacy (id, stato) VALUES ('9', 'A')");
    assert_eq!(legacy.waiting(), "1");
}

#[test]
fn diverting_is_not_engaged_where_the_test_finds_it_would_not_work() {
    let legacy = Legacy::diverting();
    legacy.assert_passes("CREATE UNIQUE INDEX g ON pin_legacy (lower(gettone))");
    let before = legacy.dump();
    let error = legacy.engage_as(&run_one()).expect_err("no foreseeing");
    assert!(matches!(error, LockError::TestFailed { .. }), "{error}");
    assert_eq!(before, legacy.dump());
}
