//! What is accepted at the counter, and why the rest is refused.

use jiff::Timestamp;
use pinferry::domain::{
    activation::{
        column::{COLUMNS, Column},
        diverted::{DivertedPin, evaluate_diverted},
        evaluation::{Unusable, evaluate},
        grounds::Grounds,
        office::Offices,
        request::Fields,
        submission::{Submission, Verdict},
    },
    field::{FIELDS, Field},
    raw_record::{RawRecord, Shape, SourceIndex},
};

use crate::world::{MARIO, grounds, hash, rules, schedule};

const NOW: &str = "2013-11-10T12:00:00Z";

pub(crate) fn judged(changes: &[(Column, &str)]) -> Result<Submission, Unusable> {
    judged_by(changes, &grounds())
}

fn judged_by(changes: &[(Column, &str)], grounds: &Grounds) -> Result<Submission, Unusable> {
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
    evaluate(&Fields(fields), grounds, now)
}

fn reason(changes: &[(Column, &str)]) -> String {
    reason_of(&judged(changes).expect("a request"))
}

fn reason_of(submission: &Submission) -> String {
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

#[test]
fn what_is_kept_of_a_refused_request_holds_nothing_of_its_credential() {
    let pin = "1234ABCD5678EFGH";
    let clear = judged(&[(Column::Credential, pin)]).expect("a request");
    let other = judged(&[(Column::Credential, "another in clear")]).expect("a request");
    assert!(!format!("{clear:?}").contains(pin));
    assert_eq!(
        clear.payload, other.payload,
        "not even a hash of it, which could be turned back"
    );
}
