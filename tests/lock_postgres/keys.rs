//! Keys that hold the status, and keys that come while the lock stands.

use pinferry::{
    config::settings::LockMode,
    source::lock::{self, Leftovers},
};

use crate::support::{COLUMNS, Legacy, fingerprint, insert, row};

/// The four PINs in a table whose keys hold the status.
fn keyed_by_status(keys: &str, mode: LockMode) -> Legacy {
    let mut legacy = Legacy::made_by(&format!(
        "CREATE TABLE pin_legacy (id text, {COLUMNS}, {keys})"
    ));
    for (id, status) in [(1, "A"), (2, "S"), (3, "R"), (4, "P")] {
        legacy.assert_passes(&row(id, status));
    }
    legacy.lock.mode = mode;
    legacy
}

#[test]
fn a_revocation_passes_and_is_captured_where_the_status_is_part_of_a_key() {
    for mode in [LockMode::Refuse, LockMode::Divert] {
        for keys in [
            "PRIMARY KEY (id, stato)",
            "PRIMARY KEY (stato, id), UNIQUE (codice_fiscale, stato)",
            "PRIMARY KEY (gettone), UNIQUE (id, stato)",
        ] {
            let legacy = keyed_by_status(keys, mode);
            let engaged = fingerprint(&legacy);
            let report = lock::test(&legacy.source, &legacy.lock).expect("a test");
            let report = report.expect("something to test");
            assert!(report.passed(), "{keys}: {:?}", report.failures());
            let locked = legacy.engage();
            legacy.assert_passes("UPDATE pin_legacy SET stato = 'R' WHERE id = '1'");
            legacy.assert_passes("UPDATE pin_legacy SET stato = 'C', nota = 'x' WHERE id = '2'");
            for statement in [
                "UPDATE pin_legacy SET stato = 'A' WHERE id = '4'",
                "UPDATE pin_legacy SET id = '9' WHERE id = '4'",
                "UPDATE pin_legacy SET id = '9', stato = 'R' WHERE id = '4'",
                "UPDATE pin_legacy SET stato = 'R', cognome = 'X' WHERE id = '4'",
            ] {
                legacy.assert_refused(statement);
            }
            assert_eq!(locked.captures(9).expect("captures").len(), 2, "{keys}");
            assert_eq!(fingerprint(&legacy), engaged, "{keys}");
        }
    }
}

#[test]
fn an_upsert_by_a_key_that_holds_the_status_is_a_new_pin_or_a_tightening_never_one_for_the_other() {
    let legacy = keyed_by_status("PRIMARY KEY (id, stato)", LockMode::Divert);
    legacy.engage();
    let revoke = " ON CONFLICT (id, stato) DO UPDATE SET stato = 'R'";
    legacy.assert_passes(&format!("{}{revoke}", insert("INSERT", "1", "A")));
    assert_eq!((legacy.waiting().as_str(), legacy.captured()), ("0", 1));
    // Another status of a PIN that is there is no new PIN.
    legacy.assert_refused(&insert("INSERT", "2", "A"));
    legacy.assert_passes(&format!("{}{revoke}", insert("INSERT", "9", "A")));
    assert_eq!((legacy.waiting().as_str(), legacy.captured()), ("1", 1));
}

/// What the status of an undamaged lock warns of.
fn warnings(legacy: &Legacy) -> Vec<lock::LockWarning> {
    let status = lock::status(&legacy.source, &legacy.lock).expect("a status");
    assert_eq!(status.guards, lock::Guards::Present);
    status.warnings
}

#[test]
fn a_unique_index_that_comes_during_the_lock_makes_no_new_pin_of_a_revocation() {
    for (tail, create, table) in [
        (")", "CREATE UNIQUE INDEX dopo ON", "pin_legacy"),
        (
            ")",
            "CREATE UNIQUE INDEX CONCURRENTLY dopo ON",
            "pin_legacy",
        ),
        (
            ") PARTITION BY RANGE (id)",
            "CREATE UNIQUE INDEX dopo ON",
            "pin_0",
        ),
    ] {
        let mut legacy = Legacy::with("id text PRIMARY KEY", tail);
        if table == "pin_0" {
            // The lock is tested with an id beyond those of the others.
            legacy.assert_passes("CREATE TABLE pin_9 PARTITION OF pin_legacy DEFAULT");
        }
        legacy.lock.mode = LockMode::Divert;
        let locked = legacy.engage();
        legacy.assert_passes("REINDEX TABLE CONCURRENTLY pin_legacy");
        assert_eq!(warnings(&legacy), []);
        legacy.assert_passes(&insert("INSERT", "8", "A"));
        legacy.assert_passes(&format!("{create} {table} (gettone)"));
        legacy.assert_passes(&format!(
            "INSERT INTO {table} (id, gettone, stato) VALUES ('1n', 'g1', 'A')
               ON CONFLICT (gettone) DO UPDATE SET stato = 'R'"
        ));
        assert_eq!((legacy.waiting().as_str(), legacy.captured()), ("1", 1));
        legacy.assert_refused("INSERT INTO pin_legacy (id, stato) VALUES ('2n', 'A')");
        let found = warnings(&legacy);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].what.contains("index public.dopo"), "{found:?}");
        locked.check_present().expect("no damage");
        legacy.assert_passes("DROP INDEX dopo");
        assert_eq!(warnings(&legacy), []);
        legacy.assert_passes(&insert("INSERT", "9", "A"));
        assert_eq!(legacy.waiting(), "2");
    }
}

#[test]
fn a_diverted_pin_that_a_later_unique_index_forbids_is_kept_when_it_is_handed_back() {
    let legacy = Legacy::diverting();
    let locked = legacy.engage();
    legacy.assert_passes("INSERT INTO pin_legacy (id, gettone, stato) VALUES ('8', 'g1', 'A')");
    legacy.assert_passes("CREATE UNIQUE INDEX dopo ON pin_legacy (gettone)");
    let released = locked
        .release(Leftovers::HandBack(&|_| Ok(())))
        .expect("released");
    assert_eq!(
        (released.handed_back, released.not_handed_back.len()),
        (0, 1)
    );
}
