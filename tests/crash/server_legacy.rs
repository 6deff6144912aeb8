//! The legacy in PostgreSQL, and an office that goes on working between one kill and the next.

use std::{collections::BTreeSet, process::Command, sync::OnceLock};

use rusqlite::{Connection, types::ValueRef};
use sqlx::postgres::PgArguments;

use crate::{
    ABORT, ACTIVATE, INTAKE, Kills, LOCK, RUN, SWEEP, at_each_step, finish,
    scenario::{Engine, Scenario},
    server::Database,
    steps, twice_killed,
};

use pinferry::failpoint::Stage;

/// Few records: what is under trial is the lock.
const RECORDS: u32 = 160;

/// Steps a scenario is killed at.
const KILLS: Kills = Kills::UpTo(5);

/// What becomes of a new PIN under the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Refuse,
    Divert,
}

impl Mode {
    /// How many PINs in the end come of a new one.
    const fn new_pins(self) -> i64 {
        match self {
            Self::Refuse => 0,
            Self::Divert => 1,
        }
    }
}

/// What an office does in one shift under the lock: whose PINs are new.
type Shift = [(&'static str, &'static str, &'static str, &'static str); 2];

/// With the lock engaged and nothing else done.
const FIRST: Shift = [
    ("NEW-1", "RSSMRA80A01H501U", "ROSSI", "MARIO"),
    ("NEW-2", "BNCLRA75D52F205V", "BIANCHI", "LAURA"),
];

/// After a kill, before the command is typed again.
const SECOND: Shift = [
    ("NEW-3", "RSSMRA85T10A562S", "ROSSI", "MARIO"),
    ("NEW-4", "MRTMTT91D08F205J", "MARTA", "MATTEO"),
];

/// The small legacy, made once.
fn layout() -> &'static str {
    static LAYOUT: OnceLock<String> = OnceLock::new();
    LAYOUT.get_or_init(|| layout_of(RECORDS))
}

/// Statements that lay a legacy out: what a file may hold and a server may not is left out.
pub(crate) fn layout_of(records: u32) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let made = Command::new(env!("CARGO_BIN_EXE_pinferry"))
        .current_dir(folder.path())
        .args([
            "sample-data",
            "--records",
            &records.to_string(),
            "--seed",
            "11",
        ])
        .args(["--dirty", "0.1", "--out", "inps.db"])
        .output()
        .expect("it starts");
    let talk = String::from_utf8_lossy(&made.stderr);
    assert!(made.status.success(), "{talk}");
    let file = Connection::open(folder.path().join("inps.db")).expect("a database");
    let mut rows = file.prepare("SELECT * FROM pin_legacy").expect("a table");
    let columns = rows.column_names().join(" text, ");
    let width = rows.column_count();
    let mut layout = format!("CREATE TABLE pin_legacy ({columns} text);");
    let mut rows = rows.query([]).expect("rows");
    while let Some(row) = rows.next().expect("a row") {
        let cells = (0..width).map(|at| literal(row.get_ref(at).expect("a value")));
        if let Some(cells) = cells.collect::<Option<Vec<_>>>() {
            let cells = cells.join(", ");
            layout.push_str(&format!("INSERT INTO pin_legacy VALUES ({cells});"));
        }
    }
    layout
}

fn literal(value: ValueRef<'_>) -> Option<String> {
    let text = match value {
        ValueRef::Null => return Some("NULL".to_owned()),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => String::from_utf8(bytes.to_vec()).ok()?,
    };
    let whole = !text.contains('\0');
    whole.then(|| format!("'{}'", text.replace('\'', "''")))
}

pub(crate) fn scenario(target: Engine, mode: Mode) -> Scenario {
    laid_out(target, mode, layout())
}

/// The same with another legacy.
pub(crate) fn laid_out(target: Engine, mode: Mode, layout: &str) -> Scenario {
    let legacy = Database::new();
    legacy.batch(layout);
    let scenario = Scenario::with_legacy(target, legacy);
    scenario.configure("chunk_records = 300", "chunk_records = 100");
    if mode == Mode::Refuse {
        scenario.configure("mode = \"divert\"", "mode = \"refuse\"");
    }
    scenario
}

/// What an office's application writes; how many rows it met, or the server's words.
fn write(scenario: &Scenario, statement: &str) -> Result<u64, String> {
    let mut session = scenario.legacy_database().session();
    session
        .execute("writing", statement, PgArguments::default())
        .map_err(|error| error.server_message().to_owned())
}

/// Three revocations and two new PINs, under an engaged lock.
fn work(scenario: &Scenario, mode: Mode, shift: &Shift) {
    let revoked = write(
        scenario,
        "UPDATE pin_legacy SET stato = 'R' WHERE ctid IN (
             SELECT ctid FROM pin_legacy WHERE stato = 'A' AND length(codice_fiscale) = 16
              ORDER BY id LIMIT 3)",
    );
    assert_eq!(revoked, Ok(3), "tightenings pass");
    for (id, code, surname, given_name) in shift {
        let hash = "0123456789abcdef".repeat(4);
        let inserted = write(
            scenario,
            &format!(
                "INSERT INTO pin_legacy (id, codice_fiscale, cognome, nome, classe_utente, codice_ente, stato,
                     tipo_pin, pin_hash, algoritmo, data_rilascio, sede, canale)
                 VALUES ('{id}', '{code}', '{surname}', '{given_name}', 'CIT', '', 'A', 'ORD', '{hash}', 'SHA256',
                         '2026-01-01', '0100', 'SED')"
            ),
        );
        match mode {
            Mode::Divert => assert_eq!(inserted, Ok(0), "a new PIN is diverted"),
            Mode::Refuse => {
                let words = inserted.expect_err("a new PIN is refused");
                assert!(words.contains("PIN management is locked"), "{words}");
            }
        }
    }
}

/// Whether the office is under the lock, neither free nor sealed off.
fn is_engaged(scenario: &Scenario) -> bool {
    let state = "SELECT state FROM pinferry_lock.control";
    scenario.legacy_database().try_text(state).as_deref() == Some("engaged")
}

/// Whether the office changed something when the new model was valid already: that is accounted for apart.
fn changed_late(scenario: &Scenario) -> bool {
    let ledger = "SELECT CAST(count(*) AS text) FROM digest_ledger WHERE cause = 'capture'";
    scenario.ask_target(ledger) != "0"
}

/// The office comes back after the first kill that leaves it under the lock.
fn second_shift(scenario: &Scenario, mode: Mode, is_done: &mut bool) {
    if !*is_done && is_engaged(scenario) {
        work(scenario, mode, &SECOND);
        *is_done = true;
    }
}

/// The content of a target nobody was killed on the way to: all of it, and without the accounts.
struct Undisturbed {
    target: String,
    rows: String,
}

impl Undisturbed {
    fn after(target: Engine, mode: Mode, shifts: &[&Shift]) -> Self {
        let scenario = scenario(target, mode);
        scenario.expect(LOCK, &[0]);
        for shift in shifts {
            work(&scenario, mode, shift);
        }
        for command in [RUN, INTAKE, ACTIVATE] {
            scenario.expect(command, &[0, 3]);
        }
        finish(&scenario);
        for (id, code, ..) in shifts.iter().flat_map(|shift| shift.iter()) {
            let of_code = format!("fiscal_code WHERE fiscal_code = '{code}'");
            assert_eq!(scenario.count(&of_code), mode.new_pins(), "{id}");
        }
        Self {
            target: scenario.target(),
            rows: scenario.target_rows(),
        }
    }
}

/// Every step where new PINs are diverted; where they are refused, those at which the legacy matters.
fn steps_with(target: Engine, mode: Mode, stage: Stage) -> BTreeSet<&'static str> {
    const OF_THE_LEGACY: [&str; 7] = [
        "lock.",
        "capture.",
        "replace.",
        "cut_over.",
        "phase.",
        "finish.",
        "abort.",
    ];
    let mut steps = steps(target, stage);
    if stage == Stage::Abort {
        steps.extend(SWEEP);
    }
    if mode == Mode::Refuse {
        steps.retain(|step| OF_THE_LEGACY.iter().any(|part| step.starts_with(part)));
    }
    steps
}

fn killed_at_any_step_of_the_job(target: Engine, mode: Mode) {
    let one_shift = Undisturbed::after(target, mode, &[&FIRST]);
    let two_shifts = Undisturbed::after(target, mode, &[&FIRST, &SECOND]);
    assert!(one_shift.rows != two_shifts.rows);
    at_each_step(steps_with(target, mode, Stage::Job), KILLS, |steps| {
        let scenario = scenario(target, mode);
        scenario.plan_kills(steps);
        scenario.through_kills(LOCK, || {});
        work(&scenario, mode, &FIRST);
        let mut second = false;
        for command in [RUN, INTAKE, ACTIVATE] {
            scenario.through_kills(command, || second_shift(&scenario, mode, &mut second));
        }
        let expected = if second { &two_shifts } else { &one_shift };
        finish(&scenario);
        assert!(
            scenario.target_rows() == expected.rows,
            "the target differs after kills at {steps:?}"
        );
        assert!(
            changed_late(&scenario) || scenario.target() == expected.target,
            "the accounts differ after kills at {steps:?}"
        );
        scenario.never_reached(steps)
    });
}

#[test]
fn killed_at_any_step_with_a_legacy_that_diverts_the_job_ends_where_an_uninterrupted_one_ends() {
    killed_at_any_step_of_the_job(Engine::Postgres, Mode::Divert);
}

#[test]
fn killed_at_any_step_with_a_legacy_that_refuses_the_job_ends_where_an_uninterrupted_one_ends() {
    killed_at_any_step_of_the_job(Engine::Sqlite, Mode::Refuse);
}

/// The legacy as it is without a lock: its rows, and whatever a lock may leave.
fn content(scenario: &Scenario) -> String {
    let all = [
        "SELECT CAST(row_to_json(p) AS text) FROM pin_legacy p ORDER BY id, CAST(row_to_json(p) AS text)",
        "SELECT concat_ws('|', tgname, pg_get_triggerdef(oid)) FROM pg_trigger ORDER BY 1",
        "SELECT nspname::text FROM pg_namespace WHERE nspname !~ '^pg_' ORDER BY 1",
        "SELECT proname::text FROM pg_proc WHERE oid > 16384 ORDER BY 1",
    ];
    all.map(|query| scenario.legacy_database().text(query))
        .join("\n--\n")
}

/// The legacy after an abort that nobody killed, and the digest of the run after it.
struct Aborted {
    legacy: String,
    digest: String,
}

/// Starts a run that is killed in the middle of its work, while the office has a shift.
fn half_done(mode: Mode) -> Scenario {
    let scenario = scenario(Engine::Postgres, mode);
    assert!(
        scenario.killed_at(RUN, "chunk.committed:3"),
        "the run is killed in the middle"
    );
    work(&scenario, mode, &FIRST);
    scenario
}

impl Aborted {
    fn after(mode: Mode, more: &[&Shift]) -> Self {
        let scenario = half_done(mode);
        for shift in more {
            work(&scenario, mode, shift);
        }
        scenario.expect(ABORT, &[0]);
        for (id, ..) in more.iter().chain(&[&FIRST]).flat_map(|shift| shift.iter()) {
            let given_back =
                format!("SELECT CAST(count(*) AS text) FROM pin_legacy WHERE id = '{id}'");
            let given_back = scenario.legacy_database().text(&given_back);
            assert_eq!(given_back, mode.new_pins().to_string(), "{id}");
        }
        Self::of(&scenario)
    }

    fn of(scenario: &Scenario) -> Self {
        let legacy = content(scenario);
        for table in ["person", "pin", "profile_grant", "quarantine", "finding"] {
            assert_eq!(scenario.count(table), 0, "{table} after an abort");
        }
        scenario.expect(RUN, &[0, 3]);
        finish(scenario);
        Self {
            legacy,
            digest: scenario.digest(),
        }
    }
}

fn killed_at_any_step_of_an_abort(mode: Mode) {
    let one_shift = Aborted::after(mode, &[]);
    let two_shifts = Aborted::after(mode, &[&SECOND]);
    let steps = steps_with(Engine::Postgres, mode, Stage::Abort);
    at_each_step(steps, KILLS, |steps| {
        let scenario = half_done(mode);
        scenario.plan_kills(steps);
        let mut second = false;
        scenario.through_kills(ABORT, || second_shift(&scenario, mode, &mut second));
        let expected = if second { &two_shifts } else { &one_shift };
        let after = Aborted::of(&scenario);
        assert_eq!(after.legacy, expected.legacy, "after kills at {steps:?}");
        assert_eq!(after.digest, expected.digest, "after kills at {steps:?}");
        scenario.never_reached(steps)
    });
}

#[test]
fn killed_at_any_step_an_abort_gives_diverted_pins_back_to_the_legacy_once() {
    killed_at_any_step_of_an_abort(Mode::Divert);
}

#[test]
fn killed_at_any_step_an_abort_opens_a_legacy_that_refused_again() {
    killed_at_any_step_of_an_abort(Mode::Refuse);
}

#[test]
fn a_lock_that_is_released_or_broken_by_hand_with_kills_leaves_an_open_legacy() {
    const RELEASE: &[&str] = &["lock", "release", "--hand-back"];
    const BREAK: &[&str] = &["lock", "break", "--by", "anna", "--reason", "x", "--yes"];
    let under_lock = || {
        let scenario = scenario(Engine::Sqlite, Mode::Divert);
        scenario.expect(LOCK, &[0]);
        work(&scenario, Mode::Divert, &FIRST);
        scenario
    };
    let released = under_lock();
    released.expect(RELEASE, &[0]);
    let expected = content(&released);
    assert!(expected.contains("NEW-2"));
    for (command, steps) in [
        (RELEASE, ["lock.release", "lock.released"]),
        (BREAK, ["lock.break", "lock.broken"]),
    ] {
        for step in steps.into_iter().chain(SWEEP) {
            let scenario = under_lock();
            assert!(twice_killed(&scenario, command, step), "{step}");
            scenario.expect(RELEASE, &[0]);
            assert_eq!(content(&scenario), expected, "after kills at {step}");
        }
    }
}
