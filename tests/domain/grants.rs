//! Grants and delegations hang on the person.

use super::support::{assert_text, judged, rules};

#[test]
fn one_grant_per_profile_and_entity_from_its_best_records() {
    for (name, lines, expected) in [
        (
            "active",
            "id=1",
            "grant CIT/ active ordinary 2010-01-01 legacy:inps:1",
        ),
        (
            "suspended",
            "id=1, status=S",
            "grant CIT/ suspended ordinary 2010-01-01 legacy:inps:1",
        ),
        (
            "pending",
            "id=1, status=P",
            "grant CIT/ pending ordinary 2010-01-01 legacy:inps:1",
        ),
        (
            "ceased",
            "id=1, status=C",
            "grant CIT/ ended ordinary 2010-01-01 legacy:inps:1",
        ),
        (
            "the level is the highest of the best status only",
            "id=1, issued_on=2011-01-01, level=DISP
             id=2, issued_on=2010-01-01
             id=3, issued_on=2009-01-01, status=S, level=DISP",
            "grant CIT/ active dispositive 2010-01-01 legacy:inps:2",
        ),
        (
            "a suspended dispositive record raises nothing",
            "id=1\nid=3, status=S, level=DISP",
            "grant CIT/ active ordinary 2010-01-01 legacy:inps:1",
        ),
        (
            "revoked and ceased end alike",
            "id=1, status=C, level=DISP\nid=2, status=R, issued_on=2009-01-01",
            "grant CIT/ ended dispositive 2009-01-01 legacy:inps:2",
        ),
        (
            "ties go to the earlier source, then the smaller id",
            "id=1, source=1\nid=9\nid=10",
            "grant CIT/ active ordinary 2010-01-01 legacy:inps:10",
        ),
        (
            "entities are told apart, in the order of profile and entity",
            "id=1, profile=pat, entity=e2\nid=2, profile=PAT, entity=E1, status=R\nid=3, profile=CDL",
            "grant CDL/ active ordinary 2010-01-01 legacy:inps:3
             grant PAT/E1 ended ordinary 2010-01-01 legacy:inps:2
             grant PAT/E2 active ordinary 2010-01-01 legacy:inps:1",
        ),
        (
            "an entity the profile has not is dropped",
            "id=1, entity=X\nid=2, issued_on=2009-01-01",
            "grant CIT/ active ordinary 2009-01-01 legacy:inps:2",
        ),
    ] {
        assert_text(name, &judged(lines, &["grant"], &rules()), expected);
    }
}

#[test]
fn guardians_of_candidates_become_delegations() {
    let lines = "id=1, status=S, guardian_fiscal_code=BNCLRA85B41F205*
                 id=2, status=A, guardian_fiscal_code=bnclra85b41f205z
                 id=3, status=P, guardian_fiscal_code=00000000018
                 id=4, status=R, guardian_fiscal_code=VRDLCU70C10L219*"
        .replace(
            "bnclra85b41f205z",
            &super::support::expand("BNCLRA85B41F205*").to_lowercase(),
        );
    let expected = "delegation 00000000018 legacy:inps:3
                    delegation BNCLRA85B41F205* legacy:inps:2";
    assert_text(
        "guardians",
        &judged(&lines, &["delegation"], &rules()),
        expected,
    );
}
