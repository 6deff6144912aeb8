//! The command line from outside: help, exit codes, streams.

#[path = "cli/audit.rs"]
mod audit;
#[path = "cli/contract.rs"]
mod contract;
#[path = "cli/documents.rs"]
mod documents;
#[path = "cli/dry_run.rs"]
mod dry_run;
#[path = "cli/lost.rs"]
mod lost;
#[path = "cli/metrics.rs"]
mod metrics;
#[path = "cli/quiet.rs"]
mod quiet;
#[path = "cli/report.rs"]
mod report;
#[path = "cli/runbook.rs"]
mod runbook;
mod schemas;
#[path = "cli/service.rs"]
mod service;
#[path = "cli/verdicts.rs"]
mod verdicts;
#[path = "cli/watch.rs"]
mod watch;
#[path = "cli/window.rs"]
mod window;

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, process::Command};

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
    schemas::hold_call(folder, arguments, output.status.code(), &output.stdout);
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
        let version = concat!("\"pinferry ", env!("CARGO_PKG_VERSION"), "\"");
        let text = fs::read_to_string(page).expect("a page");
        let mut lines = text.lines();
        let title = lines.find(|line| line.starts_with(".TH")).expect("a title");
        assert_eq!(title, format!(".TH pinferry-{command} 1 \" \" {version} "));
        count += 1;
    }
    assert!(count >= 5);
    // What `help COMMAND` says is on the command's own page.
    assert!(!folder.path().join("man/pinferry-help.1").exists());
    assert!(!folder.path().join("man/pinferry-lock-help-test.1").exists());
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
    // Codes, hashes and addresses stay in the files; nothing that is shown holds one.
    let shown = format!("{}{}", ended.stdout, ended.stderr);
    let extract = fs::read(folder.path().join("out/demo/inps.csv")).expect("the extract");
    let extract = String::from_utf8_lossy(&extract).into_owned();
    let personal = |value: &&str| value.len() >= 11 && !value.contains('-');
    let values: Vec<&str> = extract
        .lines()
        .skip(1)
        .flat_map(|line| line.split(';'))
        .filter(personal)
        .collect();
    assert!(values.len() > 80, "the extract holds codes and hashes");
    for value in values {
        assert!(!shown.contains(value), "{value}");
    }
    let another = run(folder.path(), &["demo"]);
    assert_eq!(another.code, 0, "{}", another.stderr);
    assert!(
        folder
            .path()
            .join("out/demo-2/out/multiprofile.db")
            .exists()
    );
}

#[test]
fn after_the_job_records_can_be_explained_and_the_quarantine_exported() {
    let folder = folder();
    assert_eq!(run(folder.path(), &["demo", "--dir", "."]).code, 0);
    let explained = run(folder.path(), &["explain", "inps:link-older"]);
    assert_eq!(explained.code, 0);
    insta::assert_snapshot!(explained.stdout);
    let mut by_code = pinferry(folder.path());
    let by_code = by_code
        .args(["explain", "-"])
        .write_stdin("lnevni64e44h501g\n")
        .output()
        .expect("it ran");
    assert_eq!(
        String::from_utf8_lossy(&by_code.stdout),
        explained.stdout,
        "an older code leads to the same person"
    );
    for (what, code) in [("inps:nobody", 1), ("nowhere:1", 2), ("inps", 2)] {
        assert_eq!(run(folder.path(), &["explain", what]).code, code, "{what}");
    }

    let list = [
        "quarantine",
        "list",
        "--reason",
        "duplicate_id",
        "--format",
        "json",
    ];
    let listed = run(folder.path(), &list);
    let document: serde_json::Value = serde_json::from_str(&listed.stdout).expect("JSON");
    let ids: Vec<_> = document["quarantine"]
        .as_array()
        .expect("a list")
        .iter()
        .collect();
    let ids: Vec<_> = ids.iter().map(|row| row["legacy_id"].as_str()).collect();
    assert_eq!(ids, [Some("copy"), Some("double"), Some("double")]);

    let exported = run(folder.path(), &["quarantine", "export", "left-out.csv"]);
    assert_eq!((exported.code, exported.stdout.as_str()), (0, ""));
    let file = folder.path().join("left-out.csv");
    let mode = fs::metadata(&file).expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let rows = fs::read_to_string(&file).expect("a text").lines().count();
    assert_eq!(rows, 1 + 21);

    let status = run(folder.path(), &["status", "--format", "json"]);
    let document: serde_json::Value = serde_json::from_str(&status.stdout).expect("JSON");
    assert_eq!(document["phase"], "finished");
    assert_eq!(document["locks"][0]["state"], "sealed");
    assert_eq!(document["totals"]["quarantined"], 21);
}

#[test]
fn a_plan_is_kept_where_it_is_asked_for_and_a_run_refuses_what_drifted_from_it() {
    let folder = folder();
    assert_eq!(run(folder.path(), &["demo", "--dir", "."]).code, 0);
    fs::remove_dir_all(folder.path().join("out")).expect("gone");
    let plan = [
        "plan",
        "--save",
        "again.json",
        "--report",
        "report",
        "--format",
        "json",
    ];
    let planned = run(folder.path(), &plan);
    assert_eq!(planned.code, 3, "{}", planned.stderr);
    let kept = fs::read_to_string(folder.path().join("report/report.json")).expect("a report");
    let mut kept: serde_json::Value = serde_json::from_str(&kept).expect("JSON");
    let document = kept.as_object_mut().expect("a document");
    for more in ["as_of", "forecast", "survey"] {
        assert!(document.remove(more).is_some(), "{more}");
    }
    let shown: serde_json::Value = serde_json::from_str(&planned.stdout).expect("JSON");
    assert_eq!(kept, shown);
    assert!(
        !folder.path().join("out/multiprofile.db").exists(),
        "nothing was written"
    );
    let configuration = folder.path().join("pinferry.toml");
    let text = fs::read_to_string(&configuration).expect("a file");
    fs::write(
        &configuration,
        text.replace("fiscal_code_links", "# fiscal_code_links"),
    )
    .expect("a file");
    let drifted = run(folder.path(), &["run", "--plan", "again.json"]);
    assert!(
        drifted.stderr.contains("catalogue.fiscal_code_links"),
        "{}",
        drifted.stderr
    );
    assert_ne!(drifted.code, 0);
}

#[test]
fn the_version_names_the_commit_and_what_is_written() {
    let folder = folder();
    let short = run(folder.path(), &["-V"]);
    let version = format!("pinferry {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!((short.code, short.stdout.as_str()), (0, version.as_str()));
    let long = run(folder.path(), &["--version"]).stdout;
    let lines: Vec<_> = long.lines().collect();
    let commit = Command::new("git")
        .args(["rev-parse", "--short=12", "HEAD"])
        .output();
    let commit = commit.ok().filter(|output| output.status.success());
    let commit = commit.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    let commit = commit.map(|commit| format!("commit {commit}"));
    let expected = [version.trim()].into_iter().chain(commit.as_deref());
    let expected = expected.chain(["target tables: version 4", "JSON documents: schema 1"]);
    assert_eq!(lines, expected.collect::<Vec<_>>());
}
