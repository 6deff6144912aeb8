//! A folder with a target, one or two sources and counters, in which a history is played on the program itself.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    sync::OnceLock,
    time::SystemTime,
};

use jiff::{Timestamp, ToSpan, civil::Date};
use pinferry::{
    config::{Inputs, settings::Settings},
    domain::{
        activation::{
            grounds::Grounds,
            office::{Offices, PatronDay},
            schedule::Schedule,
        },
        links::Links,
        rules::Rules,
    },
    engine::{
        activate::activate,
        intake::intake,
        job::Job,
        progress::Unwatched,
        run::{RunEnd, RunOptions, RunUntil, run, verify},
        stop::StopFlag,
    },
    source::requests::{RequestFile, RequestFormat},
    store::{Intent, Target, activation::ActivationStore},
};
use rusqlite::Connection;
use tempfile::TempDir;

use super::{
    history::{Code, History, Level, Moment, Name, Receipt, Record, Request, Sent, Status},
    seen::{self, Seen},
};
use crate::{
    server::{Database, Server},
    town::Engine,
};

const OWN: &str = "RSSMRA80A01H501U";
const OLD: &str = "RSSMRA80A02H501Z";
const LAURA: &str = "BNCLRA75D52F205V;Bianchi;Laura";

const COLUMNS: &str = "id;codice_fiscale;cognome;nome;data_nascita;classe_utente;codice_ente;stato;tipo_pin;pin_hash;\
    algoritmo;data_rilascio;data_scadenza;ultimo_accesso;sede;canale;meta_consegnate;email;telefono;cf_tutore";

const HEADER: &str = "request_id;kind;accepted_at;office;fiscal_code;surname;given_name;profile;entity;level;credential;\
    credential_scheme;halves_delivered;documents;of_request;of_pin;half;outcome";

const DOCUMENTS: &str = "IDENTITY_CARD PROFESSIONAL_REGISTER_ENTRY APPOINTMENT_BY_ENTITY";

/// The day on which counters worked, and the one on which what they accepted takes effect; which is a holiday of some
/// offices, so that theirs comes later.
struct Days {
    worked: Date,
    patron: PatronDay,
}

impl Days {
    fn found(schedule: &Schedule) -> Self {
        let now = Timestamp::try_from(SystemTime::now()).expect("a time");
        let mut worked = schedule.local_date(now);
        loop {
            worked = worked.yesterday().expect("a day before");
            let comes = schedule.not_before(at_nine(schedule, worked), "0700");
            if comes <= now {
                let day = schedule.local_date(comes).strftime("%m-%d").to_string();
                let patron = day.parse().expect("a day of the year");
                return Self { worked, patron };
            }
        }
    }
}

fn at_nine(schedule: &Schedule, day: Date) -> Timestamp {
    schedule
        .begins(day)
        .saturating_add(9.hours())
        .expect("a time")
}

/// Which run's configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    First,
    Later,
}

/// What the target holds, asked past the program.
enum Rows {
    Sqlite(Option<Connection>),
    Postgres(Database),
}

pub(super) struct Place {
    folder: TempDir,
    first: Settings,
    later: Settings,
    days: Days,
    has_day_come: bool,
    do_counters_know_links: bool,
    /// The configuration in use.
    pub(super) which: Which,
    db: Rows,
    queue: Option<ActivationStore>,
}

impl Place {
    pub(super) fn of(history: &History, captured: [bool; 2], engine: Engine) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (db, url) = match engine {
            Engine::Sqlite => (Rows::Sqlite(None), "sqlite://target.db".to_owned()),
            Engine::Postgres => {
                let database = Database::on(Server::shared(), "");
                let url = database.url();
                (Rows::Postgres(database), url)
            }
        };
        let path = |name: &str| folder.path().join(name);
        fs::write(path("links.csv"), format!("old;new\n{OLD};{OWN}\n")).expect("a file");
        fs::write(path("none.csv"), "old;new\n").expect("a file");
        let settings = |name: &str, is_captured: bool, links: &str| {
            let legacy = if is_captured {
                format!("url = \"sqlite://{name}.db\"\ntable = \"pin_legacy\"")
            } else {
                format!("url = \"csv://{name}.csv\"")
            };
            let text = format!(
                "[target]\nurl = \"{url}\"\n[[source]]\nname = \"{name}\"\n{legacy}\n\
                 [rules]\nas_of = \"2026-01-01\"\n[run]\nmax_quarantine_ratio = 1.0\nworkers = 1\n\
                 [activation]\ndelay_working_days = 1\naccepted_within_days = 36500\n\
                 [catalogue]\nfiscal_code_links = \"{links}\"\n"
            );
            let file = path(&format!("{name}.toml"));
            fs::write(&file, text).expect("a file");
            load(file)
        };
        let of_first = if history.is_linked_later {
            "none.csv"
        } else {
            "links.csv"
        };
        let first = settings("inps", captured[0], of_first);
        let later = settings("later", captured[1], "links.csv");
        let days = Days::found(&first.activation.schedule);
        let place = Self {
            first,
            later,
            days,
            has_day_come: false,
            do_counters_know_links: history.counters_know_links,
            which: Which::First,
            db,
            queue: None,
            folder,
        };
        place.lay_out("inps", "M", &history.first, captured[0]);
        place.lay_out("later", "L", &history.later, captured[1]);
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A source with these records, and one of somebody else's.
    fn lay_out(&self, name: &str, letter: &str, records: &[Record], is_captured: bool) {
        let mut lines = vec![format!(
            "{letter}X;{LAURA};;AVV;;A;DISP;{};SHA256;2020-01-01;;;0700;SED;;;;",
            "cd".repeat(32)
        )];
        for (at, record) in (1..).zip(records) {
            lines.push(self.record(&format!("{letter}{at}"), record));
        }
        if !is_captured {
            let text = format!("{COLUMNS}\n{}\n", lines.join("\n"));
            return fs::write(self.path(&format!("{name}.csv")), text).expect("a file");
        }
        let legacy = self.legacy(name);
        let columns = COLUMNS.replace(';', " TEXT, ");
        let mut sql = format!("CREATE TABLE pin_legacy ({columns} TEXT, PRIMARY KEY (id));");
        for line in lines {
            let values: Vec<_> = line.split(';').map(|value| format!("'{value}'")).collect();
            write!(
                sql,
                "INSERT INTO pin_legacy VALUES ({});",
                values.join(", ")
            )
            .expect("text");
        }
        legacy.execute_batch(&sql).expect("a legacy");
    }

    fn legacy(&self, name: &str) -> Connection {
        Connection::open(self.path(&format!("{name}.db"))).expect("a legacy")
    }

    fn record(&self, id: &str, record: &Record) -> String {
        let status = match record.status {
            Status::Active => "A",
            Status::Suspended => "S",
            Status::Pending => "P",
            Status::Revoked => "R",
        };
        let issued = match (record.is_undated, record.is_new) {
            (true, _) => String::new(),
            (false, false) => "2020-01-01".to_owned(),
            (false, true) => self.days.worked.tomorrow().expect("a day").to_string(),
        };
        let halves = match record.status {
            Status::Pending => record.halves.to_string(),
            Status::Active | Status::Suspended | Status::Revoked => String::new(),
        };
        format!(
            "{id};{};Rossi;Mario;;{};{};{status};{};{};SHA256;{issued};;;0700;SED;{halves};;;",
            code(record.code),
            record.profile.code(),
            record.profile.entity(),
            level(record.level),
            "cd".repeat(32),
        )
    }

    fn at(&self, moment: Moment) -> String {
        let minute = moment.minute();
        let seconds = if moment.is_late { ":30" } else { "" };
        format!(
            "{}T{:02}:{:02}{seconds}",
            self.days.worked,
            minute / 60,
            minute % 60
        )
    }

    fn settings(&self) -> &Settings {
        match self.which {
            Which::First => &self.first,
            Which::Later => &self.later,
        }
    }

    fn grounds(&self, knows_links: bool) -> Grounds {
        let settings = self.settings();
        let mut schedule = settings.activation.schedule.clone();
        let mut offices = Offices::default();
        offices.add("0700", None);
        let patron = Some(self.days.patron).filter(|_| !self.has_day_come);
        offices.add("0800", patron);
        schedule.offices = Some(offices);
        let rules = Rules {
            as_of: settings.as_of.expect("a day"),
            catalogue: settings.catalogue.clone(),
            links: match knows_links {
                true => settings.links.clone(),
                false => Links::default(),
            },
            schemes: settings.credential_schemes.iter().cloned().collect(),
            sources: settings
                .sources
                .iter()
                .map(|source| source.rules.clone())
                .collect(),
        };
        Grounds::new(rules, schedule).with(settings.activation.policy.clone())
    }

    /// Makes the target, before any run.
    pub(super) fn migrate(&mut self) -> Result<(), String> {
        let make =
            || drop(Target::open(&self.first.target, Intent::CreateIfMissing).expect("a target"));
        let path = self.path("target.db");
        match &mut self.db {
            Rows::Postgres(_) => make(),
            Rows::Sqlite(db) => {
                static MADE: OnceLock<Vec<u8>> = OnceLock::new();
                let made = MADE.get_or_init(|| {
                    make();
                    fs::read(&path).expect("a file")
                });
                fs::write(&path, made).expect("a file");
                *db = Some(Connection::open(path).expect("a target"));
            }
        }
        let queue = ActivationStore::open(&self.first.target);
        self.queue = Some(queue.map_err(|error| told(&error))?);
        Ok(())
    }

    /// How the run ends.
    fn run(&self, until: RunUntil) -> Result<RunEnd, String> {
        let stop = StopFlag::default();
        let options = RunOptions {
            until,
            ..RunOptions::default()
        };
        let outcome = run(&self.job(&stop), &options);
        outcome
            .map(|outcome| outcome.end)
            .map_err(|error| told(&error))
    }

    fn job<'a>(&'a self, stop: &'a StopFlag) -> Job<'a> {
        Job {
            settings: self.settings(),
            holder: "tester",
            progress: &Unwatched,
            stop,
        }
    }

    pub(super) fn hold(&self) -> Result<(), String> {
        match self.run(RunUntil::Verified)? {
            RunEnd::Held => Ok(()),
            end => Err(format!("the run is not held: {end:?}")),
        }
    }

    pub(super) fn cut_over(&self) -> Result<(), String> {
        match self.run(RunUntil::Finished)? {
            RunEnd::Finished => Ok(()),
            end => Err(format!("the run is not finished: {end:?}")),
        }
    }

    /// The verification of the run must pass, and all that changed be accounted for.
    pub(super) fn verify(&self) -> Result<(), String> {
        let stop = StopFlag::default();
        let verified = verify(&self.job(&stop), None);
        let found = verified.map_err(|error| told(&error))?.found;
        if !found.passed() {
            return Err(format!("verification: {:?}", found.mismatches));
        }
        let changed = serde_json::to_string(&found.changed_since).expect("JSON");
        for account in ["_digest", "counts", "chain", "live_pins"] {
            if changed.contains(account) {
                return Err(format!("unaccounted for: {changed}"));
            }
        }
        Ok(())
    }

    pub(super) fn drain(&mut self) -> Result<u64, String> {
        let grounds = self.grounds(true);
        let drained = activate(
            self.queue.as_mut().expect("a queue"),
            &mut [],
            &grounds,
            "tester",
            &StopFlag::default(),
        );
        let drained = drained.map_err(|error| told(&error))?;
        let again = drained.failed.iter().find(|failed| failed.tried_again);
        match again {
            Some(failed) => Err(format!("the database refuses: {failed:?}")),
            None => Ok(drained.activated + drained.pending_activated),
        }
    }

    /// Hands a file in.
    pub(super) fn hand_in(&mut self, lines: &[String]) -> Result<(), String> {
        let file = self.path("requests.csv");
        fs::write(&file, format!("{HEADER}\n{}\n", lines.join("\n"))).expect("a file");
        self.take(&file)
    }

    fn take(&mut self, file: &Path) -> Result<(), String> {
        let requests = RequestFile::read(file, RequestFormat::by_file_name(file))
            .map_err(|error| told(&error))?;
        let grounds = self.grounds(self.do_counters_know_links);
        let queue = self.queue.as_mut().expect("a queue");
        let taken = intake(queue, &requests, &grounds, "tester");
        let taken = taken.map_err(|error| told(&error))?;
        match taken.refused {
            0 => Ok(()),
            _ => Err(format!("refused: {:?}", taken.requests)),
        }
    }

    /// Lets the day come for which some offices wait.
    pub(super) fn day_comes(&mut self) {
        self.has_day_come = true;
        let sql = "UPDATE delayed_activation SET not_before = accepted_at";
        match &self.db {
            Rows::Postgres(database) => database.batch(sql),
            Rows::Sqlite(db) => {
                let db = db.as_ref().expect("a target");
                db.execute_batch(sql).expect("the statement");
            }
        }
    }

    /// Takes away under the lock of the run that is held; whether that changed the record.
    pub(super) fn take_under_lock(&self, id: usize, at: Moment, for_good: bool) -> bool {
        let (source, letter) = match self.which {
            Which::First => ("inps", "M"),
            Which::Later => ("later", "L"),
        };
        let (status, from) = match for_good {
            true => ("R", "'A', 'S', 'P'"),
            false => ("S", "'A', 'P'"),
        };
        let legacy = self.legacy(source);
        let sql = format!(
            "UPDATE pin_legacy SET stato = '{status}' WHERE id = '{letter}{}' AND stato IN ({from})",
            id + 1
        );
        let changed = legacy.execute(&sql, []).expect("it passes");
        let local: jiff::civil::DateTime = self.at(at).parse().expect("a time");
        let at = self
            .first
            .activation
            .schedule
            .moment(local)
            .expect("a time");
        let sql = format!(
            "UPDATE pinferry_capture_{source} SET at = '{}'
             WHERE rowid = (SELECT max(rowid) FROM pinferry_capture_{source})",
            at.strftime("%Y-%m-%dT%H:%M:%S.000Z")
        );
        if changed > 0 {
            legacy.execute(&sql, []).expect("a capture");
        }
        changed > 0
    }

    pub(super) fn seen(&self) -> Seen {
        let sql = seen::query([OWN, OLD]);
        let lines: Vec<_> = match &self.db {
            Rows::Postgres(database) => database.text(&sql).lines().map(str::to_owned).collect(),
            Rows::Sqlite(db) => {
                let db = db.as_ref().expect("a target");
                let mut statement = db.prepare_cached(&sql).expect("a query");
                let rows = statement.query_map([], |row| row.get(0)).expect("rows");
                rows.map(|row| row.expect("a row")).collect()
            }
        };
        Seen::of(&lines)
    }

    pub(super) fn request(&self, number: usize, request: &Request) -> String {
        let (surname, given_name) = match request.name {
            Name::Own => ("Rossi", "Mario"),
            Name::Nobody => ("", ""),
            Name::Other => ("Blu", "Gino"),
        };
        let gives = !request.kind.takes_away();
        let brings = request.kind.brings_pin();
        let only = |holds: bool, text: String| if holds { text } else { String::new() };
        format!(
            "Q{number};{};{};{};{};{surname};{given_name};{};{};{};{};{};{};{};;;;",
            request.kind.name(),
            self.at(request.at),
            if request.waits_for_day {
                "0800"
            } else {
                "0700"
            },
            code(request.code),
            request.profile.map_or("", |profile| profile.code()),
            request.profile.map_or("", |profile| profile.entity()),
            only(gives, level(request.level).to_owned()),
            only(brings, credential(number)),
            only(brings, "SHA256".to_owned()),
            only(brings, request.halves.to_string()),
            only(gives, DOCUMENTS.to_owned()),
        )
    }

    /// The line, and of which PIN it is.
    pub(super) fn receipt(
        &self,
        number: usize,
        receipt: &Receipt,
        requests: &[usize],
    ) -> Option<(String, String)> {
        let (request, pin) = match receipt.of {
            Sent::Request(_) if requests.is_empty() => return None,
            Sent::Request(at) => {
                let number = requests[usize::from(at) % requests.len()];
                (format!("Q{number}"), String::new())
            }
            Sent::First(at) => (String::new(), format!("inps:M{}", at + 1)),
            Sent::Later(at) => (String::new(), format!("later:L{}", at + 1)),
        };
        let half = match receipt.is_second {
            true => "second",
            false => "first",
        };
        let outcome = match receipt.is_delivered {
            true => "delivered",
            false => "returned",
        };
        let at = self.at(Moment {
            slot: 0,
            is_late: false,
        });
        let line = format!("H{number};receipt;{at};;;;;;;;;;;;{request};{pin};{half};{outcome}");
        Some((line, request + &pin))
    }
}

pub(super) fn credential(number: usize) -> String {
    format!("{number:064x}")
}

const fn code(code: Code) -> &'static str {
    match code {
        Code::Own => OWN,
        Code::Old => OLD,
    }
}

const fn level(level: Level) -> &'static str {
    match level {
        Level::Ordinary => "ORD",
        Level::Dispositive => "DISP",
    }
}

/// An error with all its causes.
fn told(error: &dyn std::error::Error) -> String {
    let mut told = error.to_string();
    let mut cause = error.source();
    while let Some(one) = cause {
        write!(told, ": {one}").expect("text");
        cause = one.source();
    }
    told
}

fn load(file: PathBuf) -> Settings {
    let inputs = Inputs {
        file,
        environment: BTreeMap::new(),
        flags: Vec::new(),
    };
    Settings::load(&inputs).expect("a configuration")
}
