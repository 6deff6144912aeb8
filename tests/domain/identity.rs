//! Identity: records written with one code speak of one person, or of nobody.

use super::support::{assert_text, judged, rules, rules_with_links};

#[test]
fn names_are_compared_by_their_letters_and_birth_dates_where_both_are_known() {
    for (first, second, conflict) in [
        ("given_name=NICOLÒ", "given_name=nicolo'", None),
        ("given_name=NICOLÒ", "given_name=Nicolo\u{300}", None),
        ("surname=DE ROSSI", "surname=D'EROSSI", None),
        ("surname=ŁUØĐÆŒßÞı", "surname=LUODAEOESSTHI", None),
        ("surname=ﬁore", "surname=FIORE", None),
        ("surname=жук", "surname=ЖУК", None),
        ("surname=ЖУК", "surname=ЖУКОВ", Some("surname")),
        ("surname=ROSSI", "surname=ROSSO", Some("surname")),
        ("given_name=MARIO", "given_name=MARIA", Some("given_name")),
        ("birth_date=", "birth_date=1980-01-02", None),
        (
            "birth_date=1980-01-01",
            "birth_date=1980-01-02",
            Some("birth_date"),
        ),
        (
            "surname=A",
            "surname=B, birth_date=1980-01-02",
            Some("surname, birth_date"),
        ),
        (
            "code=00000000018, given_name=",
            "code=00000000018, given_name=X",
            Some("given_name"),
        ),
    ] {
        let both = format!("id=1, {first}\nid=2, {second}");
        let expected = conflict.map_or_else(String::new, |fields| {
            let rest = format!(
                "identity_conflict records written with the same fiscal code disagree on {fields}"
            );
            format!("quarantine inps:1/0 {rest}\nquarantine inps:2/0 {rest}")
        });
        assert_text(&both, &judged(&both, &["quarantine"], &rules()), &expected);
    }
}

#[test]
fn one_disagreement_takes_the_whole_person_along() {
    let lines = "id=1
                 id=2, surname=VERDI
                 id=3, status=R
                 id=4, source=1, code=RSSMRA80A01H50M*";
    let rules = rules_with_links("RSSMRA80A01H50M*;RSSMRA80A01H501*");
    let got = judged(lines, &["quarantine", "person"], &rules);
    let reasons: Vec<_> = got.lines().map(|line| line.split(' ').nth(2)).collect();
    assert_eq!(reasons, [Some("identity_conflict"); 4]);
}

#[test]
fn records_written_with_an_old_code_may_say_otherwise() {
    let rules = rules_with_links("VRDMRA80A01H501*;RSSMRA80A01H501*");
    let lines = "id=1, code=VRDMRA80A01H501*, surname=VERDI, last_used_on=2013-10-01, email=old@example.invalid, phone=1
                 id=2, phone=2, birth_date=";
    let got = judged(lines, &["person", "code", "quarantine", "pin"], &rules);
    let expected = "person RSSMRA80A01H501* ROSSI MARIO 1980-01-01 old@example.invalid 2
                    code RSSMRA80A01H501* current
                    code VRDMRA80A01H501* old
                    pin inps:1 active survivor ordinary expires 2014-05-02
                    pin inps:2 retired retired ordinary expires - by inps:1";
    assert_text("current names, first contact known", &got, expected);
}

#[test]
fn codes_that_differ_by_omocodia_stay_different_people() {
    let lines = "id=1
                 id=2, code=RSSMRA80A01H50M*
                 id=3, code=RSSMRA80A01H5LM*, surname=";
    let got = judged(lines, &["person", "finding", "quarantine"], &rules());
    let expected = "person RSSMRA80A01H501* ROSSI MARIO 1980-01-01 - -
                    finding omocodia_pair inps:1
                    person RSSMRA80A01H50M* ROSSI MARIO 1980-01-01 - -
                    finding omocodia_pair inps:2
                    quarantine inps:3/0 identity_missing surname is empty";
    assert_text("two people", &got, expected);
    let alone = "id=1\nid=3, code=RSSMRA80A01H5LM*, surname=";
    assert_text(
        "a record that fails is no neighbour",
        &judged(alone, &["finding"], &rules()),
        "",
    );
}
