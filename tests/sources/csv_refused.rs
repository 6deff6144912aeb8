//! CSV files that cannot be read, and what is said of them.

use std::{
    collections::BTreeSet,
    fs,
    io::Write as _,
    ops::ControlFlow,
    time::{Duration, SystemTime},
};

use pinferry::{
    config::settings::{Encoding, SourceLocation},
    domain::{field::Field, raw_record::SourceIndex},
    exit::Exit,
    source::{self, SourceError},
};

use crate::extract::{Extract, HEADER, file, row};

fn usage(extract: &Extract) -> String {
    let (text, exit) = extract.refusal();
    assert_eq!(exit, Exit::Usage, "{text}");
    text
}

fn failure(extract: &Extract) -> String {
    let (text, exit) = extract.refusal();
    assert_eq!(exit, Exit::Failed, "{text}");
    text
}

#[test]
fn an_empty_file_has_no_header() {
    let expected = r#"source "inps" cannot be used as configured: extract.csv is empty: it has not even a header"#;
    assert_eq!(usage(&Extract::of("")), expected);
    assert_eq!(usage(&Extract::of("\u{feff}\r\n\n")), expected);
}

#[test]
fn a_missing_file_a_directory_and_a_pipe_are_told_apart() {
    let extract = Extract::of("");
    fs::remove_file(extract.path()).expect("removed");
    assert!(usage(&extract).ends_with("extract.csv does not exist"));
    fs::create_dir(extract.path()).expect("made");
    assert!(usage(&extract).ends_with("extract.csv is a directory, not a regular file"));
    let mut pipe = Extract::of("");
    if let SourceLocation::Csv { path, .. } = &mut pipe.settings.location {
        *path = "/dev/null".into();
    }
    assert!(usage(&pipe).ends_with("/dev/null is a pipe or a device, not a regular file"));
}

#[test]
fn a_file_that_cannot_be_reached_says_why() {
    let mut extract = Extract::of(HEADER);
    if let SourceLocation::Csv { path, .. } = &mut extract.settings.location {
        path.push("below");
    }
    let text = usage(&extract);
    assert!(
        text.ends_with("extract.csv/below cannot be opened: Not a directory (os error 20)"),
        "{text}"
    );
}

#[test]
fn all_missing_columns_are_named_beside_those_there_are() {
    let header = HEADER.replace("cognome;", "").replace("stato", "STATO");
    assert_eq!(
        usage(&Extract::of(format!("{header}\n")).map(Field::CredentialSalt, "sale")),
        r#"source "inps" cannot be used as configured: extract.csv:1 has no columns "cognome" (surname), "stato" (status), "sale" (credential_salt); it has "id", "codice_fiscale", "nome", "data_nascita", "classe_utente", "codice_ente", "STATO", "tipo_pin", "pin_hash", "algoritmo", "data_rilascio", "data_scadenza", "ultimo_accesso", "sede", "canale", "meta_consegnate", "email", "telefono", "cf_tutore""#
    );
}

#[test]
fn a_wrong_delimiter_is_suspected_where_the_header_is_one_column() {
    let extract = Extract::of(HEADER.replace(';', ","));
    let mistakes = source::check(&extract.settings).expect_err("mistakes");
    assert_eq!(
        mistakes[0].hint().as_deref(),
        Some("the header has one column only: is `delimiter` right?")
    );
}

#[test]
fn a_mapped_column_that_stands_twice_is_refused() {
    let text = usage(&Extract::of(format!("{HEADER};cognome;spare;spare;nome\n")));
    assert!(
        text.ends_with(r#"extract.csv:1 names "cognome", "nome" more than once"#),
        "{text}"
    );
}

#[test]
fn a_byte_order_mark_that_contradicts_the_encoding_is_refused() {
    let marked = Extract::encoded(Encoding::Windows1252, format!("\u{feff}{HEADER}\n"));
    assert!(usage(&marked).ends_with("extract.csv begins with the byte order mark of UTF-8, but its encoding is declared as windows-1252"));
    assert!(usage(&Extract::of(b"\xff\xfei\0d\0")).contains("byte order mark of UTF-16"));
}

#[test]
fn a_quote_that_is_open_at_the_end_names_the_line_it_was_opened_on() {
    let open = row("2", "\"Ver\ndi\"").replace("Mario", "\"Mario");
    let lines = [row("1", "Rossi"), open, row("3", "Bianchi")];
    let expected =
        "extract.csv:4: a quoted field begins here and is still open at the end of the file";
    for text in [file(&lines), file(&lines).replace('\n', "\r\n")] {
        assert_eq!(failure(&Extract::of(&text)), expected);
        assert_eq!(failure(&Extract::of(text.trim_end())), expected);
    }
    let gaps = format!("\n{HEADER}\n\n\r\n{}\n\"x", row("1", "Rossi"));
    assert!(failure(&Extract::of(gaps)).starts_with("extract.csv:6: "));
    assert!(failure(&Extract::of("\"id;x")).starts_with("extract.csv:1: "));
}

#[test]
fn a_quote_that_closes_at_the_very_end_is_closed() {
    let text = format!("{HEADER}\n{}\"x\"", row("1", "Rossi"));
    assert_eq!(
        Extract::of(text).read()[0].get(Field::GuardianFiscalCode),
        "x"
    );
}

#[test]
fn a_record_over_one_mebibyte_is_refused_before_the_file_is_swallowed() {
    let lost = row("2", "\"Verdi");
    let mut text = file(&[row("1", "Rossi"), lost]);
    while text.len() < 3 << 20 {
        text.push_str(&row("9", "Neri"));
        text.push('\n');
    }
    let expected =
        "extract.csv:3: the record that begins here is longer than 1 MiB; a quote may be missing";
    assert_eq!(failure(&Extract::of(&text)), expected);
    assert_eq!(failure(&Extract::of(text.replace('\n', "\r\n"))), expected);
    let fits = row("1", &"x".repeat((1 << 20) - 200));
    assert_eq!(Extract::of(file(&[fits])).read().len(), 1);
    let many_fields = format!("{HEADER}\n{}\n", ";".repeat((1 << 20) + 1));
    assert!(failure(&Extract::of(many_fields)).starts_with("extract.csv:2: "));
}

#[test]
fn the_number_of_records_is_what_the_sender_says() {
    let mut extract = Extract::of(file(&[row("1", "Rossi"), "2;x".to_owned()]));
    extract.settings.records = Some(2);
    assert_eq!(extract.read().len(), 2);
    extract.settings.records = Some(3);
    assert_eq!(
        failure(&extract),
        r#"source "inps" holds 2 records, but its configuration announces records = 3"#
    );
}

#[test]
fn the_hash_of_the_file_is_what_the_sender_says() {
    let mut extract = Extract::of(format!("\u{feff}{HEADER}\r\n\r\n"));
    let found = sha256_of(&extract);
    extract.settings.sha256 = Some(found.to_uppercase());
    assert_eq!(extract.read().len(), 0);
    let announced = found.replace(&found[..1], "x");
    extract.settings.sha256 = Some(announced.clone());
    assert_eq!(
        failure(&extract),
        format!(
            "extract.csv has the SHA-256 {found}, but its configuration announces sha256 = {announced:?}"
        )
    );
}

/// Asks the tool an administrator would ask.
fn sha256_of(extract: &Extract) -> String {
    let output = std::process::Command::new("sha256sum")
        .arg(extract.path())
        .output()
        .expect("sha256sum");
    String::from_utf8_lossy(&output.stdout[..64]).into_owned()
}

/// Reads while `meddle` does something to the file at the first record.
fn meddled(meddle: impl Fn(&Extract)) -> String {
    let extract = Extract::of(file(&[row("1", "Rossi"), row("2", "Verdi")]));
    let error = source::read(
        &extract.settings,
        SourceIndex(0),
        &BTreeSet::new(),
        &mut |record| {
            if record.number == 1 {
                meddle(&extract);
            }
            ControlFlow::Continue(())
        },
    )
    .expect_err("a change");
    assert!(matches!(error, SourceError::Changed { .. }));
    assert_eq!(error.exit(), Exit::Failed);
    error
        .to_string()
        .rsplit_once(": ")
        .map(|(_, what)| what.to_owned())
        .expect("a reason")
}

#[test]
fn a_file_that_changes_while_it_is_read_is_refused() {
    let append = |extract: &Extract| {
        let mut file = fs::OpenOptions::new()
            .append(true)
            .open(extract.path())
            .expect("open");
        file.write_all(b"x").expect("written");
    };
    assert_eq!(meddled(append), "its size is another");
    let touch = |extract: &Extract| {
        let file = fs::OpenOptions::new()
            .append(true)
            .open(extract.path())
            .expect("open");
        file.set_modified(SystemTime::now() + Duration::from_secs(9))
            .expect("touched");
    };
    assert_eq!(meddled(touch), "it was written to");
    assert_eq!(
        meddled(|extract| fs::remove_file(extract.path()).expect("removed")),
        "it was removed"
    );
    let replace = |extract: &Extract| {
        let other = extract.path().with_extension("new");
        fs::copy(extract.path(), &other).expect("copied");
        fs::rename(other, extract.path()).expect("renamed");
    };
    assert_eq!(meddled(replace), "another file took its place");
}
