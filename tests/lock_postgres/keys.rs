//! Keys that hold the status.

use pinferry::{config::settings::LockMode, source::lock};

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
