//! What goes on during the lock.

use pinferry::{config::settings::CredentialChange, domain::field::Field};

use crate::support::{Legacy, TABLES, insert};

#[test]
fn an_update_that_writes_every_column_as_it_is_passes_uncaptured() {
    for (_, id, tail) in TABLES {
        let legacy = Legacy::with(id, tail);
        legacy.engage();
        legacy.assert_passes(
            "UPDATE pin_legacy SET id = id, codice_fiscale = 'CF' || id, cognome = 'Rossi', nome = 'Anna',
               classe_utente = 'CIT', stato = stato, tipo_pin = 'ORD', pin_hash = 'abc', email = NULL,
               nota = 'visto', ultimo_accesso = '2013-11-03'",
        );
        assert_eq!(
            legacy.text("SELECT count(*) FROM pin_legacy WHERE nota = 'visto'"),
            "4"
        );
        assert_eq!(legacy.captured(), 0);
    }
}

#[test]
fn tightenings_pass_and_are_captured_before_and_after() {
    for (from, status, to) in [
        ("1", "A", "S"),
        ("1", "A", "R"),
        ("1", "A", "C"),
        ("2", "S", "R"),
        ("2", "S", "C"),
        ("4", "P", "S"),
        ("4", "P", "R"),
        ("4", "P", "C"),
    ] {
        for (_, id, tail) in TABLES {
            let legacy = Legacy::with(id, tail);
            let locked = legacy.engage();
            legacy.assert_passes(&format!(
                "UPDATE pin_legacy SET stato = '{to}' WHERE id = '{from}'"
            ));
            let captures = locked.captures(10).expect("captures");
            assert_eq!(captures.len(), 1);
            let before = captures[0].before.as_ref().expect("a row before");
            let after = captures[0].after.as_ref().expect("a row after");
            let at = |field: Field| field.index();
            assert_eq!(before.fields[at(Field::Status)], status);
            assert_eq!(after.fields[at(Field::Status)], to);
            assert_eq!(before.fields[at(Field::LegacyId)], from);
            assert_eq!(after.fields[at(Field::FiscalCode)], format!("CF{from}"));
            assert_eq!(after.fields[at(Field::Email)], "");
        }
    }
}

#[test]
fn a_tightening_passes_together_with_columns_that_may_change() {
    let legacy = Legacy::new();
    legacy.engage();
    legacy.assert_passes(
        "UPDATE pin_legacy SET stato = 'R', nota = 'smarrito', ultimo_accesso = '2013-11-03', nome = nome
          WHERE id = '1'",
    );
    assert_eq!(legacy.captured(), 1);
    legacy.assert_passes("UPDATE pin_legacy SET stato = 'R' WHERE id = '1'");
    assert_eq!(legacy.captured(), 1);
}

#[test]
fn an_upsert_that_revokes_an_existing_pin_is_a_tightening() {
    for (what, id, tail) in TABLES {
        if what == "no key" {
            continue;
        }
        let legacy = Legacy::with(id, tail);
        legacy.engage();
        let upsert = format!(
            "{} ON CONFLICT (id) DO UPDATE SET stato = 'R'",
            insert("INSERT", "1", "A")
        );
        legacy.assert_passes(&upsert);
        assert_eq!(
            legacy.text("SELECT stato FROM pin_legacy WHERE id = '1'"),
            "R"
        );
        assert_eq!(legacy.captured(), 1, "{what}");
    }
}

#[test]
fn a_captured_change_that_is_rolled_back_leaves_nothing() {
    let legacy = Legacy::new();
    legacy.engage();
    legacy.assert_passes("BEGIN; UPDATE pin_legacy SET stato = 'R' WHERE id = '1'; ROLLBACK;");
    assert_eq!(legacy.captured(), 0);
}

#[test]
fn a_holders_new_credential_passes_only_where_the_configuration_says_so() {
    let change = "UPDATE pin_legacy SET pin_hash = 'new', algoritmo = 'BCRYPT', data_scadenza = '2014-05-01'";
    let mut legacy = Legacy::new();
    legacy.engage();
    legacy.assert_refused(&format!("{change} WHERE id = '1'"));

    legacy = Legacy::new();
    legacy.lock.credential_change = CredentialChange::Capture;
    let locked = legacy.engage();
    legacy.assert_passes(&format!("{change} WHERE id = '1'"));
    let captures = locked.captures(10).expect("captures");
    let after = captures[0].after.as_ref().expect("a row after");
    assert_eq!(after.fields[Field::Credential.index()], "new");
    // Neither on a PIN that is not active, nor with anything else, nor a mere extension.
    let change = change.replace("new", "newer");
    legacy.assert_refused(&format!("{change} WHERE id = '2'"));
    legacy.assert_refused(&format!("{change}, email = 'x' WHERE id = '1'"));
    legacy.assert_refused(&format!("{change}, stato = 'R' WHERE id = '1'"));
    legacy.assert_refused("UPDATE pin_legacy SET data_scadenza = '2030-01-01' WHERE id = '1'");
    assert_eq!(legacy.captured(), 1);
}
