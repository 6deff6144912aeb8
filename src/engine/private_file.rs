//! Files for their owner's eyes only, whole or not there at all.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

/// A file under way. It appears under its name, in place of what stood there, when it is finished.
#[derive(Debug)]
pub(super) struct PrivateFile {
    path: PathBuf,
    draft: NamedTempFile,
}

impl PrivateFile {
    /// Begins a file beside its place.
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            draft: NamedTempFile::new_in(folder(path))?,
        })
    }

    /// Gives the file its name, once it is on the disk.
    pub(super) fn finish(self) -> io::Result<()> {
        self.draft.as_file().sync_all()?;
        self.draft.persist(&self.path)?;
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
