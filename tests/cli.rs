//! The command line from outside: help, exit codes, streams.

use std::{fs, path::Path, process::Command};

use assert_cmd::{Command as Tested, cargo::cargo_bin};
use tempfile::TempDir;

fn pinferry(folder: &Path) -> Tested {
    let mut command = Tested::new(cargo_bin!("pinferry"));
    command.current_dir(folder).env_clear();
    command
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

struct Ended {
    code: i32,
    stdout: String,
    stderr: String,
}

fn run(folder: &Path, arguments: &[&str]) -> Ended {
    let output = pinferry(folder).args(arguments).output().expect("it ran");
    let text = |bytes: Vec<u8>| {
        let folder = fs::canonicalize(folder).expect("a folder");
        let shown = format!("{}/", folder.display());
        String::from_utf8(bytes).expect("UTF-8").replace(&shown, "")
    };
    Ended {
        code: output.status.code().expect("an exit code"),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

#[test]
fn help_names_every_command_and_every_global_flag() {
    let ended = run(folder().path(), &["--help"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    insta::assert_snapshot!(ended.stdout);
}

#[test]
fn mistakes_on_the_command_line_end_with_2_and_say_so_on_standard_error() {
    let folder = folder();
    for arguments in [
        &[][..],
        &["plunder"],
        &["plan", "--wrokers", "2"],
        &["--format", "xml", "doctor"],
        &["completions", "cobol"],
    ] {
        let ended = run(folder.path(), arguments);
        assert_eq!(ended.code, 2, "{arguments:?}");
        assert_eq!(ended.stdout, "", "{arguments:?}");
        assert!(!ended.stderr.is_empty(), "{arguments:?}");
    }
}

#[test]
fn a_missing_configuration_ends_with_2_and_says_how_to_get_one() {
    let ended = run(folder().path(), &["doctor"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (2, ""));
    insta::assert_snapshot!(ended.stderr);
}

#[test]
fn init_lays_out_a_configuration_once() {
    let folder = folder();
    let first = run(folder.path(), &["init"]);
    assert_eq!((first.code, first.stdout.as_str()), (0, ""));
    let file = folder.path().join("pinferry.toml");
    fs::write(&file, "mine").expect("a file");
    let second = run(folder.path(), &["init"]);
    assert_eq!(second.code, 2);
    assert_eq!(fs::read_to_string(&file).expect("a file"), "mine");
    insta::assert_snapshot!(first.stderr + &second.stderr);
}

#[test]
fn doctor_ends_with_2_when_a_source_is_not_there_and_with_0_when_all_is_well() {
    let folder = folder();
    run(folder.path(), &["init"]);
    let missing = run(folder.path(), &["doctor"]);
    assert_eq!(missing.code, 2);
    assert!(
        missing.stdout.contains("inps.csv does not exist"),
        "{}",
        missing.stdout
    );
    fs::create_dir(folder.path().join("legacy")).expect("a folder");
    let header = "id;codice_fiscale;cognome;nome;data_nascita;classe_utente;codice_ente;stato;tipo_pin;\
                  pin_hash;algoritmo;data_rilascio;data_scadenza;ultimo_accesso;sede;canale;\
                  meta_consegnate;email;telefono;cf_tutore\n";
    fs::write(folder.path().join("legacy/inps.csv"), header).expect("a file");
    let well = run(folder.path(), &["doctor", "--format", "json"]);
    assert_eq!(well.code, 0, "{}", well.stdout);
    let document: serde_json::Value = serde_json::from_str(&well.stdout).expect("JSON");
    assert_eq!(document["schema"], 1);
    assert_eq!(document["checks"][0]["verdict"], "ok");
    assert!(!folder.path().join("out").exists(), "nothing was written");
}

#[test]
fn a_closed_standard_output_is_no_failure_and_a_full_one_is() {
    let program = cargo_bin!("pinferry");
    let shell = |script: &str| {
        let status = Command::new("bash")
            .args(["-c", script])
            .env("P", program)
            .output()
            .expect("bash runs");
        let stderr = String::from_utf8_lossy(&status.stderr).into_owned();
        (status.status.code(), stderr)
    };
    let closed = shell("set -o pipefail; $P completions zsh | true");
    assert_eq!(closed, (Some(0), String::new()));
    let (code, stderr) = shell("$P man > /dev/full");
    assert_eq!(code, Some(1));
    assert!(
        stderr.contains("standard output cannot be written"),
        "{stderr}"
    );
}

#[test]
fn manual_pages_and_completions_know_every_command() {
    let folder = folder();
    let help = run(folder.path(), &["--help"]).stdout;
    let commands = help
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter(|line| !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next());
    let bash = run(folder.path(), &["completions", "bash"]).stdout;
    assert_eq!(run(folder.path(), &["man", "--dir", "man"]).code, 0);
    let mut count = 0;
    for command in commands.filter(|command| *command != "help") {
        assert!(bash.contains(command), "{command}");
        let page = folder.path().join(format!("man/pinferry-{command}.1"));
        assert!(page.exists(), "{command}");
        count += 1;
    }
    assert!(count >= 5);
}

#[test]
fn the_demo_does_the_whole_job_and_says_so() {
    let folder = folder();
    let ended = run(folder.path(), &["demo"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(
        ended.stderr.contains("PIN management is locked"),
        "{}",
        ended.stderr
    );
    assert!(ended.stdout.contains("SEALED"), "{}", ended.stdout);
    let again = run(folder.path(), &["demo", "--dir", "out/demo"]);
    assert_eq!(again.code, 2, "{}", again.stderr);
    let another = run(folder.path(), &["demo"]);
    assert_eq!(another.code, 0, "{}", another.stderr);
    assert!(
        folder
            .path()
            .join("out/demo-2/out/multiprofile.db")
            .exists()
    );
}
