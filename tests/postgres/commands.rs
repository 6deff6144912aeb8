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
        let owner = format!("o_{}", database.name);
        let mut session = database.session();
        load(&mut session, header, rows);
        session
            .batch(
                "admitting",
                &format!(
                    "CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}'; GRANT SELECT ON pin_legacy TO {role};
                     CREATE ROLE {owner}; ALTER TABLE pin_legacy OWNER TO {owner}"
                ),
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

    /// Who owns the table.
    fn owner(&self) -> String {
        format!("o_{}", self.database.name)
    }

    fn add(&self, name: &str, section: &str) {
        let path = self.folder.path().join(name);
        let text = fs::read_to_string(&path).expect("a configuration");
        fs::write(path, format!("{text}{section}")).expect("a configuration");
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
        let (role, owner) = (&self.role, self.owner());
        self.database.batch(&format!(
            "DROP OWNED BY {role} CASCADE; DROP ROLE {role}; DROP OWNED BY {owner} CASCADE; DROP ROLE {owner}"
        ));
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
    let wanting = format!("GRANT \"{}\" TO \"{}\"", job.owner(), job.role);
    assert!(text.contains(&wanting), "{text}");

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
fn a_role_that_may_not_lock_does_not_run_and_nothing_is_written() {
    let job = Job::new();
    for arguments in [
        &["run"][..],
        &["lock", "engage", "--reason", "a trial"],
        &["lock", "test"],
    ] {
        let output = job.run(arguments, PASSWORD);
        let text = told(&output);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {text}");
        assert!(text.contains("GRANT"), "{text}");
    }
    let output = job.run(&["run"], "s3cret-but-wrong");
    assert_eq!(output.status.code(), Some(2));
    let target = job.folder.path().join("out/target.db");
    assert!(!target.exists(), "no target was made");
    assert_eq!(
        job.database.text("SELECT count(*)::text FROM pin_legacy"),
        "300"
    );
    assert_eq!(
        job.database
            .text("SELECT count(*)::text FROM pg_namespace WHERE nspname = 'pinferry_lock'"),
        "0"
    );
}

#[test]
fn a_run_locks_replays_seals_and_drains_a_legacy_in_postgresql() {
    let job = Job::new();
    let (owner, role) = (job.owner(), &job.role);
    job.database.batch(&format!(
        "GRANT {owner} TO {role}; CREATE SCHEMA pinferry_lock AUTHORIZATION {role};
         ALTER TABLE pin_legacy ADD PRIMARY KEY (id)"
    ));
    let settled = |arguments: &[&str], code: i32| {
        let output = job.run(arguments, PASSWORD);
        assert_eq!(
            output.status.code(),
            Some(code),
            "{arguments:?}: {}",
            told(&output)
        );
        told(&output)
    };
    job.add("pinferry.toml", "[lock]\nmode = \"divert\"\n");
    settled(&["run", "--hold"], 5);
    let write = |sql: &str| job.database.session().batch("writing", sql);
    let error = write("DELETE FROM pin_legacy").expect_err("locked");
    assert_eq!(error.sqlstate(), Some("PF001"));
    let revoked = job
        .database
        .text("SELECT min(id) FROM pin_legacy WHERE stato = 'A'");
    write(&format!(
        "UPDATE pin_legacy SET stato = 'R' WHERE id = '{revoked}'"
    ))
    .expect("a revocation");
    write(
        "INSERT INTO pin_legacy (id, codice_fiscale, cognome, nome, classe_utente, stato, tipo_pin, pin_hash,
           algoritmo, data_rilascio, meta_consegnate)
         VALUES ('NUOVO', 'RSSMRA80A01H501U', 'ROSSI', 'MARIO', 'CIT', 'A', 'ORD', repeat('a', 64), 'SHA256',
           '2013-11-01', '2')",
    )
    .expect("a new PIN");
    let text = settled(&["lock", "status"], 0);
    assert!(
        text.contains("1 diverted (1 to process), 1 captured (1 to process)"),
        "{text}"
    );
    settled(&["run"], 0);
    let error = write("UPDATE pin_legacy SET email = 'x'").expect_err("sealed");
    assert_eq!(error.sqlstate(), Some("PF002"));
    let text = settled(&["lock", "status"], 0);
    assert!(text.contains("SEALED"), "{text}");
    assert!(
        text.contains("1 diverted (0 to process), 1 captured (0 to process)"),
        "{text}"
    );
    let text = settled(&["explain", &format!("inps:{revoked}")], 0);
    assert!(text.contains("revoked"), "{text}");
    settled(&["verify"], 0);
}

#[test]
fn the_rights_that_grants_prints_suffice_for_every_role() {
    let job = Job::new();
    let database = &job.database.name;
    let (application, reports) = (format!("a_{database}"), format!("v_{database}"));
    job.database.batch(&format!(
        "CREATE ROLE {application}; GRANT ALL ON pin_legacy TO {application}; CREATE ROLE {reports} LOGIN"
    ));
    let roles = [
        "--runner",
        &job.role,
        "--application",
        &application,
        "--reports",
        &reports,
    ];
    let output = job.run(&[&["grants"][..], &roles].concat(), PASSWORD);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    let script = String::from_utf8(output.stdout).expect("text");
    job.database.batch(&script);
    job.database.batch(&script);
    job.add(
        "pinferry.toml",
        &format!("[lock]\napplication_role = \"{application}\"\n"),
    );
    job.configure(
        "reports.toml",
        &job.database.server().url(&reports, database),
    );
    for (arguments, code) in [
        (&["lock", "test"][..], 0),
        (&["run", "--hold"], 5),
        (&["--config", "reports.toml", "lock", "status"], 0),
        (&["--config", "reports.toml", "plan"], 0),
        (&["run"], 0),
    ] {
        // Grants to a role of its own apply to what the lock makes later.
        let output = job.run(arguments, PASSWORD);
        assert_eq!(
            output.status.code(),
            Some(code),
            "{arguments:?}: {}",
            told(&output)
        );
    }
    job.database.batch(&format!(
        "DROP OWNED BY {application}, {reports} CASCADE; DROP ROLE {application}, {reports}"
    ));
}

#[test]
fn an_aborted_run_leaves_the_legacy_in_postgresql_as_it_was() {
    let job = Job::new();
    let (owner, role) = (job.owner(), &job.role);
    job.database.batch(&format!(
        "GRANT {owner} TO {role}; CREATE SCHEMA pinferry_lock AUTHORIZATION {role}"
    ));
    let output = job.run(&["run", "--hold"], PASSWORD);
    assert_eq!(output.status.code(), Some(5), "{}", told(&output));
    let output = job.run(&["abort", "--yes"], PASSWORD);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    job.database
        .batch("DELETE FROM pin_legacy WHERE id = (SELECT min(id) FROM pin_legacy)");
    let left = "SELECT (SELECT count(*) FROM pg_class WHERE relnamespace = 'pinferry_lock'::regnamespace)
                     + (SELECT count(*) FROM pg_trigger WHERE tgrelid = 'pin_legacy'::regclass) || ''";
    assert_eq!(job.database.text(left), "0");
}

#[test]
fn a_table_partitioned_by_status_is_warned_of_by_doctor_lock_run_and_status() {
    let job = Job::new();
    let (owner, role) = (job.owner(), &job.role);
    job.database.batch(&format!(
        "GRANT {owner} TO {role}; CREATE SCHEMA pinferry_lock AUTHORIZATION {role};
         ALTER TABLE pin_legacy RENAME TO pin_old;
         CREATE TABLE pin_legacy (LIKE pin_old) PARTITION BY LIST (stato);
         CREATE TABLE pin_attivi PARTITION OF pin_legacy FOR VALUES IN ('A');
         CREATE TABLE pin_altri PARTITION OF pin_legacy DEFAULT;
         INSERT INTO pin_legacy SELECT * FROM pin_old; DROP TABLE pin_old;
         ALTER TABLE pin_legacy OWNER TO {owner}; ALTER TABLE pin_attivi OWNER TO {owner};
         ALTER TABLE pin_altri OWNER TO {owner}; GRANT SELECT ON pin_legacy TO {role}"
    ));
    for (arguments, code) in [
        (&["doctor"][..], 1),
        (&["lock", "engage", "--reason", "a trial"], 0),
        (&["lock", "status"], 0),
        (&["lock", "release"], 0),
        (&["run", "--hold"], 5),
        (&["status"], 0),
    ] {
        let output = job.run(arguments, PASSWORD);
        let text = told(&output);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {text}");
        let warned = text.contains("public.pin_legacy is partitioned by stato");
        assert_eq!(
            warned,
            arguments[1..] != ["release"],
            "{arguments:?}: {text}"
        );
    }
}

#[test]
fn a_role_whose_new_pins_would_not_be_queued_is_warned_of_by_doctor_lock_run_and_status() {
    let job = Job::new();
    let (owner, role) = (job.owner(), &job.role);
    job.database.batch(&format!(
        "GRANT {owner} TO {role}; CREATE SCHEMA pinferry_lock AUTHORIZATION {role};
         ALTER ROLE {role} SET default_transaction_isolation = 'serializable'"
    ));
    job.add(
        "pinferry.toml",
        &format!("[lock]\nmode = \"divert\"\napplication_role = \"{role}\"\n"),
    );
    for (arguments, code) in [
        (&["doctor"][..], 0),
        (&["lock", "engage", "--reason", "a trial"], 0),
        (&["lock", "status"], 0),
        (&["lock", "release"], 0),
        (&["run", "--hold"], 5),
        (&["status"], 0),
    ] {
        let output = job.run(arguments, PASSWORD);
        let text = told(&output);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {text}");
        let words = format!("the role {role} begins transactions in SERIALIZABLE");
        assert_eq!(
            text.contains(&words),
            arguments[1..] != ["release"],
            "{arguments:?}: {text}"
        );
        let advice = text.contains("SET default_transaction_isolation = 'read committed'");
        assert_eq!(advice, arguments == ["doctor"], "{arguments:?}: {text}");
    }
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
