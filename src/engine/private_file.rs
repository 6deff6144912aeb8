//! Files for their owner's eyes only, whole or not there at all.

use std::{
    fs,
    io::{self, Write},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

/// What may be replaced by a file of the same name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Replace {
    /// Nothing: what stands there is left as it is.
    Nothing,
    /// What the caller has looked at, or made itself.
    Known,
}

/// Whom a file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Readers {
    /// Its owner.
    Owner,
    /// Everybody: it holds nothing of anybody.
    All,
}

/// A file under way. It appears under its name, in place of what stood there, when it is finished.
#[derive(Debug)]
pub(super) struct PrivateFile {
    path: PathBuf,
    draft: NamedTempFile,
    replace: Replace,
}

impl PrivateFile {
    /// Begins a file beside its place.
    ///
    /// # Errors
    /// Something stands there that may not be replaced, or the folder cannot be written.
    pub(super) fn create(path: &Path, replace: Replace) -> io::Result<Self> {
        if replace == Replace::Nothing && fs::exists(path)? {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        Ok(Self {
            replace,
            path: path.to_owned(),
            draft: NamedTempFile::new_in(folder(path))?,
        })
    }

    /// Gives the file its name, once it is on the disk.
    pub(super) fn finish(self) -> io::Result<()> {
        self.finish_for(Readers::Owner)
    }

    /// The same for those who may read it.
    pub(super) fn finish_for(self, readers: Readers) -> io::Result<()> {
        if readers == Readers::All {
            let all = fs::Permissions::from_mode(0o644);
            self.draft.as_file().set_permissions(all)?;
        }
        self.draft.as_file().sync_all()?;
        match self.replace {
            Replace::Nothing => drop(self.draft.persist_noclobber(&self.path)?),
            Replace::Known => drop(self.draft.persist(&self.path)?),
        }
        fs::File::open(folder(&self.path))?.sync_all()
    }
}

impl Write for PrivateFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.draft.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.draft.flush()
    }
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        Some(_) | None => Path::new("."),
    }
}
