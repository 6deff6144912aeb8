//! The file that answers a file of requests.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use pinferry::{engine::result_file::ResultFile, exit::Exit};

use crate::{
    command::{configure, run},
    world::{LAURA, MARIO, World, line},
};

const COLUMNS: &str = "line;request_id;kind;state;known;not_before;reason\n";

fn lines() -> [String; 2] {
    [
        line("R1", "2013-11-04T10:15", MARIO, "CDL", "DISP"),
        line("R2", "2013-11-04T10:20", LAURA, "CDL", "ORD").replace("IDENTITY_CARD ", ""),
    ]
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).expect("a file")
}

#[test]
fn a_file_is_answered_beside_it_and_answered_anew_when_it_comes_again() {
    let world = World::finished();
    configure(&world);
    let folder = world.folder.path();
    world.file(&lines());
    let answers = folder.join("requests.result.csv");
    let refused =
        "3;R2;new_pin;refused;KNOWN;;\"documents_missing: profile CDL requires IDENTITY_CARD\"\n";
    for (known, active) in [
        ("false", "accepted;false;2013-11-05T00:00:00+01:00;"),
        ("true", "accepted;true;2013-11-05T00:00:00+01:00;"),
    ] {
        let (code, _, err) = run(folder, &["intake", "requests.csv"]);
        assert_eq!(code, 3, "{err}");
        assert!(
            err.contains("the answers stand in requests.result.csv"),
            "{err}"
        );
        let refused = refused.replace("KNOWN", known).replace('"', "");
        assert_eq!(
            text(&answers),
            format!("{COLUMNS}2;R1;new_pin;{active}\n{refused}")
        );
        let mode = fs::metadata(&answers).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    assert_eq!(world.activate().activated, 1);
    run(folder, &["intake", "requests.csv"]);
    assert!(
        text(&answers).contains("2;R1;new_pin;done;true;;\n"),
        "the state as it is now"
    );
    let files = fs::read_dir(folder).expect("a folder").filter(|entry| {
        let name = entry.as_ref().expect("an entry").file_name();
        name.to_string_lossy().starts_with('.')
    });
    assert_eq!(files.count(), 0, "no draft is left");
}

#[test]
fn json_lines_are_answered_in_json_lines_and_standard_input_where_a_file_is_named() {
    let world = World::finished();
    configure(&world);
    let folder = world.folder.path();
    let [mario, _] = lines().map(|line| crate::formats::object(&line).to_string());
    fs::write(folder.join("x.jsonl"), format!("{mario}\n")).expect("a file");
    for (arguments, answers) in [
        (vec!["intake", "x.jsonl"], "x.result.jsonl"),
        (vec!["intake", "x.jsonl"], "x.result.jsonl"),
        (vec!["intake", "x.jsonl", "--result", "a.csv"], "a.csv"),
    ] {
        let (code, _, err) = run(folder, &arguments);
        assert_eq!(code, 0, "{err}");
        let text = text(&folder.join(answers));
        if answers == "a.csv" {
            assert_eq!(
                text,
                format!("{COLUMNS}1;R1;new_pin;accepted;true;2013-11-05T00:00:00+01:00;\n")
            );
        } else {
            let answer: serde_json::Value = serde_json::from_str(&text).expect("an object");
            assert_eq!(answer["request_id"], "R1");
            assert_eq!(answer["kind"], "new_pin");
            assert_eq!(answer["not_before"], "2013-11-05T00:00:00+01:00");
            assert_eq!(answer["reason"], serde_json::Value::Null);
        }
    }
    let (code, _, err) = run(folder, &["intake", "x.jsonl", "--result", "-"]);
    assert_eq!(code, 2, "{err}");
    let before = fs::read_dir(folder).expect("a folder").count();
    let (code, _, err) = run(folder, &["intake", "-"]);
    assert_eq!(code, 2, "nobody hands in an empty file: {err}");
    assert_eq!(fs::read_dir(folder).expect("a folder").count(), before);
}

#[test]
fn nothing_is_taken_where_the_answers_have_no_place() {
    let world = World::finished();
    configure(&world);
    let folder = world.folder.path();
    world.file(&lines());
    let answers = folder.join("requests.result.csv");
    let target = text(&folder.join("requests.csv"));
    for stranger in [target.as_str(), "minutes of the meeting\n"] {
        fs::write(&answers, stranger).expect("a file");
        let (code, _, err) = run(folder, &["intake", "requests.csv"]);
        assert_eq!(code, 2, "{err}");
        assert!(
            err.contains("requests.result.csv stands where the answers belong"),
            "{err}"
        );
        assert!(err.contains("--result FILE"), "{err}");
        assert_eq!(text(&answers), stranger);
    }
    fs::remove_file(&answers).expect("a file");
    fs::create_dir(&answers).expect("a folder");
    assert_eq!(run(folder, &["intake", "requests.csv"]).0, 2);
    for (result, said) in [
        ("requests.csv", "stands where the answers belong"),
        (
            "none/x.csv",
            "cannot be written to none/x.csv; nothing was taken",
        ),
    ] {
        let (code, _, err) = run(folder, &["intake", "requests.csv", "--result", result]);
        assert_eq!(code, 2, "{err}");
        assert!(err.contains(said), "{err}");
    }
    assert_eq!(world.one("SELECT count(*) FROM delayed_activation"), "0");
}

#[test]
fn answers_that_cannot_be_written_any_more_end_with_1_and_say_that_the_requests_are_taken() {
    let world = World::finished();
    let path = world.folder.path().join("a.csv");
    let file = ResultFile::prepare(&path).expect("a place");
    assert!(!path.exists(), "nothing is there before there are answers");
    let intake = world.intake(&lines());
    fs::write(&path, "somebody else's").expect("a file");
    let error = file.write(&intake).expect_err("no place");
    assert_eq!(error.exit(), Exit::Failed);
    assert!(
        error.to_string().starts_with("the requests are taken"),
        "{error}"
    );
    assert!(
        error
            .hint()
            .is_some_and(|hint| hint.contains("hand the same file in again"))
    );
    assert_eq!(text(&path), "somebody else's");
    assert_eq!(world.one("SELECT count(*) FROM delayed_activation"), "2");
}
