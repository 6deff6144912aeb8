//! An office takes PINs away at two in the morning, by whatever its own application makes of that, and a holder
//! must change a PIN: from a legacy on either engine into a target on the same.

use std::{
    fs,
    os::unix::process::ExitStatusExt as _,
    process::{Command, Output, Stdio},
    thread,
    time::Duration,
};

use pinferry::domain::fiscal_code::FiscalCode;
use rusqlite::Connection;

use crate::{
    scenario::Engine,
    schemas,
    server::{Database, Server},
};

pub(crate) const ENGINES: [Engine; 2] = [Engine::Sqlite, Engine::Postgres];

const COLUMNS: [&str; 14] = [
    "id",
    "codice_fiscale",
    "cognome",
    "nome",
    "classe_utente",
    "codice_ente",
    "stato",
    "tipo_pin",
    "pin_hash",
    "algoritmo",
    "sale",
    "data_rilascio",
    "data_scadenza",
    "meta_consegnate",
];
const STATUS: usize = 6;

/// The columns of the default layout that nothing here is about, and two that are not mapped.
const OTHERS: &str =
    "data_nascita text, ultimo_accesso text, sede text, canale text, email text, telefono text,
    cf_tutore text, nota text, aggiornato text";

/// The rows that must not depend on when a PIN was taken away.
const TABLES: [(&str, &str); 6] = [
    ("person", "person_id"),
    ("fiscal_code", "fiscal_code"),
    ("pin", "pin_id"),
    ("profile_grant", "person_id, profile, entity"),
    ("quarantine", "source, legacy_id, copy"),
    ("finding", "source, legacy_id, kind"),
];

/// How an application writes a new status.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Way {
    /// Every column as it was read, whether or not it changed.
    EveryColumn,
    Upsert,
    /// With columns that are not mapped.
    WithNotes,
}

const WAYS: [Way; 3] = [Way::EveryColumn, Way::Upsert, Way::WithNotes];

/// What becomes of one person: profile, status and level of each record, which of them changes to what, and how
/// PINs (with who took their place) and grants stand in the end.
struct Case {
    records: &'static [(&'static str, &'static str, &'static str)],
    changes: &'static [(usize, &'static str)],
    pins: &'static str,
    grants: &'static str,
}

const fn case(
    records: &'static [(&'static str, &'static str, &'static str)],
    changes: &'static [(usize, &'static str)],
    pins: &'static str,
    grants: &'static str,
) -> Case {
    Case {
        records,
        changes,
        pins,
        grants,
    }
}

const CIT: (&str, &str, &str) = ("CIT", "A", "DISP");
const COM: (&str, &str, &str) = ("COM", "A", "ORD");

/// The judge's rules, person by person.
const CASES: [Case; 12] = [
    case(&[CIT], &[(0, "R")], "revoked", "CIT ended dispositive"),
    case(&[CIT], &[(0, "C")], "ceased", "CIT ended dispositive"),
    case(
        &[CIT],
        &[(0, "S")],
        "suspended",
        "CIT suspended dispositive",
    ),
    case(
        &[CIT],
        &[(0, "S"), (0, "R")],
        "revoked",
        "CIT ended dispositive",
    ),
    // The other PIN takes over, as what it is.
    case(
        &[CIT, COM],
        &[(0, "R")],
        "revoked, active",
        "CIT ended dispositive, COM active ordinary",
    ),
    case(
        &[CIT, ("COM", "P", "ORD")],
        &[(0, "R")],
        "revoked, pending",
        "CIT ended dispositive, COM pending ordinary",
    ),
    case(
        &[CIT, ("COM", "S", "ORD")],
        &[(0, "R")],
        "revoked, suspended",
        "CIT ended dispositive, COM suspended ordinary",
    ),
    case(
        &[CIT, COM],
        &[(0, "S")],
        "retired for 1, active",
        "CIT suspended dispositive, COM active ordinary",
    ),
    case(
        &[CIT, ("CIT", "A", "ORD")],
        &[(0, "R")],
        "revoked, active",
        "CIT active ordinary",
    ),
    // It does not: it was another one, or there is none.
    case(
        &[CIT, COM],
        &[(1, "R")],
        "active, revoked",
        "CIT active dispositive, COM ended ordinary",
    ),
    case(
        &[CIT, ("COM", "R", "ORD")],
        &[(0, "R")],
        "revoked, revoked",
        "CIT ended dispositive, COM ended ordinary",
    ),
    case(
        &[CIT, COM, ("MED", "A", "ORD")],
        &[(0, "R"), (1, "C"), (2, "R")],
        "revoked, ceased, revoked",
        "CIT ended dispositive, COM ended ordinary, MED ended ordinary",
    ),
];

/// People before the place where the loading is killed, those around it, and people after it.
const SIDES: [char; 3] = ['A', 'M', 'Z'];

/// When it happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// Before the lock: what the others must come to.
    Before,
    Loading,
    Held,
    /// When the new model is valid and the legacy is not sealed yet.
    CutOver,
}

pub(crate) struct Night {
    pub(crate) folder: tempfile::TempDir,
    /// Where legacy and target are, if not in files.
    servers: Option<[Database; 2]>,
}

impl Night {
    pub(crate) fn on(engine: Engine, lock: &str) -> Self {
        let database = || Database::on(Server::shared(), "");
        let night = Self {
            folder: tempfile::tempdir().expect("a folder"),
            servers: (engine == Engine::Postgres).then(|| [database(), database()]),
        };
        let [legacy, target] = match &night.servers {
            None => [
                "sqlite://legacy.db".to_owned(),
                "sqlite://target.db".to_owned(),
            ],
            Some(databases) => databases.each_ref().map(Database::url),
        };
        let text = format!(
            "[target]\nurl = \"{target}\"\n[[source]]\nname = \"inps\"\nurl = \"{legacy}\"\ntable = \"pin_legacy\"\n\
             [source.columns]\ncredential_salt = \"sale\"\n[rules]\nas_of = \"2026-01-01\"\n\
             [run]\nchunk_records = 10\nworkers = 1\n[lock]\n{lock}\n"
        );
        fs::write(night.folder.path().join("pinferry.toml"), text).expect("a file");
        let columns = COLUMNS.map(|column| format!("{column} text"));
        let columns = columns.join(", ").replacen("text", "text PRIMARY KEY", 1);
        night
            .office(&format!("CREATE TABLE pin_legacy ({columns}, {OTHERS})"))
            .expect("a table");
        for row in rows() {
            night.office(&insert(&row)).expect("a record");
        }
        night
    }

    /// What an office's application writes, or what it is told.
    pub(crate) fn office(&self, statement: &str) -> Result<(), String> {
        match &self.servers {
            None => {
                let legacy = Connection::open(self.folder.path().join("legacy.db"));
                let legacy = legacy.expect("the legacy");
                (legacy.busy_timeout(Duration::from_secs(10))).expect("a timeout");
                legacy
                    .execute_batch(statement)
                    .map_err(|error| error.to_string())
            }
            Some([legacy, _]) => (legacy.session().batch("writing", statement))
                .map_err(|error| error.server_message().to_owned()),
        }
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pinferry"));
        command.current_dir(self.folder.path()).args(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub(crate) fn expect(&self, arguments: &[&str], code: i32) -> Output {
        let output = self.command(arguments).output().expect("it starts");
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {told}");
        schemas::hold_call(self.folder.path(), arguments, Some(code), &output.stdout);
        output
    }

    fn killed_at(&self, step: &str) {
        self.killed(&["run"], step);
    }

    /// Kills a command at that step.
    pub(crate) fn killed(&self, arguments: &[&str], step: &str) {
        let mut run = self.command(arguments);
        let output = run.env("PINFERRY_FAILPOINT", step).output();
        let output = output.expect("it starts");
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.signal(), Some(9), "{step}: {told}");
    }

    /// The run as far as that moment.
    pub(crate) fn until(&self, moment: Moment) {
        match moment {
            Moment::Before => {}
            Moment::Loading => {
                self.killed_at("chunk.committed:4");
                let [before, after] = ['A', 'Z'].map(|side| {
                    self.text(&format!(
                        "SELECT CAST(count(*) AS text) FROM pin WHERE legacy_id LIKE '{side}%'"
                    ))
                });
                assert!(
                    before != "0" && after == "0",
                    "{before} before, {after} after"
                );
            }
            Moment::Held => {
                self.expect(&["run", "--hold"], 5);
            }
            Moment::CutOver => self.killed_at("cut_over.committed"),
        }
    }

    /// The job to its end, and what must hold there.
    pub(crate) fn finish(&self) {
        self.expect(&["run"], 0);
        self.expect(&["verify"], 0);
        let captured = self.text("SELECT phase FROM run ORDER BY run_id DESC LIMIT 1");
        assert_eq!(captured, "finished");
        let refused = self.office("UPDATE pin_legacy SET nota = 'x'");
        refused.expect_err("sealed");
    }

    /// The first column of every row of the target.
    pub(crate) fn text(&self, query: &str) -> String {
        match &self.servers {
            None => {
                let target = Connection::open(self.folder.path().join("target.db"));
                let target = target.expect("the target");
                let mut statement = target.prepare(query).expect("a query");
                let rows = statement.query_map([], |row| row.get::<_, String>(0));
                let rows = rows.expect("rows").map(|row| row.expect("text"));
                rows.collect::<Vec<_>>().join("\n")
            }
            Some([_, target]) => target.text(query),
        }
    }

    /// Every row of the people, but for the number of the run.
    fn rows(&self) -> Vec<String> {
        let dumps = TABLES.iter().map(|(table, order)| {
            let row = match &self.servers {
                None => {
                    let columns =
                        self.text(&format!("SELECT name FROM pragma_table_info('{table}')"));
                    let members = columns.lines().filter(|column| *column != "run_id");
                    let members: Vec<_> = members.map(|name| format!("'{name}', {name}")).collect();
                    format!("json_object({})", members.join(", "))
                }
                Some(_) => "CAST(to_jsonb(one) - 'run_id' AS text)".to_owned(),
            };
            self.text(&format!(
                "SELECT {row} FROM {table} AS one ORDER BY {order}"
            ))
        });
        dumps
            .flat_map(|dump| dump.lines().map(str::to_owned).collect::<Vec<_>>())
            .collect()
    }

    /// How a person's PINs and grants stand.
    fn stands(&self, side: char, number: usize) -> [String; 2] {
        let pins = self.text(&format!(
            "SELECT pin.status || CASE WHEN later.legacy_id IS NULL THEN '' ELSE ' for ' || substr(later.legacy_id, 5) END
             FROM pin LEFT JOIN pin AS later ON later.pin_id = pin.superseded_by
             WHERE pin.legacy_id LIKE '{side}{number:02}-%' ORDER BY pin.legacy_id"
        ));
        let grants = self.text(&format!(
            "SELECT profile || ' ' || status || ' ' || level FROM profile_grant
             WHERE person_id = (SELECT person_id FROM pin WHERE legacy_id = '{side}{number:02}-0') ORDER BY profile"
        ));
        [pins, grants].map(|lines| lines.replace('\n', ", "))
    }
}

/// A code from its first 15 characters.
pub(crate) fn code(side: char, number: usize) -> String {
    let letter = char::from(b'A' + u8::try_from(number).expect("few people"));
    ('A'..='Z')
        .map(|last| format!("{side}{letter}BMRA80A01H501{last}"))
        .find(|code| code.parse::<FiscalCode>().is_ok())
        .expect("one of them fits")
}

pub(crate) type Fields = [String; COLUMNS.len()];

pub(crate) fn row(side: char, number: usize, at: usize) -> Fields {
    let (profile, status, level) = CASES[number].records[at];
    let (id, code) = (format!("{side}{number:02}-{at}"), code(side, number));
    let hash = "ab".repeat(32);
    [
        &id as &str,
        &code,
        "D''ALÌ",
        "MARIO",
        profile,
        "",
        status,
        level,
        &hash,
        "SHA256",
        "00ff",
        "2020-05-01",
        "",
        if status == "P" { "1" } else { "2" },
    ]
    .map(str::to_owned)
}

fn rows() -> Vec<Fields> {
    let mut rows = Vec::new();
    for side in SIDES {
        for (number, case) in CASES.iter().enumerate() {
            rows.extend((0..case.records.len()).map(|at| row(side, number, at)));
        }
    }
    rows
}

pub(crate) fn insert(fields: &Fields) -> String {
    format!(
        "INSERT INTO pin_legacy ({}) VALUES ('{}')",
        COLUMNS.join(", "),
        fields.join("', '")
    )
}

/// What changes the status of a record to this one.
pub(crate) fn change(fields: &Fields, status: &str, way: Way) -> String {
    let mut fields = fields.clone();
    status.clone_into(&mut fields[STATUS]);
    let id = &fields[0];
    match way {
        Way::EveryColumn => {
            let all = COLUMNS.iter().zip(&fields);
            let all: Vec<_> = all.map(|(name, value)| format!("{name} = '{value}'")).collect();
            format!("UPDATE pin_legacy SET {} WHERE id = '{id}'", all.join(", "))
        }
        Way::Upsert => {
            let all = COLUMNS[1..].iter();
            let all: Vec<_> = all.map(|name| format!("{name} = excluded.{name}")).collect();
            format!("{} ON CONFLICT (id) DO UPDATE SET {}", insert(&fields), all.join(", "))
        }
        Way::WithNotes => format!(
            "UPDATE pin_legacy SET stato = '{status}', nota = 'smarrito', aggiornato = '2026-01-02T02:00:00'
             WHERE id = '{id}'"
        ),
    }
}

/// Everything an office does in this night.
fn night() -> Vec<String> {
    let mut statements = Vec::new();
    for (side, skipped) in SIDES.into_iter().zip(0..) {
        for (number, case) in CASES.iter().enumerate() {
            for (at, status) in case.changes {
                let way = WAYS[(skipped + number) % WAYS.len()];
                statements.push(change(&row(side, number, *at), status, way));
            }
        }
    }
    statements
}

#[test]
fn a_revocation_at_night_comes_to_what_one_before_the_lock_comes_to_whenever_and_however_it_is_written_on_every_engine()
 {
    for engine in ENGINES {
        let mut expected = None;
        for (moment, mode) in [
            (Moment::Before, "refuse"),
            (Moment::Loading, "refuse"),
            (Moment::Loading, "divert"),
            (Moment::Held, "divert"),
            (Moment::CutOver, "refuse"),
            (Moment::CutOver, "divert"),
        ] {
            let what = format!("{engine:?} {moment:?} {mode}");
            let night_of = Night::on(engine, &format!("mode = \"{mode}\""));
            night_of.until(moment);
            for statement in night() {
                night_of.office(&statement).expect(&what);
            }
            night_of.finish();
            let digest = night_of.text("SELECT digest FROM run");
            let rows = night_of.rows();
            let (expected_rows, expected_digest) =
                expected.get_or_insert_with(|| (rows.clone(), digest.clone()));
            for (found, expected) in rows.iter().zip(&*expected_rows) {
                assert_eq!(found, expected, "{what}");
            }
            assert_eq!(rows.len(), expected_rows.len(), "{what}");
            if moment != Moment::CutOver {
                assert_eq!(digest, *expected_digest, "{what}");
            }
            for side in SIDES {
                for (number, case) in CASES.iter().enumerate() {
                    let stands = night_of.stands(side, number);
                    assert_eq!(stands, [case.pins, case.grants], "{what} {side}{number}");
                }
            }
        }
    }
}

#[test]
fn what_an_office_was_told_was_done_in_the_seconds_of_cut_over_and_sealing_is_done_on_every_engine()
{
    for engine in ENGINES {
        let night_of = Night::on(engine, "mode = \"divert\"");
        night_of.until(Moment::Held);
        let run = night_of.command(&["run"]).spawn().expect("it starts");
        let mut done = Vec::new();
        for statement in night() {
            match night_of.office(&statement) {
                Ok(()) => done.push(statement),
                Err(told) => {
                    assert!(told.contains("have moved to"), "{told}");
                    break;
                }
            }
            thread::sleep(Duration::from_millis(10));
        }
        let output = run.wait_with_output().expect("it ends");
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{told}");
        assert!(done.len() > 3, "{} changes", done.len());
        night_of.finish();
        let before = Night::on(engine, "mode = \"divert\"");
        for statement in done {
            before.office(&statement).expect("no lock");
        }
        before.finish();
        assert_eq!(night_of.rows(), before.rows(), "{engine:?}");
    }
}

#[test]
fn a_change_of_pin_at_login_is_captured_and_arrives_where_the_lock_lets_it_through_on_every_engine()
{
    const CHANGE: &str = "UPDATE pin_legacy SET pin_hash = 'HASH', algoritmo = 'SHA1', sale = 'aa55',
        data_scadenza = '2026-03-01', aggiornato = '2026-01-02T02:00:00' WHERE id IN ('A04-0', 'Z04-0', 'Z09-1')";
    let change = CHANGE.replace("HASH", &"cd".repeat(20));
    let arrived = format!("{} SHA1 aa55 2026-03-01", "cd".repeat(20));
    const CREDENTIALS: &str =
        "SELECT credential || ' ' || credential_scheme || ' ' || credential_salt || ' '
        || coalesce(CAST(expires_on AS text), '') FROM pin WHERE legacy_id IN ('A04-0', 'Z04-0', 'Z09-1')";
    let schemes = "\n[catalogue]\ncredential_schemes = [\"SHA256\", \"SHA1\"]";
    for engine in ENGINES {
        let mut expected = None;
        for moment in [
            Moment::Before,
            Moment::Loading,
            Moment::Held,
            Moment::CutOver,
        ] {
            let lock = format!("credential_change = \"capture\"{schemes}");
            let night_of = Night::on(engine, &lock);
            night_of.until(moment);
            night_of.office(&change).expect("it passes");
            night_of.finish();
            let credentials = night_of.text(CREDENTIALS);
            assert_eq!(credentials.lines().count(), 3);
            assert!(
                credentials.lines().all(|found| found == arrived),
                "{moment:?}: {credentials}"
            );
            let rows = night_of.rows();
            let expected = expected.get_or_insert_with(|| rows.clone());
            assert_eq!(rows, *expected, "{engine:?} {moment:?}");
        }
        let night_of = Night::on(engine, &format!("credential_change = \"refuse\"{schemes}"));
        night_of.until(Moment::Held);
        let told = night_of.office(&change).expect_err("it is refused");
        assert!(told.contains("PIN management is locked"), "{told}");
        night_of.finish();
        assert!(!night_of.text(CREDENTIALS).contains(&arrived));
    }
}
