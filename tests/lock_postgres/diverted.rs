//! New PINs that are queued instead of refused, in the ways a server has.

use pinferry::{
    config::settings::LockMode,
    domain::field::Field,
    source::lock::{Leftovers, LockError},
};

use crate::support::{COLUMNS, Legacy, TABLES, fingerprint, insert, row, run, run_one};

#[test]
fn every_kind_of_new_pin_is_caught_without_an_error() {
    for (what, id, tail) in TABLES {
        let mut legacy = Legacy::with(id, tail);
        legacy.lock.mode = LockMode::Divert;
        let engaged = fingerprint(&legacy);
        let locked = legacy.engage();
        legacy.assert_passes(&insert("INSERT", "9", "P"));
        legacy.assert_passes(&format!(
            "{} ON CONFLICT DO NOTHING",
            insert("INSERT", "8", "P")
        ));
        legacy.assert_passes("INSERT INTO pin_legacy (id, stato) VALUES ('10', 'A'), ('11', 'A')");
        legacy.assert_passes(
            "MERGE INTO pin_legacy t USING (SELECT 1) n ON false WHEN NOT MATCHED THEN INSERT (id, stato) VALUES (12, 'A')",
        );
        let mut session = legacy.application();
        let mut copy = session
            .copy_in("copying", "COPY pin_legacy (id, stato) FROM STDIN")
            .expect("a copy");
        copy.send(b"13\tA\n14\tA\n").expect("sent");
        assert_eq!(copy.finish().expect("copied"), 0);
        assert_eq!(
            legacy.text("SELECT count(*) FROM pin_legacy"),
            "4",
            "{what}"
        );
        assert_eq!(legacy.waiting(), "7", "{what}");
        assert_eq!(fingerprint(&legacy), engaged);
        let diverted = locked.diverted(1).expect("diverted");
        assert_eq!(diverted[0].row.fields[Field::LegacyId.index()], "9");
        assert_eq!(diverted[0].row.fields[Field::Status.index()], "P");
        locked
            .mark_diverted_processed(&[diverted[0].seq])
            .expect("marked");
        assert!(locked.mark_diverted_processed(&[4711]).is_err());
        let released = locked
            .release(Leftovers::HandBack(&|_| Ok(())))
            .expect("released");
        assert_eq!(released.handed_back, 6, "{what}");
        assert_eq!(
            legacy.text("SELECT count(*) FROM pin_legacy"),
            "10",
            "{what}"
        );
    }
}

#[test]
fn a_new_pin_is_caught_without_a_look_at_the_whole_table() {
    let legacy = Legacy::diverting();
    legacy.assert_passes(
        "INSERT INTO pin_legacy (id, stato) SELECT n, 'A' FROM generate_series(1000, 20000) n; ANALYZE pin_legacy",
    );
    legacy.engage();
    legacy.assert_passes(&insert("INSERT", "9", "A"));
    assert_no_scan(&legacy, &insert("INSERT", "8", "A"));
    assert_eq!(legacy.waiting(), "2");
}

fn assert_no_scan(legacy: &Legacy, statements: &str) {
    legacy.assert_passes(&format!(
        "DO $$DECLARE scans bigint; BEGIN {statements}; SELECT seq_scan INTO scans FROM pg_stat_xact_user_tables
            WHERE relname = 'pin_legacy';
            IF scans > 0 THEN RAISE 'the table was read'; END IF; END$$"
    ));
}

#[test]
fn an_upsert_is_a_new_pin_or_a_tightening_never_one_for_the_other() {
    let legacy = Legacy::diverting();
    legacy.engage();
    let revoke = " ON CONFLICT (id) DO UPDATE SET stato = 'R'";
    legacy.assert_passes(&format!("{}{revoke}", insert("INSERT", "1", "R")));
    assert_eq!(legacy.waiting(), "0");
    assert_eq!(legacy.captured(), 1);
    legacy.assert_passes(&format!("{}{revoke}", insert("INSERT", "9", "A")));
    assert_eq!(legacy.waiting(), "1");
    legacy.assert_refused(&format!(
        "{} ON CONFLICT (id) DO UPDATE SET stato = 'A'",
        insert("INSERT", "2", "A")
    ));
}

#[test]
fn a_revocation_by_another_unique_key_is_not_mistaken_for_a_new_pin() {
    for (index, target) in [
        ("(gettone)", "(gettone)"),
        ("(gettone COLLATE \"C\")", "(gettone COLLATE \"C\")"),
        (
            "(gettone) WHERE stato IN ('A', 'S')",
            "(gettone) WHERE stato IN ('A', 'S')",
        ),
    ] {
        let legacy = Legacy::diverting();
        legacy.assert_passes(&format!("CREATE UNIQUE INDEX g ON pin_legacy {index}"));
        legacy.engage();
        legacy.assert_passes(&format!(
            "INSERT INTO pin_legacy (id, gettone, stato) VALUES ('new', 'g1', 'A')
               ON CONFLICT {target} DO UPDATE SET stato = 'R'"
        ));
        assert_eq!(legacy.waiting(), "0", "{index}");
        assert_eq!(legacy.captured(), 1, "{index}");
    }
}

#[test]
fn a_revocation_by_a_key_that_may_be_empty_is_not_mistaken_for_a_new_pin() {
    for index in ["(tipo_pin, sede)", "(sede, tipo_pin)"] {
        let legacy = Legacy::diverting();
        legacy.assert_passes(&format!(
            "UPDATE pin_legacy SET tipo_pin = id;
             UPDATE pin_legacy SET sede = 'Roma' WHERE id = '2';
             CREATE UNIQUE INDEX g ON pin_legacy {index} NULLS NOT DISTINCT;
             INSERT INTO pin_legacy (id, tipo_pin, stato) SELECT n, n, 'A' FROM generate_series(1000, 20000) n;
             ANALYZE pin_legacy"
        ));
        legacy.engage();
        let upsert = |id: &str, key: &str| {
            format!(
                "INSERT INTO pin_legacy (id, tipo_pin, sede, stato) VALUES ('{id}', {key}, 'A')
                   ON CONFLICT (tipo_pin, sede) DO UPDATE SET stato = 'R'"
            )
        };
        legacy.assert_passes(&upsert("n1", "'1', NULL"));
        legacy.assert_passes(&upsert("n2", "'2', 'Roma'"));
        assert_eq!(legacy.waiting(), "0", "{index}");
        assert_eq!(legacy.captured(), 2, "{index}");
        // A plan that fits every value is made after some.
        let many = (10..20).map(|n| upsert(&format!("n{n}"), &format!("'{n}', NULL")));
        assert_no_scan(&legacy, &many.collect::<Vec<_>>().join("; "));
        legacy.assert_passes(&upsert("n3", "'3', 'Roma'"));
        assert_eq!(legacy.waiting(), "11", "{index}");
    }
}

#[test]
fn in_a_transaction_that_does_not_see_what_others_wrote_nothing_is_taken_for_a_new_pin() {
    for isolation in ["REPEATABLE READ", "SERIALIZABLE"] {
        let begin = format!("BEGIN ISOLATION LEVEL {isolation}");
        let revoke = format!(
            "{} ON CONFLICT (id) DO UPDATE SET stato = 'R'",
            insert("INSERT", "9", "A")
        );
        let legacy = Legacy::diverting();
        let mut early = legacy.application();
        run(&mut early, &format!("{begin}; SELECT 1 FROM pin_legacy")).expect("begun");
        legacy.assert_passes(&insert("INSERT", "9", "A"));
        legacy.engage();
        let error = run(&mut early, &revoke).expect_err("a row it does not see");
        assert!(error.contains("could not serialize"), "{error}");
        run(&mut early, &format!("ROLLBACK; {begin}; {revoke}; COMMIT")).expect("seen");
        assert_eq!(legacy.waiting(), "0", "{isolation}");
        assert_eq!(legacy.captured(), 1, "{isolation}");
        legacy.assert_refused(&format!("{begin}; {}", insert("INSERT", "8", "A")));
        legacy.assert_passes(&insert("INSERT", "8", "A"));
        assert_eq!(legacy.waiting(), "1", "{isolation}");
    }
}

#[test]
fn a_revocation_by_a_key_of_one_partition_is_not_mistaken_for_a_new_pin() {
    let legacy = with_keys_of_partitions();
    legacy.engage();
    let upsert = |table: &str, key: &str, id: &str, token: &str| {
        format!(
            "INSERT INTO {table} (id, classe_utente, gettone, stato) VALUES ('{id}', 'CIT', '{token}', 'A')
               ON CONFLICT ({key}) DO UPDATE SET stato = 'R'"
        )
    };
    legacy.assert_passes(&upsert("pin_1", "gettone", "1n", "g1"));
    legacy.assert_passes(&upsert("pin_2", "classe_utente, gettone", "2n", "g2"));
    assert_eq!(legacy.waiting(), "0");
    assert_eq!(legacy.captured(), 2);
    legacy.assert_passes(&upsert("pin_1", "gettone", "1n", "g2"));
    legacy.assert_passes(&upsert("pin_2", "classe_utente, gettone", "2n", "g1"));
    legacy.assert_passes(&insert("INSERT", "9", "A").replace("g9", "g1"));
    assert_eq!(legacy.waiting(), "3");
    assert_eq!(legacy.captured(), 2);
}

#[test]
fn the_test_tries_a_row_that_no_key_of_one_partition_forbids() {
    let legacy = with_keys_of_partitions();
    legacy.assert_passes(
        "CREATE UNIQUE INDEX ON pin_0 (codice_fiscale);
         DELETE FROM pin_legacy WHERE id IN ('1', '2')",
    );
    legacy.engage();
    legacy.assert_passes(&insert("INSERT", "9", "A"));
    assert_eq!(legacy.waiting(), "1");
}

#[test]
fn diverting_is_not_engaged_where_a_key_of_one_partition_cannot_be_foreseen() {
    let legacy = with_keys_of_partitions();
    legacy.assert_passes("CREATE UNIQUE INDEX h ON pin_1 (lower(nota))");
    let error = legacy.engage_as(&run_one()).expect_err("no foreseeing");
    assert!(matches!(error, LockError::TestFailed { .. }), "{error}");
}

/// Partitions with unique indexes of their own, one of them partitioned again, one with its columns elsewhere.
fn with_keys_of_partitions() -> Legacy {
    let mut legacy = Legacy::made_by(&format!(
        "CREATE TABLE pin_legacy (id text NOT NULL, {COLUMNS}) PARTITION BY RANGE (id);
         CREATE TABLE pin_0 PARTITION OF pin_legacy DEFAULT;
         CREATE TABLE pin_1 (vecchia text, LIKE pin_legacy);
         ALTER TABLE pin_1 DROP COLUMN vecchia;
         ALTER TABLE pin_legacy ATTACH PARTITION pin_1 FOR VALUES FROM ('1') TO ('2');
         CREATE UNIQUE INDEX ON pin_1 (gettone);
         CREATE TABLE pin_2 (LIKE pin_legacy) PARTITION BY LIST (classe_utente);
         CREATE TABLE pin_2_0 PARTITION OF pin_2 DEFAULT;
         ALTER TABLE pin_legacy ATTACH PARTITION pin_2 FOR VALUES FROM ('2') TO ('3');
         CREATE UNIQUE INDEX ON pin_2 (classe_utente, gettone)"
    ));
    for (id, status) in [(1, "A"), (2, "S"), (3, "R"), (4, "P")] {
        legacy.assert_passes(&row(id, status));
    }
    legacy.lock.mode = LockMode::Divert;
    legacy
}

#[test]
fn the_same_new_pin_a_second_time_is_refused() {
    let legacy = Legacy::diverting();
    legacy.engage();
    legacy.assert_passes(&insert("INSERT", "9", "A"));
    legacy.assert_refused(&insert("INSERT", "9", "A"));
    legacy.assert_refused("INSERT INTO pin_legacy (id) VALUES ('8'), ('8')");
    assert_eq!(legacy.waiting(), "1");
}

#[test]
fn a_diverted_pin_the_legacy_would_not_take_is_kept_and_reported() {
    let legacy = Legacy::diverting();
    legacy.assert_passes("ALTER TABLE pin_legacy ADD CHECK (cognome <> 'Nessuno')");
    let locked = legacy.engage();
    legacy
        .assert_passes("INSERT INTO pin_legacy (id, cognome, stato) VALUES ('8', 'Nessuno', 'A')");
    legacy.assert_passes(&insert("INSERT", "9", "A"));
    let released = locked
        .release(Leftovers::HandBack(&|_| Ok(())))
        .expect("released");
    assert_eq!(released.handed_back, 1);
    assert_eq!(released.not_handed_back.len(), 1);
    assert!(!released.not_handed_back[0].why.contains("Nessuno"));
    let kept = released.kept_in.expect("a table");
    let query = format!("SELECT count(*) FROM {kept} WHERE processed_at IS NULL");
    assert_eq!(legacy.text(&query), "1");
    legacy.engage();
}

#[test]
fn an_incomplete_new_pin_gets_the_tables_own_error() {
    let legacy = Legacy::diverting();
    legacy.engage();
    let error = legacy
        .run("INSERT INTO pin_legacy (id, stato) VALUES (NULL, 'A')")
        .expect_err("incomplete");
    assert!(error.contains("not-null"), "{error}");
    assert_eq!(legacy.waiting(), "0");
}

#[test]
fn diverting_is_not_engaged_where_the_test_finds_it_would_not_work() {
    for obstacle in [
        "CREATE UNIQUE INDEX g ON pin_legacy (lower(gettone))",
        "CREATE FUNCTION zitto() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
         CREATE TRIGGER zitto BEFORE INSERT ON pin_legacy FOR EACH ROW EXECUTE FUNCTION zitto()",
    ] {
        let legacy = Legacy::diverting();
        legacy.assert_passes(obstacle);
        let before = legacy.dump();
        let error = legacy.engage_as(&run_one()).expect_err("no foreseeing");
        assert!(matches!(error, LockError::TestFailed { .. }), "{error}");
        assert_eq!(before, legacy.dump());
    }
}
