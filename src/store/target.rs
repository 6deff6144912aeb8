//! The open target.

use std::time::Duration;

use jiff::civil::Date;

use super::{
    StoreError,
    database::{Database, Durability, Transaction},
    lease::Lease,
    postgres, sqlite,
};
use crate::{config::settings::TargetSettings, postgres::Limits};

/// Whether a missing target is created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intent {
    /// It is, with its folder.
    CreateIfMissing,
    /// It is an error.
    MustExist,
}

/// What a role may do with a target whose tables are not its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Hand requests in and activate them.
    Queue,
    /// Look.
    Look,
}

/// What the role may do with a target that it may not run into.
///
/// # Errors
///
/// When it may not even look.
pub fn reach(settings: &TargetSettings) -> Result<Reach, StoreError> {
    match settings {
        // Whoever may open a file may do with it what the file's mode lets him.
        TargetSettings::Sqlite(_) => Ok(Reach::Look),
        TargetSettings::Postgres(place) => postgres::schema::reach(place),
    }
}

/// The SQL that gives roles which do not own the tables what they need at the target, if it is a server.
#[must_use]
pub fn rights(
    settings: &TargetSettings,
    activation: Option<&str>,
    reports: Option<&str>,
) -> Option<String> {
    match settings {
        TargetSettings::Sqlite(_) => None,
        TargetSettings::Postgres(place) => Some(format!(
            "-- target: in {}, as the runner, whose tables they are, once `pinferry run` or `pinferry migrate-schema` has made them\n{}",
            place.shown(),
            postgres::rights::script(activation, reports)
        )),
    }
}

/// What the administrator's own query says of how busy the server is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ServerLoad {
    /// That much.
    Is(f64),
    /// Too busy to say.
    NoAnswer,
}

/// What this query says of how busy the target's server is; nothing of a file.
///
/// # Errors
///
/// When it gives no number, or the server cannot be asked.
pub fn server_load(
    settings: &TargetSettings,
    query: &str,
) -> Result<Option<ServerLoad>, StoreError> {
    match settings {
        TargetSettings::Sqlite(_) => Ok(None),
        TargetSettings::Postgres(place) => postgres::server_load::ask_once(place, query).map(Some),
    }
}

/// What stands where the target is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetStanding {
    /// Nothing; the file can be created.
    Absent,
    /// An empty database.
    Empty,
    /// A database of an older version of this program.
    Older,
    /// A database of this version.
    Current,
}

/// What hands are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Toil {
    /// Chunks: statements of seconds.
    Load,
    /// Indexes: statements that take as long as there are rows.
    Index,
}

impl Toil {
    const fn limits(self, lease: &Lease) -> Limits {
        let limits = match self {
            Self::Load => postgres::LOADING,
            Self::Index => postgres::BUILDING,
        };
        limits.within(lease.duration)
    }
}

/// Looks at the target without changing it: what stands there, and that it may be written.
///
/// # Errors
///
/// When it is no database, somebody else's, has a newer schema, or may not be written.
pub fn standing(settings: &TargetSettings) -> Result<TargetStanding, StoreError> {
    match settings {
        TargetSettings::Sqlite(path) => sqlite::file::standing(path),
        TargetSettings::Postgres(place) => postgres::schema::standing(place),
    }
}

/// The database the runner writes to.
#[derive(Debug)]
pub struct Target {
    pub(super) database: Database,
    settings: TargetSettings,
}

impl Target {
    /// Opens the target and brings its schema to this program's version.
    ///
    /// # Errors
    ///
    /// When it is missing and must exist, is no database or somebody else's, has a newer schema, or may not
    /// be written. Nothing is left half-written: a new database appears under its name when it is complete.
    pub fn open(settings: &TargetSettings, intent: Intent) -> Result<Self, StoreError> {
        Ok(Self {
            database: match settings {
                TargetSettings::Sqlite(path) => Database::Sqlite(sqlite::file::open(path, intent)?),
                TargetSettings::Postgres(place) => postgres::schema::open(place, intent)?,
            },
            settings: settings.clone(),
        })
    }

    /// Opens a target that holds a queue, for whoever may serve that.
    pub(super) fn open_to_serve(settings: &TargetSettings) -> Result<Self, StoreError> {
        match settings {
            TargetSettings::Sqlite(_) => Self::open(settings, Intent::MustExist),
            TargetSettings::Postgres(place) => Ok(Self {
                database: postgres::schema::open_to_serve(place)?,
                settings: settings.clone(),
            }),
        }
    }

    /// Opens a target for whoever may add to its audit log.
    pub(super) fn open_to_log(settings: &TargetSettings) -> Result<Self, StoreError> {
        match settings {
            TargetSettings::Sqlite(_) => Self::open(settings, Intent::MustExist),
            TargetSettings::Postgres(place) => Ok(Self {
                database: postgres::schema::open_to_log(place)?,
                settings: settings.clone(),
            }),
        }
    }

    /// Where it is.
    pub(super) fn settings(&self) -> &TargetSettings {
        &self.settings
    }

    /// Another connection to it for the holder of the lease, whose statements wait at most this long for other
    /// writers.
    pub(super) fn beside(
        settings: &TargetSettings,
        (run_id, epoch): (i64, i64),
        patience: Duration,
    ) -> Result<Database, StoreError> {
        match settings {
            TargetSettings::Sqlite(path) => {
                let connection = sqlite::connection::open(path)?;
                connection
                    .busy_timeout(patience)
                    .map_err(StoreError::sqlite("set a timeout"))?;
                Ok(Database::Sqlite(connection))
            }
            TargetSettings::Postgres(place) => {
                let limits = postgres::LOADING.patient(patience);
                let server = postgres::connect(place, &postgres::purpose(run_id, epoch), &limits)?;
                Ok(Database::Postgres(server))
            }
        }
    }

    /// Further hands for the holder of the lease, so that `hands` in all can write at the same time; none on
    /// SQLite, which has one writer.
    ///
    /// # Errors
    ///
    /// When the server takes no more connections.
    pub fn crew(&self, lease: &Lease, hands: usize, toil: Toil) -> Result<Vec<Self>, StoreError> {
        let TargetSettings::Postgres(place) = &self.settings else {
            return Ok(Vec::new());
        };
        let limits = toil.limits(lease);
        let purpose = postgres::purpose(lease.run_id, lease.epoch);
        let hand = |_| {
            let server = postgres::connect(place, &purpose, &limits)?;
            Ok(Self {
                database: Database::Postgres(server),
                settings: self.settings.clone(),
            })
        };
        (1..hands).map(hand).collect()
    }

    /// Gives this hand's own statements the time that such toil takes, within the lease.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub fn turn_to(&self, lease: &Lease, toil: Toil) -> Result<(), StoreError> {
        const ACTION: &str = "set up the session";
        match &self.database {
            Database::Sqlite(_) => Ok(()),
            Database::Postgres(server) => server
                .with(|session| session.limit(ACTION, &toil.limits(lease)))
                .map_err(StoreError::postgres(ACTION)),
        }
    }

    /// Begins a transaction of somebody who has no lease yet.
    pub(super) fn write(&self) -> Result<Transaction<'_>, StoreError> {
        self.database.promise(Durability::Commit)?;
        self.database.begin()
    }

    /// The database's date, in UTC.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub fn today(&self) -> Result<Date, StoreError> {
        super::run_row::date(self.now()?.split('T').next().unwrap_or_default())
    }

    /// The database's time, in UTC: `2013-11-03T22:15:00.000Z`.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub fn now(&self) -> Result<String, StoreError> {
        self.database.now()
    }

    /// What this query says of how busy the server is; nothing of a file.
    ///
    /// # Errors
    ///
    /// When it gives no number, or the server cannot be asked.
    pub fn server_load(&self, query: &str) -> Result<Option<ServerLoad>, StoreError> {
        match &self.database {
            Database::Sqlite(_) => Ok(None),
            Database::Postgres(server) => postgres::server_load::ask(server, query).map(Some),
        }
    }

    /// Gives the pages of deleted rows back to the disk, so that none of their content stays behind.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub fn shrink(&self) -> Result<(), StoreError> {
        match &self.database {
            Database::Sqlite(_) => self.database.batch("give back free pages", "VACUUM"),
            // A table that is emptied whole is truncated, and the rest is what autovacuum is for.
            Database::Postgres(_) => Ok(()),
        }
    }
}
