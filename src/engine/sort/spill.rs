//! Files without a name in the work folder, which vanish with the process.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use crate::engine::extract::ExtractError;

/// An unlinked file that several threads write to and read from at places of their own.
pub(in crate::engine) struct SpillFile {
    file: File,
    folder: PathBuf,
    end: AtomicU64,
}

impl SpillFile {
    /// A new file in `folder`, which is created where it is absent.
    ///
    /// # Errors
    /// [`ExtractError::WorkFolder`] when the folder cannot be made or written to.
    pub(in crate::engine) fn create(folder: &Path) -> Result<Self, ExtractError> {
        let refused = |error| ExtractError::WorkFolder {
            folder: folder.to_owned(),
            error,
        };
        fs::create_dir_all(folder).map_err(refused)?;
        let file = tempfile::tempfile_in(folder).map_err(refused)?;
        Ok(Self {
            file,
            folder: folder.to_owned(),
            end: AtomicU64::new(0),
        })
    }

    /// Sets so many bytes aside for one writer; returns where they begin.
    pub(in crate::engine) fn reserve(&self, bytes: u64) -> u64 {
        self.end.fetch_add(bytes, Ordering::Relaxed)
    }

    /// Writes at a reserved place.
    pub(in crate::engine) fn write(&self, bytes: &[u8], at: u64) -> Result<(), ExtractError> {
        (self.file.write_all_at(bytes, at)).map_err(|error| ExtractError::Spill {
            folder: self.folder.clone(),
            error,
        })
    }

    /// Reads back what was written.
    pub(in crate::engine) fn read(&self, bytes: &mut [u8], at: u64) -> Result<(), ExtractError> {
        (self.file.read_exact_at(bytes, at)).map_err(|error: io::Error| ExtractError::ReadBack {
            folder: self.folder.clone(),
            error,
        })
    }
}
