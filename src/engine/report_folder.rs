//! A report kept in a folder.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use super::private_file::{PrivateFile, Replace, look_at_folder};
use crate::exit::Exit;

/// A report could not be kept.
#[derive(Debug, thiserror::Error)]
#[error("the report cannot be written into {}", .folder.display())]
pub struct ReportFolderError {
    folder: PathBuf,
    source: io::Error,
}

impl ReportFolderError {
    /// Failed: the report was asked for.
    #[must_use]
    pub fn exit(&self) -> Exit {
        Exit::Failed
    }

    /// What to type next.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some("name a folder that can be written".to_owned())
    }
}

/// Sees, before a long dry run, whether a report can be kept in a folder, and makes none.
///
/// # Errors
/// It cannot be.
pub fn look_at(folder: &Path) -> Result<(), ReportFolderError> {
    look_at_folder(folder).map_err(|source| ReportFolderError {
        folder: folder.to_owned(),
        source,
    })
}

/// Writes files of these names, readable by their owner only, in place of those of an earlier report: each whole, and
/// none before all of them are written.
///
/// # Errors
/// The folder cannot be made or written.
pub fn save(folder: &Path, files: &[(&str, Vec<u8>)]) -> Result<(), ReportFolderError> {
    let write = || -> io::Result<()> {
        fs::create_dir_all(folder)?;
        let mut drafts = Vec::with_capacity(files.len());
        for (name, bytes) in files {
            let mut file = PrivateFile::create(&folder.join(name), Replace::Known)?;
            file.write_all(bytes)?;
            drafts.push(file);
        }
        drafts.into_iter().try_for_each(PrivateFile::finish)
    };
    write().map_err(|source| ReportFolderError {
        folder: folder.to_owned(),
        source,
    })
}
