//! A migrated town with a queue of requests, made once for each engine and copied for each test.

use std::{
    fs,
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
    sync::OnceLock,
};

use rusqlite::Connection;

use crate::{
    schemas,
    server::{Database, Server},
};

/// What keeps the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
}

pub(crate) const ENGINES: [Engine; 2] = [Engine::Sqlite, Engine::Postgres];

pub(crate) const HEADER: &str = "request_id;accepted_at;fiscal_code;surname;given_name;birth_date;profile;entity;level;\
    credential;credential_scheme;halves_delivered;documents";

/// What a drain may change, and what it answers for.
const TABLES: [(&str, &str); 6] = [
    ("person", "person_id"),
    ("fiscal_code", "fiscal_code"),
    ("pin", "pin_id"),
    ("profile_grant", "person_id, profile, entity"),
    ("delegation", "person_id, guardian_fiscal_code"),
    ("run_step", "step"),
];

/// The second requests of people who had another code once come under that.
const OLD_CODES: &str = "
UPDATE delayed_activation SET fiscal_code = (
    SELECT old.fiscal_code FROM fiscal_code AS old JOIN fiscal_code AS now ON now.person_id = old.person_id
    WHERE NOT old.current AND now.fiscal_code = delayed_activation.fiscal_code)
WHERE request_id LIKE 'S%-2' AND fiscal_code IN (
    SELECT now.fiscal_code FROM fiscal_code AS old JOIN fiscal_code AS now ON now.person_id = old.person_id
    WHERE NOT old.current AND now.current)";

/// A folder with a configuration and a target.
pub(crate) struct Town {
    folder: tempfile::TempDir,
    server: Option<Database>,
}

impl Town {
    /// After the job, with requests of 1 500 people in the queue: most stand in the model, some have several
    /// requests, and some of these come under a code that is not current any more.
    pub(crate) fn on(engine: Engine) -> Self {
        static TOWNS: [OnceLock<Town>; 2] = [OnceLock::new(), OnceLock::new()];
        let made = TOWNS[engine as usize].get_or_init(|| Self::make(engine));
        let folder = tempfile::tempdir().expect("a folder");
        let server = made.server.as_ref().map(|database| {
            Database::on(database.server(), &format!("TEMPLATE {}", database.name))
        });
        let town = Self { folder, server };
        for file in ["legacy.csv", "links.csv", "target.db"] {
            if made.path(file).exists() {
                fs::copy(made.path(file), town.path(file)).expect("a copy");
            }
        }
        town.configure();
        town
    }

    fn make(engine: Engine) -> Self {
        let town = Self {
            folder: tempfile::tempdir().expect("a folder"),
            server: (engine == Engine::Postgres).then(|| Database::on(Server::shared(), "")),
        };
        town.configure();
        for (file, records, seed) in [("legacy.csv", "2000", "21"), ("others.csv", "500", "22")] {
            let sample = [
                "sample-data",
                "--records",
                records,
                "--seed",
                seed,
                "--dirty",
                "0",
                "--out",
                file,
            ];
            town.expect(&sample, &[0]);
        }
        let (known, strangers) = (
            people(&town.path("legacy.csv")),
            people(&town.path("others.csv")),
        );
        let links = known.iter().zip(&strangers).step_by(30).take(40);
        let links = links.map(|(new, old)| format!("{};{}\n", &old[..16], &new[..16]));
        fs::write(
            town.path("links.csv"),
            "old;new\n".to_owned() + &links.collect::<String>(),
        )
        .expect("a file");
        town.expect(&["run"], &[0, 3]);
        fs::write(town.path("requests.csv"), town.requests(&strangers)).expect("a file");
        town.expect(&["intake", "requests.csv"], &[0]);
        town.sql(OLD_CODES);
        town
    }

    /// Nothing but a configuration and a legacy with these records.
    pub(crate) fn with_legacy(engine: Engine, legacy: &str) -> Self {
        let town = Self {
            folder: tempfile::tempdir().expect("a folder"),
            server: (engine == Engine::Postgres).then(|| Database::on(Server::shared(), "")),
        };
        town.configure();
        fs::write(town.path("links.csv"), "old;new\n").expect("a file");
        fs::write(town.path("legacy.csv"), legacy).expect("a file");
        town
    }

    fn configure(&self) {
        let url = match &self.server {
            None => "sqlite://target.db".to_owned(),
            Some(database) => database.url(),
        };
        let text = format!(
            "[target]\nurl = \"{url}\"\n[[source]]\nname = \"inps\"\nurl = \"csv://legacy.csv\"\n\
             [rules]\nas_of = \"2026-01-01\"\n[catalogue]\nfiscal_code_links = \"links.csv\"\n\
             [run]\nmax_quarantine_ratio = 1.0\n\
             [activation]\ndelay_working_days = 0\naccepted_within_days = 36500\n"
        );
        fs::write(self.path("pinferry.toml"), text).expect("a file");
    }

    /// Lets drains leave what they have no hand for to others.
    pub(crate) fn work_with_one_hand(&self) {
        let file = self.path("pinferry.toml");
        let text = fs::read_to_string(&file).expect("a file");
        fs::write(file, text.replace("[run]\n", "[run]\nworkers = 1\n")).expect("a file");
    }

    /// A file of requests.
    fn requests(&self, strangers: &[String]) -> String {
        let standing = self.texts(
            "SELECT fiscal_code || ';' || surname || ';' || given_name || ';' || coalesce(CAST(birth_date AS text), '')
             FROM fiscal_code JOIN person ON person.person_id = fiscal_code.person_id
             WHERE current AND given_name IS NOT NULL AND birth_date < '2008-01-01'
                 AND NOT EXISTS (SELECT 1 FROM delegation WHERE delegation.person_id = person.person_id)
             ORDER BY fiscal_code",
        );
        let codes = self.texts("SELECT fiscal_code FROM fiscal_code");
        let mut text = format!("{HEADER}\n");
        for (n, person) in standing.iter().enumerate() {
            text += &line(&format!("S{n}-1"), n, person, "CIT", "DISP");
            if n % 3 == 0 {
                text += &line(&format!("S{n}-2"), n + 200, person, "CDL", "DISP");
                text += &line(&format!("S{n}-3"), n + 100, person, "COM", "DISP");
            }
        }
        let strangers = strangers
            .iter()
            .filter(|person| !codes.iter().any(|code| *code == person[..16]));
        for (n, person) in strangers.enumerate() {
            text += &line(&format!("N{n}-1"), n * 3, person, "CIT", "ORD");
            if n % 4 == 0 {
                text += &line(&format!("N{n}-2"), n * 3 + 50, person, "CDL", "DISP");
            }
        }
        text
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn file(&self) -> PathBuf {
        self.path("target.db")
    }

    pub(crate) fn database(&self) -> &Database {
        self.server.as_ref().expect("a target on a server")
    }

    /// The program, not yet started.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pinferry"));
        command.current_dir(self.folder.path()).args(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub(crate) fn expect(&self, arguments: &[&str], codes: &[i32]) -> Output {
        let child = self.command(arguments).spawn().expect("it starts");
        let output = ended(child, codes);
        let code = output.status.code();
        schemas::hold_call(self.folder.path(), arguments, code, &output.stdout);
        output
    }

    /// Starts a drain, to be killed at a step.
    #[cfg(feature = "failpoints")]
    pub(crate) fn drain_to(&self, step: &str) -> Child {
        let mut command = self.command(&["activate"]);
        command.env("PINFERRY_FAILPOINT", step);
        command.spawn().expect("it starts")
    }

    /// Starts a drain.
    pub(crate) fn drain(&self) -> Child {
        let mut command = self.command(&["--format", "json", "activate"]);
        command.spawn().expect("it starts")
    }

    /// Statements that know nothing of the store's rules.
    pub(crate) fn sql(&self, statements: &str) {
        match &self.server {
            None => self.connection().execute_batch(statements).expect("SQL"),
            Some(database) => database.batch(statements),
        }
    }

    /// The first column, which must be text, of every row.
    pub(crate) fn texts(&self, query: &str) -> Vec<String> {
        match &self.server {
            None => {
                let connection = self.connection();
                let mut statement = connection.prepare(query).expect("a query");
                let rows = statement.query_map([], |row| row.get(0)).expect("rows");
                rows.map(|row| row.expect("a row")).collect()
            }
            Some(database) => database.text(query).lines().map(str::to_owned).collect(),
        }
    }

    pub(crate) fn connection(&self) -> Connection {
        let connection = Connection::open(self.file()).expect("the target");
        let patience = std::time::Duration::from_secs(20);
        connection.busy_timeout(patience).expect("a timeout");
        connection
    }

    pub(crate) fn count(&self, rows: &str) -> i64 {
        let count = self.texts(&format!("SELECT CAST(count(*) AS text) FROM {rows}"));
        count[0].parse().expect("a count")
    }

    /// All that must not depend on how the queue was drained.
    pub(crate) fn content(&self) -> String {
        let mut text = String::new();
        let tables = TABLES.map(|(table, order)| {
            let columns = if table == "run_step" { "step" } else { "*" };
            format!("SELECT {columns} FROM {table} ORDER BY {order}")
        });
        let queue = "SELECT activation_id, request_id, state, reason, attempts, pin_id FROM delayed_activation
             ORDER BY activation_id";
        for query in tables.iter().map(String::as_str).chain([queue]) {
            text += &match &self.server {
                None => rows(&self.connection(), query),
                Some(database) => database.text(&format!(
                    "SELECT CAST(row_to_json(found) AS text) FROM ({query}) AS found"
                )),
            };
        }
        text
    }

    /// The digest that verification reads back, which must be what partitions and ledger account for.
    pub(crate) fn verified_digest(&self) -> String {
        let output = self.expect(&["--format", "json", "verify"], &[0]);
        let found: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let changed = found["changed_since"].to_string();
        for account in ["_digest", "counts", "chain", "live_pins"] {
            assert!(!changed.contains(account), "{changed}");
        }
        found["digest"].as_str().expect("a digest").to_owned()
    }
}

/// Waits for a process that must end with one of these codes.
pub(crate) fn ended(child: Child, codes: &[i32]) -> Output {
    let output = child.wait_with_output().expect("it ends");
    let code = output.status.code();
    assert!(
        code.is_some_and(|code| codes.contains(&code)),
        "{:?}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

/// People of a file of legacy records: code, names and birth date.
pub(crate) fn people(file: &std::path::Path) -> Vec<String> {
    let text = fs::read_to_string(file).expect("a file");
    let records = text.lines().skip(1).map(|line| line.split(';').collect());
    let mut found: Vec<_> = records
        .filter(|fields: &Vec<_>| fields[1].len() == 16 && is_of_age(fields[4]))
        .map(|fields| fields[1..5].join(";"))
        .collect();
    found.sort_unstable();
    found.dedup_by(|one, other| one[..16] == other[..16]);
    found
}

/// By an ISO date; who does not say it may be a minor.
fn is_of_age(born: &str) -> bool {
    ("1900".."2008").contains(&born)
}

pub(crate) fn line(id: &str, minute: usize, person: &str, profile: &str, level: &str) -> String {
    let at = format!("2026-01-02T{:02}:{:02}", 8 + minute / 60 % 12, minute % 60);
    let hash = format!("{:02x}", minute % 256).repeat(32);
    let documents = match profile {
        "CIT" => "IDENTITY_CARD",
        _ => "IDENTITY_CARD PROFESSIONAL_REGISTER_ENTRY",
    };
    format!("{id};{at};{person};{profile};;{level};{hash};SHA256;2;{documents}\n")
}

fn rows(connection: &Connection, query: &str) -> String {
    let mut statement = connection.prepare(query).expect("a query");
    let columns = statement.column_count();
    let mut rows = statement.query([]).expect("rows");
    let mut text = String::new();
    while let Some(row) = rows.next().expect("a row") {
        for column in 0..columns {
            text += &format!("{:?}|", row.get_ref(column).expect("a value"));
        }
        text.push('\n');
    }
    text
}

/// How many requests a drain let take effect.
pub(crate) fn activated(output: &Output) -> u64 {
    let drained: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    drained["activated"].as_u64().expect("a number")
}
