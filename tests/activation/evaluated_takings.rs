//! What is accepted of requests that take away, and as of when.

use pinferry::domain::activation::column::Column;

use crate::evaluations::{NOW, assert_reasons, judged, reason_of, with};

#[test]
fn what_takes_away_needs_neither_name_nor_documents_and_may_mean_everything() {
    use Column as C;
    assert_reasons(&[
        (
            with(&[
                (C::Kind, "REVOCATION"),
                (C::Surname, ""),
                (C::GivenName, ""),
                (C::Documents, ""),
                (C::Profile, ""),
            ]),
            "accepted",
        ),
        (
            with(&[(C::Kind, "suspension"), (C::Requester, "relative")]),
            "accepted",
        ),
        (
            with(&[(C::Kind, "revocation"), (C::Profile, "XYZ")]),
            "profile_unknown",
        ),
        (
            with(&[(C::Kind, "revocation"), (C::Profile, ""), (C::Entity, "X")]),
            "profile_unknown",
        ),
        (
            with(&[(C::Kind, "revocation"), (C::Profile, "PAT")]),
            "entity_missing",
        ),
        (
            with(&[(C::Kind, "revocation"), (C::FiscalCode, "X")]),
            "fiscal_code_invalid",
        ),
        (vec![(C::Kind, "revocation")], "accepted"),
        (
            with(&[(C::Kind, "revocation"), (C::AcceptedAt, "2013-11-11T10:00")]),
            "accepted_in_future",
        ),
        (
            with(&[(C::Kind, "revocation"), (C::BirthDate, "20/01/1950")]),
            "accepted",
        ),
    ]);
}

#[test]
fn what_takes_away_by_a_fast_clock_is_taken_as_accepted_now() {
    let accepted_at = |at| {
        let revocation = with(&[(Column::Kind, "revocation"), (Column::AcceptedAt, at)]);
        let submission = judged(&revocation).expect("a request");
        (
            submission.accepted_at.to_string(),
            submission.not_before.to_string(),
            reason_of(&submission),
        )
    };
    for (at, taken_as, state) in [
        ("2013-11-10T11:59:00Z", "2013-11-10T11:59:00Z", "accepted"),
        ("2013-11-10T12:01:30Z", NOW, "accepted"),
        ("2013-11-10T15:00", NOW, "accepted"),
        (
            "2013-11-10T14:00:01Z",
            "2013-11-10T14:00:01Z",
            "accepted_in_future",
        ),
    ] {
        let expected = (taken_as.to_owned(), taken_as.to_owned(), state.to_owned());
        assert_eq!(accepted_at(at), expected, "{at}");
    }
}

#[test]
fn a_time_that_comes_twice_or_never_is_late_for_what_takes_away_and_early_for_what_gives() {
    for (at, gives, takes_away) in [
        // The clocks went back at three, and on at two.
        (
            "2013-10-27T02:30",
            "2013-10-27T00:30:00Z",
            "2013-10-27T01:30:00Z",
        ),
        (
            "2013-03-31T02:30",
            "2013-03-31T00:30:00Z",
            "2013-03-31T01:30:00Z",
        ),
        (
            "2013-10-27T03:00",
            "2013-10-27T02:00:00Z",
            "2013-10-27T02:00:00Z",
        ),
        (
            "2013-10-27T02:30+02:00",
            "2013-10-27T00:30:00Z",
            "2013-10-27T00:30:00Z",
        ),
    ] {
        let at = (Column::AcceptedAt, at);
        let given = judged(&[at]).expect("a request");
        assert_eq!(given.accepted_at.to_string(), gives, "{at:?}");
        for kind in ["revocation", "suspension"] {
            let taken = judged(&with(&[(Column::Kind, kind), at])).expect("a request");
            assert_eq!(taken.accepted_at.to_string(), takes_away, "{at:?}");
        }
    }
}

#[test]
fn what_takes_rights_away_is_due_at_once() {
    let revocation = [
        (Column::Kind, "revocation"),
        (Column::Credential, ""),
        (Column::AcceptedAt, "2013-11-02T02:00"),
    ];
    let submission = judged(&revocation).expect("a request");
    assert_eq!(submission.not_before, submission.accepted_at);
}
