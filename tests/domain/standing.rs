//! A person who stands in a live target: the target wins.

use std::fmt::Write as _;

use pinferry::domain::{
    finding::FindingKind,
    standing::{StandingPeople, StandingPerson, StandingPin, decide_standing},
    status::Level,
};

use super::support::{
    Legacy, ROSSI, assert_text, expand, records, rules, show, show_grant, show_pin,
};

fn rossi(live_pin: Option<StandingPin>) -> StandingPerson {
    let code = expand(ROSSI);
    StandingPerson {
        fiscal_code: code.parse().expect("a valid code"),
        codes: [code].into(),
        surname: "Rossi".to_owned(),
        given_name: Some("Mario".to_owned()),
        birth_date: None,
        live_pin,
        grants: [("CIT".to_owned(), String::new())].into(),
        guardians: Default::default(),
        findings: [FindingKind::EntityIgnored].into(),
    }
}

fn live() -> Option<StandingPin> {
    Some(StandingPin {
        source: "inps".to_owned(),
        legacy_id: "0".to_owned(),
        level: Level::Ordinary,
        last_used_on: None,
    })
}

fn met(lines: &str, standing: &[StandingPerson]) -> String {
    let (records, rules) = (records(lines), rules());
    let raws: Vec<_> = records.iter().map(Legacy::raw).collect();
    let standing = StandingPeople::new(standing.to_vec(), []);
    let decided = decide_standing(&raws, &standing, &rules);
    let mut out = show(&decided.decision);
    for joining in &decided.joining {
        let _ = writeln!(out, "joins {}", joining.fiscal_code.as_str());
        joining.pins.iter().for_each(|row| show_pin(row, &mut out));
        joining
            .grants
            .iter()
            .for_each(|row| show_grant(row, &mut out));
        for row in &joining.findings {
            let _ = writeln!(out, "finding {}", row.kind);
        }
    }
    out
}

#[test]
fn records_join_as_retired_or_history_and_existing_grants_are_never_raised() {
    let lines = "id=1, status=A, level=DISP, entity=X
                 id=2, status=R
                 id=3, status=S, profile=PAT, entity=E1";
    let expected = "joins RSSMRA80A01H501*
                    pin inps:1 retired retired dispositive expires - by inps:0
                    pin inps:3 retired retired ordinary expires - by inps:0
                    pin inps:2 revoked history ordinary expires -
                    grant PAT/E1 suspended ordinary 2010-01-01 legacy:inps:3
                    finding below_minimum_level";
    assert_text("live", &met(lines, &[rossi(live())]), expected);
}

#[test]
fn a_person_without_a_live_pin_is_not_given_one() {
    let expected = "joins RSSMRA80A01H501*
                    pin inps:1 retired retired ordinary expires -";
    assert_text("no PIN", &met("id=1", &[rossi(None)]), expected);
}

#[test]
fn records_that_disagree_with_the_person_are_quarantined_and_the_person_is_not() {
    let expected = "quarantine inps:1/0 identity_conflict the record disagrees with the person the target holds";
    assert_text(
        "names",
        &met("id=1, surname=VERDI", &[rossi(live())]),
        expected,
    );
}

#[test]
fn somebody_new_is_judged_as_ever_and_sees_the_standing_sibling() {
    let got = met("id=1, code=RSSMRA80A01H50M*", &[rossi(live())]);
    let expected = "person RSSMRA80A01H50M* ROSSI MARIO 1980-01-01 - -
                    code RSSMRA80A01H50M* current
                    pin inps:1 active survivor ordinary expires 2014-05-02
                    grant CIT/ active ordinary 2010-01-01 legacy:inps:1
                    finding omocodia_pair";
    let got = got.replace(" omocodia_pair inps:1", " omocodia_pair");
    assert_text("new", &got, expected);
}
