//! A new database on its way to its name.
//!
//! It is built in a folder of its own beside its place, which its process keeps locked: so what a killed process left can
//! be told from what another one is still building, and the next one takes it away.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use rustix::{
    fs::{FlockOperation, Mode, OFlags, flock},
    io::Errno,
};
use tempfile::{TempDir, TempPath};

const PREFIX: &str = ".pinferry-new-";
const DATABASE: &str = "target.db";

/// How often another folder is made where somebody took the first one for a leftover, before it was locked.
const TRIES: usize = 100;

/// An empty file in a locked folder; both go when it is dropped.
#[derive(Debug)]
pub(super) struct Draft {
    folder: TempDir,
    database: PathBuf,
    /// Held as long as the database is built.
    _lock: File,
}

impl Draft {
    /// # Errors
    /// When the disk refuses.
    pub(super) fn begin(beside: &Path) -> io::Result<Self> {
        for _ in 0..TRIES {
            let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(beside)?;
            let lock = match File::open(folder.path()) {
                Err(error) if error.kind() == ErrorKind::NotFound && beside.exists() => continue,
                opened => opened?,
            };
            // Where a file system knows no locks nobody else gets one either, and nothing is taken for a leftover.
            let locked = flock(&lock, FlockOperation::NonBlockingLockExclusive);
            let is_taken = locked == Err(Errno::WOULDBLOCK);
            if is_taken || !is_at(folder.path(), &lock)? {
                continue;
            }
            let database = folder.path().join(DATABASE);
            let mut options = OpenOptions::new();
            options.write(true).create_new(true).mode(0o600);
            options.open(&database)?;
            return Ok(Self {
                folder,
                database,
                _lock: lock,
            });
        }
        Err(ErrorKind::ResourceBusy.into())
    }

    /// Where it is built.
    pub(super) fn path(&self) -> &Path {
        &self.database
    }

    /// Gives the database its name, once it is on the disk, unless something has it already. The folder is still there.
    ///
    /// # Errors
    /// When something has the name ([`ErrorKind::AlreadyExists`]) or the disk refuses.
    pub(super) fn publish(&self, path: &Path) -> io::Result<()> {
        File::open(&self.database)?.sync_all()?;
        let database = TempPath::try_from_path(self.folder.path().join(DATABASE))?;
        database.persist_noclobber(path)?;
        Ok(())
    }
}

/// Takes away the folders here that nobody builds in any more. One that cannot be looked at or taken away stays.
pub(super) fn clear(beside: &Path) {
    let Ok(entries) = fs::read_dir(beside) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        if name.to_str().is_some_and(|name| name.starts_with(PREFIX)) {
            let folder = entry.path();
            if let Err(error) = clear_one(&folder) {
                tracing::warn!(event = "target.draft_left", folder = %folder.display(), %error);
            }
        }
    }
}

fn clear_one(folder: &Path) -> io::Result<()> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let lock = match rustix::fs::open(folder, flags, Mode::empty()) {
        Err(Errno::NOENT) => return Ok(()),
        opened => File::from(opened?),
    };
    match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
        Err(Errno::WOULDBLOCK) => return Ok(()),
        locked => locked?,
    }
    match is_at(folder, &lock)? {
        true => fs::remove_dir_all(folder),
        false => Ok(()),
    }
}

/// Whether this is the folder that has the name.
fn is_at(path: &Path, folder: &File) -> io::Result<bool> {
    let held = folder.metadata()?;
    match fs::symlink_metadata(path) {
        Ok(there) => Ok((there.dev(), there.ino()) == (held.dev(), held.ino())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_being_built_is_no_leftover_until_its_process_is_gone() {
        let folder = tempfile::tempdir().expect("a folder");
        let is_empty = || {
            fs::read_dir(folder.path())
                .expect("a folder")
                .next()
                .is_none()
        };
        let mut draft = Draft::begin(folder.path()).expect("a draft");
        clear(folder.path());
        assert!(draft.path().exists());
        // As a process leaves it that is killed.
        draft.folder.disable_cleanup(true);
        drop(draft);
        assert!(!is_empty());
        clear(folder.path());
        assert!(is_empty());
        drop(Draft::begin(folder.path()).expect("a draft"));
        assert!(is_empty(), "it leaves nothing where it may");
    }
}
