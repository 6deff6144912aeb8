//! The same records in a file, in SQLite and in PostgreSQL are the same people.

use std::{
    num::{NonZeroU16, NonZeroU64},
    time::Duration,
};

use pinferry::{
    config::settings::{RunSettings, SourceSettings},
    domain::{
        catalogue::Catalogue,
        links::Links,
        rules::{DEFAULT_SCHEMES, Nameless, Rules},
    },
    engine::{
        plan::{Beside, PlanOutcome, plan},
        progress::Unwatched,
        stop::StopFlag,
    },
    sample::{self, AS_OF, SampleFormat, SampleOptions},
};
use rusqlite::Connection;
use tempfile::TempDir;

use crate::{
    extract::{Extract, HEADER},
    postgres::layout,
    server::Database,
};

const RECORDS: u64 = 4_000;

/// Generated rows as bytes; those with a NUL, which PostgreSQL cannot hold, are left out.
fn rows(dirty: f64) -> Vec<Vec<Vec<u8>>> {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("sample.db");
    let options = SampleOptions {
        records: RECORDS,
        seed: 7,
        dirty,
        format: SampleFormat::Sqlite,
        sources: NonZeroU16::MIN,
        source: 0,
    };
    sample::generate(&options, &path).expect("generated");
    let connection = Connection::open(path).expect("a database");
    let mut statement = connection
        .prepare("SELECT * FROM pin_legacy")
        .expect("a table");
    let columns = statement.column_count();
    let read = statement.query_map([], |row| {
        let cell = |at| {
            Ok(row
                .get_ref(at)?
                .as_bytes_or_null()
                .ok()
                .flatten()
                .unwrap_or_default()
                .to_vec())
        };
        (0..columns)
            .map(cell)
            .collect::<Result<Vec<_>, rusqlite::Error>>()
    });
    let rows: Vec<_> = read.expect("rows").map(|row| row.expect("a row")).collect();
    let whole = |row: &Vec<Vec<u8>>| row.iter().all(|cell| !cell.contains(&0));
    rows.into_iter().filter(whole).collect()
}

/// The rows in COPY's text format, with NULL for empty fields in some rows.
fn copied(rows: &[Vec<Vec<u8>>], nulls: fn(usize) -> bool) -> Vec<u8> {
    let mut out = Vec::new();
    for (number, row) in rows.iter().enumerate() {
        for (at, cell) in row.iter().enumerate() {
            if at > 0 {
                out.push(b'\t');
            }
            if cell.is_empty() && nulls(number) {
                out.extend(b"\\N");
            }
            for byte in cell {
                match byte {
                    b'\\' => out.extend(b"\\\\"),
                    b'\n' => out.extend(b"\\n"),
                    b'\r' => out.extend(b"\\r"),
                    b'\t' => out.extend(b"\\t"),
                    other => out.push(*other),
                }
            }
        }
        out.push(b'\n');
    }
    out
}

fn as_csv(rows: &[Vec<Vec<u8>>]) -> Extract {
    let mut out = format!("{HEADER}\n").into_bytes();
    for row in rows {
        for (at, cell) in row.iter().enumerate() {
            if at > 0 {
                out.push(b';');
            }
            out.push(b'"');
            for byte in cell {
                out.extend(if *byte == b'"' {
                    &b"\"\""[..]
                } else {
                    std::slice::from_ref(byte)
                });
            }
            out.push(b'"');
        }
        out.push(b'\n');
    }
    Extract::of(out)
}

fn as_sqlite(rows: &[Vec<Vec<u8>>]) -> Extract {
    let extract = Extract::database(
        "pin_legacy",
        &format!("CREATE TABLE pin_legacy ({})", HEADER.replace(';', ", ")),
    );
    let mut connection = extract.connection();
    let transaction = connection.transaction().expect("a transaction");
    let places = vec!["CAST(? AS TEXT)"; rows[0].len()].join(", ");
    for row in rows {
        let sql = format!("INSERT INTO pin_legacy VALUES ({places})");
        let mut insert = transaction.prepare_cached(&sql).expect("an insert");
        insert
            .execute(rusqlite::params_from_iter(row))
            .expect("inserted");
    }
    transaction.commit().expect("committed");
    drop(connection);
    extract
}

/// The rows in a table that these statements make.
fn as_postgres(
    database: &Database,
    statements: &str,
    rows: &[Vec<Vec<u8>>],
    nulls: fn(usize) -> bool,
) -> Extract {
    let mut session = database.session();
    session.batch("laying out", statements).expect("a table");
    // Bytes reach a table as its own applications write them.
    let bytes = "SET client_encoding = 'SQL_ASCII'";
    session.batch("choosing the encoding", bytes).expect("set");
    let copy = session.copy_in("loading", "COPY pin_legacy FROM STDIN");
    let mut copy = copy.expect("a copy");
    copy.send(&copied(rows, nulls)).expect("sent");
    assert_eq!(copy.finish().expect("loaded"), rows.len() as u64);
    Extract::postgres(database.settings(), "pin_legacy")
}

/// What a dry run says; a record without an id is named by what it holds, in a file too.
fn planned(extract: &Extract) -> PlanOutcome {
    let work = TempDir::new().expect("a folder");
    let mut source: SourceSettings = extract.settings.clone();
    source.rules.nameless = Nameless::ByHash;
    let rules = Rules {
        as_of: AS_OF,
        catalogue: Catalogue::built_in(),
        links: Links::default(),
        schemes: DEFAULT_SCHEMES.map(str::to_owned).into(),
        sources: vec![source.rules.clone()],
    };
    let run = RunSettings {
        chunk_records: NonZeroU64::MIN,
        workers: 2,
        memory_bytes: 64 << 20,
        work_dir: work.path().join("work"),
        max_quarantine_ratio: 1.0,
        lease: Duration::from_secs(30),
        load: None,
    };
    plan(
        &[source],
        &rules,
        &[],
        &run,
        Beside::default(),
        (&Unwatched, &StopFlag::default()),
    )
    .expect("a plan")
}

#[test]
fn dirty_data_are_judged_alike_wherever_they_come_from() {
    let rows = rows(0.3);
    let template = "TEMPLATE template0 LOCALE_PROVIDER libc LOCALE 'C' ENCODING 'SQL_ASCII'";
    let database = Database::with(template);
    let postgres = planned(&as_postgres(
        &database,
        &layout("pin_legacy"),
        &rows,
        |number| number % 2 == 0,
    ));
    assert_eq!(postgres.sources[0].1.records, rows.len() as u64);
    assert!(postgres.tally.quarantined() > 100);
    assert_eq!(postgres, planned(&as_sqlite(&rows)));
    assert_eq!(postgres, planned(&as_csv(&rows)));
}

#[test]
fn clean_data_in_columns_of_their_own_types_are_the_same_records() {
    let rows = rows(0.0);
    let table = layout("pin_legacy")
        .replace("id text", "id varchar(40)")
        .replace("codice_fiscale text", "codice_fiscale char(20)")
        .replace("data_nascita text", "data_nascita date")
        .replace("classe_utente text", "classe_utente char(5)")
        .replace("stato text", "stato stato")
        .replace("data_rilascio text", "data_rilascio date NOT NULL")
        .replace("data_scadenza text", "data_scadenza date")
        .replace("ultimo_accesso text", "ultimo_accesso date")
        .replace("meta_consegnate text", "meta_consegnate smallint");
    let statements = format!("CREATE TYPE stato AS ENUM ('A', 'S', 'P', 'R', 'C'); {table}");
    let database = Database::new();
    let typed = as_postgres(&database, &statements, &rows, |_| true);
    assert_eq!(planned(&typed), planned(&as_csv(&rows)));
}
