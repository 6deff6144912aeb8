//! A view as a source: the guards go on the tables it reads.

use pinferry::{
    config::settings::{LockMode, SourceLocation},
    domain::field::Field,
    source::lock::{self, LockError, RawFields},
};

use crate::support::{Legacy, fingerprint, run_one};

fn view(lock_tables: &[&str]) -> Legacy {
    let mut legacy = Legacy::made_by(
        "CREATE TABLE persona (p integer PRIMARY KEY, codice_fiscale text, cognome text, nome text,
           data_nascita text, email text, telefono text, cf_tutore text, hobby text);
         CREATE TABLE pin (id text, p integer, classe_utente text, codice_ente text, stato text, tipo_pin text,
           pin_hash text, algoritmo text, data_rilascio text, data_scadenza text, ultimo_accesso text, sede text,
           canale text, meta_consegnate integer, nota text);
         CREATE VIEW pin_legacy AS SELECT * FROM pin JOIN persona USING (p) WHERE stato IN ('A', 'S', 'C', 'R');
         INSERT INTO persona VALUES (1, 'CF1', 'Rossi', 'Anna', NULL, NULL, NULL, NULL, 'scacchi');
         INSERT INTO pin (id, p, stato) VALUES ('1', 1, 'A'), ('2', 1, 'S'), ('3', 1, 'P')",
    );
    let SourceLocation::Postgres {
        lock_tables: tables,
        ..
    } = &mut legacy.source.location
    else {
        panic!("a PostgreSQL source");
    };
    *tables = lock_tables.iter().map(|&name| name.to_owned()).collect();
    legacy
}

fn status(image: &Option<RawFields>) -> Option<&str> {
    image
        .as_ref()
        .map(|row| row.fields[Field::Status.index()].as_str())
}

fn refused(legacy: &Legacy, statement: &str) {
    let error = legacy.run(statement).expect_err(statement);
    assert!(
        error.contains("PIN management is locked"),
        "{statement}: {error}"
    );
}

#[test]
fn the_tables_under_a_view_are_guarded_by_the_names_of_its_columns() {
    let legacy = view(&["pin", "persona"]);
    let locked = legacy.engage();
    locked.check_present().expect("the guards");
    for statement in [
        "UPDATE persona SET cognome = 'Bianchi'",
        "UPDATE pin SET tipo_pin = 'DISP'",
        "INSERT INTO pin (id) VALUES ('9')",
        "INSERT INTO persona (p) VALUES (9)",
        "DELETE FROM persona",
        "TRUNCATE pin",
        "UPDATE pin SET stato = 'A' WHERE id = '2'",
    ] {
        refused(&legacy, statement);
    }
    legacy.assert_passes("UPDATE persona SET hobby = 'bocce'");
    legacy.assert_passes("UPDATE pin SET ultimo_accesso = '2013-11-03', nota = 'x'");
    let report = lock::test(&legacy.source, &legacy.lock)
        .expect("a test")
        .expect("tries");
    assert!(report.passed(), "{:?}", report.failures());
}

#[test]
fn tightenings_under_a_view_are_captured_as_the_view_shows_them() {
    let legacy = view(&["pin", "persona"]);
    legacy.assert_passes("INSERT INTO pin (id, p, stato) VALUES ('2', 1, 'A')");
    let engaged = fingerprint(&legacy);
    let locked = legacy.engage();
    legacy.assert_passes("UPDATE pin SET stato = 'S' WHERE id = '1'");
    let captures = locked.captures(99).expect("captures");
    let images: Vec<(Option<&str>, Option<&str>)> = captures
        .iter()
        .map(|capture| (status(&capture.before), status(&capture.after)))
        .collect();
    assert_eq!(images, [(Some("A"), None), (None, Some("S"))]);
    let before = captures[0].before.as_ref().expect("a row before");
    assert_eq!(before.fields[Field::Surname.index()], "Rossi");
    assert_eq!(fingerprint(&legacy), engaged);
    // Many rows, two of one id among them, in one statement; and again in one transaction.
    legacy.assert_passes("UPDATE pin SET stato = 'R', nota = 'x' WHERE id IN ('1', '2')");
    assert_eq!(fingerprint(&legacy), engaged);
    let legacy = view(&["pin", "persona"]);
    let engaged = fingerprint(&legacy);
    legacy.engage();
    legacy.assert_passes(
        "BEGIN; UPDATE pin SET stato = 'S' WHERE id = '1'; UPDATE pin SET stato = 'C' WHERE id = '1'; COMMIT",
    );
    assert_eq!(fingerprint(&legacy), engaged);
}

#[test]
fn what_comes_into_the_view_or_goes_out_of_it_by_a_tightening_is_captured_too() {
    let legacy = view(&["pin", "persona"]);
    let engaged = fingerprint(&legacy);
    let locked = legacy.engage();
    legacy.assert_passes("UPDATE pin SET stato = 'C' WHERE id = '3'");
    let captures = locked.captures(99).expect("captures");
    assert_eq!(captures.len(), 1);
    assert_eq!(status(&captures[0].after), Some("C"));
    assert_eq!(fingerprint(&legacy), engaged);
}

#[test]
fn an_update_that_a_trigger_drops_is_no_capture() {
    let legacy = view(&["pin", "persona"]);
    legacy.assert_passes(
        "CREATE FUNCTION pigro() RETURNS trigger LANGUAGE plpgsql AS
           'BEGIN IF NEW.nota = ''mai'' THEN RETURN NULL; END IF; RETURN NEW; END';
         CREATE TRIGGER \"\u{fffd}ultimo\" BEFORE UPDATE ON pin FOR EACH ROW EXECUTE FUNCTION pigro()",
    );
    let engaged = fingerprint(&legacy);
    let locked = legacy.engage();
    legacy.assert_passes("UPDATE pin SET stato = 'R', nota = 'mai' WHERE id = '1'");
    assert!(locked.captures(99).expect("captures").is_empty());
    assert_eq!(fingerprint(&legacy), engaged);
    legacy.assert_passes("UPDATE pin SET stato = 'R' WHERE id = '1'");
    assert_eq!(locked.captures(99).expect("captures").len(), 2);
    assert_eq!(fingerprint(&legacy), engaged);
}

#[test]
fn a_view_without_its_tables_or_with_diverting_cannot_be_locked() {
    for (tables, word) in [
        (&[][..], "lock_tables"),
        (&["pin_legacy"], "is a view"),
        (&["nulla"], "nulla"),
    ] {
        let error = view(tables).engage_as(&run_one()).expect_err(word);
        assert!(error.to_string().contains(word), "{error}");
    }
    let mut legacy = view(&["pin"]);
    legacy.lock.mode = LockMode::Divert;
    let error = legacy.engage_as(&run_one()).expect_err("a view");
    assert!(matches!(error, LockError::NotLockable { .. }), "{error}");
}
