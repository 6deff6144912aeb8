//! What the lock keeps out.

use crate::support::{Legacy, TABLES, insert};

const UPSERT_NAME: &str = " ON CONFLICT DO UPDATE SET cognome = 'Bianchi'";

#[test]
fn every_kind_of_insert_of_a_new_pin_is_refused_whatever_the_key() {
    for (what, id, tail) in TABLES {
        let legacy = Legacy::with(id, tail);
        legacy.engage();
        for verb in [
            "INSERT",
            "INSERT OR IGNORE",
            "INSERT OR REPLACE",
            "INSERT OR FAIL",
            "INSERT OR ROLLBACK",
            "INSERT OR ABORT",
            "REPLACE",
        ] {
            legacy.assert_refused(&insert(verb, "9", "A"));
        }
        legacy.assert_refused(&format!("{}{UPSERT_NAME}", insert("INSERT", "9", "A")));
        legacy.assert_refused(&format!("{} RETURNING id", insert("INSERT", "9", "A")));
        legacy.assert_refused(
            "INSERT INTO pin_legacy (id, stato) SELECT 9, 'A' UNION ALL SELECT 8, 'A'",
        );
        legacy.assert_refused("INSERT OR IGNORE INTO pin_legacy (cognome) VALUES ('senza id')");
        assert!(!what.is_empty());
    }
}

#[test]
fn an_insert_over_an_existing_pin_cannot_replace_it_even_without_delete_triggers() {
    for (_, id, tail) in TABLES {
        let legacy = Legacy::with(id, tail);
        legacy.engage();
        for recursive in ["OFF", "ON"] {
            let statement = insert("INSERT OR REPLACE", "1", "A");
            legacy.assert_refused(&format!(
                "PRAGMA recursive_triggers = {recursive}; {statement}"
            ));
        }
    }
}

#[test]
fn an_ignored_insert_of_an_existing_pin_changes_nothing() {
    let legacy = Legacy::new();
    legacy.engage();
    let before = legacy.dump();
    legacy.assert_passes(&insert("INSERT OR IGNORE", "1", "R"));
    assert_eq!(before, legacy.dump());
}

#[test]
fn no_mapped_column_changes_however_the_update_is_written() {
    for (_, id, tail) in TABLES {
        let legacy = Legacy::with(id, tail);
        legacy.engage();
        for change in [
            "codice_fiscale = 'X'",
            "cognome = 'Bianchi'",
            "nome = NULL",
            "data_nascita = '1970-01-01'",
            "classe_utente = 'CAF'",
            "codice_ente = 'E1'",
            "tipo_pin = 'DISP'",
            "pin_hash = 'new'",
            "algoritmo = 'MD5'",
            "data_rilascio = '2013-01-01'",
            "data_scadenza = '2020-01-01'",
            "sede = '001'",
            "canale = 'WEB'",
            "meta_consegnate = 2",
            "email = 'a@b'",
            "telefono = '1'",
            "cf_tutore = 'X'",
            "id = 77",
        ] {
            for verb in [
                "UPDATE",
                "UPDATE OR IGNORE",
                "UPDATE OR REPLACE",
                "UPDATE OR FAIL",
            ] {
                legacy.assert_refused(&format!("{verb} pin_legacy SET {change} WHERE id = 1"));
            }
            legacy.assert_refused(&format!(
                "UPDATE pin_legacy SET {change} WHERE id = 1 RETURNING id"
            ));
            legacy.assert_refused(&format!(
                "UPDATE pin_legacy SET nota = 'x', {change}, ultimo_accesso = '2013-11-03'"
            ));
        }
    }
}

#[test]
fn letters_and_types_count_as_values_too() {
    let legacy = Legacy::made_by(
        "CREATE TABLE pin_legacy (id TEXT PRIMARY KEY, codice_fiscale, cognome TEXT COLLATE NOCASE,
           nome TEXT COLLATE RTRIM, data_nascita, classe_utente, codice_ente, stato, tipo_pin, pin_hash,
           algoritmo, data_rilascio, data_scadenza, ultimo_accesso, sede, canale, meta_consegnate,
           email, telefono, cf_tutore, nota);
         INSERT INTO pin_legacy (id, cognome, nome, sede, stato) VALUES ('1', 'Rossi', 'Anna', 1, 'A')",
    );
    legacy.engage();
    legacy.assert_refused("UPDATE pin_legacy SET cognome = 'ROSSI'");
    legacy.assert_refused("UPDATE pin_legacy SET nome = 'Anna '");
    legacy.assert_refused("UPDATE pin_legacy SET sede = 1.0");
    legacy.assert_refused("UPDATE pin_legacy SET sede = '1'");
    legacy.assert_refused("UPDATE pin_legacy SET sede = NULL");
}

#[test]
fn a_status_nobody_knows_cannot_be_tightened() {
    let legacy = Legacy::new();
    legacy.assert_passes("UPDATE pin_legacy SET stato = NULL WHERE id = '1'");
    legacy.assert_passes("UPDATE pin_legacy SET stato = 'Z' WHERE id = '2'");
    legacy.assert_passes("UPDATE pin_legacy SET stato = x'41' WHERE id = '4'");
    legacy.engage();
    legacy.assert_refused("UPDATE pin_legacy SET stato = 'R' WHERE id = '1'");
    legacy.assert_refused("UPDATE pin_legacy SET stato = 'R' WHERE id = '2'");
    legacy.assert_refused("UPDATE pin_legacy SET stato = 'R' WHERE id = '4'");
}

#[test]
fn one_forbidden_row_takes_the_whole_statement_back() {
    let legacy = Legacy::new();
    legacy.engage();
    for verb in ["UPDATE", "UPDATE OR FAIL", "UPDATE OR IGNORE"] {
        legacy.assert_refused(&format!("{verb} pin_legacy SET stato = 'S'"));
    }
    assert_eq!(legacy.captured(), 0);
}

#[test]
fn a_transaction_begun_before_the_lock_cannot_write_past_it() {
    let legacy = Legacy::new();
    legacy.assert_passes("PRAGMA journal_mode = WAL");
    let application = legacy.application();
    application
        .execute_batch("BEGIN; SELECT count(*) FROM pin_legacy;")
        .expect("a read transaction");
    legacy.engage();
    let error = application
        .execute_batch("UPDATE pin_legacy SET nome = 'X'")
        .expect_err("an old snapshot");
    assert!(error.to_string().contains("locked"), "{error}");
}

#[test]
fn a_prepared_statement_of_before_meets_the_lock() {
    for mode in ["WAL", "DELETE"] {
        let legacy = Legacy::new();
        legacy.assert_passes(&format!("PRAGMA journal_mode = {mode}"));
        let application = legacy.application();
        let mut statement = application
            .prepare("UPDATE pin_legacy SET nome = 'X' WHERE id = ?1")
            .expect("a statement");
        assert_eq!(statement.execute(["1"]).expect("still open"), 1);
        legacy.engage();
        let error = statement.execute(["2"]).expect_err("locked");
        assert!(error.to_string().contains("PIN management is locked"));
    }
}

#[test]
fn each_guard_has_a_twin_that_holds_alone() {
    for (dropped, statement) in [
        ("update_early", "UPDATE pin_legacy SET nome = 'X'"),
        ("update", "UPDATE pin_legacy SET nome = 'X'"),
        (
            "insert_early",
            "INSERT INTO pin_legacy (id, stato) VALUES ('9', 'A')",
        ),
        (
            "insert",
            "INSERT INTO pin_legacy (id, stato) VALUES ('9', 'A')",
        ),
    ] {
        let legacy = Legacy::new();
        legacy.engage();
        legacy.assert_passes(&format!(
            "DROP TRIGGER \"pinferry_guard:inps:pin_legacy:{dropped}\""
        ));
        legacy.assert_refused(statement);
    }
}
