//! A view as a source: the guards go on the tables it reads.

use pinferry::{
    config::settings::{LockMode, SourceLocation},
    domain::field::Field,
    source::lock::{LockError, RawFields},
};

use crate::support::{Legacy, fingerprint, run_one};

fn view(lock_tables: &[&str]) -> Legacy {
    let mut legacy = Legacy::made_by(
        "CREATE TABLE persona (p INTEGER PRIMARY KEY, codice_fiscale TEXT, cognome TEXT, nome TEXT,
           data_nascita TEXT, email TEXT, telefono TEXT, cf_tutore TEXT, hobby TEXT);
         CREATE TABLE pin (id TEXT PRIMARY KEY, p INTEGER, classe_utente, codice_ente, stato, tipo_pin,
           pin_hash, algoritmo, data_rilascio, data_scadenza, ultimo_accesso, sede, canale,
           meta_consegnate, nota);
         CREATE VIEW pin_legacy AS SELECT * FROM pin JOIN persona USING (p) WHERE stato <> 'X';
         INSERT INTO persona VALUES (1, 'CF1', 'Rossi', 'Anna', NULL, NULL, NULL, NULL, 'scacchi');
         INSERT INTO pin (id, p, stato) VALUES ('1', 1, 'A'), ('2', 1, 'S')",
    );
    legacy.source.location = SourceLocation::Sqlite {
        path: legacy.path.clone(),
        table: "pin_legacy".to_owned(),
        lock_tables: lock_tables.iter().map(|&name| name.to_owned()).collect(),
    };
    legacy
}

#[test]
fn the_tables_under_a_view_are_guarded_by_the_names_of_its_columns() {
    let legacy = view(&["pin", "persona"]);
    let locked = legacy.engage();
    locked.check_present().expect("the guards");
    legacy.assert_refused("UPDATE persona SET cognome = 'Bianchi'");
    legacy.assert_refused("UPDATE pin SET tipo_pin = 'DISP'");
    legacy.assert_refused("INSERT INTO pin (id) VALUES ('9')");
    legacy.assert_refused("INSERT INTO persona (p) VALUES (9)");
    legacy.assert_refused("DELETE FROM persona");
    legacy.assert_passes("UPDATE persona SET hobby = 'bocce'");
    legacy.assert_passes("UPDATE pin SET ultimo_accesso = '2013-11-03', nota = 'x'");
    legacy.assert_refused("UPDATE pin SET stato = 'A' WHERE id = '2'");
}

#[test]
fn tightenings_under_a_view_are_captured_as_the_view_shows_them() {
    let legacy = view(&["pin", "persona"]);
    let engaged = fingerprint(&legacy);
    let locked = legacy.engage();
    legacy.assert_passes("UPDATE pin SET stato = 'S' WHERE id = '1'");
    legacy.assert_passes("UPDATE OR IGNORE pin SET stato = 'C', nota = 'x' WHERE id IN ('1', '2')");
    let captures = locked.captures(99).expect("captures");
    let images: Vec<(Option<&str>, Option<&str>)> = captures
        .iter()
        .map(|capture| (status(&capture.before), status(&capture.after)))
        .collect();
    assert_eq!(
        images,
        [
            (Some("A"), None),
            (None, Some("S")),
            (Some("S"), None),
            (None, Some("C")),
            (Some("S"), None),
            (None, Some("C")),
        ]
    );
    let before = captures[0].before.as_ref().expect("a row before");
    assert_eq!(before.fields[Field::Surname.index()], "Rossi");
    assert_eq!(fingerprint(&legacy), engaged);
}

#[test]
fn a_tightening_that_takes_a_record_out_of_the_view_is_captured_too() {
    let legacy = view(&["pin", "persona"]);
    legacy.assert_passes(
        "DROP VIEW pin_legacy;
         CREATE VIEW pin_legacy AS SELECT * FROM pin JOIN persona USING (p) WHERE stato IN ('A', 'S')",
    );
    let engaged = fingerprint(&legacy);
    let locked = legacy.engage();
    legacy.assert_passes("UPDATE pin SET stato = 'R' WHERE id = '1'");
    let captures = locked.captures(99).expect("captures");
    assert_eq!(captures.len(), 1);
    assert_eq!(status(&captures[0].before), Some("A"));
    assert_eq!(fingerprint(&legacy), engaged);
}

#[test]
fn an_ignored_tightening_under_a_view_is_no_capture() {
    let legacy = view(&["pin", "persona"]);
    legacy.assert_passes("CREATE UNIQUE INDEX u ON pin (nota); UPDATE pin SET nota = id");
    let engaged = fingerprint(&legacy);
    let locked = legacy.engage();
    legacy.assert_passes(
        "DROP TRIGGER \"pinferry_guard:inps:pin:update_early\";
         UPDATE OR IGNORE pin SET stato = 'R', nota = '2' WHERE id = '1'",
    );
    assert_eq!(legacy.text("SELECT stato FROM pin WHERE id = '1'"), "A");
    assert!(locked.captures(99).expect("captures").is_empty());
    assert_eq!(fingerprint(&legacy), engaged);
    legacy.assert_passes("UPDATE OR IGNORE pin SET stato = 'R' WHERE id = '1'");
    assert_eq!(locked.captures(99).expect("captures").len(), 2);
    assert_eq!(fingerprint(&legacy), engaged);
}

fn status(image: &Option<RawFields>) -> Option<&str> {
    image
        .as_ref()
        .map(|row| row.fields[Field::Status.index()].as_str())
}

#[test]
fn a_view_without_its_tables_cannot_be_locked() {
    let error = view(&[]).engage_as(&run_one()).expect_err("no tables");
    assert!(error.to_string().contains("lock_tables"), "{error}");
    let error = view(&["pin_legacy"])
        .engage_as(&run_one())
        .expect_err("a view");
    assert!(error.to_string().contains("is a view"), "{error}");
    let error = view(&["nulla"])
        .engage_as(&run_one())
        .expect_err("no such table");
    assert!(error.to_string().contains("nulla"), "{error}");
}

#[test]
fn diverting_into_a_view_is_refused_in_words() {
    let mut legacy = view(&["pin"]);
    legacy.lock.mode = LockMode::Divert;
    let error = legacy.engage_as(&run_one()).expect_err("a view");
    assert!(matches!(error, LockError::NotLockable { .. }), "{error}");
}

#[test]
fn where_a_column_of_the_view_is_in_no_table_by_name_everything_is_guarded_but_what_is_allowed() {
    let legacy = view(&["pin", "persona"]);
    legacy.assert_passes(
        "DROP VIEW pin_legacy;
         CREATE VIEW pin_legacy AS SELECT *, nota AS canale_vero FROM pin JOIN persona USING (p)",
    );
    let mut legacy = legacy;
    legacy
        .source
        .columns
        .insert(Field::Channel, "canale_vero".to_owned());
    legacy.engage();
    legacy.assert_refused("UPDATE pin SET nota = 'TEL'");
    legacy.assert_refused("UPDATE persona SET hobby = 'bocce'");
    legacy.assert_passes("UPDATE pin SET ultimo_accesso = '2013-11-03'");
}
