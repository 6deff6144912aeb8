//! Foreign keys that carry a change from one table to another.

use crate::support::{COLUMNS, Legacy, TABLES, fingerprint, row};

/// The four PINs, whose profile, entity and person stand in tables of their own.
fn referring(id: &str, tail: &str) -> Legacy {
    let legacy = Legacy::with(id, tail);
    legacy.assert_passes(
        "CREATE TABLE persona (codice text PRIMARY KEY);
         CREATE TABLE classe (codice text PRIMARY KEY);
         CREATE TABLE ente (codice text PRIMARY KEY);
         CREATE TABLE ufficio (codice text PRIMARY KEY);
         CREATE TABLE scheda (numero text PRIMARY KEY);
         INSERT INTO persona SELECT 'CF' || n FROM generate_series(1, 4) n;
         INSERT INTO classe VALUES ('CIT'); INSERT INTO ente VALUES ('E1'); INSERT INTO ufficio VALUES ('0100');
         INSERT INTO scheda VALUES ('n1');
         UPDATE pin_legacy SET codice_ente = 'E1', sede = '0100', nota = 'n1' WHERE id = '1';
         ALTER TABLE pin_legacy
           ADD FOREIGN KEY (codice_fiscale) REFERENCES persona ON DELETE CASCADE ON UPDATE CASCADE,
           ADD FOREIGN KEY (classe_utente) REFERENCES classe ON UPDATE CASCADE,
           ADD FOREIGN KEY (codice_ente) REFERENCES ente ON DELETE SET NULL,
           ADD FOREIGN KEY (sede) REFERENCES ufficio ON DELETE SET DEFAULT,
           ADD FOREIGN KEY (nota) REFERENCES scheda ON DELETE SET NULL ON UPDATE CASCADE",
    );
    legacy
}

#[test]
fn cascades_from_other_tables_meet_the_guards() {
    for (what, id, tail) in [TABLES[0], TABLES[4]] {
        let legacy = referring(id, tail);
        let engaged = fingerprint(&legacy);
        legacy.engage();
        for statement in [
            "DELETE FROM persona WHERE codice = 'CF1'",
            "UPDATE persona SET codice = 'CF9' WHERE codice = 'CF1'",
            "UPDATE classe SET codice = 'CAF'",
            "DELETE FROM ente",
            "DELETE FROM ufficio",
            "TRUNCATE persona CASCADE",
            "SET CONSTRAINTS ALL DEFERRED; DELETE FROM persona",
        ] {
            legacy.assert_refused(statement);
        }
        assert_eq!(legacy.text("SELECT count(*) FROM persona"), "4", "{what}");
        // A column that is not mapped may go the way it always went.
        legacy.assert_passes("UPDATE scheda SET numero = 'n2'; DELETE FROM scheda");
        assert_eq!(legacy.captured(), 0, "{what}");
        assert_eq!(fingerprint(&legacy), engaged, "{what}");
    }
}

#[test]
fn a_revocation_that_cascades_out_of_a_table_is_captured_and_one_that_cascades_into_it_too() {
    let legacy = Legacy::made_by(&format!(
        "CREATE TABLE situazione (codice char(4) PRIMARY KEY);
         INSERT INTO situazione VALUES ('A'), ('S'), ('R'), ('P');
         CREATE TABLE pin_legacy (id text, {COLUMNS}, UNIQUE (id, stato),
           FOREIGN KEY (stato) REFERENCES situazione ON UPDATE CASCADE);
         CREATE TABLE servizio (pin text, stato char(4),
           FOREIGN KEY (pin, stato) REFERENCES pin_legacy (id, stato) ON UPDATE CASCADE ON DELETE CASCADE)"
    ));
    for (id, status) in [(1, "A"), (2, "S"), (3, "R"), (4, "P")] {
        legacy.assert_passes(&row(id, status));
    }
    legacy.assert_passes("INSERT INTO servizio SELECT id, stato FROM pin_legacy");
    let engaged = fingerprint(&legacy);
    let locked = legacy.engage();
    legacy.assert_passes("UPDATE pin_legacy SET stato = 'R' WHERE id = '1'");
    assert_eq!(
        legacy.text("SELECT stato FROM servizio WHERE pin = '1'"),
        "R"
    );
    legacy.assert_refused("DELETE FROM pin_legacy WHERE id = '1'");
    legacy.assert_refused("UPDATE situazione SET codice = 'A2' WHERE codice = 'S'");
    legacy.assert_passes("UPDATE situazione SET codice = 'C' WHERE codice = 'S'");
    assert_eq!(locked.captures(9).expect("captures").len(), 2);
    assert_eq!(fingerprint(&legacy), engaged);
}
