//! Findings: each kind, and its absence.

use super::support::{assert_text, judged, rules};

/// What is shown, the records, and the finding, if any.
const EVERY_KIND: &[(&str, &str, &str)] = &[
    ("nothing odd", "id=1", ""),
    ("names", "id=1, surname=BIANCHI", "name_code_mismatch"),
    (
        "birth date",
        "id=1, birth_date=1980-01-02",
        "birth_date_mismatch",
    ),
    ("birth date unknown", "id=1, birth_date=", ""),
    ("century apart", "id=1, birth_date=1880-01-01", ""),
    ("woman", "id=1, code=RSSMRA80A41H501*, given_name=MARIA", ""),
    (
        "17 on the day",
        "id=1, code=RSSMRA95S04H501*, birth_date=1995-11-04",
        "minor_without_guardian",
    ),
    (
        "18 on the day",
        "id=1, code=RSSMRA95S03H501*, birth_date=1995-11-03",
        "",
    ),
    (
        "minor with guardian",
        "id=1, code=RSSMRA95S04H501*, birth_date=1995-11-04, guardian_fiscal_code=BNCLRA85B41F205*",
        "",
    ),
    (
        "adult with guardian",
        "id=1, guardian_fiscal_code=BNCLRA85B41F205*",
        "guardian_of_adult",
    ),
    ("expired", "id=1, expires_on=2013-11-02", "pin_expired"),
    ("expires on the day", "id=1, expires_on=2013-11-03", ""),
    (
        "history expired",
        "id=1, status=R, expires_on=2013-11-02",
        "",
    ),
    (
        "numeric",
        "id=1, code=00000000018, given_name=, birth_date=",
        "numeric_code",
    ),
    ("entity", "id=1, entity=X", "entity_ignored"),
    ("a half open", "id=1, halves_delivered=1", "halves_open"),
    (
        "a pending half is no finding",
        "id=1, status=P, halves_delivered=0",
        "",
    ),
    (
        "upgrade lost",
        "id=1\nid=2, status=P, level=DISP",
        "pending_upgrade_lost",
    ),
    (
        "upgrade not lost",
        "id=1, level=DISP\nid=2, status=P, level=DISP",
        "",
    ),
    (
        "last used",
        "id=1, level=DISP, last_used_on=2013-01-01\nid=2, last_used_on=2013-01-02",
        "last_used_pin_retired",
    ),
    (
        "last used the same day",
        "id=1, level=DISP, last_used_on=2013-01-01\nid=2, last_used_on=2013-01-01",
        "",
    ),
    (
        "last used is history",
        "id=1\nid=2, status=R, last_used_on=2013-01-02",
        "",
    ),
    ("below minimum", "id=1, profile=CDL", "below_minimum_level"),
    ("ended below minimum", "id=1, profile=CDL, status=C", ""),
];

#[test]
fn findings_warn_once_per_person_and_kind_and_name_the_first_record() {
    for &(name, lines, expected) in EVERY_KIND {
        let expected = match expected {
            "" => String::new(),
            kind => format!("finding {kind} inps:1"),
        };
        assert_text(
            name,
            &judged(lines, &["finding", "quarantine"], &rules()),
            &expected,
        );
    }
}

#[test]
fn several_findings_come_in_the_order_of_their_kinds() {
    let lines = "id=2, surname=B, entity=X, halves_delivered=0, expires_on=2001-01-01
                 id=1, surname=B, entity=X, halves_delivered=0, level=DISP";
    let expected = "finding name_code_mismatch inps:1
                    finding entity_ignored inps:1
                    finding halves_open inps:1";
    assert_text("several", &judged(lines, &["finding"], &rules()), expected);
}
