//! When a source counts as unchanged.

use pinferry::domain::field::Field;

use crate::extract::{Extract, file, row};

fn of(rows: &[String]) -> String {
    Extract::of(file(rows)).fingerprint()
}

#[test]
fn the_order_of_the_records_makes_no_difference() {
    let (one, two, bad) = (row("1", "Rossi"), row("2", "Verdi"), "3;x".to_owned());
    let before = of(&[one.clone(), two.clone(), bad.clone()]);
    assert_eq!(before, of(&[bad, two, one]));
}

#[test]
fn every_field_every_copy_and_every_malformed_row_counts() {
    let plain = row("1", "Rossi");
    let before = of(std::slice::from_ref(&plain));
    assert_ne!(before, of(&[plain.clone(), plain.clone()]));
    assert_ne!(before, of(&[plain.clone(), "2;x".to_owned()]));
    assert_ne!(
        of(&[plain.clone(), "2;x".to_owned()]),
        of(&[plain.clone(), "2;y".to_owned()])
    );
    let cells: Vec<&str> = plain.split(';').collect();
    for at in 0..cells.len() {
        let mut changed = cells.clone();
        let value = format!("{}x", cells[at]);
        changed[at] = &value;
        assert_ne!(before, of(&[changed.join(";")]), "column {at}");
    }
}

#[test]
fn a_value_that_moves_to_the_next_field_counts() {
    let moved = |surname: &str, given: &str| row("1", surname).replace("Mario", given);
    assert_ne!(of(&[moved("AB", "")]), of(&[moved("A", "B")]));
}

#[test]
fn an_escaped_spelling_is_not_the_text_that_looks_like_it() {
    let spelled = file(&[row("1", r"\xe8")]);
    let mut bytes = file(&[row("1", "?")]).into_bytes();
    let at = bytes.iter().position(|&byte| byte == b'?').expect("a mark");
    bytes[at] = 0xe8;
    assert_ne!(
        Extract::of(bytes).fingerprint(),
        Extract::of(spelled).fingerprint()
    );
}

#[test]
fn excluded_fields_do_not_count() {
    let later = row("1", "Rossi").replace("2013-05-06", "2013-10-31");
    let without = |row: &str| Extract::of(file(&[row])).fingerprint_without(&[Field::LastUsedOn]);
    assert_eq!(without(&row("1", "Rossi")), without(&later));
    assert_ne!(of(&[row("1", "Rossi")]), of(&[later]));
    assert_ne!(without(&row("1", "Rossi")), without(&row("1", "Rosso")));
}

#[test]
fn the_spelling_of_the_file_does_not_count() {
    let plain = file(&[row("1", "Rossi")]);
    let spelled = format!(
        "\u{feff}{}",
        plain.replace("Rossi", "\"Rossi\"").replace('\n', "\r\n")
    );
    assert_eq!(
        Extract::of(plain).fingerprint(),
        Extract::of(spelled).fingerprint()
    );
}
