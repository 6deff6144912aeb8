//! What is kept of a request, and what tells it from another that comes under its id.

use pinferry::domain::activation::{
    column::Column, grounds::Grounds, office::Offices, policy::Policy, submission::Verdict,
};

use crate::{
    evaluations::{judged, judged_by, reason_of},
    world::{LAURA, MARIO, World, grounds, hash, line, rules, schedule},
};

#[test]
fn what_is_kept_of_a_refused_request_holds_nothing_of_its_credential() {
    let pin = "1234ABCD5678EFGH";
    let other = "8765HGFE4321DCBA";
    let columns = Column::ALL.iter().filter(|column| {
        // With a PIN there the line is no request, and the file is refused whole.
        !matches!(
            column,
            Column::RequestId | Column::Kind | Column::AcceptedAt | Column::Requester
        )
    });
    for column in columns {
        let judged = |pin| {
            let line = [(Column::Credential, ""), (*column, pin)];
            judged(&line).expect("a request")
        };
        let [clear, other] = [judged(pin), judged(other)];
        assert_ne!(reason_of(&clear), "accepted", "{column}");
        for refused in [&clear, &other] {
            let Verdict::Refused {
                applicant, detail, ..
            } = &refused.verdict
            else {
                panic!("{column}: {refused:?}");
            };
            let kept = format!(
                "{} {} {:?} {} {:?} {detail} {:?} {}",
                applicant.fiscal_code,
                applicant.surname,
                applicant.given_name,
                applicant.profile,
                applicant.office,
                refused.documents,
                refused.payload
            );
            assert!(!kept.contains(pin), "{column}: {kept}");
        }
        assert_eq!(
            clear.payload, other.payload,
            "{column}: not even a hash of it, which could be turned back"
        );
    }
}

#[test]
fn the_office_of_a_refused_request_is_kept_unless_it_may_be_its_pin() {
    use Column as C;
    let office = |kind, office, credential: &str, known: Option<&str>| {
        let mut offices = Offices::default();
        let known = known.is_some_and(|known| offices.add(known, None));
        let grounds = Grounds::new(rules(), schedule(known.then_some(offices)));
        let line = [
            (C::Kind, kind),
            (C::Office, office),
            (C::Credential, credential),
            (C::Documents, ""),
            (C::Profile, "PAT"),
        ];
        let judged = judged_by(&line, &grounds).expect("a request");
        match judged.verdict {
            Verdict::Refused { applicant, .. } => applicant.office,
            Verdict::Accepted(_) => panic!("without documents"),
        }
    };
    let hash = hash(1);
    for (code, credential, known, kept) in [
        ("0700", "12345678", None, true),
        ("070001", "", None, true),
        ("Sportello di Mestre", "", None, true),
        ("SEDE-0700", hash.as_str(), None, true),
        ("SEDE-0700", "12345678", Some("SEDE-0700"), true),
        ("SEDE-0700", "12345678", Some("0700"), false),
        ("12345678", "2", None, false),
        ("0700123", "", None, false),
        ("", "2", None, false),
    ] {
        let expected = kept.then(|| code.to_owned());
        let found = office("new_pin", code, credential, known);
        assert_eq!(found, expected, "{code}");
    }
    // A line that takes away brings no PIN, and has none to miss.
    let found = office("revocation", "SEDE-0700", "", None);
    assert_eq!(found.as_deref(), Some("SEDE-0700"));
}

#[test]
fn what_a_request_does_not_use_does_not_tell_it_from_another() {
    use Column as C;
    let payload = |line: &[(Column, &str)]| {
        let judged = judged(line).expect("a request");
        assert_eq!(reason_of(&judged), "accepted", "{line:?}");
        judged.payload
    };
    let revocation = [
        (C::Kind, "revocation"),
        (C::Credential, ""),
        (C::HalvesDelivered, ""),
    ];
    for (line, column) in [
        (&[][..], C::Half),
        (&[], C::Outcome),
        (&[], C::OfPin),
        (&revocation, C::Phone),
        (&revocation, C::CredentialSalt),
    ] {
        let with_pin = [line, &[(column, "12345678")]].concat();
        assert_eq!(payload(line), payload(&with_pin), "{column}");
    }
}

#[test]
fn what_is_mended_under_the_id_of_a_refused_request_is_told_to_come_under_a_new_one() {
    let world = World::in_phase("loading");
    let day = "2013-11-04T10:00";
    let mended = line("R1", day, MARIO, "CIT", "ORD");
    let in_clear = mended.replace(&hash(2), "1234ABCD5678EFGH");
    let first = world.intake(std::slice::from_ref(&in_clear));
    let why = first.requests[0].reason.clone().expect("a reason");
    assert!(why.starts_with("credential_not_hashed: "), "{why}");
    let again = world.intake(&[in_clear]);
    assert_eq!(again.requests[0].reason.as_ref(), Some(&why));
    let answer = world.intake(&[mended]).requests.remove(0);
    assert!(answer.known, "{answer:?}");
    let said = answer.reason.expect("a reason");
    let more = said.strip_prefix(&why).expect("the same reason");
    assert!(more.contains("a new request_id"), "{said}");
    let somebody_else = world.intake(&[line("R1", day, LAURA, "CIT", "ORD")]);
    let reason = somebody_else.requests[0].reason.clone();
    let reason = reason.expect("a reason");
    assert!(reason.starts_with("request_id_taken: "), "{reason}");
}

#[test]
fn an_accepted_request_is_known_again_when_it_would_be_refused_by_then() {
    let world = World::in_phase("loading");
    let old = line("R1", "2013-11-04T10:00", MARIO, "CIT", "ORD");
    world.intake(std::slice::from_ref(&old));
    let grounds = grounds().with(Policy {
        accepted_within_days: Some(30),
        ..Policy::default()
    });
    let answer = world.intake_by(&[old], &grounds).requests.remove(0);
    assert!(answer.known, "{answer:?}");
    assert_eq!(answer.state.as_str(), "accepted");
}
