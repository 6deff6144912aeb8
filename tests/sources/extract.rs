//! A folder with one source in it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    ops::ControlFlow,
    path::PathBuf,
};

use pinferry::{
    config::{
        postgres::PostgresSettings,
        settings::{Encoding, SourceLocation, SourceSettings},
    },
    domain::{
        field::Field,
        raw_record::{RawRecord, Shape, SourceIndex},
        rules::{Nameless, SourceRules},
    },
    exit::Exit,
    source::{self, ReadSummary, SourceError},
};
use rusqlite::Connection;
use tempfile::TempDir;

pub(crate) const HEADER: &str = "id;codice_fiscale;cognome;nome;data_nascita;classe_utente;codice_ente;stato;tipo_pin;pin_hash;algoritmo;data_rilascio;data_scadenza;ultimo_accesso;sede;canale;meta_consegnate;email;telefono;cf_tutore";

/// A source in a folder of its own, and how to read it.
pub(crate) struct Extract {
    folder: TempDir,
    pub(crate) settings: SourceSettings,
}

/// What a record was when it was read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) number: u64,
    pub(crate) shape: Shape,
    pub(crate) invalid: u32,
    pub(crate) fields: Vec<String>,
}

impl Seen {
    pub(crate) fn get(&self, field: Field) -> &str {
        &self.fields[field.index()]
    }

    pub(crate) fn is_valid(&self, field: Field) -> bool {
        self.invalid & (1 << field.index()) == 0
    }

    fn of(record: &RawRecord<'_>) -> Self {
        assert_eq!(record.source, SourceIndex(3));
        Self {
            number: record.number,
            shape: record.shape,
            invalid: record.invalid,
            fields: record.fields.map(str::to_owned).to_vec(),
        }
    }
}

impl Extract {
    /// A CSV file in UTF-8.
    pub(crate) fn of(bytes: impl AsRef<[u8]>) -> Self {
        Self::encoded(Encoding::Utf8, bytes)
    }

    /// A CSV file in any encoding.
    pub(crate) fn encoded(encoding: Encoding, bytes: impl AsRef<[u8]>) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let path = folder.path().join("extract.csv");
        fs::write(&path, bytes).expect("a file");
        let location = SourceLocation::Csv {
            path,
            encoding,
            delimiter: b';',
        };
        Self::at(folder, location)
    }

    /// A SQLite database that these statements make.
    pub(crate) fn database(table: &str, statements: &str) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let path = folder.path().join("legacy.db");
        let location = SourceLocation::Sqlite {
            path,
            table: table.to_owned(),
            lock_tables: Vec::new(),
        };
        let extract = Self::at(folder, location);
        extract
            .connection()
            .execute_batch(statements)
            .expect("statements");
        extract
    }

    /// A table of a PostgreSQL database.
    pub(crate) fn postgres(database: PostgresSettings, table: &str) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let location = SourceLocation::Postgres {
            database,
            table: table.to_owned(),
            lock_tables: Vec::new(),
        };
        Self::at(folder, location)
    }

    fn at(folder: TempDir, location: SourceLocation) -> Self {
        let settings = SourceSettings {
            rules: SourceRules {
                name: "inps".to_owned(),
                nameless: Nameless::ByNumber,
                status_codes: SourceRules::default_status_codes(),
                level_codes: SourceRules::default_level_codes(),
            },
            location,
            columns: BTreeMap::new(),
            records: None,
            sha256: None,
            time_zone: "Europe/Rome".to_owned(),
        };
        Self { folder, settings }
    }

    pub(crate) fn map(mut self, field: Field, column: &str) -> Self {
        self.settings.columns.insert(field, column.to_owned());
        self
    }

    pub(crate) fn path(&self) -> PathBuf {
        let path = self.settings.location.path();
        path.expect("a source that is a file").to_owned()
    }

    /// The legacy application's own connection.
    pub(crate) fn connection(&self) -> Connection {
        Connection::open(self.path()).expect("a database")
    }

    pub(crate) fn try_read(&self) -> Result<(ReadSummary, Vec<Seen>), SourceError> {
        self.try_read_without(&[])
    }

    pub(crate) fn try_read_without(
        &self,
        excluded: &[Field],
    ) -> Result<(ReadSummary, Vec<Seen>), SourceError> {
        let excluded: BTreeSet<Field> = excluded.iter().copied().collect();
        let mut seen = Vec::new();
        let sink = &mut |record: &RawRecord<'_>| {
            seen.push(Seen::of(record));
            ControlFlow::Continue(())
        };
        let summary = source::read(&self.settings, SourceIndex(3), &excluded, sink)?;
        Ok((summary, seen))
    }

    pub(crate) fn read(&self) -> Vec<Seen> {
        let (summary, seen) = self.try_read().expect("a readable source");
        assert_eq!(summary.records, seen.len() as u64);
        seen
    }

    pub(crate) fn fingerprint(&self) -> String {
        self.fingerprint_without(&[])
    }

    pub(crate) fn fingerprint_without(&self, excluded: &[Field]) -> String {
        let (summary, _) = self.try_read_without(excluded).expect("a readable source");
        summary.fingerprint.to_string()
    }

    /// The error without the folder's name, and the exit code; `check` finds a mistake of configuration
    /// just as `read` does.
    pub(crate) fn refusal(&self) -> (String, Exit) {
        let error = self.try_read().expect_err("a source that is refused");
        if error.exit() == Exit::Usage {
            let mistakes = source::check(&self.settings).expect_err("mistakes");
            for mistake in mistakes {
                assert!(
                    error.to_string().contains(&mistake.to_string()),
                    "{mistake}"
                );
                assert!(mistake.hint().is_some());
            }
        }
        assert!(error.hint().is_some());
        (self.tidy(&error.to_string()), error.exit())
    }

    pub(crate) fn warnings(&self) -> Vec<String> {
        let check = source::check(&self.settings).expect("a source without mistakes");
        check.warnings
    }

    fn tidy(&self, text: &str) -> String {
        let place = match &self.settings.location {
            SourceLocation::Postgres { database, .. } => database.shown().to_owned(),
            SourceLocation::Csv { .. } | SourceLocation::Sqlite { .. } => {
                format!("{}/", self.folder.path().display())
            }
        };
        text.replace(&place, "")
    }
}

/// A CSV file of the default layout with these rows.
pub(crate) fn file(rows: &[impl AsRef<str>]) -> String {
    let mut text = format!("{HEADER}\n");
    for row in rows {
        text.push_str(row.as_ref());
        text.push('\n');
    }
    text
}

/// A row of the default layout with this id and surname.
pub(crate) fn row(id: &str, surname: &str) -> String {
    format!(
        "{id};RSSMRA80A01H501U;{surname};Mario;1980-01-01;CIT;;A;ORD;00ff;SHA256;2013-01-02;;2013-05-06;0712;WEB;2;;;"
    )
}
