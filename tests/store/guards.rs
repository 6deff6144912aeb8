use pinferry::domain::status::{Disposition, GrantStatus, LegacyStatus, PinStatus};
use rusqlite::Connection;

use crate::support::Place;

/// One row of each table that has a vocabulary.
const ROWS: &str = "
    PRAGMA foreign_keys = OFF;
    INSERT INTO pin (pin_id, person_id, status, disposition, level, credential, halves_delivered, issued_on,
        source, legacy_id, legacy_profile, legacy_entity, legacy_status, run_id)
    VALUES (1, 1, 'active', 'survivor', 'ordinary', '00', 2, '2010-01-02', 'inps', '1', 'CIT', '', 'active', 1);
    INSERT INTO profile_grant (person_id, profile, entity, status, level, valid_from, evidence, run_id)
    VALUES (1, 'CIT', '', 'active', 'ordinary', '2010-01-02', 'legacy:inps:1', 1);
    INSERT INTO quarantine (source, legacy_id, copy, reason, detail, payload, run_id)
    VALUES ('inps', '2', 0, 'id_missing', '', '{}', 1);";

fn assert_takes_only(raw: &Connection, table: &str, column: &str, values: &[&str]) {
    let set = |value: &str| raw.execute(&format!("UPDATE {table} SET {column} = ?1"), [value]);
    for value in values {
        assert!(set(value).is_ok(), "{table}.{column} = {value}");
    }
    for value in ["", "Active", "unheard-of"] {
        assert!(set(value).is_err(), "{table}.{column} = {value:?}");
    }
}

#[test]
fn the_tables_take_the_words_of_the_model_and_no_others() {
    let place = Place::new();
    drop(place.open());
    let raw = place.raw();
    raw.execute_batch(ROWS).unwrap();
    let all = [
        (
            "pin",
            "status",
            PinStatus::ALL
                .iter()
                .map(|value| value.as_str())
                .collect::<Vec<_>>(),
        ),
        (
            "pin",
            "disposition",
            Disposition::ALL
                .iter()
                .map(|value| value.as_str())
                .collect(),
        ),
        (
            "pin",
            "legacy_status",
            LegacyStatus::ALL
                .iter()
                .map(|value| value.as_str())
                .collect(),
        ),
        (
            "profile_grant",
            "status",
            GrantStatus::ALL
                .iter()
                .map(|value| value.as_str())
                .collect(),
        ),
        ("quarantine", "state", vec!["open", "replayed", "closed"]),
    ];
    for (table, column, values) in all {
        assert_takes_only(&raw, table, column, &values);
    }
}

#[test]
fn a_usable_pin_without_a_credential_is_refused_by_the_table() {
    let place = Place::new();
    drop(place.open());
    let raw = place.raw();
    raw.execute_batch(ROWS).unwrap();
    for status in PinStatus::ALL {
        let outcome = raw.execute(
            "UPDATE pin SET credential = NULL, status = ?1",
            [status.as_str()],
        );
        let usable = matches!(
            status,
            PinStatus::Active | PinStatus::Suspended | PinStatus::Pending
        );
        assert_eq!(outcome.is_err(), usable, "{status}");
        raw.execute_batch("UPDATE pin SET credential = '00'")
            .unwrap();
    }
}
