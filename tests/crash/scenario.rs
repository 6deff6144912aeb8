//! A small migration in a folder of its own, driven through the command line.

use std::{
    fs,
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::OnceLock,
};

use rusqlite::{Connection, OpenFlags};
use sqlx::postgres::PgArguments;

use crate::{schemas, server};

/// Records in each of the two sources.
const RECORDS: &str = "1200";
const SIGKILL: i32 = 9;

const CONFIGURATION: &str = r#"
[target]
url = "sqlite://multiprofile.db"
[[source]]
name = "inps"
url = "sqlite://inps.db"
table = "pin_legacy"
[[source]]
name = "sede"
url = "csv://sede.csv"
[rules]
as_of = "2026-01-01"
[run]
chunk_records = 300
work_dir = "work"
max_quarantine_ratio = 1.0
[lock]
mode = "divert"
[activation]
delay_working_days = 0
accepted_within_days = 36500
"#;

/// What an office hands in: a new person, and one whose documents are missing.
const REQUESTS: &str = include_str!("requests.csv");

/// The tables whose content must not depend on how often the process was killed.
const TABLES: [(&str, &str); 9] = [
    ("person", "person_id"),
    ("fiscal_code", "fiscal_code"),
    ("pin", "pin_id"),
    ("profile_grant", "person_id, profile, entity"),
    ("delegation", "person_id, guardian_fiscal_code"),
    ("quarantine", "source, legacy_id, copy"),
    ("finding", "source, legacy_id, kind"),
    ("profile", "profile"),
    ("profile_service", "profile, service"),
];

/// What keeps the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
}

/// A folder with two legacies and a configuration.
pub(crate) struct Scenario {
    folder: tempfile::TempDir,
    /// Where the target is, if not in the folder.
    server: Option<server::Database>,
    /// Where the legacy that can be locked is, if not in the folder.
    legacy_server: Option<server::Database>,
}

impl Scenario {
    /// A fresh copy of the same beginning, the target in a file.
    pub(crate) fn new() -> Self {
        Self::on(Engine::Sqlite)
    }

    /// A fresh copy of the same beginning.
    pub(crate) fn on(engine: Engine) -> Self {
        Self::with(match engine {
            Engine::Sqlite => None,
            Engine::Postgres => Some(server::Database::new()),
        })
    }

    /// A fresh copy of the same beginning, the target in this database or else in a file.
    pub(crate) fn with(server: Option<server::Database>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["inps.db", "sede.csv"] {
            fs::copy(beginning().join(name), folder.path().join(name)).expect("a copy");
        }
        fs::write(folder.path().join("pinferry.toml"), CONFIGURATION).expect("a file");
        fs::write(folder.path().join("requests.csv"), REQUESTS).expect("a file");
        let scenario = Self {
            folder,
            server,
            legacy_server: None,
        };
        if let Some(database) = &scenario.server {
            scenario.configure("sqlite://multiprofile.db", &database.url());
        }
        scenario
    }

    /// The same with this database in the place of the legacy in a file.
    pub(crate) fn with_legacy(engine: Engine, legacy: server::Database) -> Self {
        let mut scenario = Self::on(engine);
        fs::remove_file(scenario.path("inps.db")).expect("a file");
        scenario.configure("sqlite://inps.db", &legacy.url());
        scenario.legacy_server = Some(legacy);
        scenario
    }

    /// The database the legacy is in.
    pub(crate) fn legacy_database(&self) -> &server::Database {
        self.legacy_server.as_ref().expect("a legacy on a server")
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The program, not yet started.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pinferry"));
        command.current_dir(self.folder.path()).args(arguments);
        command
    }

    /// Runs the program to its end.
    pub(crate) fn call(&self, arguments: &[&str]) -> Output {
        let output = self.command(arguments).output().expect("it starts");
        let code = output.status.code();
        schemas::hold_call(self.folder.path(), arguments, code, &output.stdout);
        output
    }

    /// Runs it and expects one of these exit codes.
    pub(crate) fn expect(&self, arguments: &[&str], codes: &[i32]) -> Output {
        let output = self.call(arguments);
        let code = output.status.code();
        assert!(
            code.is_some_and(|code| codes.contains(&code)),
            "{arguments:?} ended with {:?}\n{}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
        output
    }

    /// Runs it to be killed at a step; says whether it was. Otherwise it must end well.
    pub(crate) fn killed_at(&self, arguments: &[&str], step: &str) -> bool {
        let output = self
            .command(arguments)
            .env("PINFERRY_FAILPOINT", step)
            .output()
            .expect("it starts");
        if output.status.signal() == Some(SIGKILL) {
            return true;
        }
        assert!(
            matches!(output.status.code(), Some(0 | 3)),
            "{arguments:?} with {step} ended with {:?}\n{}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
        false
    }

    /// Notes the steps to be killed at, each twice: a first process there, and the one that goes on after it.
    pub(crate) fn plan_kills(&self, steps: &[&str]) {
        let twice = [steps.join("\n"), steps.join("\n")].join("\n");
        fs::write(self.path("kills"), twice).expect("a file");
    }

    /// The steps of [`Self::plan_kills`] that nobody came to yet.
    pub(crate) fn never_reached(&self, steps: &[&'static str]) -> Vec<&'static str> {
        let left = fs::read_to_string(self.path("kills")).expect("a file");
        let left = |step| left.lines().filter(|line| *line == step).count();
        let steps = steps.iter().copied();
        steps.filter(|step| left(*step) == 2).collect()
    }

    /// Types the same command again and again until nobody kills it at one of the planned steps.
    pub(crate) fn through_kills(&self, arguments: &[&str], mut after_a_kill: impl FnMut()) {
        while self.killed_at(arguments, "@kills") {
            after_a_kill();
        }
    }

    /// The legacy database as an office's application sees it.
    pub(crate) fn legacy(&self) -> Connection {
        let legacy = Connection::open(self.path("inps.db")).expect("the legacy");
        legacy
            .busy_timeout(std::time::Duration::from_secs(10))
            .expect("a timeout");
        legacy
    }

    /// What an office does under the lock: three revocations and two new PINs.
    pub(crate) fn office_at_work(&self) {
        let legacy = self.legacy();
        let revoked = legacy
            .execute(
                "UPDATE pin_legacy SET stato = 'R' WHERE rowid IN (
                     SELECT rowid FROM pin_legacy WHERE stato = 'A' AND length(codice_fiscale) = 16
                     ORDER BY id LIMIT 3)",
                [],
            )
            .expect("a tightening passes");
        assert_eq!(revoked, 3);
        for (id, code, surname, given_name) in [
            ("NEW-1", "RSSMRA80A01H501U", "ROSSI", "MARIO"),
            ("NEW-2", "BNCLRA75D52F205V", "BIANCHI", "LAURA"),
        ] {
            legacy
                .execute(
                    "INSERT INTO pin_legacy (id, codice_fiscale, cognome, nome, classe_utente, codice_ente, stato,
                         tipo_pin, pin_hash, algoritmo, data_rilascio, sede, canale)
                     VALUES (?1, ?2, ?3, ?4, 'CIT', '', 'A', 'ORD', ?5, 'SHA256', '2026-01-01', '0100', 'SED')",
                    rusqlite::params![
                        id,
                        code,
                        surname,
                        given_name,
                        "0123456789abcdef".repeat(4)
                    ],
                )
                .expect("a new PIN is diverted");
        }
    }

    /// Everything in the target that must not depend on kills, as text.
    pub(crate) fn target(&self) -> String {
        let mut text = self.target_rows();
        for sql in [
            "SELECT run_id, digest FROM run ORDER BY run_id",
            "SELECT cause, tally FROM digest_ledger ORDER BY cause, tally",
        ] {
            self.dump_target(sql, sql, &mut text);
        }
        text
    }

    /// People, quarantine, findings and catalogue, as text.
    pub(crate) fn people(&self) -> String {
        let mut text = String::new();
        for (table, order) in TABLES {
            let sql = format!("SELECT * FROM {table} ORDER BY {order}");
            self.dump_target(&sql, table, &mut text);
        }
        text
    }

    /// Everything in the target but what tells changes before cut-over from those after it.
    pub(crate) fn target_rows(&self) -> String {
        let mut text = self.people();
        for sql in [
            "SELECT run_id, phase, id_base, id_end FROM run ORDER BY run_id",
            "SELECT source, fingerprint, records FROM run_source ORDER BY source",
            "SELECT model FROM model_state",
            "SELECT request_id, state, reason, pin_id FROM delayed_activation ORDER BY request_id",
        ] {
            self.dump_target(sql, sql, &mut text);
        }
        text
    }

    fn dump_target(&self, sql: &str, title: &str, text: &mut String) {
        match &self.server {
            None => dump(&self.file(), sql, title, text),
            Some(database) => {
                let rows = database.text(&format!(
                    "SELECT CAST(row_to_json(found) AS text) FROM ({sql}) AS found"
                ));
                text.push_str(&format!("-- {title}\n{rows}\n"));
            }
        }
    }

    /// The file the target is.
    pub(crate) fn file(&self) -> Connection {
        Connection::open(self.path("multiprofile.db")).expect("the target")
    }

    /// The first column of the first row, which must be text.
    pub(crate) fn ask_target(&self, sql: &str) -> String {
        match &self.server {
            None => self
                .file()
                .query_row(sql, [], |row| row.get(0))
                .expect("a row"),
            Some(database) => database.text(sql),
        }
    }

    /// Changes the target behind the program's back.
    pub(crate) fn change_target(&self, sql: &str) {
        match &self.server {
            None => self.file().execute_batch(sql).expect("changed"),
            Some(database) => database.batch(sql),
        }
    }

    /// How many rows a table of the target has.
    pub(crate) fn count(&self, table: &str) -> i64 {
        let count = self.ask_target(&format!("SELECT CAST(count(*) AS text) FROM {table}"));
        count.parse().expect("a count")
    }

    /// Puts `new` where the configuration says `old`.
    pub(crate) fn configure(&self, old: &str, new: &str) {
        let file = self.path("pinferry.toml");
        let text = fs::read_to_string(&file).expect("a file");
        assert!(text.contains(old));
        fs::write(&file, text.replace(old, new)).expect("a file");
    }

    /// Records the newest run has committed so far.
    pub(crate) fn committed_records(&self) -> i64 {
        const SQL: &str =
            "SELECT CAST(coalesce(sum(position - first_position), 0) AS text) FROM run_partition";
        let committed = match &self.server {
            None => {
                let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
                Connection::open_with_flags(self.path("multiprofile.db"), flags)
                    .and_then(|target| target.query_row(SQL, [], |row| row.get::<_, String>(0)))
                    .ok()
            }
            Some(database) => database.try_text(SQL),
        };
        committed.and_then(|text| text.parse().ok()).unwrap_or(0)
    }

    /// The database the target is in.
    pub(crate) fn database(&self) -> &server::Database {
        self.server.as_ref().expect("a target on a server")
    }

    /// Whether nobody is writing to the target right now.
    pub(crate) fn target_is_writable(&self) -> bool {
        let target = Connection::open(self.path("multiprofile.db")).expect("the target");
        target
            .busy_timeout(std::time::Duration::ZERO)
            .expect("a timeout");
        target.execute_batch("BEGIN IMMEDIATE; ROLLBACK").is_ok()
    }

    /// The digest of the newest run.
    pub(crate) fn digest(&self) -> String {
        self.ask_target("SELECT digest FROM run ORDER BY run_id DESC LIMIT 1")
    }

    /// The legacy's own rows and triggers, as text.
    pub(crate) fn legacy_content(&self) -> String {
        let legacy = self.legacy();
        let mut text = String::new();
        dump(
            &legacy,
            "SELECT * FROM pin_legacy ORDER BY id, rowid",
            "pin_legacy",
            &mut text,
        );
        dump(
            &legacy,
            "SELECT type, name, tbl_name FROM sqlite_schema WHERE name <> 'sqlite_sequence' ORDER BY name",
            "schema",
            &mut text,
        );
        text
    }

    /// That nobody can manage PINs any more, in words that name the way out.
    pub(crate) fn assert_sealed(&self) {
        const WRITE: &str = "UPDATE pin_legacy SET telefono = '1'";
        let refused = match &self.legacy_server {
            None => self
                .legacy()
                .execute(WRITE, [])
                .map_err(|error| error.to_string()),
            Some(database) => (database.session())
                .execute("writing", WRITE, PgArguments::default())
                .map(|rows| rows as usize)
                .map_err(|error| error.server_message().to_owned()),
        };
        let refused = refused.expect_err("sealed");
        let pointer = match &self.server {
            None => "multiprofile.db",
            Some(database) => &database.name,
        };
        assert!(refused.contains(pointer), "{refused}");
    }
}

fn dump(connection: &Connection, sql: &str, title: &str, text: &mut String) {
    text.push_str(&format!("-- {title}\n"));
    let mut statement = connection.prepare(sql).expect("a query");
    let columns = statement.column_count();
    let mut rows = statement.query([]).expect("rows");
    while let Some(row) = rows.next().expect("a row") {
        for column in 0..columns {
            // The generated legacy holds text that is not valid, too.
            let value = row.get_ref(column).expect("a value");
            text.push_str(&format!("{value:?}|"));
        }
        text.push('\n');
    }
}

/// The generated legacies, made once.
pub(crate) fn beginning() -> &'static Path {
    static BEGINNING: OnceLock<tempfile::TempDir> = OnceLock::new();
    BEGINNING
        .get_or_init(|| {
            let folder = tempfile::tempdir().expect("a folder");
            for (name, seed) in [("inps.db", "11"), ("sede.csv", "12")] {
                let made = Command::new(env!("CARGO_BIN_EXE_pinferry"))
                    .current_dir(folder.path())
                    .args([
                        "sample-data",
                        "--records",
                        RECORDS,
                        "--seed",
                        seed,
                        "--dirty",
                        "0.1",
                        "--out",
                        name,
                    ])
                    .output()
                    .expect("it starts");
                assert!(
                    made.status.success(),
                    "{}",
                    String::from_utf8_lossy(&made.stderr)
                );
            }
            folder
        })
        .path()
}
