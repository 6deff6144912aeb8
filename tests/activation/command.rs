//! The two commands from outside, with the sample file.

use std::{fs, path::Path};

use assert_cmd::{Command, cargo::cargo_bin};

use crate::{
    schemas,
    world::{HEADER, MARIO, World, line},
};

/// A PIN in clear in the sample file.
const CLEAR_PIN: &str = "1234-ABCD-5678";
const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/sample-data/intake.csv");

pub(crate) fn configure(world: &World) {
    let folder = world.folder.path();
    fs::write(folder.join("legacy.csv"), "id\n").expect("a file");
    let text = "[target]\nurl = \"sqlite://target.db\"\n[[source]]\nname = \"inps\"\nurl = \"csv://legacy.csv\"\n\
        [activation]\naccepted_within_days = 36500\n";
    fs::write(folder.join("pinferry.toml"), text).expect("a file");
}

pub(crate) fn run(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(cargo_bin!("pinferry"));
    let output = command
        .current_dir(folder)
        .env_clear()
        .args(arguments)
        .output()
        .expect("it ran");
    schemas::hold_call(folder, arguments, output.status.code(), &output.stdout);
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (
        output.status.code().expect("a code"),
        text(output.stdout),
        text(output.stderr),
    )
}

#[test]
fn the_sample_file_goes_from_the_counter_to_active_pins_and_leaks_nothing() {
    let world = World::finished();
    configure(&world);
    let folder = world.folder.path();
    // Elsewhere: it holds what nothing else may hold.
    let counter = tempfile::tempdir().expect("a folder");
    let requests = counter.path().join("intake.csv").display().to_string();
    fs::copy(SAMPLE, &requests).expect("a copy");
    let mut said = String::new();
    for format in ["table", "json"] {
        let (code, out, err) = run(folder, &["-vv", "--format", format, "intake", &requests]);
        assert_eq!(code, 3, "{out}{err}");
        said += &(out + &err);
    }
    for reason in [
        "documents_missing",
        "credential_not_hashed",
        "entity_missing",
        "fiscal_code_invalid",
    ] {
        assert!(said.contains(reason), "{reason}: {said}");
    }
    let (code, out, err) = run(folder, &["-vv", "--format", "json", "activate"]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("\"activated\": 3"), "{out}");
    said += &(out + &err);
    said += &fs::read_to_string(counter.path().join("intake.result.csv")).expect("answers");
    for secret in [
        CLEAR_PIN,
        "RSSMRA80A01H501U",
        "Rossi",
        "example.org",
        "5550101",
    ] {
        assert!(!said.contains(secret), "{secret} in {said}");
    }
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let bytes = fs::read(&path).expect("a file");
        let found = bytes
            .windows(CLEAR_PIN.len())
            .any(|window| window == CLEAR_PIN.as_bytes());
        assert!(!found, "the PIN in clear is in {}", path.display());
    }
}

#[test]
fn without_a_target_intake_says_where_one_should_be() {
    let world = World::finished();
    configure(&world);
    let toml = world.folder.path().join("pinferry.toml");
    let text = fs::read_to_string(&toml)
        .expect("a file")
        .replace("target.db", "none.db");
    fs::write(&toml, text).expect("a file");
    for command in [vec!["intake", SAMPLE], vec!["activate"]] {
        let (code, _, err) = run(world.folder.path(), &command);
        assert_eq!(code, 2, "{err}");
        assert!(err.contains("none.db: there is no such file"), "{err}");
    }
    assert!(!world.folder.path().join("none.db").exists());
}

#[test]
fn the_offices_and_the_hour_of_the_configuration_decide_when_a_request_may_take_effect() {
    let world = World::finished();
    configure(&world);
    let folder = world.folder.path();
    let toml = folder.join("pinferry.toml");
    let text = fs::read_to_string(&toml).expect("a file")
        + "hour = \"08:30\"\ntime_zone = \"Europe/Lisbon\"\noffices = \"offices.csv\"\n";
    fs::write(&toml, text).expect("a file");
    let offices = "office;name;patron_day\n0700;Genova;11-05\n0800;Savona;\n";
    fs::write(folder.join("offices.csv"), offices).expect("a file");
    let of = |id: &str, profile: &str, office: &str| {
        line(id, "2013-11-04T10:15", MARIO, profile, "DISP") + ";" + office + "\n"
    };
    let requests = [
        of("R1", "CIT", "0700"),
        of("R2", "CDL", "0800"),
        of("R3", "CIT", "700"),
        of("R4", "CIT", ""),
    ];
    let text = format!("{HEADER};office\n{}", requests.concat());
    fs::write(folder.join("requests.csv"), text).expect("a file");
    let (code, out, err) = run(folder, &["--format", "json", "intake", "requests.csv"]);
    assert_eq!(code, 3, "{out}{err}");
    let answers = fs::read_to_string(folder.join("requests.result.csv")).expect("answers");
    let answers: Vec<&str> = answers.lines().skip(1).collect();
    let unknown = "office_unknown: office is";
    assert!(
        answers[0].ends_with(";accepted;false;2013-11-06T08:30:00+00:00;"),
        "{}",
        answers[0]
    );
    assert!(
        answers[1].contains(";2013-11-05T08:30:00+00:00;"),
        "{}",
        answers[1]
    );
    for answer in &answers[2..] {
        assert!(
            answer.contains(&format!(";refused;false;;{unknown}")),
            "{answer}"
        );
    }
    let (_, out, _) = run(folder, &["doctor"]);
    assert!(
        out.contains("08:30 Europe/Lisbon; 2 offices, 1 of them without a patron day"),
        "{out}"
    );
}
