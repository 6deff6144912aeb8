//! Every way in that only a server has.

use pinferry::{
    domain::field::Field,
    postgres::{Limits, Session},
    source::lock::{self, Guards, Leftovers, LockError, LockState, Refused},
};

use crate::{
    server::parsed,
    support::{Legacy, TABLES, fingerprint, insert, run, run_one},
};

fn status(legacy: &Legacy) -> lock::LockStatus {
    lock::status(&legacy.source, &legacy.lock).expect("a status")
}

#[test]
fn every_statement_that_adds_changes_or_deletes_is_refused_whatever_the_table() {
    for legacy in Legacy::each_kind() {
        legacy.engage();
        for statement in [
            insert("INSERT", "9", "A"),
            format!("{} ON CONFLICT DO NOTHING", insert("INSERT", "9", "A")),
            format!("{} RETURNING id", insert("INSERT", "9", "A")),
            "MERGE INTO pin_legacy t USING (SELECT 1) n ON false WHEN NOT MATCHED THEN INSERT (id) VALUES ('9')".to_owned(),
            "MERGE INTO pin_legacy t USING (SELECT 1) n ON t.id = '1' WHEN MATCHED THEN DELETE".to_owned(),
            "MERGE INTO pin_legacy t USING (SELECT 1) n ON t.id = '1' WHEN MATCHED THEN UPDATE SET nome = 'X'".to_owned(),
            "DELETE FROM pin_legacy WHERE id = '1'".to_owned(),
            "DELETE FROM pin_legacy".to_owned(),
            "TRUNCATE pin_legacy".to_owned(),
            "TRUNCATE pin_legacy CASCADE".to_owned(),
            "UPDATE pin_legacy SET cognome = 'Bianchi' WHERE id = '1'".to_owned(),
            "UPDATE pin_legacy SET id = '77' WHERE id = '1'".to_owned(),
            "UPDATE pin_legacy SET data_rilascio = NULL WHERE id = '1'".to_owned(),
            "WITH d AS (DELETE FROM pin_legacy RETURNING *) SELECT count(*) FROM d".to_owned(),
            "UPDATE pin_legacy SET stato = 'A' WHERE id = '2'".to_owned(),
            "UPDATE pin_legacy SET stato = NULL WHERE id = '1'".to_owned(),
            "UPDATE pin_legacy SET stato = 'S'".to_owned(),
        ] {
            legacy.assert_refused(&statement);
            legacy.assert_refused(&format!("SET session_replication_role = replica; {statement}"));
        }
        assert_eq!(legacy.captured(), 0);
    }
}

#[test]
fn rows_do_not_come_in_by_copy() {
    for (_, id, tail) in TABLES {
        let legacy = Legacy::with(id, tail);
        legacy.engage();
        let mut session = legacy.application();
        let mut copy = session
            .copy_in("copying", "COPY pin_legacy (id, stato) FROM STDIN")
            .expect("a copy");
        copy.send(b"8\tA\n9\tA\n").expect("sent");
        let error = copy.finish().expect_err("refused");
        assert_eq!(error.sqlstate(), Some("PF001"), "{error}");
        assert!(
            error.to_string().contains("PIN management is locked"),
            "{error}"
        );
    }
}

#[test]
fn partitions_and_children_are_no_way_round() {
    let legacy = Legacy::with("id text PRIMARY KEY", ") PARTITION BY HASH (id)");
    legacy.engage();
    for partition in ["pin_0", "pin_1"] {
        legacy.assert_refused(&format!("DELETE FROM {partition}"));
        legacy.assert_refused(&format!("TRUNCATE {partition}"));
        legacy.assert_refused(&format!("UPDATE {partition} SET nome = 'X'"));
    }
    legacy.assert_refused("SET session_replication_role = replica; TRUNCATE pin_0");

    let legacy = Legacy::new();
    legacy.assert_passes(
        "CREATE TABLE pin_estero (paese text) INHERITS (pin_legacy);
         CREATE TABLE pin_lontano () INHERITS (pin_estero);
         INSERT INTO pin_lontano (id, stato) VALUES ('7', 'A')",
    );
    let engaged = fingerprint(&legacy);
    let locked = legacy.engage();
    for child in ["pin_estero", "pin_lontano"] {
        legacy.assert_refused(&format!("INSERT INTO {child} (id) VALUES ('8')"));
        legacy.assert_refused(&format!("TRUNCATE {child}"));
        legacy.assert_refused(&format!(
            "DELETE FROM {child} WHERE true; DELETE FROM pin_legacy"
        ));
    }
    legacy.assert_refused("UPDATE pin_lontano SET nome = 'X'");
    legacy.assert_passes("UPDATE pin_lontano SET paese = 'CH'");
    legacy.assert_passes("UPDATE pin_lontano SET stato = 'R'");
    assert_eq!(locked.captures(9).expect("captures").len(), 1);
    assert_eq!(fingerprint(&legacy), engaged);
}

#[test]
fn what_became_part_of_the_table_during_the_lock_is_noticed() {
    let partitioned = || Legacy::with("id text PRIMARY KEY", ") PARTITION BY RANGE (id)");
    for (change, word) in [
        (
            "CREATE TABLE pin_3 PARTITION OF pin_legacy FOR VALUES FROM ('x') TO ('z')",
            "pin_3\\\" became part",
        ),
        (
            "ALTER TABLE pin_legacy DETACH PARTITION pin_1",
            "is no more",
        ),
    ] {
        let legacy = partitioned();
        let locked = legacy.engage();
        legacy.assert_passes(change);
        let error = locked.check_present().expect_err(change).to_string();
        assert!(error.contains(&word.replace('\\', "")), "{error}");
        assert!(matches!(status(&legacy).guards, Guards::Damaged(_)));
        if change.contains("pin_3") {
            legacy.assert_refused("INSERT INTO pin_3 (id, stato) VALUES ('y', 'A')");
        }
    }
    let legacy = Legacy::new();
    let locked = legacy.engage();
    legacy.assert_passes("CREATE TABLE pin_estero () INHERITS (pin_legacy)");
    let error = locked.check_present().expect_err("a child").to_string();
    assert!(error.contains("became part"), "{error}");
}

#[test]
fn a_trigger_of_the_application_that_comes_after_ours_smuggles_nothing() {
    let legacy = Legacy::new();
    legacy.assert_passes(
        "CREATE FUNCTION furbo() RETURNS trigger LANGUAGE plpgsql AS
           'BEGIN IF NEW.nota = ''promuovi'' THEN NEW.tipo_pin := ''DISP''; END IF;
                  IF NEW.nota = ''revoca'' THEN NEW.stato := ''R''; END IF; RETURN NEW; END';
         CREATE TRIGGER \"\u{fffd}ultimo\" BEFORE UPDATE ON pin_legacy FOR EACH ROW EXECUTE FUNCTION furbo()",
    );
    legacy.engage();
    legacy.assert_refused("UPDATE pin_legacy SET nota = 'promuovi' WHERE id = '1'");
    legacy.assert_refused("UPDATE pin_legacy SET stato = 'S', nota = 'promuovi' WHERE id = '1'");
    legacy.assert_passes("UPDATE pin_legacy SET nota = 'revoca' WHERE id = '1'");
    assert_eq!(legacy.captured(), 1);
    assert_eq!(
        legacy.text("SELECT stato FROM pin_legacy WHERE id = '1'"),
        "R"
    );
}

#[test]
fn missing_disabled_altered_and_foreign_guards_are_found() {
    const GUARD: &str = "\"~pinferry_guard:inps:rows\" ON pin_legacy";
    let disable = "ALTER TABLE pin_legacy DISABLE TRIGGER \"~pinferry_guard:inps:rows\"".to_owned();
    for (damage, word) in [
        (format!("DROP TRIGGER {GUARD}"), "is missing"),
        (disable.clone(), "was altered"),
        (disable.replace("DISABLE", "ENABLE"), "was altered"),
        (
            "CREATE OR REPLACE FUNCTION pinferry_lock.\"inps:guard0\"() RETURNS trigger LANGUAGE plpgsql AS
               'BEGIN RETURN NULL; END'"
                .to_owned(),
            "was altered",
        ),
        (
            "CREATE TRIGGER zitto BEFORE INSERT ON pin_legacy FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()".to_owned(),
            "own triggers",
        ),
        (
            "CREATE RULE zitto AS ON INSERT TO pin_legacy DO INSTEAD NOTHING".to_owned(),
            "own triggers",
        ),
        ("ALTER TABLE pin_legacy RENAME TO pin_vecchi".to_owned(), "no table"),
    ] {
        let legacy = Legacy::new();
        let locked = legacy.engage();
        legacy.assert_passes(&damage);
        let error = locked.check_present().expect_err(&damage).to_string();
        assert!(error.contains(word), "{damage}: {error}");
        let Guards::Damaged(what) = status(&legacy).guards else {
            panic!("{damage}");
        };
        assert!(what.join(", ").contains(word), "{what:?}");
        // The owner itself does not paper over it.
        assert!(legacy.engage_as(&run_one()).is_err(), "{damage}");
    }
}

#[test]
fn adding_a_column_that_is_not_mapped_damages_nothing() {
    let legacy = Legacy::new();
    let locked = legacy.engage();
    legacy.assert_passes(
        "ALTER TABLE pin_legacy ADD COLUMN altro text; CREATE INDEX i ON pin_legacy (nota)",
    );
    locked.check_present().expect("the guards");
}

#[test]
fn guards_without_a_control_row_are_nobodys_and_can_be_broken() {
    let legacy = Legacy::new();
    let locked = legacy.engage();
    legacy.assert_passes("DELETE FROM pinferry_lock.control");
    assert!(matches!(
        locked.check_present(),
        Err(LockError::NotHeld { .. })
    ));
    assert!(matches!(
        legacy.engage_as(&run_one()),
        Err(LockError::Damaged { .. })
    ));
    assert_eq!(status(&legacy).state, LockState::Engaged);
    lock::break_open(&legacy.source, &legacy.lock, "anna", "resti").expect("broken");
    assert_eq!(status(&legacy).state, LockState::Open);
    legacy.assert_passes("UPDATE pin_legacy SET nome = 'X'");
}

#[test]
fn refusals_are_counted_though_they_undo_everything_else() {
    let legacy = Legacy::new();
    legacy.engage();
    assert_eq!(status(&legacy).refused, Refused::Counted(0));
    legacy.assert_refused("DELETE FROM pin_legacy");
    legacy.assert_refused("UPDATE pin_legacy SET nome = 'X'");
    assert_eq!(status(&legacy).refused, Refused::Counted(2));
    assert!(status(&legacy).line().contains("2 writes refused"));
    lock::test(&legacy.source, &legacy.lock).expect("a test");
    assert_eq!(status(&legacy).refused, Refused::Counted(2));
}

#[test]
fn values_are_captured_as_the_source_is_read() {
    let mut legacy = Legacy::new();
    legacy.assert_passes(
        "CREATE TYPE classe AS ENUM ('CIT', 'CAF');
         CREATE DOMAIN codice AS varchar(16) CHECK (VALUE <> '');
         ALTER TABLE pin_legacy ALTER classe_utente TYPE classe USING 'CIT', ALTER codice_fiscale TYPE codice,
           ALTER pin_hash TYPE bytea USING '\\x00ff', ALTER sede TYPE numeric(8, 3) USING 12.5,
           ALTER data_scadenza TYPE timestamptz USING '2013-06-30 22:30:00+00', ALTER telefono TYPE json USING '{\"a\": 1}';
         UPDATE pin_legacy SET ultimo_accesso = 'infinity', data_nascita = '1970-01-01'",
    );
    legacy
        .source
        .columns
        .insert(Field::Phone, "telefono".to_owned());
    let engaged = fingerprint(&legacy);
    let locked = legacy.engage();
    legacy.assert_passes(
        "SET timezone = 'America/New_York'; SET datestyle = 'SQL, DMY'; SET extra_float_digits = -5;
         UPDATE pin_legacy SET stato = 'R' WHERE id = '1'",
    );
    assert_eq!(fingerprint(&legacy), engaged);
    let captures = locked.captures(9).expect("captures");
    let before = captures[0].before.as_ref().expect("a row before");
    for (field, text) in [
        (Field::Status, "A"),
        (Field::Credential, "00ff"),
        (Field::Office, "12.500"),
        (Field::ExpiresOn, "2013-07-01T00:30:00"),
        (Field::Profile, "CIT"),
        (Field::LastUsedOn, ""),
        (Field::Phone, "{\"a\": 1}"),
    ] {
        assert_eq!(before.fields[field.index()], text, "{field:?}");
    }
    // What is equal to a collation or an operator is another value all the same.
    legacy.assert_refused("UPDATE pin_legacy SET sede = 12.50001::numeric(8, 3) + 0.001");
    legacy.assert_refused("UPDATE pin_legacy SET telefono = '{\"a\":1}'");
}

#[test]
fn an_application_role_can_neither_see_nor_use_what_the_lock_keeps() {
    let legacy = Legacy::new();
    let role = format!("app_{}", legacy.database.name);
    legacy.assert_passes(&format!(
        "CREATE ROLE {role} LOGIN; GRANT ALL ON pin_legacy TO {role}; GRANT CREATE, USAGE ON SCHEMA public TO {role}"
    ));
    let locked = legacy.engage();
    let settings = parsed(&legacy.database.server().url(&role, &legacy.database.name));
    let mut session = Session::connect(&settings, "app", &Limits::READING).expect("a session");
    for statement in [
        "SELECT * FROM pinferry_lock.control",
        "SELECT * FROM pinferry_lock.capture_inps",
        "INSERT INTO pinferry_lock.capture_inps (image) VALUES ('both')",
        "SELECT nextval('pinferry_lock.refused_inps')",
        "ALTER TABLE pin_legacy DISABLE TRIGGER ALL",
        "CREATE TABLE mia (id text); CREATE TRIGGER t AFTER INSERT ON mia FOR EACH ROW EXECUTE FUNCTION pinferry_lock.\"inps:guard0\"()",
    ] {
        let error = run(&mut session, statement).expect_err(statement);
        assert!(
            error.contains("permission denied") || error.contains("must be owner"),
            "{error}"
        );
    }
    let refused = run(&mut session, "DELETE FROM pin_legacy").expect_err("locked");
    assert!(refused.contains("PIN management is locked"), "{refused}");
    run(&mut session, "UPDATE pin_legacy SET ultimo_accesso = now()").expect("a login");
    run(
        &mut session,
        "UPDATE pin_legacy SET stato = 'R' WHERE id = '1'",
    )
    .expect("a revocation");
    assert_eq!(legacy.captured(), 1);
    locked
        .release(Leftovers::HandBack(&|_| Ok(())))
        .expect("released");
    drop(session);
    legacy.assert_passes(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
}

#[test]
fn a_role_that_owns_nothing_is_told_which_right_is_wanting() {
    let mut legacy = Legacy::new();
    let role = format!("runner_{}", legacy.database.name);
    let owner = format!("owner_{}", legacy.database.name);
    legacy.assert_passes(&format!(
        "CREATE ROLE {role} LOGIN; CREATE ROLE {owner}; GRANT SELECT ON pin_legacy TO {role};
         ALTER TABLE pin_legacy OWNER TO {owner}"
    ));
    let url = legacy.database.server().url(&role, &legacy.database.name);
    let pinferry::config::settings::SourceLocation::Postgres { database, .. } =
        &mut legacy.source.location
    else {
        panic!("a PostgreSQL source");
    };
    *database = parsed(&url);
    let grant = format!("GRANT \"{owner}\" TO \"{role}\"");
    for error in [
        legacy
            .engage_as(&run_one())
            .map(drop)
            .expect_err("no owner"),
        lock::foresee(&legacy.source, &legacy.lock)
            .map(drop)
            .expect_err("no owner"),
    ] {
        assert!(error.hint().expect("a hint").contains(&grant), "{error:?}");
    }
    legacy.assert_passes(&grant);
    let error = legacy.engage_as(&run_one()).expect_err("no schema");
    let schema = format!("CREATE SCHEMA pinferry_lock AUTHORIZATION \"{role}\"");
    assert!(error.hint().expect("a hint").contains(&schema), "{error:?}");
    legacy.assert_passes(&schema);
    let locked = legacy.engage();
    legacy.assert_refused("DELETE FROM pin_legacy");
    locked.release(Leftovers::Refuse).expect("released");
    assert_eq!(
        legacy.text("SELECT count(*) FROM pg_namespace WHERE nspname = 'pinferry_lock'"),
        "1"
    );
    legacy.assert_passes(&format!(
        "DROP OWNED BY {role} CASCADE; DROP ROLE {role}; ALTER TABLE pin_legacy OWNER TO postgres; DROP ROLE {owner}"
    ));
}

#[test]
fn a_sealed_legacy_takes_no_write_of_any_kind_and_points_to_the_new_system() {
    for legacy in Legacy::each_kind() {
        let mut locked = legacy.engage();
        assert!(locked.seal().expect("sealed").is_empty());
        locked.check_present().expect("the guards");
        for statement in [
            insert("INSERT", "9", "A"),
            format!("{} ON CONFLICT DO NOTHING", insert("INSERT", "1", "A")),
            "UPDATE pin_legacy SET nota = 'x'".to_owned(),
            "UPDATE pin_legacy SET stato = 'R' WHERE id = '1'".to_owned(),
            "DELETE FROM pin_legacy".to_owned(),
            "TRUNCATE pin_legacy".to_owned(),
        ] {
            for role in ["", "SET session_replication_role = replica; "] {
                let before = legacy.dump();
                let error = legacy
                    .run(&format!("{role}{statement}"))
                    .expect_err(&statement);
                assert!(error.contains("sqlite://out/multiprofile.db"), "{error}");
                assert_eq!(before, legacy.dump());
            }
        }
    }
}

#[test]
fn damaged_guards_do_not_keep_a_legacy_from_being_sealed_and_are_reported() {
    let legacy = Legacy::new();
    let mut locked = legacy.engage();
    legacy.assert_passes("DROP TRIGGER \"~pinferry_guard:inps:rows\" ON pin_legacy");
    let damage = locked.seal().expect("sealed");
    assert!(damage[0].contains("rows\" is missing"), "{damage:?}");
    assert!(legacy.run("DELETE FROM pin_legacy").is_err());
    locked.check_present().expect("the seal");
}
