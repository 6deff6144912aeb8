//! One person, one PIN: which survives, how long, and what the others become.

use super::support::{assert_text, judged, rules};

#[test]
fn the_better_record_survives_whatever_is_read_first() {
    // The first of each pair survives, by the first criterion in which they differ.
    for (name, first, second) in [
        (
            "active before suspended",
            "id=2, status=A",
            "id=1, status=S, level=DISP, last_used_on=2013-10-01",
        ),
        (
            "suspended before pending",
            "id=2, status=S",
            "id=1, status=P, level=DISP, last_used_on=2013-10-01",
        ),
        (
            "pending before revoked",
            "id=2, status=P",
            "id=1, status=R, level=DISP, last_used_on=2013-10-01",
        ),
        (
            "dispositive before ordinary",
            "id=2, level=DISP",
            "id=1, level=ORD, last_used_on=2013-10-01",
        ),
        (
            "latest use",
            "id=2, last_used_on=2013-10-02",
            "id=1, last_used_on=2013-10-01, issued_on=2012-01-01",
        ),
        (
            "any use before none",
            "id=2, last_used_on=2001-01-01",
            "id=1, issued_on=2012-01-01",
        ),
        (
            "latest issue",
            "id=2, issued_on=2012-01-02, source=1",
            "id=1, issued_on=2012-01-01",
        ),
        ("earlier source", "id=2, source=0", "id=1, source=1"),
        ("smaller id as bytes", "id=10", "id=9"),
    ] {
        for lines in [format!("{first}\n{second}"), format!("{second}\n{first}")] {
            let got = judged(&lines, &["pin"], &rules());
            let id = first[3..].split(',').next().unwrap_or_default();
            let survives = got.lines().next().is_some_and(|line| {
                line.contains(&format!(":{id} ")) && line.contains(" survivor ")
            });
            assert!(survives, "{name}: {got}");
        }
    }
}

#[test]
fn pins_keep_their_status_or_retire_or_stay_history() {
    for (name, lines, expected) in [
        (
            "all five",
            "id=c, status=C, issued_on=2009-01-01
             id=r, status=R, expires_on=2011-01-01
             id=p, status=P
             id=s, status=S
             id=a, status=A",
            "pin inps:a active survivor ordinary expires 2014-05-02
             pin inps:s retired retired ordinary expires - by inps:a
             pin inps:p retired retired ordinary expires - by inps:a
             pin inps:r revoked history ordinary expires 2011-01-01
             pin inps:c ceased history ordinary expires -",
        ),
        (
            "suspended only",
            "id=1, status=S",
            "pin inps:1 suspended survivor ordinary expires -",
        ),
        (
            "pending only",
            "id=1, status=P, expires_on=2020-01-01",
            "pin inps:1 pending survivor ordinary expires 2020-01-01",
        ),
        (
            "history only",
            "id=1, status=R",
            "pin inps:1 revoked history ordinary expires -",
        ),
        (
            "revoked and ceased count alike",
            "id=1, status=C\nid=2, status=R, last_used_on=2013-01-01",
            "pin inps:2 revoked history ordinary expires -
             pin inps:1 ceased history ordinary expires -",
        ),
    ] {
        assert_text(name, &judged(lines, &["pin"], &rules()), expected);
    }
}

#[test]
fn the_survivor_expires_with_the_shortest_lived_of_its_active_profiles() {
    for (lines, expected) in [
        ("id=1", "2014-05-02"),
        ("id=1, expires_on=2013-12-01", "2013-12-01"),
        ("id=1, expires_on=2020-12-01 23:59", "2014-05-02"),
        (
            "id=1\nid=2, profile=CDL, issued_on=2009-01-01",
            "2014-02-01",
        ),
        ("id=1\nid=2, profile=CDL, status=S", "2014-05-02"),
        ("id=1, status=S, expires_on=2020-01-01", "2020-01-01"),
    ] {
        let got = judged(lines, &["pin inps:1"], &rules());
        assert_eq!(got.split(' ').nth(6), Some(expected), "{lines}");
    }
}
