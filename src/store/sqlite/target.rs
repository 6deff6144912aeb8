//! The open target.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use jiff::civil::Date;
use rusqlite::Connection;

use super::{connection, connection::NOW, schema, schema::Standing};
use crate::{config::settings::TargetSettings, failpoint, store::StoreError};

/// Whether a missing target is created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intent {
    /// It is, with its folder.
    CreateIfMissing,
    /// It is an error.
    MustExist,
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

/// Looks at the target without changing it: what stands there, and that it may be written.
///
/// # Errors
///
/// When it is no database, somebody else's, has a newer schema, or may not be written.
pub fn standing(settings: &TargetSettings) -> Result<TargetStanding, StoreError> {
    let TargetSettings::Sqlite(path) = settings;
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => {}
        Ok(_) => return Err(StoreError::NotAFile { path: path.clone() }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let existing = path.ancestors().skip(1).find(|folder| folder.exists());
            let folder = existing.unwrap_or(Path::new("."));
            let access = rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK;
            return match rustix::fs::access(folder, access) {
                Ok(()) => Ok(TargetStanding::Absent),
                Err(_) => Err(StoreError::ReadOnly {
                    path: folder.to_owned(),
                }),
            };
        }
        Err(source) => return Err(cannot("read the file", path)(source)),
    }
    may_write(path)?;
    Ok(match schema::inspect(&connection::open(path)?, path)? {
        Standing::Empty => TargetStanding::Empty,
        Standing::Older => TargetStanding::Older,
        Standing::Current => TargetStanding::Current,
    })
}

/// The database the runner writes to.
#[derive(Debug)]
pub struct Target {
    pub(super) connection: Connection,
    pub(super) path: PathBuf,
}

impl Target {
    /// Opens the target and brings its schema to this program's version.
    ///
    /// # Errors
    ///
    /// When it is missing and must exist, is no database or somebody else's, has a newer schema, or may not
    /// be written. Nothing is left half-written: a new database appears under its name when it is complete.
    pub fn open(settings: &TargetSettings, intent: Intent) -> Result<Self, StoreError> {
        let TargetSettings::Sqlite(path) = settings;
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_file() => {}
            Ok(_) => return Err(StoreError::NotAFile { path: path.clone() }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => match intent {
                Intent::CreateIfMissing => create(path)?,
                Intent::MustExist => return Err(StoreError::Missing { path: path.clone() }),
            },
            Err(source) => return Err(cannot("read the file", path)(source)),
        }
        may_write(path)?;
        let connection = connection::open(path)?;
        match schema::inspect(&connection, path)? {
            Standing::Current => {}
            Standing::Empty | Standing::Older => {
                failpoint::reached("schema.migrate");
                schema::migrate(path)?;
                failpoint::reached("schema.migrated");
            }
        }
        connection::tune(&connection)?;
        Ok(Self {
            connection,
            path: path.clone(),
        })
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The database's date, in UTC.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub fn today(&self) -> Result<Date, StoreError> {
        let text: String = self
            .connection
            .query_row("SELECT date('now')", [], |row| row.get(0))
            .map_err(StoreError::sqlite("read the clock"))?;
        super::run::date(&text)
    }

    /// The database's time, in UTC: `2013-11-03T22:15:00.000Z`.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub fn now(&self) -> Result<String, StoreError> {
        self.connection
            .query_row(&format!("SELECT {NOW}"), [], |row| row.get(0))
            .map_err(StoreError::sqlite("read the clock"))
    }

    /// Gives the pages of deleted rows back to the disk, so that none of their content stays behind.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub fn shrink(&self) -> Result<(), StoreError> {
        self.connection
            .execute_batch("VACUUM")
            .map_err(StoreError::sqlite("give back free pages"))
    }
}

/// Builds a new database beside `path` and gives it that name, unless another process was first.
fn create(path: &Path) -> Result<(), StoreError> {
    let folder = folder_of(path);
    fs::create_dir_all(folder).map_err(cannot("create the folder", folder))?;
    failpoint::reached("target.create");
    let draft = tempfile::Builder::new()
        .prefix(".pinferry-new-")
        .suffix(".db")
        .tempfile_in(folder)
        .map_err(cannot("create a file in the folder", folder))?;
    schema::migrate(draft.path())?;
    draft
        .as_file()
        .sync_all()
        .map_err(cannot("write the file", path))?;
    match draft.persist_noclobber(path) {
        Ok(_) => {}
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
        Err(error) => return Err(cannot("create the file", path)(error.error)),
    }
    fs::File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(cannot("write the folder", folder))?;
    failpoint::reached("target.created");
    Ok(())
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        Some(_) | None => Path::new("."),
    }
}

/// Refuses a file or folder that may not be written before anything is begun.
fn may_write(path: &Path) -> Result<(), StoreError> {
    use rustix::fs::Access;
    for (place, access) in [
        (path, Access::READ_OK | Access::WRITE_OK),
        (folder_of(path), Access::WRITE_OK | Access::EXEC_OK),
    ] {
        if rustix::fs::access(place, access).is_err() {
            return Err(StoreError::ReadOnly {
                path: place.to_owned(),
            });
        }
    }
    Ok(())
}

fn cannot(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    move |source| StoreError::Io {
        action,
        path: path.to_owned(),
        source,
    }
}
