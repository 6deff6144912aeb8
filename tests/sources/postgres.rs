//! PostgreSQL sources.

use std::{
    collections::BTreeSet,
    ops::ControlFlow,
    time::{Duration, Instant},
};

use pinferry::{
    domain::{
        field::Field,
        raw_record::{Shape, SourceIndex},
    },
    exit::Exit,
    source,
};

use crate::{
    extract::{Extract, HEADER, file, row},
    server::{Database, Server, parsed},
};

/// A table of the default layout, all text.
pub(crate) fn layout(table: &str) -> String {
    format!(
        "CREATE TABLE {table} ({} text);",
        HEADER.replace(';', " text, ")
    )
}

/// The values of a CSV row, all of them text.
pub(crate) fn values(row: &str) -> String {
    let cells: Vec<String> = row.split(';').map(|cell| format!("'{cell}'")).collect();
    cells.join(", ")
}

/// The table `pin_legacy` with these rows of SQL values.
fn legacy(database: &Database, rows: &[&str]) -> Extract {
    let mut statements = layout("pin_legacy");
    for row in rows {
        statements.push_str(&format!("INSERT INTO pin_legacy VALUES ({row});"));
    }
    database.batch(&statements);
    Extract::postgres(database.settings(), "pin_legacy")
}

#[test]
fn a_table_and_a_file_of_the_same_records_are_the_same_source() {
    let database = Database::new();
    let nulls = values(&row("2", "Verdi")).replace("''", "NULL");
    let extract = legacy(&database, &[&values(&row("1", "Rossi")), &nulls]);
    let csv = Extract::of(file(&[row("1", "Rossi"), row("2", "Verdi")]));
    assert_eq!(extract.read(), csv.read());
    assert_eq!(extract.fingerprint(), csv.fingerprint());
    assert_eq!(extract.warnings(), [] as [&str; 0]);
}

#[test]
fn values_of_every_type_become_text() {
    let cases = [
        ("text", "NULL", ""),
        ("text", "''", ""),
        ("text", "'NULL'", "NULL"),
        ("text", "'è'", "è"),
        ("text", "' x '", " x "),
        ("char(6)", "'ab  '", "ab"),
        ("char(6)", "''", ""),
        ("varchar(6)", "'ab  '", "ab  "),
        ("name", "'ab'", "ab"),
        ("\"char\"", "'A'", "A"),
        ("smallint", "-32768", "-32768"),
        ("integer", "2147483647", "2147483647"),
        ("bigint", "-9223372036854775808", "-9223372036854775808"),
        ("numeric", "3331234567.50", "3331234567.50"),
        ("real", "0.1", "0.1"),
        ("double precision", "1.0", "1"),
        ("double precision", "1e-7", "1e-7"),
        ("boolean", "true", "true"),
        ("boolean", "false", "false"),
        (
            "uuid",
            "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'",
            "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
        ),
        ("bytea", "'\\x00FFab'", "00ffab"),
        ("bytea", "''", ""),
        ("inet", "'10.0.0.1'", "10.0.0.1/32"),
        ("jsonb", "'{\"a\":1}'", "{\"a\": 1}"),
        ("text[]", "'{a,NULL}'", "{a,NULL}"),
        ("interval", "'90 minutes'", "01:30:00"),
        ("mood", "'lieto'", "lieto"),
        ("code", "'AB'", "AB"),
        ("codes", "'AB'", "AB"),
        ("day", "'2013-05-06'", "2013-05-06"),
    ];
    let database = Database::new();
    let mut statements = "CREATE TYPE mood AS ENUM ('lieto');
         CREATE DOMAIN code AS char(4); CREATE DOMAIN codes AS code; CREATE DOMAIN day AS date;"
        .to_owned();
    for (at, (kind, value, _)) in cases.iter().enumerate() {
        let table = layout(&format!("t{at}")).replace("cognome text", &format!("cognome {kind}"));
        let row = values(&row("1", "?")).replace("'?'", value);
        statements.push_str(&format!("{table} INSERT INTO t{at} VALUES ({row});"));
    }
    database.batch(&statements);
    for (at, (kind, value, text)) in cases.iter().enumerate() {
        let seen = &Extract::postgres(database.settings(), &format!("t{at}")).read()[0];
        assert_eq!(seen.get(Field::Surname), *text, "{kind} {value}");
        assert_eq!(seen.get(Field::GivenName), "Mario");
        assert_eq!((seen.invalid, seen.shape), (0, Shape::Row));
    }
}

#[test]
fn dates_and_timestamps_of_every_age_become_text_as_the_server_prints_it() {
    let database = Database::new();
    let dates = [
        "0001-01-01",
        "0001-12-31 BC",
        "0044-03-15 BC",
        "4713-01-01 BC",
        "1582-10-15",
        "1600-02-29",
        "1899-12-31",
        "1970-01-01",
        "1999-12-31",
        "2000-01-01",
        "2000-02-29",
        "2012-02-29",
        "2013-11-03",
        "9999-12-31",
        "10000-01-01",
        "5874897-12-31",
        "infinity",
        "-infinity",
    ];
    let table = layout("pin_legacy")
        .replace("cognome text", "cognome date")
        .replace("nome text", "nome timestamp");
    let mut statements = table;
    for (at, date) in dates.iter().enumerate() {
        // The calendar of timestamps ends earlier.
        let moment = if at == 15 {
            "294276-12-31 23:59:59.999999"
        } else {
            date
        };
        let row =
            values(&row(&format!("{at:02}"), date)).replace("'Mario'", &format!("'{moment}'"));
        statements.push_str(&format!("INSERT INTO pin_legacy VALUES ({row});"));
    }
    statements.push_str(
        "UPDATE pin_legacy SET nome = nome + interval '10:20:30.0450' WHERE isfinite(nome) AND id < '15'",
    );
    database.batch(&statements);
    let printed = database.text(
        "SELECT concat_ws('|', cognome, nome) FROM (SELECT id, nullif(nullif(cognome, 'infinity'), '-infinity') cognome,
         nullif(nullif(nome, 'infinity'), '-infinity') nome FROM pin_legacy) t ORDER BY id",
    );
    let mut seen = Extract::postgres(database.settings(), "pin_legacy").read();
    seen.sort_by_key(|one| one.get(Field::LegacyId).to_owned());
    let read: Vec<String> = seen
        .iter()
        .map(|one| {
            let texts = [Field::Surname, Field::GivenName].map(|field| one.get(field));
            let texts = texts.into_iter().filter(|text| !text.is_empty());
            texts.collect::<Vec<_>>().join("|")
        })
        .collect();
    assert_eq!(read.join("\n").trim_end(), printed.trim_end());
    assert!(
        printed.contains("0044-03-15 BC|0044-03-15 10:20:30.045 BC"),
        "{printed}"
    );
}

#[test]
fn a_timestamp_with_a_zone_is_a_date_in_the_zone_of_its_source() {
    let database = Database::new();
    database
        .batch(&layout("pin_legacy").replace("ultimo_accesso text", "ultimo_accesso timestamptz"));
    for (id, at) in [
        ("1", "2013-01-01T23:30:00Z"),
        ("2", "2013-07-01 22:30:00+00"),
        ("3", "infinity"),
        ("4", "250000-01-01 00:00:00+00"),
    ] {
        let row = row(id, "Rossi").replace("2013-05-06", at);
        database.batch(&format!("INSERT INTO pin_legacy VALUES ({})", values(&row)));
    }
    let mut extract = Extract::postgres(database.settings(), "pin_legacy");
    let read = |extract: &Extract| {
        let seen = extract.read();
        let texts = seen.iter().map(|one| one.get(Field::LastUsedOn).to_owned());
        texts.collect::<Vec<_>>()
    };
    let rome = [
        "2013-01-02T00:30:00",
        "2013-07-02T00:30:00",
        "",
        "250000-01-01 00:00:00",
    ];
    assert_eq!(read(&extract), rome);
    extract.settings.time_zone = "UTC".to_owned();
    assert_eq!(read(&extract)[0], "2013-01-01T23:30:00");
}

#[test]
fn views_schemas_mapped_columns_and_odd_names_are_read() {
    let database = Database::new();
    database.batch(&format!(
        r#"CREATE SCHEMA "Sede.1";
           {}
           ALTER TABLE base ADD "Co""gnome" text DEFAULT 'Odd', ADD gone text, ADD "CF" text DEFAULT 'upper';
           ALTER TABLE base DROP gone;
           INSERT INTO base VALUES ({});
           CREATE VIEW "Sede.1"."pin ""2013""; DROP TABLE x" AS SELECT * FROM base;
           CREATE MATERIALIZED VIEW seen AS SELECT * FROM base;
           CREATE TABLE parts (LIKE base) PARTITION BY LIST (stato);
           CREATE TABLE part PARTITION OF parts FOR VALUES IN ('A');
           INSERT INTO parts SELECT * FROM base;"#,
        layout("base"),
        values(&row("1", "Rossi"))
    ));
    for table in [
        r#""Sede.1"."pin ""2013""; DROP TABLE x""#,
        "base",
        "public.base",
        "PUBLIC.BASE",
        "seen",
        "parts",
    ] {
        let extract = Extract::postgres(database.settings(), table)
            .map(Field::Surname, "Co\"gnome")
            .map(Field::Phone, "CF")
            .map(Field::GivenName, "NOME");
        let seen = &extract.read()[0];
        assert_eq!(seen.get(Field::Surname), "Odd", "{table}");
        assert_eq!(seen.get(Field::Phone), "upper");
        assert_eq!(seen.get(Field::GivenName), "Mario");
    }
}

#[test]
fn text_that_is_not_in_its_encoding_is_spelled_without_loss_and_marked() {
    let template = "TEMPLATE template0 LOCALE_PROVIDER libc LOCALE 'C' ENCODING";
    // The same bytes, as a server that checks nothing, or that leaves some bytes undefined, may hold them.
    for (encoding, bytes, surname, valid) in [
        ("SQL_ASCII", r"\x4e5cd2", r"N\\\xd2", false),
        ("SQL_ASCII", r"\x4ec392", "NÒ", true),
        ("WIN1252", r"\x4e5cd2", r"N\Ò", true),
        ("WIN1252", r"\x4e5c81", r"N\\\x81", false),
        ("LATIN9", r"\x4e5ca4", r"N\€", true),
        ("LATIN1", r"\x4e5cd2", r"N\Ò", true),
    ] {
        let database = Database::with(&format!("{template} '{encoding}'"));
        database.batch(&layout("pin_legacy"));
        // Bytes reach such a table as its own applications write them.
        database.batch(&format!(
            "SET client_encoding = 'SQL_ASCII'; INSERT INTO pin_legacy VALUES ({})",
            values(&row("1", "?"))
                .replace("'?'", &format!("convert_from('{bytes}', '{encoding}')"))
        ));
        let seen = &Extract::postgres(database.settings(), "pin_legacy").read()[0];
        assert_eq!(seen.get(Field::Surname), surname, "{encoding} {bytes}");
        assert_eq!(seen.is_valid(Field::Surname), valid, "{encoding} {bytes}");
    }
}

#[test]
fn a_scan_sees_one_instant_and_writers_go_on_beside_it() {
    let database = Database::new();
    let extract = legacy(&database, &[&values(&row("1", "Rossi"))]);
    database
        .batch("INSERT INTO pin_legacy SELECT p.* FROM pin_legacy p, generate_series(2, 50000)");
    let before = extract.fingerprint();
    let mut writer = database.session();
    let mut read = 0;
    let sink = &mut |record: &pinferry::domain::raw_record::RawRecord<'_>| {
        if read == 0 {
            writer
                .batch(
                    "changing",
                    "UPDATE pin_legacy SET cognome = 'changed'; TRUNCATE pin_legacy",
                )
                .expect_err("a reader keeps its table");
            writer
                .batch("changing", "UPDATE pin_legacy SET cognome = 'changed'; DELETE FROM pin_legacy WHERE id = '2'")
                .expect("a writer is not held up");
        }
        read += 1;
        assert_eq!(record.get(Field::Surname), "Rossi");
        ControlFlow::Continue(())
    };
    let summary = source::read(&extract.settings, SourceIndex(0), &BTreeSet::new(), sink);
    let summary = summary.expect("readable");
    assert_eq!((summary.records, read), (50_000, 50_000));
    assert_eq!(summary.fingerprint.to_string(), before);
    assert_ne!(extract.fingerprint(), before);
}

#[test]
fn a_sink_that_has_enough_ends_the_reading_at_once() {
    let database = Database::new();
    database.batch(&format!(
        "CREATE VIEW pin_legacy ({}) AS SELECT n::text, {} FROM generate_series(1, 1000) n, generate_series(1, 1000000)",
        HEADER.replace(';', ", "),
        vec!["'x'"; HEADER.matches(';').count()].join(", ")
    ));
    let extract = Extract::postgres(database.settings(), "pin_legacy");
    let begun = Instant::now();
    let mut seen = 0;
    let summary = source::read(
        &extract.settings,
        SourceIndex(0),
        &BTreeSet::new(),
        &mut |_| {
            seen += 1;
            if seen < 5 {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        },
    );
    assert_eq!(summary.expect("enough").records, 5);
    assert_eq!(extract.warnings(), [] as [&str; 0]);
    assert!(begun.elapsed() < Duration::from_secs(20));
}

#[test]
fn a_server_that_goes_down_while_it_is_read_is_a_failure_and_no_end() {
    let server = Server::private();
    let url = server.url("postgres", "postgres");
    let mut session = pinferry::postgres::Session::connect(
        &parsed(&url),
        "test",
        &pinferry::postgres::Limits::READING,
    )
    .expect("a session");
    session
        .batch(
            "laying out",
            &format!(
                "{} INSERT INTO pin_legacy SELECT p.* FROM (VALUES ({})) p, generate_series(1, 100000)",
                layout("pin_legacy"),
                values(&row("1", "Rossi"))
            ),
        )
        .expect("a table");
    drop(session);
    let extract = Extract::postgres(parsed(&url), "pin_legacy");
    let mut read = 0;
    let error = source::read(
        &extract.settings,
        SourceIndex(0),
        &BTreeSet::new(),
        &mut |_| {
            read += 1;
            if read == 1 {
                server.stop("immediate");
            }
            ControlFlow::Continue(())
        },
    )
    .expect_err("a failure");
    assert_eq!(error.exit(), Exit::Failed, "{error}");
    assert!(
        error
            .hint()
            .expect("a hint")
            .contains("run the same command again")
    );
    assert!(read < 100_000);
}

#[test]
fn the_number_of_records_is_what_the_sender_says() {
    let database = Database::new();
    let mut extract = legacy(&database, &[]);
    assert_eq!(extract.read(), []);
    assert_eq!(extract.warnings(), ["holds no records"]);
    extract.settings.records = Some(2);
    let expected = r#"source "inps" holds 0 records, but its configuration announces records = 2"#;
    assert_eq!(extract.refusal(), (expected.to_owned(), Exit::Failed));
}

#[test]
fn a_record_that_nobody_could_have_meant_is_refused() {
    let database = Database::new();
    let long = values(&row("1", "?")).replace("'?'", "repeat('x', 2000000)");
    let extract = legacy(&database, &[&long]);
    let (text, exit) = extract.refusal();
    assert_eq!(exit, Exit::Failed);
    assert_eq!(text, ": record 1 cannot be read: it is longer than 1 MiB");
}
