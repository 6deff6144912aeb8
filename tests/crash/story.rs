//! What `explain` tells of a person after a night and a day.

use std::{fs, process::Stdio};

use crate::{
    night::{ENGINES, Moment, Night, Way, change, code, insert, row},
    schemas,
};

/// What `explain` says, as JSON, after its table was seen to name nobody either.
fn explained(night_of: &Night, what: &str, code: &str) -> serde_json::Value {
    let ask = |format: &str| {
        let mut explain = night_of.command(&["--format", format, "explain", what]);
        let mut child = explain.stdin(Stdio::piped()).spawn().expect("it starts");
        let mut input = child.stdin.take().expect("an input");
        std::io::Write::write_all(&mut input, code.as_bytes()).expect("written");
        drop(input);
        let output = child.wait_with_output().expect("it ends");
        let told = String::from_utf8(output.stdout).expect("text");
        let talk = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{what}: {talk}");
        let typed = ["--format", format, "explain", what];
        schemas::hold_call(night_of.folder.path(), &typed, Some(0), told.as_bytes());
        for secret in [
            code,
            "MARIO",
            "ALÌ",
            &"ab".repeat(32),
            &"cd".repeat(32),
            "00ff",
            "@",
        ] {
            assert!(!told.contains(secret), "{secret}: {told}");
        }
        told
    };
    let table = ask("table");
    assert!(
        table.contains("DECIDED BY") && table.contains("CHANGED UNDER THE LOCK"),
        "{table}"
    );
    let told: serde_json::Value = serde_json::from_str(&ask("json")).expect("JSON");
    told["explained"].clone()
}

/// What offices hand in about a person.
fn day(person: &str) -> String {
    let hash = "cd".repeat(32);
    format!(
        "request_id;kind;accepted_at;office;channel;fiscal_code;surname;given_name;birth_date;profile;level;credential;\
             credential_scheme;halves_delivered;documents;of_request;of_pin;half;outcome\n\
             N1;new_pin;2026-01-03T09:00;0700;SED;{person};COM;ORD;{hash};SHA256;1;IDENTITY_CARD PROFESSIONAL_REGISTER_ENTRY;;;;\n\
             N0;further_profile;2025-12-31T09:00;0700;SED;{person};CIT;ORD;;;;IDENTITY_CARD;;;;\n\
             V1;suspension;2026-01-03T10:00;0700;SED;{person};CIT;;;;;;;;;\n\
             P1;receipt;2026-01-04T09:00;0700;;;;;;;;;;;;N1;;second;delivered\n\
             P2;receipt;2026-01-04T09:00;0700;;;;;;;;;;;;;inps:A04-1;second;returned\n"
    )
}

#[test]
fn the_whole_story_of_a_person_is_told_by_record_by_request_and_by_code_and_names_nobody_on_every_engine()
 {
    for engine in ENGINES {
        let activation = "expected = \"PT4H\"\n[activation]\ndelay_working_days = 0\naccepted_within_days = 36500";
        let night_of = Night::on(engine, activation);
        // A record whose id is its holder's code.
        let mut coded = row('A', 0, 0);
        coded[1] = code('A', 20);
        coded[0] = code('A', 20);
        night_of.office(&insert(&coded)).expect("a record");
        night_of.until(Moment::Held);
        for (row, way) in [
            (row('A', 4, 0), Way::Upsert),
            (coded.clone(), Way::WithNotes),
        ] {
            night_of.office(&change(&row, "S", way)).expect("it passes");
            night_of.office(&change(&row, "R", way)).expect("it passes");
        }
        night_of.finish();
        let person = format!("{};D'ALÌ;MARIO;1980-01-01", code('A', 4));
        fs::write(night_of.folder.path().join("day.csv"), day(&person)).expect("a file");
        let intake = night_of.command(&["intake", "day.csv"]).output();
        let intake = intake.expect("it starts");
        let told = String::from_utf8_lossy(&intake.stderr);
        assert_eq!(intake.status.code(), Some(3), "{told}");
        night_of.expect(&["activate"], 0);

        let found = explained(&night_of, "inps:A04-0", &code('A', 4));
        let pick = |list: &str, names: &[&str]| -> Vec<String> {
            let rows = found[list].as_array().expect("a list");
            let row = |row: &serde_json::Value| {
                let values = names.iter().map(|name| match &row[*name] {
                    serde_json::Value::String(text) => text.clone(),
                    other => other.to_string(),
                });
                values.collect::<Vec<_>>().join(" ")
            };
            rows.iter().map(row).collect()
        };
        let names = [
            "source",
            "legacy_id",
            "legacy_status",
            "decided_by",
            "status",
            "superseded_by",
        ];
        assert_eq!(
            pick("pins", &names),
            [
                "inps A04-1 active rule 5: first among the person's PINs retired activation:N1",
                "inps A04-0 revoked rule 5: it was revoked or ceased revoked null",
                "activation N1 active the request that brought it active null",
            ]
        );
        assert_eq!(
            pick(
                "captures",
                &["record", "fields", "status_before", "status_after"]
            ),
            [
                "inps:A04-0 [\"status\"] active suspended",
                "inps:A04-0 [\"status\"] suspended revoked",
            ]
        );
        assert_eq!(
            pick(
                "requests",
                &["request_id", "kind", "profile", "state", "reason"]
            ),
            [
                "N0 further_profile CIT failed revoked",
                "N1 new_pin COM done ",
                "V1 suspension CIT done ",
            ]
        );
        assert_eq!(
            pick(
                "receipts",
                &["request_id", "of", "half", "outcome", "state"]
            ),
            [
                "P1 activation:N1 second delivered done",
                "P2 inps:A04-1 second returned done",
            ]
        );
        for what in ["activation:N1", "activation:V1", "inps:A04-1", "-"] {
            assert_eq!(explained(&night_of, what, &code('A', 4)), found, "{what}");
        }
        let masked = explained(&night_of, &format!("inps:{}", coded[0]), &coded[0]);
        assert_eq!(masked["captures"][0]["record"], "inps:****************");
        assert_eq!(masked["captures"].as_array().map(Vec::len), Some(2));
        night_of.expect(&["explain", "activation:nobody"], 1);
        night_of.expect(&["verify"], 0);
    }
}
