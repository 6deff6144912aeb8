//! What the lock keeps out.

use crate::support::{Legacy, TABLES, insert};

const UPSERT_NAME: &str = " ON CONFLICT (id) DO UPDATE SET cognome = 'Bianchi'";

#[test]
fn an_upsert_that_changes_more_than_a_tightening_is_refused() {
    for (what, id, tail) in TABLES {
        if what == "no key" {
            continue;
        }
        let legacy = Legacy::with(id, tail);
        legacy.engage();
        legacy.assert_refused(&format!("{}{UPSERT_NAME}", insert("INSERT", "1", "A")));
    }
}

#[test]
fn no_pin_can_be_deleted() {
    for (_, id, tail) in TABLES {
        let legacy = Legacy::with(id, tail);
        legacy.engage();
        legacy.assert_refused("DELETE FROM pin_legacy WHERE id = '1'");
        legacy.assert_refused("DELETE FROM pin_legacy");
        legacy.assert_refused("DELETE FROM pin_legacy WHERE id = '3' RETURNING id");
    }
}

#[test]
fn loosening_and_sideways_changes_of_status_are_refused() {
    for (from, to) in [
        ("2", "A"),
        ("3", "A"),
        ("3", "S"),
        ("3", "C"),
        ("3", "P"),
        ("1", "P"),
        ("2", "P"),
        ("4", "A"),
        ("1", "X"),
        ("1", ""),
        ("1", "a"),
    ] {
        let legacy = Legacy::new();
        legacy.engage();
        legacy.assert_refused(&format!(
            "UPDATE pin_legacy SET stato = '{to}' WHERE id = '{from}'"
        ));
        legacy.assert_refused(&format!(
            "UPDATE pin_legacy SET stato = NULL WHERE id = '{from}'"
        ));
    }
}

#[test]
fn a_tightening_with_another_mapped_change_is_refused() {
    let legacy = Legacy::new();
    legacy.engage();
    legacy.assert_refused("UPDATE pin_legacy SET stato = 'R', email = 'x' WHERE id = '1'");
    legacy.assert_refused("UPDATE pin_legacy SET stato = 'R', id = '10' WHERE id = '1'");
}
