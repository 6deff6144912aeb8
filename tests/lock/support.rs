//! A legacy database, the application that writes to it, and its lock.

use std::path::PathBuf;

use pinferry::{
    config::settings::{LockMode, LockSettings, SourceLocation, SourceSettings},
    source::lock::{self, LockError, Lockability, Locked, Owner},
};
use rusqlite::Connection;
use tempfile::TempDir;

pub(crate) use crate::words::*;

/// The default layout without any key or constraint.
const COLUMNS: &str = "codice_fiscale TEXT, cognome TEXT, nome TEXT, data_nascita TEXT, \
     classe_utente TEXT, codice_ente TEXT, stato TEXT, tipo_pin TEXT, pin_hash TEXT, \
     algoritmo TEXT, data_rilascio TEXT, data_scadenza TEXT, ultimo_accesso TEXT, sede TEXT, \
     canale TEXT, meta_consegnate INTEGER, email TEXT, telefono TEXT, cf_tutore TEXT, \
     nota TEXT, gettone TEXT";

/// How the id stands in the table, and what comes after the columns.
pub(crate) const TABLES: [(&str, &str, &str); 5] = [
    ("primary key", "id TEXT PRIMARY KEY", ")"),
    ("no key", "id TEXT", ")"),
    ("integer key", "id INTEGER PRIMARY KEY AUTOINCREMENT", ")"),
    ("unique index", "id TEXT NOT NULL UNIQUE", ")"),
    ("without rowid", "id TEXT PRIMARY KEY", ") WITHOUT ROWID"),
];

pub(crate) struct Legacy {
    #[expect(dead_code, reason = "removes the folder when dropped")]
    folder: TempDir,
    pub(crate) path: PathBuf,
    pub(crate) source: SourceSettings,
    pub(crate) lock: LockSettings,
}

impl Legacy {
    /// The table with three PINs: 1 active, 2 suspended, 3 revoked, 4 pending.
    pub(crate) fn with(id: &str, tail: &str) -> Self {
        let legacy = Self::made_by(&format!("CREATE TABLE pin_legacy ({id}, {COLUMNS}{tail}"));
        for (id, status) in [(1, "A"), (2, "S"), (3, "R"), (4, "P")] {
            legacy.run(&row(id, status)).expect("a row of the legacy");
        }
        legacy
    }

    pub(crate) fn new() -> Self {
        Self::with("id TEXT PRIMARY KEY", ")")
    }

    /// Whatever the statements make.
    pub(crate) fn made_by(statements: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("legacy.db");
        let connection = Connection::open(&path).expect("a new database");
        connection.execute_batch(statements).expect("a legacy");
        let location = SourceLocation::Sqlite {
            path: path.clone(),
            table: "pin_legacy".to_owned(),
            lock_tables: Vec::new(),
        };
        Self {
            source: source(location),
            lock: lock_settings(),
            folder,
            path,
        }
    }

    pub(crate) fn diverting() -> Self {
        let mut legacy = Self::new();
        legacy.lock.mode = LockMode::Divert;
        legacy
    }

    /// The application: a connection of its own.
    pub(crate) fn application(&self) -> Connection {
        Connection::open(&self.path).expect("the legacy")
    }

    /// What the application runs.
    pub(crate) fn run(&self, statements: &str) -> Result<(), String> {
        run(&self.application(), statements)
    }

    /// One value.
    pub(crate) fn text(&self, query: &str) -> String {
        let connection = self.application();
        connection
            .query_row(&format!("SELECT CAST(({query}) AS TEXT)"), [], |row| {
                Ok(row.get::<_, Option<String>>(0)?.unwrap_or_default())
            })
            .expect("a value")
    }

    /// Everything in the table, and its schema.
    pub(crate) fn dump(&self) -> Vec<String> {
        let connection = self.application();
        let mut all = Vec::new();
        for query in [
            "SELECT quote(type) || quote(name) || quote(sql) FROM sqlite_schema WHERE name <> 'sqlite_sequence' ORDER BY name",
            "SELECT ifnull(id, '-') || '|' || ifnull(stato, '') || '|' || ifnull(cognome, '') || '|' || ifnull(nota, '') FROM pin_legacy ORDER BY id",
        ] {
            let mut statement = connection.prepare(query).expect("a query");
            let rows = statement.query_map([], |row| row.get::<_, String>(0));
            all.extend(rows.expect("rows").map(|row| row.expect("a row")));
        }
        all
    }

    pub(crate) fn engage(&self) -> Locked {
        self.engage_as(&run_one()).expect("the lock")
    }

    pub(crate) fn engage_as(&self, owner: &Owner) -> Result<Locked, LockError> {
        match lock::engage(&self.source, &self.lock, &request(owner))? {
            Lockability::Locked(locked) => Ok(*locked),
            Lockability::Nothing => panic!("there is something to lock"),
        }
    }

    pub(crate) fn assert_passes(&self, statement: &str) {
        if let Err(error) = self.run(statement) {
            panic!("{statement}: {error}");
        }
    }

    /// A legacy of every kind that matters to how a lock comes and goes.
    pub(crate) fn each_kind() -> impl Iterator<Item = Self> {
        ["WAL", "DELETE", "TRUNCATE", "PERSIST"]
            .into_iter()
            .map(|mode| {
                let legacy = Self::new();
                legacy.assert_passes(&format!("PRAGMA journal_mode = {mode}"));
                legacy
            })
    }

    /// Takes the guards of updates away.
    pub(crate) fn drop_update_guards(&self) {
        self.assert_passes(
            "DROP TRIGGER \"pinferry_guard:inps:pin_legacy:update\";
             DROP TRIGGER \"pinferry_guard:inps:pin_legacy:update_early\"",
        );
    }

    /// Diverted PINs that nobody processed.
    pub(crate) fn waiting(&self) -> String {
        self.text("SELECT count(*) FROM pinferry_divert_inps WHERE processed_at IS NULL")
    }

    pub(crate) fn captured(&self) -> usize {
        self.text("SELECT count(*) FROM pinferry_capture_inps")
            .parse()
            .expect("a count")
    }
}

pub(crate) fn run(connection: &Connection, statements: &str) -> Result<(), String> {
    connection
        .execute_batch(statements)
        .map_err(|error| error.to_string())
}
