//! Files of requests in every format, whole and not.

use std::{
    fs,
    io::Write as _,
    process::{Command, Stdio},
};

use assert_cmd::cargo::cargo_bin;
use serde_json::{Value, json};

use crate::{
    command::configure,
    world::{HEADER, LAURA, MARIO, World, line},
};

/// The line of [`line`] as an object.
pub(crate) fn object(line: &str) -> Value {
    let pairs = HEADER.split(';').zip(line.split(';'));
    pairs
        .map(|(key, text)| (key.to_owned(), json!(text)))
        .collect()
}

fn with(mut object: Value, key: &str, value: Value) -> String {
    object[key] = value;
    object.to_string()
}

fn mario() -> String {
    line("R1", "2013-11-04T10:15", MARIO, "CDL", "DISP")
}

/// What is said of a file with this text, of which nothing may be taken.
fn complaint(world: &World, name: &str, text: impl AsRef<[u8]>) -> String {
    let file = world.folder.path().join(name);
    fs::write(&file, text).expect("a file");
    let error = world.try_intake(&file).expect_err("no file of requests");
    assert_eq!(error.exit().code(), 2, "{error}");
    assert_eq!(world.one("SELECT count(*) FROM delayed_activation"), "0");
    let folder = format!("{}/", world.folder.path().display());
    format!("{error}").replace(&folder, "")
}

#[test]
fn json_lines_say_what_csv_says() {
    let lines = [
        mario(),
        line("R2", "2013-11-04T10:20", LAURA, "CIT", "ORD"),
        line("R3", "2013-11-04T10:30", LAURA, "CDL", "ORD").replace("IDENTITY_CARD ", ""),
    ];
    let csv = World::finished();
    let expected = csv.intake(&lines);
    for end in ["\n", ""] {
        let world = World::finished();
        let mut objects = lines.clone().map(|line| object(&line));
        objects[0]["halves_delivered"] = json!(2);
        objects[0]["documents"] = json!(["IDENTITY_CARD", "PROFESSIONAL_REGISTER_ENTRY"]);
        objects[1]["birth_date"] = Value::Null;
        objects[1]["version"] = json!("1");
        objects[2]["version"] = json!(1);
        let text = objects.map(|object| object.to_string()).join("\r\n\n") + end;
        let file = world.folder.path().join("requests.NDJSON");
        fs::write(&file, text).expect("a file");
        let mut taken = world.try_intake(&file).expect("requests");
        for (answer, expected) in taken.requests.iter_mut().zip(&expected.requests) {
            // A header is a line, and an empty line is one.
            assert_eq!(answer.line, 2 * expected.line - 3);
            answer.line = expected.line;
        }
        assert_eq!(taken, expected);
        let all = "SELECT group_concat(request_id || state || reason || documents || halves_delivered || not_before)
                   FROM delayed_activation";
        assert_eq!(world.one(all), csv.one(all));
    }
}

#[test]
fn json_lines_that_are_not_whole_or_not_ours_are_refused_whole_with_line_key_and_reason() {
    let world = World::finished();
    let good = object(&mario()).to_string();
    let (half, _) = good.split_at(good.len() - 2);
    let twice = good.replacen('{', "{\"level\":\"ORD\",", 1);
    let bad = |key: &str, value: Value| with(object(&mario()), key, value);
    for (second, problem) in [
        (half, "x.jsonl:2: is cut off"),
        ("{\"request_id\":\"R", "x.jsonl:2: is cut off"),
        (&twice, "x.jsonl:2: level stands there twice"),
        (
            &bad("levle", json!("ORD")),
            "x.jsonl:2: key 11 is no column; level is perhaps meant",
        ),
        (&bad("Verdi", json!("ORD")), "x.jsonl:2: key 1 is no column"),
        (
            &bad("level", json!(2)),
            "x.jsonl:2: level is no text in quotes",
        ),
        (
            &bad("surname", json!({})),
            "x.jsonl:2: surname is no text in quotes",
        ),
        (
            &bad("halves_delivered", json!(1.5)),
            "x.jsonl:2: halves_delivered is no whole number, and no text",
        ),
        (
            &bad("documents", json!(["A B"])),
            "x.jsonl:2: documents is no list of codes without spaces, and no text",
        ),
        (
            &bad("documents", json!([1])),
            "x.jsonl:2: documents is no list",
        ),
        (&bad("version", json!(2)), "x.jsonl:2: the version is not 1"),
        (
            &bad("version", json!("1.0")),
            "x.jsonl:2: the version is not 1",
        ),
        (
            "[]",
            "x.jsonl:2:1: is no JSON object of one line: it is something else",
        ),
        (
            &format!("{good}{good}"),
            "is no JSON object of one line: something stands there",
        ),
        (
            "request_id;accepted_at",
            "x.jsonl:2:1: is no JSON object of one line",
        ),
        (
            &bad("request_id", json!("")),
            "x.jsonl:2: request_id is empty",
        ),
        ("{}", "x.jsonl:2: request_id is empty"),
    ] {
        let found = complaint(&world, "x.jsonl", format!("{good}\n{second}"));
        assert!(found.contains(problem), "{second}: {found}");
        assert!(
            !found.contains(MARIO) && !found.contains("Verdi"),
            "{found}"
        );
    }
    let found = complaint(&world, "x.jsonl", format!("{half}\n{good}\n"));
    assert!(found.contains("x.jsonl:1:"), "{found}");
    assert!(
        found.contains("the line ends before its object does"),
        "{found}"
    );
    let mut torn = good.into_bytes();
    torn.extend_from_slice(b"\n{\"surname\":\"Nicol\xc3");
    let found = complaint(&world, "x.jsonl", torn);
    assert!(found.contains("x.jsonl:2: is cut off"), "{found}");
}

#[test]
fn csv_that_is_not_whole_or_not_ours_is_refused_whole() {
    let world = World::finished();
    let (header, mario) = (HEADER, mario());
    for (text, problem) in [
        (String::new(), "x.csv:1: holds no header"),
        (
            format!("{MARIO};levle\n"),
            "x.csv:1:1: there is no column of this name",
        ),
        (
            format!("{header};levle\n"),
            "x.csv:1:14: there is no column of this name; level is perhaps meant",
        ),
        (
            format!("{header};Verdi\n"),
            "x.csv:1:14: there is no column of this name",
        ),
        (
            format!("sep=\t\n{header}\n"),
            "x.csv:1:1: there is no column of this name",
        ),
        (
            format!("{header}\n").replace(';', "\t"),
            "x.csv:1:1: there is no column of this name; columns are separated by ; or ,",
        ),
        (
            format!("sep=;\r\n{header}\r\n{mario}\r\n{mario};\r\n"),
            "x.csv:4:13: has 14 fields",
        ),
        (
            format!(
                "{header};mandate\r\n{mario};\"a\r\n\r\nb\"\r\n\r\n{}\r\n",
                mario.replacen("R1;", ";", 1) + ";"
            ),
            "x.csv:6:1: request_id is empty",
        ),
        (
            format!("{header}\n{mario}"),
            "x.csv:2: the last line does not end with a line feed: it is perhaps cut off",
        ),
        (
            header.to_owned(),
            "x.csv:1: the last line does not end with a line feed",
        ),
        (
            format!("{header}\n{mario}\n{}\n", mario.replace(";CDL", ";\"CDL")),
            "x.csv:3: a quote is not closed",
        ),
        (
            format!("{header};guardian_fiscal_code\n{mario};\"\n"),
            "x.csv:2: a quote is not closed",
        ),
        (
            format!("{header};version\n{mario};1\n{mario};2\n"),
            "x.csv:3: the version is not 1",
        ),
        (
            format!("version;{header};novelty\n2;{mario};x\n"),
            "x.csv:2: the version is not 1",
        ),
        (
            format!("version;{header};Version\n1;{mario};1\n"),
            "x.csv:1:15: the column version stands there twice",
        ),
        (
            format!("{header}\n{}\n", mario.replacen("R1;", ";", 1)),
            "x.csv:2:1: request_id is empty",
        ),
    ] {
        let found = complaint(&world, "x.csv", &text);
        assert!(found.contains(problem), "{text}: {found}");
        assert!(
            !found.contains(MARIO) && !found.contains("Verdi"),
            "{found}"
        );
    }
    let file = world.folder.path().join("x.csv");
    let text = format!("\u{feff}\"sep=;\"\r\nVersion;{header}\r\n1;{mario}\r\n");
    fs::write(&file, text).expect("a file");
    assert_eq!(world.try_intake(&file).expect("requests").accepted, 1);
}

#[test]
fn what_an_empty_column_has_to_say_is_told() {
    let world = World::finished();
    let taken = world.intake(&[
        mario().replace(";DISP;", ";;"),
        mario().replace("R1;", "R2;").replace(";DISP;", ";HIGH;"),
        mario()
            .replace("R1;", "R3;")
            .replace(";SHA256;2;", ";SHA256;;"),
    ]);
    let reasons = taken.requests.iter().map(|answer| answer.reason.as_deref());
    let reasons: Vec<_> = reasons.map(Option::unwrap_or_default).collect();
    assert_eq!(
        reasons,
        [
            "level_unknown: level is empty, and so is channel: say ORD or DISP, or a channel (SED, UFF, WEB, TEL) \
             that says it",
            "level_unknown: level is neither ordinary (ORD) nor dispositive (DISP)",
            "halves_invalid: halves_delivered is empty; it has to say 0, 1 or 2",
        ]
    );
}

#[test]
fn standard_input_is_read_in_either_format_and_named_in_errors() {
    let world = World::finished();
    configure(&world);
    let good = object(&mario()).to_string();
    for (format, text, code, said) in [
        ("csv", format!("{HEADER}\n{}\n", mario()), 0, "1 accepted"),
        ("jsonl", good.clone(), 0, "accepted (known)"),
        ("jsonl", good.replace("R1", "R2"), 0, "1 accepted"),
        (
            "csv",
            good,
            2,
            "standard input:1:1: there is no column of this name",
        ),
    ] {
        let mut child = Command::new(cargo_bin!("pinferry"))
            .current_dir(world.folder.path())
            .args(["intake", "-", "--input-format", format])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut input = child.stdin.take().expect("a pipe");
        input.write_all(text.as_bytes()).expect("it reads");
        drop(input);
        let output = child.wait_with_output().expect("it ends");
        let all = [output.stdout, output.stderr].concat();
        let all = String::from_utf8(all).expect("UTF-8");
        assert_eq!(output.status.code(), Some(code), "{all}");
        assert!(all.contains(said), "{all}");
    }
}
