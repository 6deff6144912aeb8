//! A value and the tally that vouches for it, changed together: what the sources say is left to find it.

use pinferry::engine::verify::MismatchCode;

use crate::{
    engine::{Engine, on_both_engines},
    fixture::migrated,
    values::{bare, key, of},
};

/// Columns whose value follows from the sources; each with a change that a table would take.
const CHANGES: [(&str, &str); 34] = [
    ("person SET surname = 'ALTRA'", "surname <> ''"),
    ("person SET given_name = 'ALTRO'", "given_name IS NOT NULL"),
    (
        "person SET birth_date = '1950-05-05'",
        "birth_date IS NOT NULL",
    ),
    ("person SET birth_date = NULL", "birth_date IS NOT NULL"),
    ("person SET email = 'a@b.example'", "email IS NOT NULL"),
    ("person SET email = NULL", "email IS NOT NULL"),
    ("person SET email = 'a@b.example'", "email IS NULL"),
    ("person SET phone = '1'", "phone IS NOT NULL"),
    (
        "fiscal_code SET fiscal_code = 'RSSMRA80A01H501Z'",
        "current",
    ),
    (
        "fiscal_code SET fiscal_code = 'RSSMRA80A01H501Z'",
        "NOT current",
    ),
    ("pin SET status = 'suspended'", "status = 'active'"),
    ("pin SET status = 'active'", "status = 'suspended'"),
    ("pin SET disposition = 'history'", "disposition = 'retired'"),
    ("pin SET level = 'dispositive'", "level = 'ordinary'"),
    ("pin SET credential = 'ff'", "credential IS NOT NULL"),
    (
        "pin SET credential_scheme = 'MD5'",
        "credential_scheme = 'SHA256'",
    ),
    (
        "pin SET credential_salt = 'salt'",
        "credential_salt IS NULL",
    ),
    ("pin SET halves_delivered = 0", "halves_delivered = 2"),
    (
        "pin SET issued_on = '2001-01-01'",
        "issued_on <> '2001-01-01'",
    ),
    (
        "pin SET expires_on = '2030-01-01'",
        "disposition = 'survivor'",
    ),
    (
        "pin SET expires_on = '2013-12-12'",
        "disposition <> 'survivor'",
    ),
    ("pin SET expires_on = NULL", "expires_on IS NOT NULL"),
    ("pin SET office = '9999'", "office IS NOT NULL"),
    ("pin SET channel = 'TEL'", "channel = 'WEB'"),
    ("pin SET legacy_profile = 'MED'", "legacy_profile = 'CIT'"),
    ("pin SET legacy_entity = 'X'", "legacy_entity = ''"),
    (
        "pin SET legacy_status = 'ceased'",
        "legacy_status = 'revoked'",
    ),
    ("pin SET superseded_by = NULL", "superseded_by IS NOT NULL"),
    ("profile_grant SET status = 'active'", "status <> 'active'"),
    (
        "profile_grant SET level = 'dispositive'",
        "level = 'ordinary'",
    ),
    (
        "profile_grant SET valid_from = '2001-01-01'",
        "valid_from <> '2001-01-01'",
    ),
    (
        "profile_grant SET evidence = 'legacy:inps:0'",
        "evidence <> ''",
    ),
    (
        "delegation SET evidence = 'legacy:inps:0'",
        "evidence <> ''",
    ),
    (
        "delegation SET guardian_fiscal_code = 'RSSMRA80A01H501U'",
        "evidence <> ''",
    ),
];

on_both_engines! {
    a_value_changed_together_with_its_digest_and_counts_is_found
    a_payload_changed_together_with_its_digest_is_found
}

fn a_value_changed_together_with_its_digest_and_counts_is_found(engine: Engine) {
    let mut unseen = Vec::new();
    for (change, only) in CHANGES {
        let place = migrated(engine);
        let table = change.split(' ').next().unwrap();
        let key = key(engine, table);
        let sql = format!(
            "UPDATE {change} WHERE {key} = (SELECT {} FROM {table} WHERE {only} LIMIT 1)",
            bare(key)
        );
        assert_eq!(place.raw().must(&sql), 1, "{sql}");
        let first = place.verify().unwrap();
        assert!(!first.passed(), "{sql}");
        // Now the partitions vouch for what stands there.
        let vouched = serde_json::to_string(&first.found).unwrap();
        let nothing = serde_json::to_string(&pinferry::domain::tally::Tally::default()).unwrap();
        for (partition, tally) in [vouched, nothing].iter().enumerate() {
            place.raw().must(&format!(
                "UPDATE run_partition SET tally = '{tally}' WHERE partition_no = {partition}"
            ));
        }
        if place.verify().unwrap().passed() {
            unseen.push(sql);
        }
    }
    assert_eq!(unseen, Vec::<String>::new());
}

fn a_payload_changed_together_with_its_digest_is_found(engine: Engine) {
    let place = migrated(engine);
    let sql = "UPDATE quarantine SET payload = replace(payload, '\"office\":\"', '\"office\":\"9') WHERE {row} = (
        SELECT {row} FROM quarantine WHERE payload LIKE '%\"office\":\"%' AND copy = 0
            AND legacy_id NOT LIKE '@%' LIMIT 1)";
    assert_eq!(place.raw().must(&of(engine, sql)), 1);
    let found = place.verify().unwrap();
    let carried = found
        .mismatches
        .iter()
        .find(|mismatch| mismatch.code == MismatchCode::NotCarried)
        .unwrap();
    assert_eq!((carried.count, carried.examples.len()), (1, 1));
}
