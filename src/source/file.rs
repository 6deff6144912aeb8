//! What a path must be before it is read.

use std::{fs, io, path::Path};

use super::SourceMistake;

/// That `path` is a regular file: it is read more than once, which a pipe does not allow.
pub(super) fn regular(path: &Path) -> Result<(), SourceMistake> {
    let kind = match fs::metadata(path) {
        Ok(metadata) => metadata.file_type(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(SourceMistake::Absent {
                path: path.to_owned(),
            });
        }
        Err(source) => {
            return Err(SourceMistake::Unreadable {
                path: path.to_owned(),
                source,
            });
        }
    };
    if kind.is_file() {
        return Ok(());
    }
    Err(SourceMistake::NotAFile {
        path: path.to_owned(),
        what: if kind.is_dir() {
            "a directory"
        } else {
            "a pipe or a device"
        },
    })
}
