//! A target after cut-over, and files of requests.

use std::{
    fs,
    path::{Path, PathBuf},
};

use jiff::{civil::Time, tz::TimeZone};
use pinferry::{
    config::settings::TargetSettings,
    domain::{
        activation::{grounds::Grounds, office::Offices, schedule::Schedule},
        catalogue::Catalogue,
        links::Links,
        rules::{DEFAULT_SCHEMES, Rules, SourceRules},
    },
    engine::{
        activate::{Drained, activate},
        intake::{Intake, IntakeError, intake},
        stop::StopFlag,
    },
    source::requests::{RequestFile, RequestFormat},
    store::{Intent, StoreError, Target, activation::ActivationStore},
};
use rusqlite::{Connection, params};
use tempfile::TempDir;

pub(crate) const MARIO: &str = "RSSMRA80A01H501U";
pub(crate) const LAURA: &str = "BNCLRA75D52F205V";

pub(crate) const HEADER: &str = "request_id;accepted_at;fiscal_code;surname;given_name;birth_date;profile;\
    entity;level;credential;credential_scheme;halves_delivered;documents";

const INDEXES: [&str; 4] = [
    include_str!("../../migrations/sqlite/index/01_pin_source.sql"),
    include_str!("../../migrations/sqlite/index/02_pin_person.sql"),
    include_str!("../../migrations/sqlite/index/03_pin_one_live.sql"),
    include_str!("../../migrations/sqlite/index/06_fiscal_code_current.sql"),
];

pub(crate) fn rules() -> Rules {
    Rules {
        as_of: "2013-11-03".parse().expect("a date"),
        catalogue: Catalogue::built_in(),
        links: Links::default(),
        schemes: DEFAULT_SCHEMES.map(str::to_owned).into(),
        sources: vec![SourceRules {
            name: "inps".to_owned(),
            nameless: pinferry::domain::rules::Nameless::ByNumber,
            status_codes: SourceRules::default_status_codes(),
            level_codes: SourceRules::default_level_codes(),
        }],
    }
}

pub(crate) fn schedule(offices: Option<Offices>) -> Schedule {
    Schedule {
        delay_working_days: 1,
        hour: Time::midnight(),
        zone: TimeZone::get("Europe/Rome").expect("a zone"),
        offices,
    }
}

pub(crate) fn grounds() -> Grounds {
    Grounds::new(rules(), schedule(None))
}

/// 64 hexadecimal digits.
pub(crate) fn hash(seed: u8) -> String {
    format!("{seed:02x}").repeat(32)
}

/// A line of a file with [`HEADER`].
pub(crate) fn line(id: &str, accepted_at: &str, code: &str, profile: &str, level: &str) -> String {
    let (surname, given_name, documents) = match (code, profile) {
        (MARIO, "CIT") => ("Rossi", "Mario", "IDENTITY_CARD"),
        (MARIO, _) => (
            "Rossi",
            "Mario",
            "IDENTITY_CARD PROFESSIONAL_REGISTER_ENTRY",
        ),
        (_, "CIT") => ("Bianchi", "Laura", "IDENTITY_CARD"),
        (_, _) => (
            "Bianchi",
            "Laura",
            "IDENTITY_CARD PROFESSIONAL_REGISTER_ENTRY",
        ),
    };
    let hash = hash(id.len() as u8);
    format!(
        "{id};{accepted_at};{code};{surname};{given_name};;{profile};;{level};{hash};SHA256;2;{documents}"
    )
}

pub(crate) struct World {
    pub(crate) folder: TempDir,
    pub(crate) target: TargetSettings,
    pub(crate) db: Connection,
}

impl World {
    /// A target whose run is in `phase`; cut over where that phase comes after cut-over.
    pub(crate) fn in_phase(phase: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("target.db");
        let target = TargetSettings::Sqlite(path.clone());
        drop(Target::open(&target, Intent::CreateIfMissing).expect("a target"));
        let db = Connection::open(&path).expect("a database");
        db.execute(
            "INSERT INTO run (run_id, phase, as_of, fixed, target_fresh, id_base, id_end, created_at)
             VALUES (1, ?1, '2013-11-03', '{}', 1, 1, 5000, '2013-11-03T20:00:00.000Z')",
            [phase],
        )
        .expect("a run");
        for profile in Catalogue::built_in().profiles() {
            db.execute(
                "INSERT INTO profile VALUES (?1, ?2, ?3, ?4, ?5, '[]', 1)",
                params![
                    profile.code,
                    profile.name,
                    profile.entity.as_str(),
                    profile.max_age_days,
                    profile.minimum_level.as_str()
                ],
            )
            .expect("a profile");
        }
        for index in INDEXES {
            db.execute_batch(index).expect("an index");
        }
        let world = Self { folder, target, db };
        if matches!(phase, "cut_over" | "finished") {
            world.execute("UPDATE model_state SET model = 'multiprofile', run_id = 1");
        }
        world
    }

    pub(crate) fn finished() -> Self {
        Self::in_phase("finished")
    }

    pub(crate) fn execute(&self, sql: &str) {
        self.db.execute_batch(sql).expect("the statement");
    }

    /// The first column of the first row, as text.
    pub(crate) fn one(&self, sql: &str) -> String {
        self.db
            .query_row(sql, [], |row| {
                row.get_ref(0).map(|value| match value {
                    rusqlite::types::ValueRef::Integer(number) => number.to_string(),
                    rusqlite::types::ValueRef::Text(text) => {
                        String::from_utf8_lossy(text).into_owned()
                    }
                    rusqlite::types::ValueRef::Null => "NULL".to_owned(),
                    rusqlite::types::ValueRef::Real(_) | rusqlite::types::ValueRef::Blob(_) => {
                        "other".to_owned()
                    }
                })
            })
            .expect("a row")
    }

    /// Mario as migrated: one PIN of the given status, dispositive, as a citizen; and a grant that ended.
    pub(crate) fn migrate_mario(&self, status: &str, halves: u8) {
        let grant = if status == "pending" {
            "pending"
        } else {
            status
        };
        self.execute(&format!(
            "INSERT INTO person VALUES (10, 'ROSSI', 'MARIO', '1980-01-01', NULL, NULL, 1);
             INSERT INTO fiscal_code VALUES ('{MARIO}', 10, 1);
             INSERT INTO pin VALUES (10, 10, '{status}', 'survivor', 'dispositive', 'x', 'SHA256', NULL,
                 {halves}, '2012-01-01', NULL, NULL, NULL, NULL, 'inps', 'L1', 'CIT', '', '{status}', NULL, 1);
             INSERT INTO profile_grant VALUES
                 (10, 'CIT', '', '{grant}', 'dispositive', '2012-01-01', 'legacy:inps:L1', 1),
                 (10, 'CDL', '', 'ended', 'dispositive', '2011-01-01', 'legacy:inps:L0', 1);"
        ));
    }

    pub(crate) fn file(&self, lines: &[String]) -> PathBuf {
        let path = self.folder.path().join("requests.csv");
        let text = std::iter::once(HEADER.to_owned()).chain(lines.iter().cloned());
        fs::write(&path, text.collect::<Vec<_>>().join("\n") + "\n").expect("a file");
        path
    }

    pub(crate) fn try_intake(&self, file: &Path) -> Result<Intake, IntakeError> {
        self.try_intake_by(file, &grounds())
    }

    fn try_intake_by(&self, file: &Path, grounds: &Grounds) -> Result<Intake, IntakeError> {
        let mut store = ActivationStore::open(&self.target)?;
        let requests = RequestFile::read(file, RequestFormat::by_file_name(file))?;
        intake(&mut store, &requests, grounds, "tester")
    }

    pub(crate) fn intake_by(&self, lines: &[String], grounds: &Grounds) -> Intake {
        self.try_intake_by(&self.file(lines), grounds)
            .expect("a file of requests")
    }

    pub(crate) fn intake(&self, lines: &[String]) -> Intake {
        self.try_intake(&self.file(lines))
            .expect("a file of requests")
    }

    pub(crate) fn activate(&self) -> Drained {
        drain(&self.target).expect("a drain")
    }
}

pub(crate) fn drain(target: &TargetSettings) -> Result<Drained, StoreError> {
    let mut store = ActivationStore::open(target)?;
    let mut crew = store.crew(2).expect("another hand");
    activate(
        &mut store,
        &mut crew,
        &grounds(),
        "tester",
        &StopFlag::default(),
    )
}
