//! A file of metrics that another program reads: replaced whole, and readable by all.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use super::private_file::{PrivateFile, Readers, Replace, look_at_place};
use crate::exit::Exit;

/// What an earlier file of ours begins with.
const BEGINNING: &str = "# HELP pinferry_";

/// The metrics could not be written; an earlier file is as it was.
#[derive(Debug, thiserror::Error)]
#[error("the metrics cannot be written to {}", .path.display())]
pub struct MetricsError {
    path: PathBuf,
    source: io::Error,
}

impl MetricsError {
    /// Failed: they were asked for.
    #[must_use]
    pub fn exit(&self) -> Exit {
        Exit::Failed
    }

    /// What to type next.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(
            "name a new file, or one of earlier metrics, in a folder that can be written"
                .to_owned(),
        )
    }
}

/// Writes them in place of earlier ones; anything else that stands there stays.
///
/// # Errors
/// The file cannot be written, or something else stands there.
pub fn save(text: &str, path: &Path) -> Result<(), MetricsError> {
    let write = || -> io::Result<()> {
        look_at_place(path)?;
        let replace = match fs::read(path) {
            Ok(earlier) if earlier.starts_with(BEGINNING.as_bytes()) => Replace::Known,
            Ok(_) | Err(_) => Replace::Nothing,
        };
        let mut file = PrivateFile::create(path, replace)?;
        file.write_all(text.as_bytes())?;
        file.finish_for(Readers::All)
    };
    write().map_err(|source| MetricsError {
        path: path.to_owned(),
        source,
    })
}
