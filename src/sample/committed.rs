//! The sample data of the repository, built into the program for `demo`.

use std::{fs, io::Write as _, path::Path};

use super::{SampleError, new_file};
use crate::source::legacy;

/// Each file of the folder `sample-data` that a job needs.
const FILES: [(&str, &[u8]); 8] = [
    (
        "pinferry.toml",
        include_bytes!("../../sample-data/pinferry.toml"),
    ),
    ("inps.csv", include_bytes!("../../sample-data/inps.csv")),
    (
        "sportello.sql",
        include_bytes!("../../sample-data/sportello.sql"),
    ),
    ("links.csv", include_bytes!("../../sample-data/links.csv")),
    ("intake.csv", include_bytes!("../../sample-data/intake.csv")),
    (
        "intake-night.csv",
        include_bytes!("../../sample-data/intake-night.csv"),
    ),
    ("counter-new-pin.sql", NEW_PIN.as_bytes()),
    ("counter-revocation.sql", REVOCATION.as_bytes()),
];
const STATEMENTS: &str = include_str!("../../sample-data/sportello.sql");
const NEW_PIN: &str = include_str!("../../sample-data/counter-new-pin.sql");
const REVOCATION: &str = include_str!("../../sample-data/counter-revocation.sql");
const DATABASE: &str = "sportello.db";

/// Lays the sample data out in a folder, which is made if need be: configuration, extract, links, and the
/// legacy database in working order.
///
/// # Errors
/// One of the files exists, or cannot be written.
pub fn lay_out(folder: &Path) -> Result<(), SampleError> {
    fs::create_dir_all(folder).map_err(|error| SampleError::create(folder, error))?;
    for (name, bytes) in FILES {
        let path = folder.join(name);
        new_file(&path)?
            .write_all(bytes)
            .map_err(|error| SampleError::write(&path, error))?;
    }
    let database = folder.join(DATABASE);
    drop(new_file(&database)?);
    legacy::lay_out(&database, STATEMENTS)?;
    Ok(())
}

/// What the counters' application does while somebody migrates its PINs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtTheCounter {
    /// It issues a PIN.
    NewPin,
    /// It revokes one.
    Revocation,
}

/// Does at the laid out database what its application would do.
///
/// # Errors
/// The words of the database, where it refused.
pub fn at_the_counter(folder: &Path, what: AtTheCounter) -> Result<(), String> {
    let statements = match what {
        AtTheCounter::NewPin => NEW_PIN,
        AtTheCounter::Revocation => REVOCATION,
    };
    legacy::as_application(&folder.join(DATABASE), statements)
}
