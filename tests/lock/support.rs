//! A legacy database, the application that writes to it, and its lock.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
    path::PathBuf,
    time::Duration,
};

use pinferry::{
    config::settings::{CredentialChange, LockMode, LockSettings, SourceLocation, SourceSettings},
    domain::{
        digest::Digest,
        field::Field,
        raw_record::SourceIndex,
        rules::{Nameless, SourceRules},
    },
    source::{
        self,
        lock::{self, LockError, LockRequest, Lockability, Locked, Owner},
    },
};
use rusqlite::Connection;
use tempfile::TempDir;

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
        let columns: BTreeMap<Field, String> = Field::ALL
            .into_iter()
            .filter_map(|field| Some((field, field.default_column()?.to_owned())))
            .collect();
        Self {
            source: SourceSettings {
                rules: SourceRules {
                    name: "inps".to_owned(),
                    nameless: Nameless::ByHash,
                    status_codes: SourceRules::default_status_codes(),
                    level_codes: SourceRules::default_level_codes(),
                },
                location: SourceLocation::Sqlite {
                    path: path.clone(),
                    table: "pin_legacy".to_owned(),
                    lock_tables: Vec::new(),
                },
                columns,
                records: None,
                sha256: None,
                time_zone: "Europe/Rome".to_owned(),
            },
            lock: LockSettings {
                mode: LockMode::Refuse,
                expected: Duration::from_secs(4 * 3600),
                allow_columns: vec!["ultimo_accesso".to_owned()],
                credential_change: CredentialChange::Refuse,
            },
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

    /// Asserts that the statement is refused with the lock's reason, and changes nothing.
    pub(crate) fn assert_refused(&self, statement: &str) {
        self.assert_refused_with(statement, "passaggio ai PIN");
    }

    /// The same with another reason.
    pub(crate) fn assert_refused_with(&self, statement: &str, reason: &str) {
        let before = self.dump();
        let error = self.run(statement).expect_err(statement);
        assert!(
            error.contains("PIN management is locked"),
            "{statement}: {error}"
        );
        assert!(error.contains(reason), "{statement}: {error}");
        assert!(error.contains("Expected end: 20"), "{statement}: {error}");
        assert_eq!(before, self.dump(), "{statement}");
    }

    pub(crate) fn assert_passes(&self, statement: &str) {
        if let Err(error) = self.run(statement) {
            panic!("{statement}: {error}");
        }
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

pub(crate) fn row(id: u32, status: &str) -> String {
    insert("INSERT", &id.to_string(), status)
}

/// A whole row; `verb` may hold a conflict clause.
pub(crate) fn insert(verb: &str, id: &str, status: &str) -> String {
    format!(
        "{verb} INTO pin_legacy (id, codice_fiscale, cognome, nome, classe_utente, stato, tipo_pin, \
         pin_hash, algoritmo, data_rilascio, gettone) VALUES ('{id}', 'CF{id}', 'Rossi', 'Anna', 'CIT', \
         '{status}', 'ORD', 'abc', 'SHA256', '2012-01-0{id}', 'g{id}')"
    )
}

pub(crate) fn run_one() -> Owner {
    Owner::Run("1".to_owned())
}

pub(crate) fn administrator() -> Owner {
    Owner::Administrator("anna".to_owned())
}

pub(crate) fn request(owner: &Owner) -> LockRequest {
    LockRequest {
        owner: owner.clone(),
        reason: "passaggio ai PIN dell'utente multiprofilo".to_owned(),
        successor: "sqlite://out/multiprofile.db".to_owned(),
    }
}

pub(crate) fn fingerprint(legacy: &Legacy) -> Digest {
    let excludes: BTreeSet<_> = legacy.source.changing_fields(&legacy.lock.allow_columns);
    let summary = source::read(&legacy.source, SourceIndex(0), &excludes, &mut |_| {
        ControlFlow::Continue(())
    });
    summary.expect("a reading").fingerprint
}
