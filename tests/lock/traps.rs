//! What SQLite does that one would not expect.

use crate::support::{Legacy, insert};

#[test]
fn an_or_replace_on_a_unique_column_that_is_not_mapped_cannot_delete_another_pin() {
    let legacy = Legacy::new();
    legacy.assert_passes("CREATE UNIQUE INDEX g ON pin_legacy (gettone)");
    legacy.engage();
    legacy.assert_refused("UPDATE OR REPLACE pin_legacy SET gettone = 'g2' WHERE id = '1'");
    legacy.assert_passes("UPDATE OR REPLACE pin_legacy SET gettone = 'g9' WHERE id = '1'");
}

#[test]
fn a_unique_index_over_part_of_the_rows_cannot_delete_another_pin() {
    let legacy = Legacy::new();
    legacy.assert_passes(
        "UPDATE pin_legacy SET gettone = 'g', stato = 'S' WHERE id IN ('1', '2');
         UPDATE pin_legacy SET stato = 'A' WHERE id = '1';
         CREATE UNIQUE INDEX g ON pin_legacy (gettone) WHERE stato = 'S'",
    );
    legacy.engage();
    // 1 becomes suspended and would push 2 out of the table.
    legacy.assert_refused("UPDATE OR REPLACE pin_legacy SET stato = 'S' WHERE id = '1'");
    legacy.assert_passes("UPDATE OR REPLACE pin_legacy SET stato = 'R' WHERE id = '1'");
    legacy.assert_refused(&insert("INSERT OR REPLACE", "9", "A"));
}

#[test]
fn a_unique_index_over_an_expression_cannot_delete_another_pin() {
    let legacy = Legacy::new();
    legacy.assert_passes("CREATE UNIQUE INDEX g ON pin_legacy (lower(gettone))");
    legacy.engage();
    legacy.assert_refused("UPDATE OR REPLACE pin_legacy SET gettone = 'G2' WHERE id = '1'");
    legacy.assert_passes("UPDATE OR REPLACE pin_legacy SET gettone = 'G9' WHERE id = '1'");
    legacy.assert_refused(&insert("INSERT OR REPLACE", "9", "A"));
}

#[test]
fn a_replace_written_into_the_table_itself_cannot_delete_another_pin() {
    let legacy = Legacy::with(
        "id TEXT PRIMARY KEY ON CONFLICT REPLACE, posto INTEGER UNIQUE ON CONFLICT REPLACE",
        ")",
    );
    legacy.assert_passes("UPDATE pin_legacy SET posto = id");
    legacy.engage();
    legacy.assert_refused("UPDATE pin_legacy SET posto = 2 WHERE id = '1'");
    legacy.assert_refused(&insert("INSERT", "1", "R"));
    legacy.assert_passes("UPDATE pin_legacy SET posto = 99 WHERE id = '1'");
}

#[test]
fn rowids_do_not_move() {
    let legacy = Legacy::new();
    legacy.engage();
    for verb in ["UPDATE", "UPDATE OR REPLACE"] {
        for alias in ["rowid", "_rowid_", "oid"] {
            legacy.assert_refused(&format!("{verb} pin_legacy SET {alias} = 2 WHERE id = '1'"));
        }
    }
    legacy.assert_refused(
        "INSERT OR REPLACE INTO pin_legacy (rowid, id, stato) VALUES (1, '9', 'A')",
    );
}

#[test]
fn columns_called_rowid_hide_nothing() {
    let legacy = Legacy::with("id TEXT, rowid TEXT, oid TEXT", ")");
    legacy.engage();
    legacy.assert_passes("UPDATE pin_legacy SET rowid = 'x', oid = 'y' WHERE id = '1'");
    legacy.assert_refused("UPDATE OR REPLACE pin_legacy SET _rowid_ = 2 WHERE id = '1'");
}

#[test]
fn pins_without_an_id_are_guarded_like_others() {
    let legacy = Legacy::with("id TEXT", ")");
    legacy.assert_passes("UPDATE pin_legacy SET id = NULL WHERE id IN ('1', '2')");
    legacy.engage();
    let statement = "UPDATE pin_legacy SET stato = 'A' WHERE id IS NULL";
    legacy.assert_refused(statement);
    legacy.assert_refused("UPDATE pin_legacy SET id = '1' WHERE id IS NULL");
    legacy.assert_refused("INSERT INTO pin_legacy (id, stato) VALUES (NULL, 'A')");
    legacy.assert_passes("UPDATE pin_legacy SET stato = 'R' WHERE id IS NULL");
    assert_eq!(legacy.captured(), 2);
}

#[test]
fn a_second_row_of_an_existing_id_is_refused_where_nothing_keeps_ids_unique() {
    let legacy = Legacy::with("id TEXT", ")");
    legacy.engage();
    legacy.assert_refused(&insert("INSERT", "1", "A"));
    legacy.assert_refused(&format!(
        "{} ON CONFLICT DO UPDATE SET stato = 'R'",
        insert("INSERT", "1", "A")
    ));
}

#[test]
fn cascades_from_other_tables_meet_the_guards() {
    let legacy = Legacy::with(
        "id TEXT PRIMARY KEY, persona INTEGER REFERENCES persona ON DELETE CASCADE ON UPDATE CASCADE",
        "); CREATE TABLE persona (p INTEGER PRIMARY KEY); INSERT INTO persona VALUES (1), (2)",
    );
    legacy.assert_passes("UPDATE pin_legacy SET persona = 1 WHERE id = '1'");
    legacy.engage();
    for recursive in ["OFF", "ON"] {
        legacy.assert_refused(&format!(
            "PRAGMA recursive_triggers = {recursive}; PRAGMA foreign_keys = ON; DELETE FROM persona WHERE p = 1"
        ));
    }
    legacy.assert_passes("PRAGMA foreign_keys = ON; UPDATE persona SET p = 7 WHERE p = 1");
}

#[test]
fn generated_columns_are_guarded_by_what_they_come_to() {
    let legacy = Legacy::made_by(
        "CREATE TABLE pin_legacy (id TEXT PRIMARY KEY, codice_fiscale, cognome, nome, data_nascita,
           classe_utente, codice_ente, grezzo TEXT, stato TEXT AS (substr(grezzo, 1, 1)) VIRTUAL,
           tipo_pin TEXT AS (CASE WHEN forte THEN 'DISP' ELSE 'ORD' END) STORED, forte INTEGER, pin_hash,
           algoritmo, data_rilascio, data_scadenza, ultimo_accesso, sede, canale, meta_consegnate,
           email, telefono, cf_tutore, nota);
         INSERT INTO pin_legacy (id, grezzo, forte) VALUES ('1', 'Attivo', 0)",
    );
    let locked = legacy.engage();
    legacy.assert_refused("UPDATE pin_legacy SET forte = 1");
    legacy.assert_refused("UPDATE pin_legacy SET grezzo = 'Pendente'");
    legacy.assert_passes("UPDATE pin_legacy SET grezzo = 'Altro'");
    assert_eq!(legacy.captured(), 0);
    legacy.assert_passes("UPDATE pin_legacy SET grezzo = 'Revocato'");
    assert_eq!(locked.captures(9).expect("captures").len(), 1);
}

#[test]
fn strict_tables_and_odd_names_are_locked_like_others() {
    let mut legacy = Legacy::made_by(
        "CREATE TABLE \"i \"\"pin\"\" d'oro\" (id INTEGER, codice_fiscale TEXT, cognome TEXT, nome TEXT,
           data_nascita TEXT, classe_utente TEXT, codice_ente TEXT, \"lo \"\"stato\"\" d'ora\" TEXT, tipo_pin TEXT,
           pin_hash TEXT, algoritmo TEXT, data_rilascio TEXT, data_scadenza TEXT, ultimo_accesso TEXT,
           sede TEXT, canale TEXT, meta_consegnate INTEGER, email TEXT, telefono TEXT, cf_tutore TEXT,
           nota TEXT, PRIMARY KEY (id)) STRICT;
         INSERT INTO \"i \"\"pin\"\" d'oro\" (id, \"lo \"\"stato\"\" d'ora\") VALUES (1, 'A');
         CREATE VIEW pin_legacy AS SELECT *, \"lo \"\"stato\"\" d'ora\" AS stato FROM \"i \"\"pin\"\" d'oro\"",
    );
    legacy.source.columns.insert(
        pinferry::domain::field::Field::Status,
        "lo \"stato\" d'ora".to_owned(),
    );
    if let pinferry::config::settings::SourceLocation::Sqlite { table, .. } =
        &mut legacy.source.location
    {
        *table = "i \"pin\" d'oro".to_owned();
    }
    let locked = legacy.engage();
    locked.check_present().expect("the guards");
    legacy.assert_refused("UPDATE \"i \"\"pin\"\" d'oro\" SET email = 'x'");
    legacy.assert_passes("UPDATE \"i \"\"pin\"\" d'oro\" SET \"lo \"\"stato\"\" d'ora\" = 'R'");
    assert_eq!(locked.captures(9).expect("captures").len(), 1);
}

#[test]
fn values_are_captured_as_they_are() {
    let legacy = Legacy::with("id INTEGER PRIMARY KEY", ", misto)");
    legacy.assert_passes(
        "UPDATE pin_legacy SET telefono = x'00ff', sede = '007', email = CAST(x'c328' AS TEXT) WHERE id = 1",
    );
    let locked = legacy.engage();
    legacy.assert_passes("UPDATE pin_legacy SET stato = 'R' WHERE id = 1");
    let captures = locked.captures(9).expect("captures");
    let after = captures[0].after.as_ref().expect("a row after");
    use pinferry::domain::field::Field;
    assert_eq!(after.fields[Field::Phone.index()], "00ff");
    assert_eq!(after.fields[Field::Office.index()], "007");
    assert_eq!(after.invalid, 1 << Field::Email.index());
}
