//! SQLite sources.

use std::{
    collections::BTreeSet,
    fs,
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

use crate::extract::{Extract, HEADER, file, row};

/// A legacy database with this table and rows of SQL values.
fn legacy(rows: &[&str]) -> Extract {
    let mut statements = format!("CREATE TABLE pin_legacy ({});", HEADER.replace(';', ", "));
    for row in rows {
        statements.push_str(&format!("INSERT INTO pin_legacy VALUES ({row});"));
    }
    Extract::database("pin_legacy", &statements)
}

/// The values of a CSV row, all of them text.
fn values(row: &str) -> String {
    let cells: Vec<String> = row.split(';').map(|cell| format!("'{cell}'")).collect();
    cells.join(", ")
}

fn one_row() -> Extract {
    legacy(&[&values(&row("1", "Rossi"))])
}

#[test]
fn a_table_and_a_file_of_the_same_records_are_the_same_source() {
    let extract = one_row();
    let csv = Extract::of(file(&[row("1", "Rossi")]));
    assert_eq!(extract.read(), csv.read());
    assert_eq!(extract.fingerprint(), csv.fingerprint());
}

#[test]
fn values_of_every_type_become_text() {
    let cases = [
        ("NULL", ""),
        ("''", ""),
        ("'NULL'", "NULL"),
        ("0", "0"),
        ("-9223372036854775808", "-9223372036854775808"),
        ("1.0", "1"),
        ("0.1", "0.1"),
        ("-2.5", "-2.5"),
        ("3331234567.0", "3331234567"),
        ("1e300", "1e300"),
        ("1e-7", "1e-7"),
        ("9e999", "inf"),
        ("x'00FFab'", "00ffab"),
        ("x''", ""),
        ("'a' || char(0) || 'b'", "a\0b"),
        ("'è'", "è"),
    ];
    for (value, text) in cases {
        let row = values(&row("1", "?")).replace("'?'", value);
        let seen = &legacy(&[&row]).read()[0];
        assert_eq!(seen.get(Field::Surname), text, "{value}");
        assert_eq!(seen.get(Field::GivenName), "Mario");
        assert_eq!((seen.invalid, seen.shape), (0, Shape::Row));
    }
}

#[test]
fn text_that_is_not_utf8_is_spelled_without_loss_and_marked() {
    let row = values(&row("1", "?")).replace("'?'", r"CAST(x'4e5cd2' AS TEXT)");
    let seen = &legacy(&[&row]).read()[0];
    assert_eq!(seen.get(Field::Surname), r"N\\\xd2");
    assert_eq!(seen.invalid, 1 << Field::Surname.index());
}

#[test]
fn views_mapped_columns_and_odd_names_are_read() {
    let table = r#"pin "2013"; DROP TABLE x"#;
    let statements = format!(
        "CREATE TABLE base ({}, \"Co\"\"gnome\");
         INSERT INTO base VALUES ({}, 'Odd');
         CREATE VIEW \"{}\" AS SELECT * FROM base;",
        HEADER.replace(';', ", ").to_uppercase(),
        values(&row("1", "Rossi")),
        table.replace('"', "\"\"")
    );
    let extract = Extract::database(table, &statements).map(Field::Surname, "Co\"gnome");
    let seen = extract.read();
    assert_eq!(seen[0].get(Field::Surname), "Odd");
    assert_eq!(seen[0].get(Field::GivenName), "Mario");
}

#[test]
fn a_missing_table_is_named_beside_those_there_are() {
    let extract = Extract::database(
        "pin_legacy",
        "CREATE TABLE a (x); CREATE VIEW b AS SELECT 1 AS y;",
    );
    let expected = r#"source "inps" cannot be used as configured: legacy.db has no table or view "pin_legacy"; it has "a", "b""#;
    assert_eq!(extract.refusal(), (expected.to_owned(), Exit::Usage));
}

#[test]
fn all_mistakes_about_a_table_are_told_at_once() {
    let mut extract = one_row()
        .map(Field::Surname, "surname")
        .map(Field::GivenName, "given");
    extract.settings.sha256 = Some("00".to_owned());
    let (text, exit) = extract.refusal();
    assert_eq!(exit, Exit::Usage);
    assert!(text.contains(r#"legacy.db, table "pin_legacy" has no columns "surname" (surname), "given" (given_name); it has "id", "#), "{text}");
    assert!(text.contains("sha256 vouches for a CSV file"), "{text}");
}

#[test]
fn what_is_no_database_is_refused() {
    let extract = one_row();
    fs::write(extract.path(), HEADER.repeat(10)).expect("written");
    let (text, exit) = extract.refusal();
    assert_eq!(
        (
            text == r#"source "inps" cannot be used as configured: legacy.db is not a SQLite database"#,
            exit
        ),
        (true, Exit::Usage),
        "{text}"
    );
    fs::remove_file(extract.path()).expect("removed");
    let (text, exit) = extract.refusal();
    assert_eq!(
        (text.ends_with("legacy.db does not exist"), exit),
        (true, Exit::Usage),
        "{text}"
    );
    assert!(!extract.path().exists(), "reading never makes a database");
}

#[test]
fn a_truncated_database_fails_in_words() {
    let rows: Vec<String> = (0..500)
        .map(|n| values(&row(&n.to_string(), "Rossi")))
        .collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let extract = legacy(&rows);
    let file = fs::OpenOptions::new()
        .write(true)
        .open(extract.path())
        .expect("open");
    let length = file.metadata().expect("metadata").len();
    file.set_len(length / 2).expect("truncated");
    let (text, exit) = extract.refusal();
    assert_eq!(exit, Exit::Failed);
    assert!(
        text.starts_with("legacy.db: the database failed while "),
        "{text}"
    );
}

#[test]
fn the_number_of_records_is_what_the_sender_says() {
    let mut extract = one_row();
    extract.settings.records = Some(2);
    let expected = r#"source "inps" holds 1 records, but its configuration announces records = 2"#;
    assert_eq!(extract.refusal(), (expected.to_owned(), Exit::Failed));
}

#[test]
fn an_empty_table_is_a_source_of_no_records_with_a_warning() {
    let extract = legacy(&[]);
    assert_eq!(extract.read(), []);
    assert_eq!(
        extract.warnings(),
        [
            "holds no records",
            "keeps a rollback journal (delete): while it is read, logins that write wait; `PRAGMA journal_mode = WAL` avoids that",
        ]
    );
}

#[test]
fn a_scan_sees_one_instant_and_writers_go_on_beside_it() {
    let first = values(&row("1", "Rossi"));
    let second = values(&row("2", "Verdi"));
    let extract = legacy(&[&first, &second]);
    let writer = extract.connection();
    writer
        .execute_batch("PRAGMA journal_mode = WAL")
        .expect("WAL");
    let mut names = Vec::new();
    let before = extract.fingerprint();
    let summary = source::read(&extract.settings, SourceIndex(0), &BTreeSet::new(), &mut |record| {
        writer
            .execute_batch("UPDATE pin_legacy SET cognome = 'changed'; INSERT INTO pin_legacy (id) VALUES ('3')")
            .expect("a writer is not held up");
        names.push(record.get(Field::Surname).to_owned());
        ControlFlow::Continue(())
    })
    .expect("readable");
    assert_eq!(names, ["Rossi", "Verdi"]);
    assert_eq!(summary.fingerprint.to_string(), before);
    assert_ne!(extract.fingerprint(), before);
    assert_eq!(extract.warnings(), [""; 0]);
}

#[test]
fn a_database_that_stays_locked_is_given_up_in_bounded_time() {
    let extract = one_row();
    let writer = extract.connection();
    writer.execute_batch("BEGIN EXCLUSIVE").expect("locked");
    let start = Instant::now();
    let (text, exit) = extract.refusal();
    assert!(start.elapsed() < Duration::from_secs(20));
    assert_eq!(exit, Exit::Failed);
    assert_eq!(
        text,
        "legacy.db was locked by another program for more than 5 s"
    );
    writer.execute_batch("COMMIT").expect("unlocked");
    assert_eq!(extract.read().len(), 1);
}
