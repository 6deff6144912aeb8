//! CSV files that can be read.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use pinferry::{
    config::settings::{Encoding, SourceLocation},
    domain::{
        field::Field,
        raw_record::{Shape, SourceIndex},
    },
    source,
};

use crate::extract::{Extract, HEADER, file, row};

#[test]
fn fields_are_read_as_they_stand() {
    let seen = Extract::of(file(&[" 007 ;rssmra80a01h501u; Rossi;Mario;1980-01-01;CIT;;A;ORD;00ff;SHA256;2013-01-02;;2013-05-06T07:08:09;0712;WEB;2;m@example.org;06 1;"])).read();
    assert_eq!(seen.len(), 1);
    assert_eq!(
        (seen[0].number, seen[0].shape, seen[0].invalid),
        (1, Shape::Row, 0)
    );
    let salt = "";
    assert_eq!(
        seen[0].fields,
        [
            " 007 ",
            "rssmra80a01h501u",
            " Rossi",
            "Mario",
            "1980-01-01",
            "CIT",
            "",
            "A",
            "ORD",
            "00ff",
            "SHA256",
            salt,
            "2013-01-02",
            "",
            "2013-05-06T07:08:09",
            "0712",
            "WEB",
            "2",
            "m@example.org",
            "06 1",
            "",
        ]
    );
}

#[test]
fn columns_are_found_by_name_in_any_order() {
    let turned = |cells: &str| cells.split(';').rev().collect::<Vec<_>>().join(";");
    let row = row("1", "Rossi");
    let text = format!("{}; spare\n{};x\n", turned(HEADER), turned(&row));
    let turned = Extract::of(text);
    assert_eq!(turned.read(), Extract::of(file(&[row])).read());
    let check = source::check(&turned.settings).expect("no mistakes");
    assert_eq!(check.unmapped, ["spare"]);
    assert_eq!(check.columns.len(), 21);
}

#[test]
fn columns_can_be_mapped_and_declared_absent() {
    let text = "n,cf,sur,giv,b,prof,ent,st,lev,h,alg,salt,iss,exp,use,off,ch,ml,tel\n\
                1,RSSMRA80A01H501U,Rossi,Mario,,CIT,,A,ORD,h,SHA256,pepper,2013-01-02,,,,WEB,m,t\n";
    let mut extract = Extract::of(text);
    if let SourceLocation::Csv { delimiter, .. } = &mut extract.settings.location {
        *delimiter = b',';
    }
    let names = "n,cf,sur,giv,b,prof,ent,st,lev,h,alg,salt,iss,exp,use,off,ch,,ml,tel,";
    for (field, column) in Field::ALL.into_iter().zip(names.split(',')) {
        extract = extract.map(field, column);
    }
    let seen = extract.read();
    assert_eq!(seen[0].get(Field::CredentialSalt), "pepper");
    assert_eq!(seen[0].get(Field::Phone), "t");
    assert_eq!(seen[0].get(Field::HalvesDelivered), "");
    assert_eq!(seen[0].get(Field::GuardianFiscalCode), "");
}

#[test]
fn a_legacy_without_the_halves_is_read_all_the_same() {
    let text = file(&[row("1", "Rossi")])
        .replace("meta_consegnate;", "")
        .replace("WEB;2;", "WEB;");
    assert_eq!(Extract::of(&text).read()[0].get(Field::HalvesDelivered), "");
    let renamed = Extract::of(&text).map(Field::HalvesDelivered, "meta");
    assert!(renamed.try_read().is_err(), "a mapped column must be there");
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_first_name() {
    let text = file(&[row("1", "Nicolò")]);
    let marked = Extract::of(format!("\u{feff}{text}")).read();
    assert_eq!(marked, Extract::of(text).read());
    assert_eq!(marked[0].get(Field::Surname), "Nicolò");
}

#[test]
fn line_ends_of_every_kind_and_empty_lines_make_no_difference() {
    let lines = file(&[row("1", "Rossi"), row("2", "Verdi"), row("3", "Bianchi")]);
    let plain = Extract::of(&lines).read();
    assert_eq!(plain.len(), 3);
    assert_eq!(Extract::of(lines.trim_end()).read(), plain);
    assert_eq!(Extract::of(lines.replace('\n', "\r\n")).read(), plain);
    assert_eq!(
        Extract::of(lines.replace('\n', "\r\n").trim_end()).read(),
        plain
    );
    assert_eq!(Extract::of(lines.replace('\n', "\r")).read(), plain);
    assert_eq!(Extract::of(lines.replace('\n', "\n\n\r\n")).read(), plain);
    assert_eq!(Extract::of(format!("\n\n{lines}\n\n")).read(), plain);
}

#[test]
fn quotes_hold_delimiters_quotes_and_line_ends() {
    let seen = Extract::of(file(&[
        row("1", "\"Ros;si\r\n\"\"il\"\" \n\""),
        row("2", "D\"Amico"),
    ]))
    .read();
    assert_eq!(seen[0].get(Field::Surname), "Ros;si\r\n\"il\" \n");
    assert_eq!(seen[1].get(Field::Surname), "D\"Amico");
    assert_eq!(seen.len(), 2);
}

#[test]
fn a_row_with_a_wrong_number_of_fields_is_data() {
    let seen = Extract::of(file(&[
        "1;\"a\"\"\n;b\";\u{1};è",
        &row("2", "Rossi"),
        &row("3;", "Rossi"),
    ]))
    .read();
    assert_eq!(seen.len(), 3);
    assert_eq!(
        (seen[0].shape, seen[0].number, seen[0].invalid),
        (Shape::Malformed, 1, 0)
    );
    assert_eq!(seen[0].fields[0], r#"["1","a\"\n;b","\u0001","è"]"#);
    assert!(seen[0].fields[1..].iter().all(String::is_empty));
    assert_eq!(seen[1].shape, Shape::Row);
    assert_eq!((seen[2].shape, seen[2].number), (Shape::Malformed, 3));
    assert!(seen[2].fields[0].starts_with(r#"["3","","RSSMRA80A01H501U","#));
}

#[test]
fn a_malformed_row_keeps_its_invalid_bytes() {
    let mut bytes = file(&[] as &[&str]).into_bytes();
    bytes.extend_from_slice(b"a\\b;\xe0\xc3\n");
    let seen = Extract::of(bytes).read();
    assert_eq!(seen[0].fields[0], r#"["a\\\\b","\\xe0\\xc3"]"#);
    assert_eq!(seen[0].invalid, 1);
}

#[test]
fn invalid_utf8_is_spelled_without_loss_and_marked() {
    let mut bytes = file(&[row("1", "NICOLX\\è")]).into_bytes();
    let at = bytes
        .windows(6)
        .position(|w| w == b"NICOLX")
        .expect("a name")
        + 5;
    bytes[at] = 0xd2;
    let seen = Extract::of(bytes).read();
    assert_eq!(seen[0].get(Field::Surname), r"NICOL\xd2\\è");
    assert_eq!(seen[0].invalid, 1 << Field::Surname.index());
    assert_eq!(seen[0].get(Field::GivenName), "Mario");
}

#[test]
fn a_character_cut_by_a_delimiter_is_invalid_on_both_sides() {
    let mut bytes = file(&[row("1", "RossX")]).into_bytes();
    let at = bytes
        .windows(8)
        .position(|w| w == b"RossX;Ma")
        .expect("a name");
    // Taken together, as the parser leaves them, the two bytes are a valid `è`.
    bytes[at + 4] = 0xc3;
    bytes[at + 6] = 0xa8;
    let seen = Extract::of(bytes).read();
    assert_eq!(seen[0].get(Field::Surname), r"Ross\xc3");
    assert_eq!(seen[0].get(Field::GivenName), r"\xa8ario");
    assert!(!seen[0].is_valid(Field::Surname) && !seen[0].is_valid(Field::GivenName));
}

#[test]
fn western_encodings_are_translated() {
    let text = file(&[row("1", "\u{d2}X\u{a4}Y")]);
    let bytes: Vec<u8> = text.chars().map(|c| c as u8).collect();
    let read = |encoding| {
        let seen = Extract::encoded(encoding, &bytes).read();
        assert_eq!(seen[0].invalid, 0);
        seen[0].get(Field::Surname).to_owned()
    };
    assert_eq!(read(Encoding::Windows1252), "ÒX¤Y");
    assert_eq!(read(Encoding::Iso8859_15), "ÒX€Y");
}

#[test]
fn bytes_that_windows_1252_leaves_undefined_are_invalid() {
    for byte in 0x80..=0xff_u8 {
        let text = file(&[row("1", "\\?")]);
        let bytes: Vec<u8> = text
            .bytes()
            .map(|b| if b == b'?' { byte } else { b })
            .collect();
        let seen = &Extract::encoded(Encoding::Windows1252, bytes).read()[0];
        let undefined = [0x81, 0x8d, 0x8f, 0x90, 0x9d].contains(&byte);
        assert_eq!(!seen.is_valid(Field::Surname), undefined, "{byte:02x}");
        if undefined {
            assert_eq!(seen.get(Field::Surname), format!("\\\\\\x{byte:02x}"));
        }
    }
}

#[test]
fn control_characters_are_for_the_judge() {
    let seen = Extract::of(file(&[row("1", "Ros\0si\u{7}")])).read();
    assert_eq!(seen[0].get(Field::Surname), "Ros\0si\u{7}");
    assert_eq!(seen[0].invalid, 0);
}

#[test]
fn records_that_straddle_the_buffer_are_whole() {
    let filler = "x".repeat(997);
    let written: Vec<String> = (0..2_000)
        .map(|n| row(&n.to_string(), &format!("{filler}è{n}")))
        .collect();
    for line_end in ["\n", "\r\n"] {
        let seen = Extract::of(file(&written).replace('\n', line_end)).read();
        assert_eq!(seen.len(), 2_000);
        for (n, record) in seen.iter().enumerate() {
            assert_eq!(record.get(Field::LegacyId), n.to_string());
            assert_eq!(record.get(Field::Surname), format!("{filler}è{n}"));
        }
    }
}

#[test]
fn a_header_alone_is_a_source_of_no_records_with_a_warning() {
    let extract = Extract::of(HEADER);
    assert_eq!(extract.read(), []);
    assert_eq!(extract.warnings(), ["holds no records"]);
}

#[test]
fn check_warns_of_what_the_first_records_show() {
    let mut bytes = file(&[row("1", "Rossi"), "2;x".to_owned(), row("3", "?")]).into_bytes();
    assert_eq!(Extract::of(file(&[row("1", "Rossi")])).warnings(), [""; 0]);
    let at = bytes.iter().position(|&byte| byte == b'?').expect("a mark");
    bytes[at] = 0xe8;
    let warnings = Extract::of(bytes).warnings();
    assert_eq!(
        warnings,
        [
            "1 of the first 3 records have a wrong number of fields; they will be quarantined",
            "1 of the first 3 records are not valid in the declared encoding; they will be quarantined unless `encoding` is corrected",
        ]
    );
}

#[test]
fn a_sink_that_breaks_ends_the_reading() {
    let mut extract = Extract::of(file(&[row("1", "Rossi"), row("2", "Verdi")]));
    extract.settings.records = Some(2);
    let summary = source::read(
        &extract.settings,
        SourceIndex(0),
        &BTreeSet::new(),
        &mut |_| ControlFlow::Break(()),
    );
    assert_eq!(summary.expect("no error").records, 1);
}
