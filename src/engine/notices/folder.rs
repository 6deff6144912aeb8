//! The folder of the lists: whole under its name, or not there.
//!
//! It is written beside its place, as `.NAME.unfinished`, and renamed. What a process left there that was killed
//! is taken away by the next one; a lock on the folder tells it from one that is still being written.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, BufRead as _, BufReader, ErrorKind, Read as _},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use rustix::fs::{CWD, FlockOperation, RenameFlags, flock, renameat_with};

use super::{NoticesError, file_name};

/// The list of lists: which files are whose. Its first line tells that a folder is ours.
pub(super) const INDEX: &str = "indice.csv";
/// What that line says.
pub(super) const INDEX_HEADER: [&str; 5] = ["sede", "persone", "avvisi", "csv", "html"];

/// How often a folder that vanishes while it is locked is looked for again.
const TRIES: usize = 5;

/// A folder under way; dropped without [`Draft::publish`], it leaves nothing.
#[derive(Debug)]
pub(super) struct Draft {
    folder: PathBuf,
    path: PathBuf,
    /// Held as long as the folder is written.
    _lock: File,
}

impl Draft {
    /// Sees that nothing of somebody else's stands at `folder`, and begins beside it.
    ///
    /// # Errors
    /// Something does, another process writes there, or the disk refuses.
    pub(super) fn begin(folder: &Path) -> Result<Self, NoticesError> {
        let nowhere = |source| NoticesError::Nowhere {
            folder: folder.to_owned(),
            source,
        };
        let foreign = || NoticesError::Foreign {
            folder: folder.to_owned(),
        };
        // The link, the file or the folder itself, whatever way it is written.
        let whole = std::path::absolute(folder).map_err(nowhere)?;
        let name = whole.file_name().ok_or_else(foreign)?;
        if !is_free(&whole).map_err(nowhere)? {
            return Err(foreign());
        }
        let mut hidden = std::ffi::OsString::from(".");
        hidden.push(name);
        hidden.push(".unfinished");
        let path = whole.with_file_name(hidden);
        let lock = lock(&path).map_err(nowhere)?;
        let lock = lock.ok_or_else(|| NoticesError::Busy {
            folder: folder.to_owned(),
        })?;
        let draft = Self {
            folder: whole,
            path,
            _lock: lock,
        };
        empty(&draft.path).map_err(nowhere)?;
        Ok(draft)
    }

    /// Where it is to stand, from the root.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// A new file in it, for its owner's eyes only.
    pub(super) fn file(&self, name: &str) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        options.open(self.path.join(name))
    }

    /// Sees to it that all of it is on the disk.
    pub(super) fn sync(&self) -> io::Result<()> {
        File::open(&self.path)?.sync_all()
    }

    /// Gives it its name; earlier lists that stand there go.
    pub(super) fn publish(self) -> io::Result<()> {
        let (from, to) = (&self.path, &self.folder);
        match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
            Ok(()) => {}
            Err(rustix::io::Errno::EXIST) if is_free(to)? => {
                renameat_with(CWD, from, CWD, to, RenameFlags::EXCHANGE)?;
                // Dropped, it takes away what stands under its own name: the earlier lists.
            }
            Err(error) => return Err(error.into()),
        }
        match to.parent() {
            Some(parent) => File::open(parent)?.sync_all(),
            None => Ok(()),
        }
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        let gone = empty(&self.path).and_then(|()| fs::remove_dir(&self.path));
        match gone {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                tracing::warn!(event = "notices.left", folder = %self.path.display(), %error);
            }
            Ok(()) | Err(_) => {}
        }
    }
}

/// The folder, made where it is missing, and locked; none where another process has it.
fn lock(path: &Path) -> io::Result<Option<File>> {
    for _ in 0..TRIES {
        match DirBuilder::new().mode(0o700).create(path) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
            Ok(()) | Err(_) => {}
        }
        if !fs::symlink_metadata(path)?.is_dir() {
            return Err(ErrorKind::AlreadyExists.into());
        }
        let folder = match File::open(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            opened => opened?,
        };
        match flock(&folder, FlockOperation::NonBlockingLockExclusive) {
            Err(rustix::io::Errno::WOULDBLOCK) => return Ok(None),
            locked => locked?,
        }
        // Whoever had it may have given it its name meanwhile.
        let held = folder.metadata()?;
        match fs::symlink_metadata(path) {
            Ok(there) if (there.dev(), there.ino()) == (held.dev(), held.ino()) => {
                return Ok(Some(folder));
            }
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// Whether nothing stands there, or lists of ours and nothing else.
fn is_free(folder: &Path) -> io::Result<bool> {
    match fs::symlink_metadata(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(true),
        Err(error) => return Err(error),
        Ok(found) if !found.is_dir() => return Ok(false),
        Ok(_) => {}
    }
    let mut is_empty = true;
    for entry in fs::read_dir(folder)? {
        if !is_ours(&entry?)? {
            return Ok(false);
        }
        is_empty = false;
    }
    Ok(is_empty || has_index(folder)?)
}

fn is_ours(entry: &fs::DirEntry) -> io::Result<bool> {
    let name = entry.file_name();
    let name = name.to_str().unwrap_or_default();
    Ok(entry.file_type()?.is_file() && (name == INDEX || file_name::is_one(name)))
}

fn has_index(folder: &Path) -> io::Result<bool> {
    let header = INDEX_HEADER.join(";") + "\n";
    let index = match File::open(folder.join(INDEX)) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        opened => opened?,
    };
    let mut line = Vec::new();
    BufReader::new(index.take(header.len() as u64)).read_until(b'\n', &mut line)?;
    Ok(line == header.as_bytes())
}

/// Takes our files out of a folder; whatever else is in it stays.
fn empty(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if is_ours(&entry)? {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
