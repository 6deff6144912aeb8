//! A report kept in a folder: `report.json` for programs, `report.txt` for people.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use super::{
    private_file::{PrivateFile, Replace},
    report::Report,
};
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

/// Writes both files, readable by their owner only; `text` is the report as people read it.
///
/// # Errors
/// The folder cannot be made or written.
pub fn save(report: &Report, text: &str, folder: &Path) -> Result<(), ReportFolderError> {
    let write = || -> io::Result<()> {
        fs::create_dir_all(folder)?;
        let mut json = serde_json::to_vec_pretty(report)?;
        json.push(b'\n');
        put(&folder.join("report.json"), &json)?;
        put(&folder.join("report.txt"), format!("{text}\n").as_bytes())
    };
    write().map_err(|source| ReportFolderError {
        folder: folder.to_owned(),
        source,
    })
}

fn put(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = PrivateFile::create(path, Replace::Known)?;
    file.write_all(bytes)?;
    file.finish()
}
