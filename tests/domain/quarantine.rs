//! Own-field rules: every reason, what it says, and which comes first.

use pinferry::domain::{
    case::{decide, quarantine_duplicate},
    duplicates,
};

use super::support::{Legacy, assert_text, judged, records, rules, rules_with_links, show};

/// A record and the row it becomes.
const EVERY_REASON: &[(&str, &str)] = &[
    (
        r#"malformed=["1","x"]"#,
        "inps:@1/0 row_malformed the row has a wrong number of fields",
    ),
    ("id= ", "inps:@1/0 id_missing legacy_id is empty"),
    (
        "id=@7",
        "inps:@1/0 id_missing legacy_id begins with @, which is reserved",
    ),
    (
        "id=a\u{1}b\\",
        "inps:a\\u{1}b\\\\/0 encoding_invalid legacy_id holds a control character",
    ),
    (
        "id=a\\xff, invalid=legacy_id",
        "inps:a\\xff/0 encoding_invalid legacy_id is not valid in the declared encoding",
    ),
    (
        "email=a\\xe8, invalid=email",
        "inps:1/0 encoding_invalid email is not valid in the declared encoding",
    ),
    (
        "surname=RO\u{85}SSI",
        "inps:1/0 encoding_invalid surname holds a control character",
    ),
    ("code=", "inps:1/0 fiscal_code_invalid fiscal_code is empty"),
    (
        "code=RSSMRA80A01H501A",
        "inps:1/0 fiscal_code_invalid fiscal_code: the check character does not fit",
    ),
    (
        "code=RSSMRA80B30H501*",
        "inps:1/0 fiscal_code_invalid fiscal_code: the date in the code does not exist",
    ),
    (
        "code=ROSSI",
        "inps:1/0 fiscal_code_invalid fiscal_code: neither the personal nor the numeric form",
    ),
    (
        "code=BNCLRA85B41F205*",
        "inps:1/0 fiscal_code_discarded fiscal_code: the links file discards it",
    ),
    (
        "surname=\u{a0}",
        "inps:1/0 identity_missing surname is empty",
    ),
    (
        "given_name=",
        "inps:1/0 identity_missing given_name is empty",
    ),
    (
        "birth_date=1980-02-30",
        "inps:1/0 date_invalid birth_date is not an ISO date",
    ),
    ("issued_on=", "inps:1/0 date_invalid issued_on is empty"),
    (
        "expires_on=01/02/2013",
        "inps:1/0 date_invalid expires_on is not an ISO date",
    ),
    (
        "last_used_on=2013-01-01x",
        "inps:1/0 date_invalid last_used_on is not an ISO date",
    ),
    (
        "profile=XYZ",
        "inps:1/0 profile_unknown profile is not in the catalogue",
    ),
    ("profile=", "inps:1/0 profile_unknown profile is empty"),
    (
        "profile=PAT",
        "inps:1/0 entity_missing entity is empty and the profile requires one",
    ),
    (
        "status=X",
        "inps:1/0 status_unknown status is no code of this source",
    ),
    (
        "level=",
        "inps:1/0 level_unknown level is no code of this source",
    ),
    (
        "credential=",
        "inps:1/0 credential_missing credential is empty",
    ),
    (
        "credential_scheme=",
        "inps:1/0 credential_unsupported credential_scheme is empty",
    ),
    (
        "credential_scheme=ROT13",
        "inps:1/0 credential_unsupported credential_scheme is not among the accepted ones",
    ),
    (
        "halves_delivered=3",
        "inps:1/0 halves_invalid halves_delivered is none of 0, 1, 2",
    ),
    (
        "guardian_fiscal_code=x",
        "inps:1/0 guardian_invalid guardian_fiscal_code: neither the personal nor the numeric form",
    ),
    (
        "guardian_fiscal_code=BNCLRA85B41F205*",
        "inps:1/0 guardian_invalid guardian_fiscal_code: the links file discards it",
    ),
    (
        "guardian_fiscal_code=RSSMRA80A01H501*",
        "inps:1/0 guardian_invalid guardian_fiscal_code: it is the holder's own",
    ),
];

#[test]
fn every_reason_names_the_field_and_never_the_value() {
    let rules = rules_with_links("BNCLRA85B41F205*;");
    for &(record, expected) in EVERY_REASON {
        let got = judged(record, &[""], &rules);
        assert_text(record, &got, &format!("quarantine {expected}"));
    }
}

#[test]
fn a_record_carries_the_first_reason_that_applies() {
    // Each line mends what the line before was quarantined for; all that is wrong later stays wrong.
    let wrong = [
        ("guardian_fiscal_code=x", "guardian_invalid"),
        ("halves_delivered=9", "halves_invalid"),
        ("credential_scheme=", "credential_unsupported"),
        ("credential=", "credential_missing"),
        ("level=?", "level_unknown"),
        ("status=?", "status_unknown"),
        ("profile=PAT", "entity_missing"),
        ("profile=?", "profile_unknown"),
        ("issued_on=", "date_invalid"),
        ("surname=", "identity_missing"),
        ("code=BNCLRA85B41F205*", "fiscal_code_discarded"),
        ("code=?", "fiscal_code_invalid"),
        ("office=\u{7f}", "encoding_invalid"),
        ("id=", "id_missing"),
        (r#"malformed=[]"#, "row_malformed"),
    ];
    let rules = rules_with_links("BNCLRA85B41F205*;");
    let mut record = String::from("id=1");
    for (mistake, reason) in wrong {
        record = format!("{record}, {mistake}");
        let got = judged(&record, &["quarantine"], &rules);
        let got = got.split(' ').nth(2);
        assert_eq!(got, Some(reason), "{record}");
    }
}

#[test]
fn an_invalid_code_that_is_discarded_is_invalid_first() {
    let got = judged("code=BOGUS", &["quarantine"], &rules_with_links("BOGUS;"));
    let expected = "quarantine inps:1/0 fiscal_code_invalid fiscal_code: neither the personal nor the numeric form";
    assert_text("discarded and invalid", &got, expected);
}

#[test]
fn history_needs_no_credential_and_no_known_scheme() {
    for status in ["R", "C"] {
        let record = format!("status={status}, credential=, credential_scheme=ROT13");
        assert_eq!(judged(&record, &["quarantine"], &rules()), "");
    }
}

#[test]
fn a_database_names_what_has_no_id_by_its_hash_wherever_it_was_read() {
    let rules = rules();
    let id = |number: u64, line: &str| {
        let record = Legacy::parse(number, line);
        pinferry::domain::record_id::record_id(&record.raw(), &rules).into_owned()
    };
    let first = id(1, "source=1, id=");
    assert!(first.len() == 17 && first.starts_with('@'), "{first}");
    assert_eq!(first, id(9, "source=1, id="));
    assert_ne!(first, id(1, "source=1, id=, office=7"));
}

#[test]
fn the_payload_keeps_what_was_read_in_canonical_order() {
    let rules = rules();
    for (record, expected) in [
        (r#"malformed=["1","a\"b"]"#, r#"{"row":["1","a\"b"]}"#),
        (
            "id= 7 , code=, surname=\"Q\", given_name=, birth_date=, status=, level=, credential=, credential_scheme=, issued_on=",
            r#"{"legacy_id":" 7 ","surname":"\"Q\"","profile":"CIT"}"#,
        ),
    ] {
        let record = Legacy::parse(1, record);
        let raws = [record.raw()];
        let decision = decide(&raws, &rules);
        assert_eq!(decision.quarantined[0].payload, expected);
    }
}

#[test]
fn of_identical_copies_one_goes_on_and_of_different_ones_none() {
    let rules = rules();
    for (name, lines, goes_on, expected) in [
        (
            "identical once normalised",
            "id=7, profile=cit, issued_on=2010-01-01T10:00:00
             id= 7, profile=CIT",
            1,
            "quarantine inps:7/1 duplicate_id legacy_id is that of another record of the source",
        ),
        (
            "one differs in its phone",
            "id=7, phone=2
             id=7
             id=7, phone=1",
            0,
            "quarantine inps:7/1 duplicate_id legacy_id is that of another record of the source
             quarantine inps:7/2 duplicate_id legacy_id is that of another record of the source
             quarantine inps:7/3 duplicate_id legacy_id is that of another record of the source",
        ),
        (
            "nameless rows of a database",
            "source=1, id=@x
             source=1, id=@x",
            1,
            "quarantine ente:@bf/1 id_missing legacy_id begins with @, which is reserved",
        ),
    ] {
        let copies = records(lines);
        let raws: Vec<_> = copies.iter().map(Legacy::raw).collect();
        let settled = duplicates::settle(&raws);
        assert_eq!(settled.goes_on.iter().count(), goes_on, "{name}");
        let mut decision = decide(&[], &rules);
        decision.quarantined = settled
            .quarantined
            .iter()
            .map(|(position, copy)| quarantine_duplicate(&raws[*position], *copy, &rules))
            .collect();
        let got = show(&decision);
        let hash = got.find('@').map(|at| got[at..at + 17].to_owned());
        let got = hash.map_or(got.clone(), |hash| got.replace(&hash, "@bf"));
        assert_text(name, &got, expected);
    }
}

#[test]
fn copies_are_numbered_in_the_order_of_their_content() {
    let copies = records(
        "id=7, phone=2
         id=7, phone=10
         id=7",
    );
    let raws: Vec<_> = copies.iter().map(Legacy::raw).collect();
    let settled = duplicates::settle(&raws);
    assert_eq!(settled.quarantined, [(2, 1), (1, 2), (0, 3)]);
}
