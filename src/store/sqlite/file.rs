//! The file the target is.

use std::{fs, io, path::Path};

use rusqlite::Connection;

use super::{
    connection,
    draft::{self, Draft},
    schema::{self, Standing},
};
use crate::{
    failpoint,
    store::{Intent, StoreError, TargetStanding},
};

/// Looks at the file without changing it.
pub(in crate::store) fn standing(path: &Path) -> Result<TargetStanding, StoreError> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => {}
        Ok(_) => {
            return Err(StoreError::NotAFile {
                path: path.to_owned(),
            });
        }
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
        Standing::Older(_) => TargetStanding::Older,
        Standing::Current => TargetStanding::Current,
    })
}

/// Opens the file and brings its schema to this program's version.
pub(in crate::store) fn open(path: &Path, intent: Intent) -> Result<Connection, StoreError> {
    if intent == Intent::CreateIfMissing {
        draft::clear(folder_of(path));
    }
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => {}
        Ok(_) => {
            return Err(StoreError::NotAFile {
                path: path.to_owned(),
            });
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => match intent {
            Intent::CreateIfMissing => create(path)?,
            Intent::MustExist => {
                return Err(StoreError::Missing {
                    path: path.to_owned(),
                });
            }
        },
        Err(source) => return Err(cannot("read the file", path)(source)),
    }
    may_write(path)?;
    let connection = connection::open(path)?;
    match schema::inspect(&connection, path)? {
        Standing::Current => {}
        Standing::Empty | Standing::Older(_) => {
            failpoint::reached("schema.migrate");
            schema::migrate(path)?;
            failpoint::reached("schema.migrated");
        }
    }
    connection::tune(&connection)?;
    Ok(connection)
}

/// Opens an existing file of this version, so that nothing can be written.
pub(in crate::store) fn open_to_read(path: &Path) -> Result<Connection, StoreError> {
    if !path.exists() {
        return Err(StoreError::Missing {
            path: path.to_owned(),
        });
    }
    if !path.is_file() {
        return Err(StoreError::NotAFile {
            path: path.to_owned(),
        });
    }
    let connection = connection::open_to_read(path)?;
    let found = match schema::inspect(&connection, path)? {
        Standing::Current => return Ok(connection),
        Standing::Older(found) => found,
        Standing::Empty => 0,
    };
    Err(StoreError::Older {
        place: path.display().to_string(),
        found,
        known: schema::known_version(),
    })
}

/// Builds a new database beside `path` and gives it that name, unless another process was first.
fn create(path: &Path) -> Result<(), StoreError> {
    let folder = folder_of(path);
    fs::create_dir_all(folder).map_err(cannot("create the folder", folder))?;
    failpoint::reached("target.create");
    let draft = Draft::begin(folder).map_err(cannot("create a file in the folder", folder))?;
    schema::migrate(draft.path())?;
    failpoint::reached("target.drafted");
    match draft.publish(path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
        Err(error) => return Err(cannot("create the file", path)(error)),
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
