//! The commands on a legacy in PostgreSQL.

use std::{fs, num::NonZeroU16, process::Output};

use assert_cmd::Command;
use pinferry::{
    postgres::Session,
    sample::{self, SampleFormat, SampleOptions},
};
use tempfile::TempDir;

use crate::server::{Database, SUPERUSER};

const RECORDS: SampleOptions = SampleOptions {
    records: 300,
    seed: 3,
    dirty: 0.0,
    format: SampleFormat::Csv,
    sources: NonZeroU16::MIN,
    source: 0,
};
const PASSWORD: &str = "s3cret@:/";

/// A folder with a configuration whose source is an extract, loaded into PostgreSQL.
struct Job {
    folder: TempDir,
    database: Database,
    role: String,
}

impl Job {
    fn new() -> Self {
        let folder = TempDir::new().expect("a folder");
        let extract = folder.path().join("inps.csv");
        sample::generate(&RECORDS, &extract).expect("an extract");
        let extract = fs::read_to_string(extract).expect("an extract");
        let (header, rows) = extract.split_once('\n').expect("a header");
        let database = Database::new();
        let role = format!("r_{}", database.name);
        let mut session = database.session();
        load(&mut session, header, rows);
        session
            .batch(
                "admitting",
                &format!("CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}'; GRANT SELECT ON pin_legacy TO {role}"),
            )
            .expect("a role");
        let job = Self {
            folder,
            database,
            role,
        };
        let password = "${PG_PASSWORD}";
        let url = job
            .database
            .server()
            .tcp_url(&job.role, password, &job.database.name);
        job.configure("pinferry.toml", &url);
        job.configure("csv.toml", "csv://inps.csv");
        job
    }

    fn configure(&self, name: &str, url: &str) {
        let text = format!(
            "[target]\nurl = \"sqlite://out/target.db\"\n[[source]]\nname = \"inps\"\nurl = \"{url}\"\n\
             [rules]\nas_of = \"2013-11-03\"\n[run]\nmax_quarantine_ratio = 1\nwork_dir = \"out/work\"\n"
        );
        fs::write(self.folder.path().join(name), text).expect("a configuration");
    }

    /// Runs a command; no output ever holds the password.
    fn run(&self, arguments: &[&str], password: &str) -> Output {
        let output = Command::new(env!("CARGO_BIN_EXE_pinferry"))
            .args(arguments)
            .current_dir(self.folder.path())
            .env("PG_PASSWORD", password)
            .env("PINFERRY_LOG", "trace")
            .output()
            .expect("it runs");
        let text = told(&output);
        assert!(!text.contains("s3cret"), "{text}");
        output
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        let role = &self.role;
        self.database
            .batch(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
    }
}

fn load(session: &mut Session, header: &str, rows: &str) {
    let columns = header.replace(';', " text, ");
    let table = format!("CREATE TABLE pin_legacy ({columns} text)");
    session.batch("laying out", &table).expect("a table");
    let copy = "COPY pin_legacy FROM STDIN (FORMAT csv, DELIMITER ';')";
    let mut copy = session.copy_in("loading", copy).expect("a copy");
    copy.send(rows.as_bytes()).expect("sent");
    copy.finish().expect("loaded");
}

fn told(output: &Output) -> String {
    let (out, err) = (&output.stdout, &output.stderr);
    format!(
        "{}{}",
        String::from_utf8_lossy(out),
        String::from_utf8_lossy(err)
    )
}

#[test]
fn plan_says_of_a_legacy_in_postgresql_what_it_says_of_its_extract() {
    let job = Job::new();
    let plan = |configuration: &str| {
        let arguments = ["--config", configuration, "--format", "json", "plan"];
        let output = job.run(&arguments, PASSWORD);
        assert_eq!(output.status.code(), Some(0), "{}", told(&output));
        output.stdout
    };
    let (database, file) = (plan("pinferry.toml"), plan("csv.toml"));
    assert_eq!(
        String::from_utf8_lossy(&database),
        String::from_utf8_lossy(&file)
    );
}

#[test]
fn doctor_looks_at_a_legacy_in_postgresql() {
    let job = Job::new();
    let output = job.run(&["doctor"], PASSWORD);
    let text = told(&output);
    assert!(
        text.contains("readable, 20 columns, 0 of them not mapped"),
        "{text}"
    );
    assert!(
        text.contains("can read a PostgreSQL database, but not lock it"),
        "{text}"
    );

    let output = job.run(&["doctor"], "s3cret-but-wrong");
    let text = told(&output);
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains("SQLSTATE 28P01"), "{text}");
    assert!(
        text.contains(&format!("postgres://{}@127.0.0.1:", job.role)),
        "{text}"
    );
}

#[test]
fn what_cannot_be_locked_is_not_run_and_nothing_is_written() {
    let job = Job::new();
    for arguments in [
        &["run"][..],
        &["lock", "engage", "--reason", "a trial"],
        &["lock", "status"],
        &["lock", "test"],
    ] {
        let output = job.run(arguments, PASSWORD);
        let text = told(&output);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {text}");
        assert!(text.contains("but not lock it"), "{text}");
        assert!(!job.folder.path().join("out").exists(), "{arguments:?}");
    }
    let output = job.run(&["run"], "s3cret-but-wrong");
    assert_eq!(output.status.code(), Some(2));
    assert!(!job.folder.path().join("out").exists());
    assert_eq!(
        job.database.text("SELECT count(*)::text FROM pin_legacy"),
        "300"
    );
}

#[test]
fn a_password_file_that_cannot_be_read_is_not_quoted() {
    let job = Job::new();
    let url = job.database.server().url(SUPERUSER, &job.database.name);
    job.configure("pinferry.toml", &url);
    let file = job.folder.path().join("pgpass");
    fs::write(&file, "s3cret\n").expect("a password file");
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    fs::set_permissions(&file, private).expect("private");
    let output = Command::new(env!("CARGO_BIN_EXE_pinferry"))
        .args(["plan"])
        .current_dir(job.folder.path())
        .env("PGPASSFILE", &file)
        .env("PINFERRY_LOG", "trace")
        .output()
        .expect("it runs");
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    assert!(!told(&output).contains("s3cret"), "{}", told(&output));
}
