//! What is accepted at the counter, and why the rest is refused.

use jiff::Timestamp;
use pinferry::domain::{
    activation::{
        column::{COLUMNS, Column},
        diverted::{DivertedPin, evaluate_diverted},
        evaluation::{Entry, Unusable, evaluate},
        grounds::Grounds,
        office::Offices,
        policy::Policy,
        request::Fields,
        submission::{Submission, Verdict},
    },
    field::{FIELDS, Field},
    raw_record::{RawRecord, Shape, SourceIndex},
};

use crate::world::{LAURA, MARIO, grounds, hash, rules, schedule};

pub(crate) const NOW: &str = "2013-11-10T12:00:00Z";

pub(crate) fn judged(changes: &[(Column, &str)]) -> Result<Submission, Unusable> {
    judged_by(changes, &grounds())
}

pub(crate) fn judged_by(
    changes: &[(Column, &str)],
    grounds: &Grounds,
) -> Result<Submission, Unusable> {
    let hash = hash(1);
    let mut fields = [""; COLUMNS];
    for (column, text) in [
        (Column::RequestId, "R1"),
        (Column::AcceptedAt, "2013-11-04T10:15"),
        (Column::FiscalCode, MARIO),
        (Column::Surname, "Rossi"),
        (Column::GivenName, "Mario"),
        (Column::Profile, "CDL"),
        (Column::Level, "DISP"),
        (Column::Credential, &hash),
        (Column::CredentialScheme, "sha256"),
        (Column::HalvesDelivered, "2"),
        (
            Column::Documents,
            "identity_card|PROFESSIONAL_REGISTER_ENTRY",
        ),
    ]
    .iter()
    .chain(changes)
    {
        fields[column.index()] = text;
    }
    let now: Timestamp = NOW.parse().expect("a time");
    match evaluate(&Fields(fields), grounds, now)? {
        Entry::Request(request) => Ok(*request),
        Entry::Receipt(_) | Entry::EarlyReceipt(_) => panic!("a receipt"),
    }
}

pub(crate) fn reason(changes: &[(Column, &str)]) -> String {
    reason_of(&judged(changes).expect("a request"))
}

pub(crate) fn reason_of(submission: &Submission) -> String {
    match &submission.verdict {
        Verdict::Accepted(_) => "accepted".to_owned(),
        Verdict::Refused { refusal, .. } => refusal.as_str().to_owned(),
    }
}

#[test]
fn a_request_is_accepted_or_refused_with_its_reason() {
    use Column as C;
    for (changes, expected) in [
        (vec![], "accepted"),
        (vec![(C::HalvesDelivered, "0")], "accepted"),
        (vec![(C::Level, "ordinary")], "accepted"),
        (vec![(C::Documents, "IDENTITY_CARD")], "documents_missing"),
        (vec![(C::Documents, "")], "documents_missing"),
        (vec![(C::Profile, "XYZ")], "profile_unknown"),
        (vec![(C::Profile, "PAT")], "entity_missing"),
        (
            vec![(C::FiscalCode, "RSSMRA80A01H501X")],
            "fiscal_code_invalid",
        ),
        (vec![(C::Surname, " ")], "identity_missing"),
        (vec![(C::GivenName, "")], "identity_missing"),
        (vec![(C::BirthDate, "1980-02-30")], "date_invalid"),
        (vec![(C::BirthDate, "2014-01-01")], "date_invalid"),
        (
            vec![(C::AcceptedAt, "2013-11-10T13:01:00+01:00")],
            "accepted_in_future",
        ),
        (vec![(C::Level, "HIGH")], "level_unknown"),
        (vec![(C::Credential, "")], "credential_missing"),
        (
            vec![(C::Credential, "1234ABCD5678EFGH")],
            "credential_not_hashed",
        ),
        (
            vec![(C::CredentialScheme, "ROT13")],
            "credential_unsupported",
        ),
        (vec![(C::CredentialScheme, "MD5")], "credential_not_hashed"),
        (vec![(C::HalvesDelivered, "")], "halves_invalid"),
        (vec![(C::HalvesDelivered, "3")], "halves_invalid"),
        (vec![(C::GuardianFiscalCode, MARIO)], "guardian_invalid"),
        (vec![(C::Surname, "Ro\u{7}ssi")], "encoding_invalid"),
    ] {
        assert_eq!(reason(&changes), expected, "{changes:?}");
    }
}

pub(crate) const NO_PIN: [(Column, &str); 4] = [
    (Column::Credential, ""),
    (Column::CredentialScheme, ""),
    (Column::HalvesDelivered, ""),
    (Column::Level, ""),
];

pub(crate) fn with(more: &[(Column, &'static str)]) -> Vec<(Column, &'static str)> {
    [&NO_PIN[..], more].concat()
}

pub(crate) fn assert_reasons(cases: &[(Vec<(Column, &str)>, &str)]) {
    for (changes, expected) in cases {
        assert_eq!(reason(changes), *expected, "{changes:?}");
    }
}

#[test]
fn a_further_profile_needs_documents_and_brings_no_pin() {
    use Column as C;
    assert_reasons(&[
        (
            with(&[(C::Kind, "further_profile"), (C::Channel, "SED")]),
            "accepted",
        ),
        (
            with(&[(C::Kind, "further_profile"), (C::Channel, "WEB")]),
            "accepted",
        ),
        (with(&[(C::Kind, "further_profile")]), "level_unknown"),
        (vec![(C::Kind, "further_profile")], "credential_unexpected"),
        (
            with(&[
                (C::Kind, "further_profile"),
                (C::Channel, "SED"),
                (C::Documents, ""),
            ]),
            "documents_missing",
        ),
    ]);
}

#[test]
fn a_replacement_needs_what_a_pin_needs() {
    use Column as C;
    assert_reasons(&[
        (vec![(C::Kind, "replacement")], "accepted"),
        (
            vec![(C::Kind, "replacement"), (C::Credential, "")],
            "credential_missing",
        ),
        (
            vec![(C::Kind, "replacement"), (C::Documents, "")],
            "documents_missing",
        ),
    ]);
}

#[test]
fn a_credential_that_was_corrected_makes_another_request_whether_or_not_a_level_is_told() {
    use Column as C;
    let [one, other] = [hash(1), hash(2)];
    for level in ["DISP", "", " dispositive "] {
        let payload = |credential| {
            let request = [
                (C::Channel, "SED"),
                (C::Level, level),
                (C::Credential, credential),
            ];
            judged(&request).expect("a request").payload
        };
        assert_ne!(payload(&one), payload(&other), "{level}");
        assert_eq!(payload(&one), payload(&one), "{level}");
    }
}

#[test]
fn each_channel_has_its_level_and_its_contact() {
    use Column as C;
    assert_reasons(&[
        (vec![(C::Channel, "UFF"), (C::Level, "")], "accepted"),
        (vec![(C::Channel, "SED"), (C::Level, "ORD")], "accepted"),
        (vec![(C::Level, "")], "level_unknown"),
        (
            vec![(C::Channel, "web"), (C::Email, "m@example.org")],
            "level_above_channel",
        ),
        (
            vec![(C::Channel, "TEL"), (C::Phone, "06 1")],
            "level_above_channel",
        ),
        (
            vec![
                (C::Channel, "WEB"),
                (C::Level, ""),
                (C::Email, "m@example.org"),
            ],
            "accepted",
        ),
        (
            vec![(C::Channel, "WEB"), (C::Level, ""), (C::Phone, "06 1")],
            "contact_missing",
        ),
        (
            vec![
                (C::Channel, "TEL"),
                (C::Level, ""),
                (C::Email, "m@example.org"),
            ],
            "contact_missing",
        ),
        (
            vec![(C::Channel, "TEL"), (C::Level, "ORD"), (C::Phone, "06 1")],
            "accepted",
        ),
        (
            vec![
                (C::Channel, "WEB"),
                (C::Level, ""),
                (C::Email, "m@PEC.example.org"),
            ],
            "contact_certified",
        ),
        (
            vec![
                (C::Channel, "WEB"),
                (C::Level, ""),
                (C::Email, "m@legalmail.it"),
            ],
            "contact_certified",
        ),
        (
            vec![
                (C::Channel, "SED"),
                (C::Level, ""),
                (C::Email, "m@legalmail.it"),
            ],
            "accepted",
        ),
    ]);
}

#[test]
fn a_channel_is_one_of_four_and_a_contact_is_one() {
    use Column as C;
    let web = |email: &'static str| vec![(C::Channel, "WEB"), (C::Level, ""), (C::Email, email)];
    assert_reasons(&[
        (vec![(C::Channel, "EMAIL")], "channel_unknown"),
        (web("n/a"), "contact_missing"),
        (web("Mario <m@example.org>"), "contact_missing"),
        (web("m@example.org."), "contact_missing"),
        (web("m@arubapec.it"), "contact_certified"),
        (web("m@example.org"), "accepted"),
    ]);
}

#[test]
fn a_minor_by_the_code_is_one_whatever_date_of_birth_is_told() {
    use Column as C;
    let child = (C::FiscalCode, "RSSMRA10A01H501B");
    assert_reasons(&[
        (
            vec![child, (C::BirthDate, "1980-01-01")],
            "guardian_must_ask",
        ),
        (vec![child, (C::BirthDate, "1910-01-01")], "accepted"),
        (vec![(C::BirthDate, "1980-01-02")], "accepted"),
    ]);
}

#[test]
fn a_guardian_asks_for_minors_and_wards() {
    use Column as C;
    const GUARDIAN: (C, &str) = (C::GuardianFiscalCode, LAURA);
    const CHILD: (C, &str) = (C::BirthDate, "2010-01-01");
    const DECLARED: (C, &str) = (
        C::Documents,
        "IDENTITY_CARD PROFESSIONAL_REGISTER_ENTRY GUARDIAN_DECLARATION",
    );
    assert_reasons(&[
        (vec![CHILD], "guardian_must_ask"),
        (
            vec![CHILD, (C::Requester, "proxy"), (C::Mandate, "N. 7")],
            "guardian_must_ask",
        ),
        (
            vec![CHILD, (C::Requester, "guardian")],
            "guardian_not_shown",
        ),
        (
            vec![CHILD, (C::Requester, "guardian"), GUARDIAN],
            "documents_missing",
        ),
        (
            vec![CHILD, (C::Requester, "guardian"), GUARDIAN, DECLARED],
            "accepted",
        ),
        (vec![CHILD, GUARDIAN, DECLARED], "accepted"),
        (
            vec![(C::Requester, "self"), GUARDIAN, DECLARED],
            "guardian_must_ask",
        ),
        (vec![(C::BirthDate, "1995-11-04")], "accepted"),
        (vec![(C::BirthDate, "1995-11-05")], "guardian_must_ask"),
        // Born in 1910 or in 2010.
        (
            vec![(C::FiscalCode, "RSSMRA10A01H501B")],
            "guardian_must_ask",
        ),
        (
            vec![
                (C::FiscalCode, "RSSMRA10A01H501B"),
                (C::BirthDate, "1910-01-01"),
            ],
            "accepted",
        ),
    ]);
}

#[test]
fn who_comes_for_somebody_else_needs_a_mandate() {
    use Column as C;
    assert_reasons(&[
        (vec![(C::Requester, "proxy")], "mandate_missing"),
        (
            vec![(C::Requester, "proxy"), (C::Mandate, "N. 7")],
            "accepted",
        ),
        (vec![(C::Requester, "relative")], "relative_without_mandate"),
        (
            vec![(C::Requester, "relative"), (C::Mandate, "N. 7")],
            "accepted",
        ),
    ]);
}

#[test]
fn a_body_may_accept_no_proxies_and_no_old_requests() {
    use Column as C;
    let policy = Policy {
        proxies: false,
        accepted_within_days: Some(6),
        ..Policy::default()
    };
    let grounds = grounds().with(policy);
    let reason = |changes: &[_]| reason_of(&judged_by(changes, &grounds).expect("a request"));
    let proxy = [(C::Requester, "proxy"), (C::Mandate, "N. 7")];
    assert_eq!(reason(&proxy), "proxies_not_accepted");
    assert_eq!(reason(&[(C::AcceptedAt, "2013-11-04T13:00")]), "accepted");
    let old = [(C::AcceptedAt, "2013-11-04T12:59")];
    assert_eq!(reason(&old), "accepted_too_long_ago");
    let old = with(&[(C::Kind, "revocation"), (C::AcceptedAt, "1999-11-04T12:59")]);
    assert_eq!(reason(&old), "accepted");
}

#[test]
fn words_that_are_none_of_their_column_make_a_line_no_request() {
    use Column as C;
    for changes in [
        vec![(C::Kind, "gift")],
        vec![(C::Requester, "friend")],
        vec![
            (C::OfRequest, "R0"),
            (C::Half, "third"),
            (C::Kind, "receipt"),
        ],
        vec![
            (C::Half, "first"),
            (C::OfRequest, "R0"),
            (C::Outcome, "lost"),
            (C::Kind, "receipt"),
        ],
        vec![
            (C::Half, "first"),
            (C::OfRequest, "R0"),
            (C::Outcome, "delivered"),
            (C::Way, "pigeon"),
            (C::Kind, "receipt"),
        ],
        vec![(C::Half, "first"), (C::OfRequest, ""), (C::Kind, "receipt")],
        vec![
            (C::Half, "first"),
            (C::OfPin, "no-source"),
            (C::Kind, "receipt"),
        ],
        vec![
            (C::OfRequest, "R0"),
            (C::OfPin, "inps:1"),
            (C::Kind, "receipt"),
        ],
    ] {
        let unusable = judged(&changes).expect_err("no request");
        let wrong = changes
            .iter()
            .rev()
            .find(|(column, _)| *column == unusable.column);
        assert!(wrong.is_some(), "{changes:?}: {:?}", unusable.column);
    }
}

#[test]
fn a_line_without_id_or_time_is_no_request_at_all() {
    use Column as C;
    let long = "x".repeat(65);
    for (column, text) in [
        (C::RequestId, ""),
        (C::RequestId, long.as_str()),
        (C::RequestId, "a b"),
        (C::RequestId, "divert:inps:1"),
        (C::RequestId, MARIO),
        (C::RequestId, "REQ-RSSMRA80A01H501U-1"),
        (C::AcceptedAt, "1899-12-31T10:00"),
        (C::AcceptedAt, ""),
        (C::AcceptedAt, "2013-11-04"),
        (C::AcceptedAt, "04/11/2013 10:15"),
    ] {
        let unusable = judged(&[(column, text)]).expect_err("no request");
        assert_eq!(unusable.column, column, "{text}");
    }
}

#[test]
fn the_day_of_activation_is_the_next_working_day_in_rome() {
    for (accepted_at, not_before) in [
        ("2013-11-04T10:15", "2013-11-04T23:00:00Z"),
        ("2013-10-31 18:00", "2013-11-03T23:00:00Z"),
        // Half past midnight in Rome, still the day before in UTC.
        ("2013-07-01T22:30:00Z", "2013-07-02T22:00:00Z"),
        ("2013-03-29T09:00", "2013-04-01T22:00:00Z"),
    ] {
        let submission = judged(&[(Column::AcceptedAt, accepted_at)]).expect("a request");
        assert_eq!(
            submission.not_before.to_string(),
            not_before,
            "{accepted_at}"
        );
    }
}

#[test]
fn an_office_that_is_not_in_the_file_of_offices_is_refused_where_there_is_one() {
    let mut offices = Offices::default();
    offices.add("0100", "11-05".parse().ok());
    let judged = |office: &str, offices: &Offices| {
        let grounds = Grounds::new(rules(), schedule(Some(offices.clone())));
        judged_by(&[(Column::Office, office)], &grounds).expect("a request")
    };
    for (office, reason) in [
        (" 0100 ", "accepted"),
        ("100", "office_unknown"),
        ("", "office_unknown"),
    ] {
        let submission = judged(office, &offices);
        assert_eq!(reason_of(&submission), reason, "{office}");
    }
    let patron = judged("0100", &offices).not_before;
    assert_eq!(patron.to_string(), "2013-11-05T23:00:00Z", "a day later");
}

#[test]
fn a_diverted_pin_rests_on_its_office_s_patron_day_and_is_not_refused_for_its_office() {
    let mut offices = Offices::default();
    offices.add("0100", "11-05".parse().ok());
    let grounds = Grounds::new(rules(), schedule(Some(offices)));
    let credential = hash(1);
    for (office, not_before) in [
        (" 0100", "2013-11-05T23:00:00Z"),
        ("100", "2013-11-04T23:00:00Z"),
        ("", "2013-11-04T23:00:00Z"),
    ] {
        let mut fields = [""; FIELDS];
        for (field, text) in [
            (Field::FiscalCode, MARIO),
            (Field::Surname, "Rossi"),
            (Field::GivenName, "Mario"),
            (Field::Profile, "CIT"),
            (Field::Status, "A"),
            (Field::Level, "DISP"),
            (Field::Credential, credential.as_str()),
            (Field::CredentialScheme, "SHA256"),
            (Field::IssuedOn, "2013-11-04"),
            (Field::Office, office),
        ] {
            fields[field.index()] = text;
        }
        let raw = RawRecord {
            source: SourceIndex(0),
            number: 1,
            shape: Shape::Row,
            invalid: 0,
            clean: false,
            fields,
        };
        let at = "2013-11-04T01:00:00Z".parse().expect("a time");
        let submission = evaluate_diverted(&DivertedPin { seq: 1, at, raw }, &grounds);
        assert_eq!(reason_of(&submission), "accepted", "{office}");
        assert_eq!(submission.not_before.to_string(), not_before, "{office}");
    }
}
