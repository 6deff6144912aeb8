//! The schemas themselves: sound, closed, and with the words of the program.

use std::{collections::BTreeSet, fs};

use pinferry::{
    domain::{
        activation::{
            kind::Kind,
            receipt::{Half, Outcome, ReceiptState},
            submission::{Origin, RequestState},
            waiting::WhyNotYet,
        },
        field::Field,
        finding::FindingKind,
        forecast::{Against, Fits, Stage},
        notice::Sort,
        quarantine::Reason,
        status::{Disposition, GrantStatus, LegacyStatus, Level, PinStatus},
    },
    engine::{doctor::Verdict, document::SCHEMA, verify::MismatchCode},
    exit::Exit,
    source::lock::LockState,
    store::RunPhase,
};
use serde_json::{Value, json};

use crate::schemas::{complaints, folder, schema};

/// The names of all documents, and of what they have in common.
fn names() -> Vec<String> {
    let files = fs::read_dir(folder()).expect("a folder");
    let mut names: Vec<_> = files
        .map(|file| file.expect("a file").path())
        .map(|path| {
            path.file_stem()
                .expect("a name")
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    names.sort();
    names
}

/// All objects in a schema.
fn objects<'s>(schema: &'s Value, found: &mut Vec<&'s Value>) {
    match schema {
        Value::Object(fields) => {
            found.push(schema);
            fields.values().for_each(|value| objects(value, found));
        }
        Value::Array(values) => values.iter().for_each(|value| objects(value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn every_schema_is_one_and_every_document_carries_its_version_and_is_closed() {
    let names = names();
    assert!(names.len() > 20, "{names:?}");
    for name in &names {
        let schema = schema(name);
        let unsound = jsonschema::draft202012::meta::validate(&schema);
        assert!(unsound.is_ok(), "{name}: {:?}", unsound.err());
        assert!(
            schema["title"].is_string() && schema["description"].is_string(),
            "{name}"
        );
        let mut parts = Vec::new();
        objects(&schema, &mut parts);
        for part in parts
            .into_iter()
            .filter(|part| part["properties"].is_object() && part["type"] == "object")
        {
            assert_eq!(part["additionalProperties"], false, "{name}: {part}");
            assert!(part["required"].is_array(), "{name}: {part}");
        }
        if name != "common" {
            let complaints = complaints(name, &json!({}));
            let unversioned = complaints.iter().filter(|what| what.contains("\"schema\""));
            assert_eq!(unversioned.count(), 1, "{name}: {complaints:?}");
        }
    }
}

#[test]
fn the_closed_lists_of_the_schemas_are_those_of_the_program() {
    let common = schema("common");
    let says = |list: &Value, words: &[&str]| {
        let listed = list["enum"].as_array().expect("a list");
        let listed: BTreeSet<_> = listed
            .iter()
            .map(|word| word.as_str().expect("a word"))
            .collect();
        assert_eq!(listed, words.iter().copied().collect());
    };
    macro_rules! same {
        ($list:literal, $vocabulary:ty) => {
            let words: Vec<_> = <$vocabulary>::ALL
                .iter()
                .map(|word| word.as_str())
                .collect();
            says(&common["$defs"][$list], &words);
        };
    }
    same!("run_phase", RunPhase);
    same!("stage", Stage);
    same!("legacy_status", LegacyStatus);
    same!("pin_status", PinStatus);
    same!("grant_status", GrantStatus);
    same!("level", Level);
    same!("disposition", Disposition);
    same!("reason", Reason);
    same!("finding_kind", FindingKind);
    same!("request_kind", Kind);
    same!("request_state", RequestState);
    same!("why_not_yet", WhyNotYet);
    same!("half", Half);
    same!("outcome", Outcome);
    same!("receipt_state", ReceiptState);
    let document = |name: &str, place: &str| schema(name).pointer(place).expect("a list").clone();
    macro_rules! same_in {
        ($name:literal, $place:literal, $vocabulary:ty) => {
            let words: Vec<_> = <$vocabulary>::ALL
                .iter()
                .map(|word| word.as_str())
                .collect();
            says(&document($name, $place), &words);
        };
    }
    same_in!("common", "/$defs/lock/properties/state", LockState);
    same_in!(
        "doctor",
        "/properties/checks/items/properties/verdict",
        Verdict
    );
    same_in!(
        "notices",
        "/properties/offices/items/properties/by_sort/propertyNames",
        Sort
    );
    same_in!(
        "report-file",
        "/properties/forecast/properties/against",
        Against
    );
    same_in!("report-file", "/properties/forecast/properties/fits", Fits);
    same_in!(
        "explain",
        "/properties/explained/properties/requests/items/properties/origin",
        Origin
    );
    let fields: Vec<_> = Field::ALL.iter().map(|field| field.name()).collect();
    says(&common["$defs"]["field"], &fields);
    let codes: Vec<_> = MismatchCode::ALL.iter().map(|code| code.as_str()).collect();
    says(&common["$defs"]["mismatch"]["properties"]["code"], &codes);
    let exits = [
        Exit::Done,
        Exit::Failed,
        Exit::Usage,
        Exit::DoneWithQuarantine,
        Exit::Refused,
        Exit::Stopped,
        Exit::VerificationFailed,
        Exit::Interrupted,
        Exit::Terminated,
    ];
    assert_eq!(
        common["$defs"]["exit_code"]["enum"],
        json!(exits.map(Exit::code))
    );
    assert_eq!(common["$defs"]["schema"]["const"], SCHEMA);
}
